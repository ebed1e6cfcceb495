using System.Numerics;

namespace SoftmaxCE;

public static partial class InformationMeasures
{
    /// <summary>Entropy of softmax(logits) in nats: Σ a[i] (ln Σ e^z[j] − z[i]), without forming the probabilities a.</summary>
    /// <param name="logits">The logits z, at least one.</param>
    /// <returns>Between 0 and ln n. Masked logits (−∞) add nothing. NaN where softmax is NaN.</returns>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is empty.</exception>
    public static T EntropyFromLogits<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logits);
        return T.CreateTruncating(LogitSums.Entropy(logits));
    }

    /// <summary>Cross-entropy H(p, softmax(logits)) = Σ p[i] (ln Σ e^z[j] − z[i]) in nats.</summary>
    /// <param name="p">True distribution; entries ≥ 0, taken as given.</param>
    /// <param name="logits">The model's logits z, as many.</param>
    /// <returns>+∞ when some p[i] &gt; 0 meets a logit of −∞. Keeps its digits where the model is confident and right.</returns>
    /// <exception cref="ArgumentException">The spans differ in length or are empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry of <paramref name="p"/> is negative.</exception>
    public static T CrossEntropyFromLogits<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(p);
        Argument.SameLength(p.Length, logits.Length, nameof(logits));
        return T.CreateTruncating(LogitSums.CrossEntropy(p, logits));
    }

    /// <summary>Kullback-Leibler divergence D(softmax(logitsP) || softmax(logitsQ)) in nats.</summary>
    /// <param name="logitsP">Logits of the true distribution.</param>
    /// <param name="logitsQ">Logits of the model distribution, as many.</param>
    /// <returns>0 when the logits are equal up to a shift; +∞ when q rules out (−∞) what p allows. Never negative.</returns>
    /// <exception cref="ArgumentException">The spans differ in length or are empty.</exception>
    public static T KullbackLeiblerFromLogits<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logitsP);
        Argument.SameLength(logitsP.Length, logitsQ.Length, nameof(logitsQ));
        return T.CreateTruncating(LogitSums.Divergence(logitsP, logitsQ, LogitSum.KullbackLeibler));
    }

    /// <summary>Jensen-Shannon divergence of softmax(logitsP) and softmax(logitsQ) in nats.</summary>
    /// <param name="logitsP">Logits of one distribution.</param>
    /// <param name="logitsQ">Logits of the other, as many.</param>
    /// <returns>Between 0 and ln 2, symmetric, 0 when the logits are equal up to a shift.</returns>
    /// <exception cref="ArgumentException">The spans differ in length or are empty.</exception>
    public static T JensenShannonFromLogits<T>(ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logitsP);
        Argument.SameLength(logitsP.Length, logitsQ.Length, nameof(logitsQ));
        return T.CreateTruncating(LogitSums.Divergence(logitsP, logitsQ, LogitSum.JensenShannon));
    }
}
