using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Lane by lane work on a vector of any width, where the hardware has no masked form of it.</summary>
internal static class PartialLanes
{
    public static unsafe TVector Load<TVector, T>(T* source, int count, TVector fill)
        where TVector : struct
        where T : unmanaged
    {
        ref T lanes = ref Unsafe.As<TVector, T>(ref fill);
        for (int i = 0; i < count; i++) Unsafe.Add(ref lanes, i) = source[i];       // count ≤ lanes, so this stays inside fill
        return fill;
    }

    public static unsafe void Store<TVector, T>(T* destination, int count, TVector value)
        where TVector : struct
        where T : unmanaged
    {
        ref T lanes = ref Unsafe.As<TVector, T>(ref value);
        for (int i = 0; i < count; i++) destination[i] = Unsafe.Add(ref lanes, i);
    }
}
