using System.Numerics;

namespace SoftmaxCE;

/// <summary>Draws classes (tokens) from the softmax of logits, with the usual restrictions to the likely ones.</summary>
/// <remarks>
/// <para>
/// Probabilities are p = softmax(z/τ). The draw is made among the classes that pass all restrictions, with their probabilities renormalised. They are
/// applied in this order, as in Hugging Face transformers:
/// </para>
/// <list type="table">
/// <listheader><term>Here</term><description>keeps · there</description></listheader>
/// <item><term><see cref="Temperature"/></term><description>all; 0 takes the largest logit · <c>temperature</c></description></item>
/// <item><term><see cref="TopK"/></term><description>the k largest · <c>top_k</c></description></item>
/// <item><term><see cref="TopP"/></term><description>the fewest of the largest whose probabilities (after top-k) reach P together · <c>top_p</c></description></item>
/// <item><term><see cref="MinP"/></term><description>those with at least this fraction of the largest probability · <c>min_p</c></description></item>
/// </list>
/// <para>Among equal logits the lower class counts as the larger one, so that every restriction keeps a definite set.</para>
/// <para>
/// The draw is the Gumbel-max trick: the class with the largest z/τ + g, where g = −ln(−ln u) with u in (0, 1) made from the seed and the class alone.
/// So the same seed gives the same draw on every machine, and a class's noise does not depend on which other classes are left. Without restrictions
/// the blocks of the row compete first by their total probability, then the classes of the winning block; the distribution is the same.
/// </para>
/// <para>
/// Nothing is sorted but a sample of the row and the few entries whose order matters, and memory comes from a pool. Logits of −∞ and <c>excluded</c> classes are never drawn. The
/// instance may be shared by threads.
/// </para>
/// </remarks>
public sealed record LogitSampler
{
    /// <summary>τ ≥ 0; 0 takes the largest logit. Default 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>How many of the largest logits may be drawn, at least 1; 0 (the default) means all.</summary>
    public int TopK { get; init; }

    /// <summary>P in (0, 1]. Default 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>In [0, 1]. Default 0: all.</summary>
    public double MinP { get; init; }

    /// <summary>Draws one class.</summary>
    /// <typeparam name="T">Any IEEE type; float and double as they are, Half in float, every other in double.</typeparam>
    /// <param name="logits">The logits of one row.</param>
    /// <param name="seed">Decides the draw; take another one for each, such as a counter.</param>
    /// <param name="excluded">Classes that must not be drawn, in any order, repeated or not: recent tokens, say. They take no part in top-k or top-p.</param>
    /// <returns>The class, 0 to <paramref name="logits"/>.Length − 1.</returns>
    /// <exception cref="ArgumentException">Logits are empty, one is NaN or +∞, or none is left to draw.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An excluded class is none of the logits, or an option is out of its range.</exception>
    public int Sample<T>(ReadOnlySpan<T> logits, ulong seed, ReadOnlySpan<int> excluded = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logits);
        Validate();
        return RowSampler.Sample(this, logits, seed, excluded);
    }

    private void Validate()
    {
        Argument.FiniteAndNotNegative(Temperature);
        ArgumentOutOfRangeException.ThrowIfNegative(TopK);
        LossArguments.Share(TopP);
        Argument.FiniteAndPositive(TopP);
        LossArguments.Share(MinP);
    }
}
