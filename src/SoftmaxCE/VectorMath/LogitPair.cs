using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What the terms of a divergence need to know of two whole rows of logits: ln p − ln q = zP − zQ − shift, and the ratio of the sums P / Q.</summary>
internal readonly record struct LogitPair<T>(T MaxP, T MaxQ, T Ratio, T Shift, T ShiftLow)
    where T : unmanaged
{
    /// <summary>By the logarithms of the sums, whose errors all ln p − ln q then have in common.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static LogitPair<T> Of(in LogitPart<T> p, in LogitPart<T> q)
    {
        double logP = p.Log(out double restP), logQ = q.Log(out double restQ);
        double logs = TwoSum.Subtract<ScalarSimd<double>, double, double>(logP, logQ, out double lost);
        return Of(p, q, logs, lost + (restP - restQ), p.Sum.Value / q.Sum.Value);
    }

    /// <summary>By ln(P / Q) = −ln(1 + growth): to full relative accuracy also where P is next to Q and their logarithms have no digits to tell.</summary>
    /// <param name="p">The sums of P.</param>
    /// <param name="q">The sums of Q.</param>
    /// <param name="growth">Q / P − 1, in sums that refer to the maxima.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public static LogitPair<T> Of(in LogitPart<T> p, in LogitPart<T> q, double growth) => Of(p, q, -RowSum.Log1p(growth), 0, 1 / (1 + growth));

    [MethodImpl(LoopMethod.Compiled)]
    private static LogitPair<T> Of(in LogitPart<T> p, in LogitPart<T> q, double logs, double logsLow, double ratio)
    {
        double maxima = TwoSum.Subtract<ScalarSimd<double>, double, double>(Element.ToDouble(p.Max), Element.ToDouble(q.Max), out double lost);
        double total = TwoSum.Add<ScalarSimd<double>, double, double>(maxima, logs, out double lostTotal);
        total = TwoSum.Add<ScalarSimd<double>, double, double>(total, lost + lostTotal + logsLow, out double low);         // the rest of a logarithm is not small
        T shift = Element.FromDouble<T>(total), shiftLow = Element.FromDouble<T>(total - Element.ToDouble(shift) + low);
        return new(p.Max, q.Max, Element.FromDouble<T>(ratio), shift, shiftLow);
    }
}
