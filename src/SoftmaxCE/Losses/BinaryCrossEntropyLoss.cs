using System.Numerics;

namespace SoftmaxCE;

/// <summary>Cross-entropy of independent yes-or-no questions: one logit and one target in [0, 1] each.</summary>
/// <remarks>
/// <para>
/// For a logit x, target t, positive weight v and element weight w, with σ(x) = 1/(1 + e^−x):
/// loss = w [v t ln(1 + e^−x) + (1 − t) ln(1 + e^x)] = −w [v t ln σ(x) + (1 − t) ln σ(−x)];
/// ∂loss/∂x = w [(1 − t) σ(x) − v t σ(−x)], which for v = w = 1 is σ(x) − t.
/// It is the softmax cross-entropy of the two logits {x, 0}.
/// </para>
/// <list type="table">
/// <listheader><term>Here</term><description>PyTorch <c>binary_cross_entropy_with_logits</c> (ONNX and SciPy have no such loss) · elsewhere</description></listheader>
/// <item><term><see cref="PositiveWeight"/>, <see cref="PositiveWeights"/></term><description><c>pos_weight</c> · TensorFlow's <c>weighted_cross_entropy_with_logits(pos_weight)</c></description></item>
/// <item><term><c>weights</c></term><description><c>weight</c></description></item>
/// <item><term><see cref="Reduction"/></term><description><c>reduction</c>: the mean divides by the number of elements, whatever their weights; "none" is the span <c>rowLosses</c></description></item>
/// </list>
/// <para>
/// Several labels per row (multi-label): pass the [rows, labels] matrices as they are; <see cref="PositiveWeights"/> then has one value per label.
/// Multiply the mean by the number of labels for "sum over labels, mean over rows". PyTorch's <c>multilabel_soft_margin_loss</c> is this loss with
/// targets 0 and 1, its <c>weight</c> (per label) repeated for each row as <c>weights</c>.
/// </para>
/// <para>
/// Nothing is clipped: x = 50 with t = 1 has loss 1.9e-22 and derivative −1.9e-22. An infinite logit on the target's side has loss 0, on the other +∞;
/// an element of weight 0 has loss 0 and derivative 0. NaN gives NaN. The same bits on any vector width and any number of threads.
/// </para>
/// </remarks>
public sealed record BinaryCrossEntropyLoss
{
    /// <summary>Weight v ≥ 0 of the positive class. Default 1; below or above 1 it trades recall for precision.</summary>
    public double PositiveWeight { get; init; } = 1;

    /// <summary>v for each column of [rows, columns] inputs, multiplied by <see cref="PositiveWeight"/>; empty (the default): the same for all.</summary>
    public ReadOnlyMemory<double> PositiveWeights { get; init; }

    /// <summary>Default <see cref="LossReduction.Mean"/>, over all elements.</summary>
    public LossReduction Reduction { get; init; } = LossReduction.Mean;

    /// <summary>How many threads may share the elements, at least 1, or −1 for all processors; the result does not depend on it. Default 1.</summary>
    public int MaxDegreeOfParallelism { get; init; } = 1;

    /// <summary>Loss and gradient.</summary>
    /// <typeparam name="T">float and double run vector kernels, Half computes in float, every other IEEE type in double.</typeparam>
    /// <param name="logits">One logit per question; with <see cref="PositiveWeights"/> a whole number of rows of them.</param>
    /// <param name="targets">One target in [0, 1] per logit.</param>
    /// <param name="gradient">Receives ∂loss/∂logits; may be the memory of <paramref name="logits"/>. Empty: not wanted.</param>
    /// <param name="rowLosses">Receives the loss of each element. Empty: not wanted.</param>
    /// <param name="weights">Weight w ≥ 0 of each element. Empty: 1 for all.</param>
    /// <returns>
    /// The counts are of elements; <see cref="LossResult.WeightSum"/> is their number; correct is a logit above 0 for a target above ½, or neither.
    /// </returns>
    /// <exception cref="ArgumentException">Logits are empty, lengths do not fit, or an output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A target is outside [0, 1] or a weight is negative (the message names its index), or an option is out of its range.</exception>
    public LossResult Evaluate<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<T> targets, Span<T> gradient = default, Span<T> rowLosses = default, ReadOnlySpan<T> weights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logits);
        Argument.SameLength(logits.Length, targets.Length, nameof(targets));
        Validate(logits.Length);
        LossArguments.Weights(weights, logits.Length);
        gradient = LossArguments.Output(gradient, logits.Length, logits);
        rowLosses = LossArguments.Output(rowLosses, logits.Length, default);
        Argument.Disjoint(targets, gradient, nameof(gradient));
        Argument.Disjoint(weights, gradient, nameof(gradient));
        Argument.Disjoint(logits, rowLosses, nameof(rowLosses));
        Argument.Disjoint(targets, rowLosses, nameof(rowLosses));
        Argument.Disjoint(weights, rowLosses, nameof(rowLosses));
        Argument.Disjoint(gradient, rowLosses, nameof(rowLosses));
        LossArguments.Probabilities(targets);
        CrossEntropyTotals totals = BinaryCrossEntropyRunner.Run(this, logits, targets, weights, gradient, rowLosses);
        double loss = Reduction == LossReduction.Sum ? totals.Loss : totals.Loss / logits.Length;
        return new(loss, logits.Length, logits.Length, 0, totals.Correct);
    }

    private void Validate(int count)
    {
        Argument.FiniteAndNotNegative(PositiveWeight);
        Argument.Parallelism(MaxDegreeOfParallelism);
        LossArguments.Known(Reduction);
        if (PositiveWeights.IsEmpty) return;
        LossArguments.Weights(PositiveWeights.Span, PositiveWeights.Length, nameof(PositiveWeights));
        LossArguments.ClassCount(count, PositiveWeights.Length, nameof(PositiveWeights));
    }
}
