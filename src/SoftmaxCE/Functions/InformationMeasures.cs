using System.Numerics;

namespace SoftmaxCE;

/// <summary>Entropy, cross-entropy and divergences of discrete distributions, from probabilities or straight from logits.</summary>
/// <remarks>
/// <para>Results are in nats; an overload with a base gives another unit: 2 for bits, 10 for hartleys.</para>
/// <para>
/// p is the true and q the model distribution. Their entries are taken as given, never renormalised or clipped: 0 · ln 0 counts as 0, and
/// p &gt; 0 where q = 0 gives +∞. A negative entry is an error that names its index; a NaN makes the result NaN, and so does an
/// infinite entry, but for one in p of the entropy and the cross-entropy, which are infinite then.
/// </para>
/// <para>
/// Results are within 8 units of the last place of the exact value of the entries given. Of weights that are no distribution, terms may cancel; then
/// the unit is one of the last place of Σ |p ln q| for the entropy (where q is p) and the cross-entropy, and for the Kullback-Leibler divergence one
/// of the larger of |D| and |Σ q − Σ p|. Sums are taken in double or wider for every type, and the same input gives the same bits on any vector width.
/// </para>
/// </remarks>
public static partial class InformationMeasures
{
    /// <summary>Largest error of the measures, in the ulp that the remarks speak of.</summary>
    internal const double MaxUlpError = 8;

    /// <summary>Entropy H(p) = −Σ p[i] ln p[i], in nats.</summary>
    /// <param name="p">The distribution; entries ≥ 0, taken as given.</param>
    /// <returns>0 when one entry is 1; ln n for n equal entries 1/n.</returns>
    /// <exception cref="ArgumentException"><paramref name="p"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static T Entropy<T>(ReadOnlySpan<T> p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(EntropyInNats(p));

    /// <summary>Entropy in the unit of <paramref name="logBase"/>: −Σ p[i] log p[i]. Uniform over 2^k entries in base 2 gives exactly k.</summary>
    /// <param name="p">The distribution; entries ≥ 0, taken as given.</param>
    /// <param name="logBase">The base of the logarithm: finite, greater than 0, not 1.</param>
    /// <exception cref="ArgumentException"><paramref name="p"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative, or the base is not allowed.</exception>
    public static T Entropy<T>(ReadOnlySpan<T> p, T logBase)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => LogBase.Convert(logBase, EntropyInNats(p));

    /// <summary>Cross-entropy H(p, q) = −Σ p[i] ln q[i], in nats: the expected loss of predicting q when p is true.</summary>
    /// <param name="p">True distribution; entries ≥ 0, taken as given.</param>
    /// <param name="q">Model distribution, as many entries.</param>
    /// <returns>H(p) + D(p || q); +∞ when some p[i] &gt; 0 meets q[i] = 0.</returns>
    /// <exception cref="ArgumentException">The spans differ in length or are empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static T CrossEntropy<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(CrossEntropyInNats(p, q));

    /// <summary>Cross-entropy in the unit of <paramref name="logBase"/>.</summary>
    /// <inheritdoc cref="CrossEntropy{T}(ReadOnlySpan{T}, ReadOnlySpan{T})"/>
    public static T CrossEntropy<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q, T logBase)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => LogBase.Convert(logBase, CrossEntropyInNats(p, q));

    /// <summary>Kullback-Leibler divergence D(p || q) = Σ p[i] ln(p[i] / q[i]), in nats.</summary>
    /// <param name="p">True distribution; entries ≥ 0, taken as given (not renormalised).</param>
    /// <param name="q">Model distribution, same length as <paramref name="p"/>.</param>
    /// <returns>
    /// 0 when p equals q; +∞ when some p[i] &gt; 0 meets q[i] = 0; 0 ln 0 counts as 0. Never negative when both sum to the same. Keeps
    /// its digits however close q is to p.
    /// </returns>
    /// <exception cref="ArgumentException">The spans differ in length or are empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static T KullbackLeibler<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(KullbackLeiblerInNats(p, q));

    /// <summary>Kullback-Leibler divergence in the unit of <paramref name="logBase"/>.</summary>
    /// <inheritdoc cref="KullbackLeibler{T}(ReadOnlySpan{T}, ReadOnlySpan{T})"/>
    public static T KullbackLeibler<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q, T logBase)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => LogBase.Convert(logBase, KullbackLeiblerInNats(p, q));

    /// <summary>Jensen-Shannon divergence ½ D(p || m) + ½ D(q || m) with m = (p + q) / 2, in nats.</summary>
    /// <param name="p">A distribution; entries ≥ 0, taken as given.</param>
    /// <param name="q">Another one, as many entries.</param>
    /// <returns>Symmetric; 0 when p equals q, ln 2 when they share nothing. Never negative, never infinite.</returns>
    /// <exception cref="ArgumentException">The spans differ in length or are empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static T JensenShannon<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(JensenShannonInNats(p, q));

    /// <summary>Jensen-Shannon divergence in the unit of <paramref name="logBase"/>; in base 2 it lies between 0 and 1.</summary>
    /// <inheritdoc cref="JensenShannon{T}(ReadOnlySpan{T}, ReadOnlySpan{T})"/>
    public static T JensenShannon<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q, T logBase)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => LogBase.Convert(logBase, JensenShannonInNats(p, q));

    /// <summary>Perplexity e^H(p): the number of equally likely outcomes that would be as uncertain as p.</summary>
    /// <param name="p">The distribution; entries ≥ 0, taken as given.</param>
    /// <returns>1 when one entry is 1; n for n equal entries 1/n.</returns>
    /// <exception cref="ArgumentException"><paramref name="p"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static T Perplexity<T>(ReadOnlySpan<T> p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(Math.Exp(EntropyInNats(p)));

    /// <summary>
    /// Mutual information I = Σ joint[r, c] ln(joint[r, c] / (row[r] column[c])) of two variables, in nats, where row and column are the marginal
    /// sums of the joint distribution.
    /// </summary>
    /// <param name="joint">[rows, columns] joint probabilities, row-major; entries ≥ 0, taken as given.</param>
    /// <param name="columns">Values in a row.</param>
    /// <returns>0 when the variables are independent.</returns>
    /// <exception cref="ArgumentException"><paramref name="joint"/> is empty or not a whole number of rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative, or <paramref name="columns"/> is less than 1.</exception>
    public static T MutualInformation<T>(ReadOnlySpan<T> joint, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(joint);
        Argument.Positive(columns);
        Argument.DividesInto(joint.Length, columns, nameof(joint));
        Argument.NotNegative(joint, 0, nameof(joint));
        return T.CreateTruncating(DivergenceSums.MutualInformation(joint, columns));
    }

    /// <summary>weights[i] / Σ weights: a distribution from non-negative weights.</summary>
    /// <param name="weights">The weights: ≥ 0 and finite, at least one positive.</param>
    /// <param name="destination">Receives one probability per weight; may be <paramref name="weights"/> itself.</param>
    /// <exception cref="ArgumentException"><paramref name="weights"/> is empty or sums to 0, or <paramref name="destination"/> is too short or overlaps it with a shift.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A weight is negative, infinite or NaN.</exception>
    public static void Normalize<T>(ReadOnlySpan<T> weights, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(weights);
        Argument.FitsInto(weights.Length, destination.Length);
        Argument.SameStartOrDisjoint(weights, destination);
        Argument.FiniteAndNotNegative(weights);
        DivergenceSums.Normalize(weights, destination);
    }

    private static double EntropyInNats<T>(ReadOnlySpan<T> p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(p);
        return DivergenceSums.Run(DivergenceKind.Entropy, p, []);
    }

    private static double CrossEntropyInNats<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckPair(p, q);
        return DivergenceSums.Run(DivergenceKind.CrossEntropy, p, q);
    }

    private static double KullbackLeiblerInNats<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckPair(p, q);
        return DivergenceSums.Run(DivergenceKind.KullbackLeibler, p, q);
    }

    private static double JensenShannonInNats<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckPair(p, q);
        return DivergenceSums.Run(DivergenceKind.JensenShannon, p, q);
    }

    private static void CheckPair<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(p);
        Argument.SameLength(p.Length, q.Length, nameof(q));
    }
}
