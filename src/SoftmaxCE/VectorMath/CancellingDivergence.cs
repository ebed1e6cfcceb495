using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ p ln(p/q) entry by entry, for the rare case that Σ [p ln(p/q) − p + q] and Σ (q − p) cancel.</summary>
/// <remarks>
/// Where q is between 2/3 and 3/2 of p, x ln(x/y) is s (d − x z R(z)) − d, as in <see cref="DivergenceTerms"/>: d is exact, s d is taken to twice the precision of double,
/// and what R adds is a small part of it. Elsewhere the logarithm is taken as it is: there q is not subtracted, so that a large q beside a small p does no harm.
/// </remarks>
internal static class CancellingDivergence
{
    /// <summary>The divergence of a span of doubles, added to <paramref name="sum"/>. No entry is negative; where q is 0, p is.</summary>
    public static void Add(ReadOnlySpan<double> p, ReadOnlySpan<double> q, ref CompensatedSum sum)
    {
        for (int i = 0; i < p.Length; i++)
        {
            double x = p[i], y = q[i], d = y - x;
            if (x == 0) continue;
            if (y > x * (2.0 / 3) && y < x * 1.5) AddNear(x, y, d, ref sum);
            else sum.Add(x * LogOfRatio(x, y));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static void AddNear(double x, double y, double d, ref CompensatedSum sum)
    {
        double total = TwoSum.Add<ScalarSimd<double>, double, double>(x, y, out double totalLow);
        double s = d / total, sLow = (Math.FusedMultiplyAdd(-s, total, d) - (s * totalLow)) / total, z = s * s, square = s * d;
        sum.Add(-d);
        sum.Add(square);
        sum.Low += Math.FusedMultiplyAdd(s, d, -square) + (sLow * d);
        sum.Add(-s * x * z * DivergenceTerms.R<ScalarSimd<double>, double, double>(z));
    }

    private static double LogOfRatio(double x, double y)
    {
        double ratio = x / y;
        return double.IsNormal(ratio) ? Log(ratio) : Log(x) - Log(y);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static double Log(double x) => LogPolynomial.Log<ScalarSimd<double>, double, double>(x);
}
