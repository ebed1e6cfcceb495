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
    public static unsafe double Sum<TVector, T>(TVector value)
        where TVector : struct
        where T : unmanaged
    {
        return Sum((T*)Unsafe.AsPointer(ref value), Unsafe.SizeOf<TVector>() / sizeof(T));
    }

    /// <summary>The same of lanes in memory.</summary>
    public static unsafe double Sum<T>(T* values, int count)
        where T : unmanaged
    {
        double* lanes = stackalloc double[count];
        for (int i = 0; i < count; i++) lanes[i] = Element.ToDouble(values[i]);
        for (int half = count / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
        }

        return lanes[0];
    }

    /// <summary>table[i] for the integer in the low 3 bits of each lane of <paramref name="index"/>.</summary>
    public static unsafe TVector Lookup<TVector, T>(T* table, TVector index)
        where TVector : struct
        where T : unmanaged
    {
        ref T lanes = ref Unsafe.As<TVector, T>(ref index);
        for (int i = 0; i < Unsafe.SizeOf<TVector>() / sizeof(T); i++)
        {
            ref T lane = ref Unsafe.Add(ref lanes, i);
            long bits = typeof(T) == typeof(float) ? Unsafe.As<T, int>(ref lane) : Unsafe.As<T, long>(ref lane);
            lane = table[bits & 7];
        }

        return index;
    }
}
