using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
}
