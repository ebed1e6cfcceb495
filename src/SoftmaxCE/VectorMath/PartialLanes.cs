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

    /// <summary>Sum in double of lane i with i + half, then quarter, …</summary>
    public static unsafe double Sum<TVector, T>(TVector value, int count)
        where TVector : struct
        where T : unmanaged
    {
        double* lanes = stackalloc double[count];
        for (int i = 0; i < count; i++)
        {
            lanes[i] = typeof(T) == typeof(float)
                ? Unsafe.Add(ref Unsafe.As<TVector, float>(ref value), i)
                : Unsafe.Add(ref Unsafe.As<TVector, double>(ref value), i);
        }

        for (int half = count / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
        }

        return lanes[0];
    }
}
