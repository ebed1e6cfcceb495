using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Entropies and divergences of softmax distributions from spans of logits of any IEEE type.</summary>
/// <remarks>
/// Floats and doubles are read in place, part by part; Half is converted to float and any other type to double. Kullback-Leibler divergences near 0,
/// or not finite, and all Jensen-Shannon divergences are widened to double block by block.
/// </remarks>
internal static unsafe class LogitSums
{
    private const int BlockLength = 512;

    /// <summary>H = ln s + Σ e^d (−d) / s with d = z − max and s = Σ e^d: two sums of terms ≥ 0.</summary>
    public static double Entropy<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        IsKeptByFloat<T>() ? Entropy<T, float>(logits) : Entropy<T, double>(logits);

    /// <summary>Σ p (ln s − d) = ln s · Σ p + Σ p (−d).</summary>
    /// <exception cref="ArgumentOutOfRangeException">An entry of <paramref name="p"/> is negative.</exception>
    public static double CrossEntropy<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (IsKeptByFloat<T>())
        {
            double value = CrossEntropy<T, float>(p, logits);
            if (double.IsFinite(value) && value > SmallestSafe) return value;
        }

        return CrossEntropy<T, double>(p, logits);
    }

    // Below this, products of floats may have been too small to keep their digits, and an infinite one may have been finite in double.
    private const double SmallestSafe = 1e-30;

    private static bool IsKeptByFloat<T>() => typeof(T) == typeof(float) || typeof(T) == typeof(Half);

    private static double Entropy<T, TElement>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        LogitPart<TElement> row = Row<T, TElement>(logits, []);
        double log = row.Log(out double rest) + rest;
        return log + (row.Distances.Value / row.Sum.Value);
    }

    private static double CrossEntropy<T, TElement>(ReadOnlySpan<T> p, ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        LogitPart<TElement> row = Row<T, TElement>(logits, p);
        if (row.FoundNegative) Argument.NotNegative(p, 0, nameof(p));
        double log = row.Log(out double rest) + rest;
        return (log * row.Mass.Value) + row.Distances.Value;
    }

    /// <summary>The sums of a row, part by part. Without <paramref name="weights"/> the exponentials are the weights.</summary>
    [SkipLocalsInit]
    private static LogitPart<TElement> Row<T, TElement>(ReadOnlySpan<T> logits, ReadOnlySpan<T> weights, bool onlySum = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        int partLength = (int)LongRow<TElement>.PartLength;
        int room = typeof(T) == typeof(TElement) ? 0 : partLength, weightRoom = weights.IsEmpty ? 0 : room;
        TElement* values = stackalloc TElement[room], factors = stackalloc TElement[weightRoom];
        LogitPart<TElement> row = LogitPart<TElement>.Empty;
        fixed (T* source = logits, weightSource = weights)
        {
            for (int i = 0, count; i < logits.Length; i += count)
            {
                count = Math.Min(partLength, logits.Length - i);
                TElement* part = Elements(source + i, values, count);
                TElement* partWeights = weights.IsEmpty ? null : Elements(weightSource + i, factors, count);
                bool isLast = i + count == logits.Length || typeof(T) != typeof(TElement);
                LogitPartKernel<TElement> kernel = new(part, partWeights, (nuint)count, isLast ? part : part + count) { OnlySum = onlySum };
                VectorWidth.Run<LogitPartKernel<TElement>, TElement>(ref kernel);
                if (weights.IsEmpty) row.MergeExponentials(kernel.Part);
                else row.MergeWeighted(kernel.Part);
            }
        }

        return row;
    }

    /// <summary>The values themselves when they have the kernel's type, else converted.</summary>
    private static TElement* Elements<T, TElement>(T* source, TElement* room, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement> =>
        typeof(T) == typeof(TElement) ? (TElement*)source : Conversion.To(source, room, count);

    public static double Divergence<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, DivergenceKind kind)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (kind == DivergenceKind.KullbackLeibler)
        {
            double value = IsKeptByFloat<T>() ? KullbackLeibler<T, float>(logitsP, logitsQ) : KullbackLeibler<T, double>(logitsP, logitsQ);
            if (double.IsFinite(value) && value > (IsKeptByFloat<T>() ? SmallestOfFloats : SmallestOfDoubles)) return value;
        }

        LogNormalizer p = Normalizer(logitsP), q = Normalizer(logitsQ);
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

    // Smaller divergences could feel the error of the logarithms of the sums, of which half the square enters: at most 1e-13 and 1e-30.
    private const double SmallestOfFloats = 1e-6;
    private const double SmallestOfDoubles = 1e-14;

    /// <summary>D(p || q) by <see cref="LogitKullbackLeiblerKernel{T}"/>: each row is read once for its sum and both once more for the terms.</summary>
    [SkipLocalsInit]
    private static double KullbackLeibler<T, TElement>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        LogitPart<TElement> p = Row<T, TElement>(logitsP, [], onlySum: true), q = Row<T, TElement>(logitsQ, [], onlySum: true);
        LogitPair<TElement> pair = LogitPair<TElement>.Of(p, q);
        int partLength = (int)LongRow<TElement>.PartLength, room = typeof(T) == typeof(TElement) ? 0 : partLength;
        TElement* valuesP = stackalloc TElement[room], valuesQ = stackalloc TElement[room];
        CompensatedSum sum = default;
        fixed (T* sourceP = logitsP, sourceQ = logitsQ)
        {
            for (int i = 0, count; i < logitsP.Length; i += count)
            {
                count = Math.Min(partLength, logitsP.Length - i);
                LogitKullbackLeiblerKernel<TElement> kernel = new(
                    Elements(sourceP + i, valuesP, count), Elements(sourceQ + i, valuesQ, count), (nuint)count, pair);
                VectorWidth.Run<LogitKullbackLeiblerKernel<TElement>, TElement>(ref kernel);
                sum.Add(kernel.Sum);
            }
        }

        return sum.Value / p.Sum.Value;
    }

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

    private static LogNormalizer Normalizer<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        LogitPart<double> row = Row<T, double>(logits, [], onlySum: true);
        double log = row.Log(out double rest);
        return new(row.Max, log, rest);
    }
}
