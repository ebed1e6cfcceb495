using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>The last steps of every lane sum: lane i with i + half, then quarter, … down to one.</summary>
internal static class WideTotal
{
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public static unsafe CompensatedSum Of<TSimd, TVector, T>(TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int count = TSimd.Lanes;
        double* sums = stackalloc double[count], lost = stackalloc double[count];
        TSimd.StoreWide(first, second, sums, lost);
        return Of<T>(sums, lost, count);
    }

    /// <summary>The same for lanes in memory, which is written to.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static unsafe CompensatedSum Of<T>(double* sums, double* lost, int count)
        where T : unmanaged
    {
        for (int half = count / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
            {
                if (typeof(T) == typeof(float))
                {
                    sums[i] += sums[i + half];          // sums of floats leave a double room for every rounding
                }
                else
                {
                    sums[i] = TwoSum.Add<ScalarSimd<double>, double, double>(sums[i], sums[i + half], out double error);
                    lost[i] += lost[i + half] + error;
                }
            }
        }

        return new() { High = sums[0], Low = lost[0] };
    }

    /// <summary>(v0 + v2) + (v1 + v3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double OfFour(Vector256<double> value)
    {
        Vector128<double> two = value.GetLower() + value.GetUpper();
        return two.ToScalar() + two.GetElement(1);
    }

    /// <summary>Writes <see cref="ISimd{TVector,T}.SumOfLanes"/> of four vectors: at 512 bits the same additions, but those of all four in one register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void OfFour<TSimd, TVector, T>(TVector first, TVector second, TVector third, TVector fourth, double* sums)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (typeof(TVector) != typeof(Vector512<T>))
        {
            sums[0] = TSimd.SumOfLanes(first);
            sums[1] = TSimd.SumOfLanes(second);
            sums[2] = TSimd.SumOfLanes(third);
            sums[3] = TSimd.SumOfLanes(fourth);
            return;
        }

        Vector512<double> a = Eight<TVector, T>(first), b = Eight<TVector, T>(second), c = Eight<TVector, T>(third), d = Eight<TVector, T>(fourth);

        // Quarters of vectors: lanes 0 1 | 2 3 | 4 5 | 6 7. First 0 + 4, … of a and c, and of b and d; then those of all four.
        const byte Lower = 0b_01_00_01_00, Upper = 0b_11_10_11_10, Even = 0b_10_00_10_00, Odd = 0b_11_01_11_01;
        Vector512<double> ac = Avx512F.Shuffle4x128(a, c, Lower) + Avx512F.Shuffle4x128(a, c, Upper);
        Vector512<double> bd = Avx512F.Shuffle4x128(b, d, Lower) + Avx512F.Shuffle4x128(b, d, Upper);
        Vector512<double> pairs = Avx512F.Shuffle4x128(ac, bd, Even) + Avx512F.Shuffle4x128(ac, bd, Odd);
        Avx.HorizontalAdd(pairs.GetLower(), pairs.GetUpper()).Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Eight<TVector, T>(TVector value)
        where TVector : struct
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return Unsafe.BitCast<TVector, Vector512<double>>(value);
        Vector512<float> singles = Unsafe.BitCast<TVector, Vector512<float>>(value);
        return Vector512.WidenLower(singles) + Vector512.WidenUpper(singles);
    }
}
