using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Entropies and divergences of softmax distributions from spans of logits of any IEEE type.</summary>
/// <remarks>
/// Floats and doubles are read in place, part by part; Half is converted to float and any other type to double. Divergences of floats that are
/// near 0, or not finite, are taken again in double.
/// </remarks>
internal static unsafe class LogitSums
{
    /// <summary>H = ln s + Σ e^d (−d) / s with d = z − max and s = Σ e^d: two sums of terms ≥ 0.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Entropy<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        IsKeptByFloat<T>() ? Entropy<T, float>(logits) : Entropy<T, double>(logits);

    /// <summary>Σ p (ln s − d) = ln s · Σ p + Σ p (−d).</summary>
    /// <exception cref="ArgumentOutOfRangeException">An entry of <paramref name="p"/> is negative.</exception>
    [MethodImpl(LoopMethod.Compiled)]
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

    [MethodImpl(LoopMethod.Compiled)]
    private static bool IsKeptByFloat<T>() => typeof(T) == typeof(float) || typeof(T) == typeof(Half);

    [MethodImpl(LoopMethod.Compiled)]
    private static double Entropy<T, TElement>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        LogitPart<TElement> row = Row<T, TElement>(logits, []);
        double log = row.Log(out double rest) + rest;
        return log + (row.Distances.Value / row.Sum.Value);
    }

    [MethodImpl(LoopMethod.Compiled)]
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
    [MethodImpl(LoopMethod.Compiled)]
    private static LogitPart<TElement> Row<T, TElement>(ReadOnlySpan<T> logits, ReadOnlySpan<T> weights)
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
                TElement* part = Conversion.Values(source + i, values, count);
                TElement* partWeights = weights.IsEmpty ? null : Conversion.Values(weightSource + i, factors, count);
                bool isLast = i + count == logits.Length || typeof(T) != typeof(TElement);
                LogitTerms terms = weights.IsEmpty ? LogitTerms.Distances : LogitTerms.WeightedDistances;
                LogitPartKernel<TElement> kernel = new(part, partWeights, (nuint)count, isLast ? part : part + count, terms);
                VectorWidth.Run<LogitPartKernel<TElement>, TElement>(ref kernel);
                if (weights.IsEmpty) row.MergeExponentials(kernel.Part);
                else row.MergeWeighted(kernel.Part);
            }
        }

        return row;
    }

    /// <summary>
    /// The Kullback-Leibler or the Jensen-Shannon divergence: both rows are read once for their sums, and once more for terms that do not cancel. A Kullback-Leibler
    /// divergence that is not small beside the differences of the logits comes from the first reading.
    /// </summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Divergence<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, LogitSum kind)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (IsKeptByFloat<T>())
        {
            double value = Divergence<T, float>(logitsP, logitsQ, kind, out LogitPart<float> _, out LogitPart<float> _);
            if (double.IsFinite(value) && value > SmallestOfFloats) return value;
        }

        double divergence = Divergence<T, double>(logitsP, logitsQ, kind, out LogitPart<double> p, out LogitPart<double> q);
        if (!(divergence < SmallestOfDoubles)) return divergence;
        double growth = Sum(logitsP, logitsQ, LogitPair<double>.Of(p, q, 0), LogitSum.Growth) / p.Sum.Value;
        return Sum(logitsP, logitsQ, LogitPair<double>.Of(p, q, growth), kind) / p.Sum.Value;
    }

    // Smaller divergences could feel the error of the logarithms of the sums, of which half the square enters: at most 1e-13 and 1e-30.
    private const double SmallestOfFloats = 1e-6;
    private const double SmallestOfDoubles = 1e-14;

    [MethodImpl(LoopMethod.Compiled)]
    private static double Divergence<T, TElement>(
        ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, LogitSum kind, out LogitPart<TElement> p, out LogitPart<TElement> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        double center = Rows(logitsP, logitsQ, kind == LogitSum.KullbackLeibler ? LogitTerms.Differences : LogitTerms.None, out p, out q);
        LogitPair<TElement> pair = LogitPair<TElement>.Of(p, q);
        double sum = p.Sum.Value;
        if (kind == LogitSum.KullbackLeibler)
        {
            // Σ p (x − y − center) − (ln P/Q − center). In units of T's last place a term is off by 2 and half of what the center took from it, the logarithms by
            // 1.5, which together may be 6 ulp.
            double value = (p.Distances.Value / sum) - (Element.ToDouble(pair.Shift) - center + Element.ToDouble(pair.ShiftLow));
            if (value > (p.Mass.Value / sum / 3) + (Math.Abs(center) / 6) + 0.25) return value;
        }

        if (kind == LogitSum.JensenShannon && typeof(TElement) == typeof(float) && TryMean(logitsP, logitsQ, (LogitPair<float>)(object)pair, sum, out double twice)) return twice / 2;
        return Sum(logitsP, logitsQ, pair, kind) / sum;
    }

    /// <summary>Twice the Jensen-Shannon divergence, unless the rows, or their first parts already, are close.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static bool TryMean<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, in LogitPair<float> pair, double sum, out double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int room = typeof(T) == typeof(float) ? 0 : LogitMeanKernel.PartLength;
        float* valuesP = stackalloc float[room], valuesQ = stackalloc float[room];
        CompensatedSum terms = default, lost = default;
        value = double.NaN;
        fixed (T* sourceP = logitsP, sourceQ = logitsQ)
        {
            for (int i = 0, count; i < logitsP.Length; i += count)
            {
                count = Math.Min(LogitMeanKernel.PartLength, logitsP.Length - i);
                LogitMeanKernel kernel = new(Conversion.Values(sourceP + i, valuesP, count), Conversion.Values(sourceQ + i, valuesQ, count), count, pair);
                VectorWidth.Run<LogitMeanKernel, float>(ref kernel);
                terms.Add(kernel.Terms);
                lost.Add(kernel.Lost);
                if (i == 0 && !IsFar(terms.Value, lost.Value, 0)) return false;
            }
        }

        value = terms.Value / sum;
        return IsFar(value, lost.Value / sum, Math.Abs(pair.Shift));
    }

    // In units of a float's last place each part of a term is off by 1.5 of itself, and what the shift took from the differences by a quarter of it; together that may be 6 ulp.
    [MethodImpl(LoopMethod.Compiled)]
    private static bool IsFar(double terms, double lost, double shift) => terms > ((terms + (2 * lost)) / 4) + (shift / 24);

    /// <summary>The sums of two rows, part by part, with terms of the first.</summary>
    /// <returns>The center of differences: the distance of the maxima of the first parts.</returns>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static double Rows<T, TElement>(
        ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, LogitTerms terms, out LogitPart<TElement> rowP, out LogitPart<TElement> rowQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        int partLength = (int)LongRow<TElement>.PartLength / 2, room = typeof(T) == typeof(TElement) ? 0 : partLength;
        TElement* valuesP = stackalloc TElement[room], valuesQ = stackalloc TElement[room];
        TElement center = TElement.NaN;
        rowP = rowQ = LogitPart<TElement>.Empty;
        fixed (T* sourceP = logitsP, sourceQ = logitsQ)
        {
            for (int i = 0, count; i < logitsP.Length; i += count)
            {
                count = Math.Min(partLength, logitsP.Length - i);
                TElement* p = Conversion.Values(sourceP + i, valuesP, count), q = Conversion.Values(sourceQ + i, valuesQ, count);
                int ahead = i + count == logitsP.Length || typeof(T) != typeof(TElement) ? 0 : count;
                LogitPartKernel<TElement> kernelQ = new(q, null, (nuint)count, q + ahead, LogitTerms.None);
                VectorWidth.Run<LogitPartKernel<TElement>, TElement>(ref kernelQ);
                LogitPartKernel<TElement> kernelP = new(p, q, (nuint)count, p + ahead, terms) { Center = center, OtherMax = kernelQ.Part.Max };
                VectorWidth.Run<LogitPartKernel<TElement>, TElement>(ref kernelP);
                center = kernelP.Center;
                rowQ.MergeExponentials(kernelQ.Part);
                if (terms == LogitTerms.Differences) rowP.MergeDifferences(kernelP.Part);
                else rowP.MergeExponentials(kernelP.Part);
            }
        }

        return Element.ToDouble(center);
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static double Sum<T, TElement>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, in LogitPair<TElement> pair, LogitSum kind)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        int partLength = (int)LongRow<TElement>.PartLength / 2, room = typeof(T) == typeof(TElement) ? 0 : partLength;          // parts of both fit the first-level cache
        TElement* valuesP = stackalloc TElement[room], valuesQ = stackalloc TElement[room];
        CompensatedSum sum = default;
        fixed (T* sourceP = logitsP, sourceQ = logitsQ)
        {
            for (int i = 0, count; i < logitsP.Length; i += count)
            {
                count = Math.Min(partLength, logitsP.Length - i);
                TElement* p = Conversion.Values(sourceP + i, valuesP, count), q = Conversion.Values(sourceQ + i, valuesQ, count);
                LogitDivergenceKernel<TElement> kernel = new(p, q, (nuint)count, pair, kind);
                VectorWidth.Run<LogitDivergenceKernel<TElement>, TElement>(ref kernel);
                sum.Add(kernel.Sum);
            }
        }

        return sum.Value;
    }
}
