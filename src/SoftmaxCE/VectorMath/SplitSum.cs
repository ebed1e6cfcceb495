using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A sum of at most 128 exponentials t (1 + q) as two numbers, without a conversion to double.</summary>
/// <remarks>
/// The high part of each t is a multiple of 2^-15 of the largest: adding those up rounds nothing, in whatever order. The low parts are small, so
/// that their roundings do not matter, but their order does for the last bits: lane i with i + half, then quarter, …
/// </remarks>
internal static class SplitSum
{
    /// <summary>t rounded to 15 bits below the largest exponential; t − high + t q is the low part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector High<TSimd, TVector, T>(TVector t)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector start = FactoredSum<TVector, T>.Start<TSimd>();
        return TSimd.Subtract(TSimd.Add(t, start), start);
    }

    /// <summary>1 / (high + low) as a rounded value and what rounding lost, in each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Reciprocal<TSimd, TVector, T>(TVector high, TVector low, out TVector reciprocalLow)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), sum = TSimd.Add(high, low);
        TVector lost = TSimd.Subtract(low, TSimd.Subtract(sum, high)), reciprocal = TSimd.Divide(one, sum);          // high is the larger
        TVector remainder = TSimd.NegatedMultiplyAdd(lost, reciprocal, TSimd.NegatedMultiplyAdd(sum, reciprocal, one));
        reciprocalLow = TSimd.Multiply(remainder, reciprocal);
        return reciprocal;
    }
}
