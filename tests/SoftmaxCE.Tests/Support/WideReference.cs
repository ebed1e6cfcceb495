using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>
/// The library's functions as the textbook writes them, in <see cref="Wide"/> arithmetic: what the kernels are measured against.
/// Inputs are taken as the exact numbers they are; entries of distributions are not renormalised; 0 ln 0 = 0.
/// </summary>
public static class WideReference
{
    public static Wide[] Softmax<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide[] exps = ExpsBelowMax(logits, out _);
        Wide sum = Sum(exps);
        return Array.ConvertAll(exps, e => e / sum);
    }

    public static Wide[] LogSoftmax<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide logSumAboveMax = LogSumAboveMax(ExpsBelowMax(logits, out Wide max));
        return Array.ConvertAll(Values(logits), x => (x - max) - logSumAboveMax);
    }

    public static Wide LogSumExp<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide logSumAboveMax = LogSumAboveMax(ExpsBelowMax(logits, out Wide max));
        return max == Wide.NegativeInfinity || max == Wide.PositiveInfinity ? max : max + logSumAboveMax;
    }

    /// <summary>-ln softmax(logits)[label], with full relative accuracy when the label is almost certain.</summary>
    public static Wide CrossEntropyOfLabel<T>(ReadOnlySpan<T> logits, int label)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide[] values = Values(logits);
        Wide others = Wide.Zero;
        for (int i = 0; i < values.Length; i++)
            if (i != label) others += WideMath.Exp(values[i] - values[label]);
        return others.IsFinite ? WideMath.Log1p(others) : LogSumExp(logits) - values[label];
    }

    /// <summary>H(p) = -Σ p ln p.</summary>
    public static Wide Entropy<T>(ReadOnlySpan<T> p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => -Sum(Array.ConvertAll(Values(p), v => TimesLog(v, v)));

    /// <summary>H(softmax(logits)) = Σ softmax_i · (-logSoftmax_i), a sum of terms that are not negative.</summary>
    public static Wide EntropyFromLogits<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => -Expectation(Softmax(logits), LogSoftmax(logits));

    /// <summary>H(p, q) = -Σ p ln q.</summary>
    public static Wide CrossEntropy<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => -Sum(Pairwise(p, q, TimesLog));

    /// <summary>H(p, softmax(logits)) = -Σ p · logSoftmax.</summary>
    public static Wide CrossEntropyFromLogits<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => -Expectation(Values(p), LogSoftmax(logits));

    /// <summary>D(p‖q) = Σ p ln(p/q).</summary>
    public static Wide KullbackLeibler<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Sum(Pairwise(p, q, RelativeTerm));

    /// <summary>Σ [p ln(p/q) - p + q] = Σ p (e^-δ - 1 + δ) with δ = ln p - ln q: no term is negative, so nothing cancels when p is next to q.</summary>
    public static Wide KullbackLeiblerFromLogits<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide[] p = Softmax(logitsP), q = Softmax(logitsQ);
        Wide[] logP = LogSoftmax(logitsP), logQ = LogSoftmax(logitsQ);
        return Sum(p.Select((v, i) => v.IsZero ? q[i] : q[i].IsZero ? Wide.PositiveInfinity : v * ExpMinusOnePlus(logP[i] - logQ[i])));
    }

    /// <summary>JS(p, q) = ½ Σ [p ln(p/m) + q ln(q/m)], m = (p + q)/2.</summary>
    public static Wide JensenShannon<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Sum(Pairwise(p, q, JensenShannonTerm));

    public static Wide JensenShannonFromLogits<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Sum(Softmax(logitsP).Zip(Softmax(logitsQ), JensenShannonTerm));

    /// <summary>1 / (1 + e^-x).</summary>
    public static Wide Sigmoid<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Wide.One / (1 + WideMath.Exp(-Wide.From(x)));

    /// <summary>-ln(1 + e^-x).</summary>
    public static Wide LogSigmoid<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide value = Wide.From(x);
        return value.Sign >= 0 ? -WideMath.Log1p(WideMath.Exp(-value)) : value - WideMath.Log1p(WideMath.Exp(value));
    }

    /// <summary>The values themselves, exactly.</summary>
    public static Wide[] Values<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Array.ConvertAll(values.ToArray(), Wide.From);

    public static Wide Sum(IEnumerable<Wide> values) => values.Aggregate(Wide.Zero, (sum, value) => sum + value);

    private static Wide[] ExpsBelowMax<T>(ReadOnlySpan<T> logits, out Wide max)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Wide[] values = Values(logits);
        Wide top = values.Aggregate(Wide.NegativeInfinity, Wide.Max);
        max = top;
        return Array.ConvertAll(values, x => WideMath.Exp(x - top));
    }

    // Σ e^(x - max) = 1 + the others, and log1p of the others keeps full accuracy when they are tiny.
    private static Wide LogSumAboveMax(Wide[] exps)
    {
        int top = Array.FindIndex(exps, e => e == Wide.One);
        return top < 0 ? Wide.NaN : WideMath.Log1p(Sum(exps.Where((_, i) => i != top)));
    }

    private static Wide ExpMinusOnePlus(Wide delta) => WideMath.Expm1(-delta) + delta;

    private static Wide Expectation(Wide[] p, Wide[] values) => Sum(p.Zip(values, (weight, value) => weight.IsZero ? Wide.Zero : weight * value));

    private static Wide TimesLog(Wide weight, Wide value) => weight.IsZero ? Wide.Zero : weight * WideMath.Log(value);

    private static Wide RelativeTerm(Wide p, Wide q) =>
        p.IsZero ? Wide.Zero :
        q.IsZero ? Wide.PositiveInfinity :
        p * (2 * p < q ? WideMath.Log(p / q) : WideMath.Log1p((p - q) / q));           // of a ratio next to 0, that less 1 has no digits

    /// <summary>With t = (p - q)/(p + q): (p + q)/4 · [(1 + t) ln(1 + t) + (1 - t) ln(1 - t)], as a series of terms ≥ 0 where p is next to q.</summary>
    private static Wide JensenShannonTerm(Wide p, Wide q)
    {
        Wide sum = p + q;
        if (sum.IsZero) return sum;
        Wide t = (p - q) / sum, square = t * t;
        if (square > 1e-4) return sum / 4 * (TimesLog(1 + t, 2 * p / sum) + TimesLog(1 - t, 2 * q / sum));
        Wide series = Wide.Zero, power = square;
        for (int k = 2; k < 30; k += 2, power *= square) series += power / (k * (k - 1));
        return sum / 2 * series;
    }

    private static IEnumerable<Wide> Pairwise<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q, Func<Wide, Wide, Wide> term)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Values(p).Zip(Values(q), term);
}
