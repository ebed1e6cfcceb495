using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Cross-entropy between the softmax of logits and a label or a target distribution: the loss and its gradient for the logits in one sweep.
/// </summary>
/// <remarks>
/// <para>
/// For one row with logits z, temperature τ, x = z/τ and p = softmax(x):
/// loss = Σ_c u[c] (1 − p[c])^γ (−ln p[c]) + ζ w (ln Σ e^x)², where the target is
/// u[c] = (1 − ε) w[y] [c = y] + ε/C · w[c] for a label y, and u[c] = w[c] ((1 − ε) t[c] + ε/C) for a distribution t.
/// In the ζ term w is w[y] for a label and 1 for a distribution. Every row loss is multiplied by the row's sample weight s.
/// </para>
/// <para>
/// Gradient: ∂loss/∂z[j] = (p[j] Σ_c h[c] − h[j] + 2 ζ w ln(Σ e^x) p[j]) / τ with
/// h[c] = u[c] (1 − p[c])^γ (1 + γ p[c] (−ln p[c]) / (1 − p[c])); with γ = ζ = ε = 0 and no weights it is (p − y) / τ.
/// For <see cref="LossReduction.Mean"/> it is divided by <see cref="LossResult.WeightSum"/> like the loss: Σ s w[y] over the rows not ignored for
/// labels, Σ s for distributions.
/// </para>
/// <list type="table">
/// <listheader><term>Here</term><description>PyTorch <c>cross_entropy</c> · ONNX <c>SoftmaxCrossEntropyLoss</c> · elsewhere</description></listheader>
/// <item><term><see cref="ClassWeights"/></term><description><c>weight</c> · input <c>weights</c></description></item>
/// <item><term><see cref="IgnoreLabel"/></term><description><c>ignore_index</c> (there −100 unless set; here none unless set) · <c>ignore_index</c></description></item>
/// <item><term><see cref="LabelSmoothing"/></term><description><c>label_smoothing</c> · none</description></item>
/// <item><term><see cref="Reduction"/></term><description><c>reduction</c> mean, sum · the same; "none" is the span <c>rowLosses</c></description></item>
/// <item><term><see cref="Temperature"/></term><description>none: divide the logits</description></item>
/// <item><term><see cref="ZLoss"/></term><description>none · Liger's <c>lse_square_scale</c>, T5X's <c>z_loss</c></description></item>
/// <item><term><see cref="FocalGamma"/></term><description>none · γ of Lin et al. 2017, torchvision's and Optax's <c>gamma</c> (there for the sigmoid)</description></item>
/// <item><term><c>sampleWeights</c></term><description>none · scikit-learn's <c>log_loss(sample_weight)</c></description></item>
/// </list>
/// <para>
/// Confident rows keep their digits: with r = Σ_{i≠y} e^(x[i] − x[y]) the loss of a label that is the maximum is ln(1 + r) and its gradient
/// −r/(1 + r), within 4 ulp down to r = 1e-37 in float and 1e-300 in double. Computed as p − 1 both would be 0 below r = 6e-8 in float.
/// </para>
/// <para>
/// A logit of −∞ has probability 0 and gradient 0; it makes the loss +∞ only where the target gives it a share. A row with NaN, +∞ or nothing
/// but −∞ gives NaN. A row of weight 0 gives loss 0 and gradient 0 whatever its logits are. 0 · ln 0 is 0. Nothing is clipped.
/// </para>
/// <para>The same input gives the same bits on any vector width and any number of threads, in place or not. The instance may be shared by threads.</para>
/// </remarks>
public sealed record SoftmaxCrossEntropyLoss
{
    /// <summary>Weight w[c] of each class: one per class, at least 0; empty (the default) means 1 for all.</summary>
    public ReadOnlyMemory<double> ClassWeights { get; init; }

    /// <summary>Rows with this label have loss 0, gradient 0 and no part in the mean; it need not be a class. Default: none. Not used with target distributions.</summary>
    public int? IgnoreLabel { get; init; }

    /// <summary>ε in [0, 1]: the share of the target that is spread evenly over all classes. Default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>τ &gt; 0, rounded to the element type: logits are divided by it. Default 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>ζ ≥ 0: adds ζ (ln Σ e^x)² to each row, which holds the logits near 0 where softmax alone does not care. Default 0.</summary>
    public double ZLoss { get; init; }

    /// <summary>γ ≥ 0: multiplies each term by (1 − p)^γ, which turns attention to hard rows. Default 0. Costs a power per row; with smoothing or distributions two per logit.</summary>
    public double FocalGamma { get; init; }

    /// <summary>Default <see cref="LossReduction.Mean"/>.</summary>
    public LossReduction Reduction { get; init; } = LossReduction.Mean;

    /// <summary>How many threads may share the rows, at least 1, or −1 for all processors; the result does not depend on it. Default 1.</summary>
    public int MaxDegreeOfParallelism { get; init; } = 1;

    /// <summary>Loss and gradient for rows with one label each.</summary>
    /// <typeparam name="T">float and double run vector kernels, Half computes in float, every other IEEE type in double.</typeparam>
    /// <param name="logits">[rows, classes], row after row; rows = <paramref name="labels"/>.Length.</param>
    /// <param name="labels">The class of each row, 0 to classes − 1, or <see cref="IgnoreLabel"/>.</param>
    /// <param name="gradient">Receives ∂loss/∂logits, [rows, classes]; may be the memory of <paramref name="logits"/>. Empty: not wanted.</param>
    /// <param name="rowLosses">Receives what each row adds to the sum (PyTorch's reduction "none"). Empty: not wanted.</param>
    /// <param name="sampleWeights">Weight s of each row, at least 0. Empty: 1 for all.</param>
    /// <exception cref="ArgumentException">Labels are empty, lengths do not fit, or an output overlaps an input with a shift.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is no class (the message names the row), a weight is negative, or an option is out of its range.</exception>
    public LossResult Evaluate<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, Span<T> gradient = default, Span<T> rowLosses = default, ReadOnlySpan<T> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(labels);
        Argument.NotEmpty(logits);
        int classCount = LossArguments.ClassCount(logits.Length, labels.Length, nameof(logits));
        Validate(classCount);
        LossArguments.Weights(sampleWeights, labels.Length);
        gradient = LossArguments.Output(gradient, logits.Length, logits);
        rowLosses = LossArguments.Output(rowLosses, labels.Length, default);
        CheckSeparate(logits, gradient, rowLosses, sampleWeights);
        double weightSum = LossArguments.WeightSum(labels, classCount, IgnoreLabel, ClassWeights.Span, sampleWeights, out int ignored);
        CrossEntropyTotals totals = CrossEntropyRunner.Run(this, logits, labels, default, classCount, weightSum, gradient, rowLosses, sampleWeights);
        return Result(totals, weightSum, labels.Length, ignored);
    }

    /// <summary>Loss and gradient for rows with a target distribution each.</summary>
    /// <typeparam name="T">float and double run vector kernels, Half computes in float, every other IEEE type in double.</typeparam>
    /// <param name="logits">[rows, classes], row after row.</param>
    /// <param name="targets">Distributions t, same shape; entries at least 0, taken as given: they need not sum to 1.</param>
    /// <param name="classCount">Classes per row.</param>
    /// <param name="gradient">Receives ∂loss/∂logits; may be the memory of <paramref name="logits"/>. Empty: not wanted.</param>
    /// <param name="rowLosses">Receives what each row adds to the sum. Empty: not wanted.</param>
    /// <param name="sampleWeights">Weight s of each row, at least 0. Empty: 1 for all.</param>
    /// <exception cref="ArgumentException">Logits are empty, lengths do not fit, or an output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A target or weight is negative (the message names its index), or an option is out of its range.</exception>
    public LossResult Evaluate<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<T> targets, int classCount, Span<T> gradient = default, Span<T> rowLosses = default,
        ReadOnlySpan<T> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logits);
        Argument.DividesInto(logits.Length, classCount, nameof(logits));
        Argument.SameLength(logits.Length, targets.Length, nameof(targets));
        int rowCount = logits.Length / classCount;
        Validate(classCount);
        LossArguments.Weights(sampleWeights, rowCount);
        gradient = LossArguments.Output(gradient, logits.Length, logits);
        rowLosses = LossArguments.Output(rowLosses, rowCount, default);
        Argument.Disjoint(targets, gradient, nameof(gradient));
        Argument.Disjoint(targets, rowLosses, nameof(rowLosses));
        CheckSeparate(logits, gradient, rowLosses, sampleWeights);
        LossArguments.NotNegative(targets);
        double weightSum = sampleWeights.IsEmpty ? rowCount : LossArguments.Sum(sampleWeights);
        CrossEntropyTotals totals = CrossEntropyRunner.Run(this, logits, default, targets, classCount, weightSum, gradient, rowLosses, sampleWeights);
        return Result(totals, weightSum, rowCount, 0);
    }

    private static void CheckSeparate<T>(ReadOnlySpan<T> logits, Span<T> gradient, Span<T> rowLosses, ReadOnlySpan<T> sampleWeights)
    {
        Argument.Disjoint(logits, rowLosses, nameof(rowLosses));
        Argument.Disjoint(gradient, rowLosses, nameof(rowLosses));
        Argument.Disjoint(sampleWeights, rowLosses, nameof(rowLosses));
        Argument.Disjoint(sampleWeights, gradient, nameof(gradient));
    }

    private void Validate(int classCount)
    {
        LossArguments.Share(LabelSmoothing);
        Argument.FiniteAndPositive(Temperature);
        Argument.FiniteAndNotNegative(ZLoss);
        Argument.FiniteAndNotNegative(FocalGamma);
        Argument.Parallelism(MaxDegreeOfParallelism);
        LossArguments.Known(Reduction);
        LossArguments.Weights(ClassWeights.Span, classCount, nameof(ClassWeights));
    }

    private LossResult Result(CrossEntropyTotals totals, double weightSum, int rowCount, int ignored)
    {
        double loss = Reduction == LossReduction.Sum ? totals.Loss : weightSum == 0 ? double.NaN : totals.Loss / weightSum;
        return new(loss, weightSum, rowCount, ignored, totals.Correct);
    }
}
