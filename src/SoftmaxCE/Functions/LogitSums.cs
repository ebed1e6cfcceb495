using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>Entropies and divergences of softmax distributions from spans of logits of any IEEE type, widened to double block by block.</summary>
internal static unsafe class LogitSums
{
    private const int BlockLength = 512;

    /// <summary>H = ln s + Σ e^d (−d) / s with d = z − max and s = Σ e^d: two sums of terms ≥ 0.</summary>
    public static double Entropy<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        LogNormalizer normalizer = Normalizer(logits, out double total);
        double weighted = Sum(logits, [], normalizer.Max, SoftmaxSum.ExpTimesMinusDifference).Value;
        return normalizer.Log + normalizer.LogLow + (weighted / total);
    }

    /// <summary>Σ p (ln s − d) = ln s · Σ p + Σ p (−d).</summary>
    public static double CrossEntropy<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        LogNormalizer normalizer = Normalizer(logits, out _);
        CompensatedSum mass = default;
        foreach (T entry in p) mass.Add(double.CreateTruncating(entry));
        double weighted = Sum(logits, p, normalizer.Max, SoftmaxSum.WeightTimesMinusDifference).Value;
        double log = (normalizer.Log + normalizer.LogLow) * mass.Value;
        return log + weighted;
    }

    public static double Divergence<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, DivergenceKind kind)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        LogNormalizer p = Normalizer(logitsP, out _), q = Normalizer(logitsQ, out _);
        double logRatio = p.Log - q.Log + (p.LogLow - q.LogLow);

        // When p and q are close, the difference of the two logarithms has no digits left. With g = (zQ − maxQ) − (zP − maxP) it is
        // ln Σ p e^g = ln(1 + Σ p (e^g − 1)), whose terms are as small as g.
        if (Run(logitsP, logitsQ, p, q, 0, LogitSum.Spread).Largest < CloseSpread)
        {
            double growth = Run(logitsP, logitsQ, p, q, 0, LogitSum.Growth).Terms.Value;
            logRatio = -LogPolynomial.Log1p<ScalarSimd<double>, double, double>(growth);
        }

        if (kind == DivergenceKind.JensenShannon) return Run(logitsP, logitsQ, p, q, logRatio, LogitSum.JensenShannon).Terms.Value;
        LogitDivergenceKernel sums = Run(logitsP, logitsQ, p, q, logRatio, LogitSum.KullbackLeibler);
        if (sums.Largest > 0) sums.Terms.Add(sums.Differences);       // else all of p is near q, and Σ (p − q) over all is 0
        return sums.Terms.Value;
    }

    private const double CloseSpread = 0.3;

    private static LogitDivergenceKernel Run<T>(
        ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, LogNormalizer p, LogNormalizer q, double logRatio, LogitSum step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double* first = stackalloc double[BlockLength], second = stackalloc double[BlockLength];
        LogitDivergenceKernel total = default;
        for (int i = 0; i < logitsP.Length; i += BlockLength)
        {
            int count = Math.Min(BlockLength, logitsP.Length - i);
            TensorPrimitives.ConvertTruncating(logitsP.Slice(i, count), new Span<double>(first, count));
            TensorPrimitives.ConvertTruncating(logitsQ.Slice(i, count), new Span<double>(second, count));
            LogitDivergenceKernel kernel = new(first, second, count, p, q, logRatio, step);
            VectorWidth.Run<LogitDivergenceKernel, double>(ref kernel);
            total.Terms.Add(kernel.Terms);
            total.Differences.Add(kernel.Differences);
            total.Largest = Math.Max(total.Largest, kernel.Largest);
        }

        return total;
    }

    private static LogNormalizer Normalizer<T>(ReadOnlySpan<T> logits, out double total)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double max = double.NegativeInfinity;
        foreach (T logit in logits) max = Math.Max(max, double.CreateTruncating(logit));        // NaN wins, and makes everything NaN
        CompensatedSum sum = Sum(logits, [], max, SoftmaxSum.Exp);
        total = sum.Value;
        if (!(total < 2)) return new(max, RowSum.Log(sum, 0, out double low), low);
        return new(max, RowSum.Log1p(Sum(logits, [], max, SoftmaxSum.ExpBelowMaximum).Value), 0);
    }

    private static CompensatedSum Sum<T>(ReadOnlySpan<T> logits, ReadOnlySpan<T> weights, double max, SoftmaxSum kind)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double* values = stackalloc double[BlockLength], factors = stackalloc double[BlockLength];
        CompensatedSum sum = default;
        for (int i = 0; i < logits.Length; i += BlockLength)
        {
            int count = Math.Min(BlockLength, logits.Length - i);
            TensorPrimitives.ConvertTruncating(logits.Slice(i, count), new Span<double>(values, count));
            if (!weights.IsEmpty) TensorPrimitives.ConvertTruncating(weights.Slice(i, count), new Span<double>(factors, count));
            SoftmaxSumKernel kernel = new(values, factors, count, max, kind);
            VectorWidth.Run<SoftmaxSumKernel, double>(ref kernel);
            sum.Add(kernel.Sum);
        }

        return sum;
    }
}
