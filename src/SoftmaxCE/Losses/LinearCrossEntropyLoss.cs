using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Softmax cross-entropy of the logits features × coefficientsᵀ + intercepts, with the gradients for all three, without ever holding the logits.
/// </summary>
/// <remarks>
/// <para>
/// For row i with features x, z = W x + b and, from there on, the row loss of <see cref="SoftmaxCrossEntropyLoss"/>. With R = ∂loss/∂Z, the
/// residuals [rows, classes] (for the plain mean (p − y)/rows), the gradients are ∂loss/∂X = R W, ∂loss/∂W = Rᵀ X, ∂loss/∂b = Σ rows of R: the
/// chain rule through the last layer of a network or through softmax regression.
/// </para>
/// <para>
/// Logits are computed a tile at a time, once for the sum of the exponentials and once more for the gradients, so beside the arguments only some
/// megabytes are needed, however many rows and classes there are.
/// </para>
/// <list type="table">
/// <listheader><term>Here</term><description>PyTorch <c>linear</c> + <c>cross_entropy</c> (from 2.13: <c>linear_cross_entropy</c>) · ONNX <c>Gemm</c> + <c>SoftmaxCrossEntropyLoss</c></description></listheader>
/// <item><term>features, coefficients, intercepts</term><description><c>input</c>, <c>weight</c> of the layer, <c>bias</c> · <c>A</c>, <c>B</c> with <c>transB</c>, <c>C</c></description></item>
/// <item><term><see cref="ClassWeights"/></term><description><c>weight</c> of the loss · input <c>weights</c></description></item>
/// <item><term><see cref="IgnoreLabel"/></term><description><c>ignore_index</c> (there −100 unless set; here none unless set) · <c>ignore_index</c></description></item>
/// <item><term><see cref="LabelSmoothing"/></term><description><c>label_smoothing</c> · none</description></item>
/// <item><term><see cref="Reduction"/></term><description><c>reduction</c> mean, sum · the same</description></item>
/// <item><term><see cref="Temperature"/></term><description>none: divide features or coefficients · none</description></item>
/// <item><term><see cref="ZLoss"/></term><description>none · none; Liger's <c>lse_square_scale</c></description></item>
/// <item><term><c>sampleWeights</c></term><description>none · none</description></item>
/// </list>
/// <para>
/// Confident rows keep their digits as in <see cref="SoftmaxCrossEntropyLoss"/>; the logits themselves carry the rounding of a dot product in T.
/// An intercept of −∞ masks a class. The same input gives the same bits on any vector width and any number of threads.
/// </para>
/// </remarks>
public sealed record LinearCrossEntropyLoss
{
    /// <summary>Weight of each class, at least 0; empty (the default) means 1 for all.</summary>
    public ReadOnlyMemory<double> ClassWeights { get; init; }

    /// <summary>Rows with this label have no part in anything; it need not be a class. Default: none.</summary>
    public int? IgnoreLabel { get; init; }

    /// <summary>ε in [0, 1]: the share of the target that is spread evenly over all classes. Default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>τ &gt; 0, rounded to the element type: logits are divided by it. Default 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>ζ ≥ 0: adds ζ w[y] (ln Σ e^(z/τ))² to each row. Default 0.</summary>
    public double ZLoss { get; init; }

    /// <summary>Default <see cref="LossReduction.Mean"/>.</summary>
    public LossReduction Reduction { get; init; } = LossReduction.Mean;

    /// <summary>How many threads may share the classes, at least 1, or −1 for all processors; the result does not depend on it. Default 1.</summary>
    public int MaxDegreeOfParallelism { get; init; } = 1;

    /// <summary>Loss and gradients.</summary>
    /// <typeparam name="T">float and double run vector kernels, Half computes in float, every other IEEE type in double; these two convert the whole input.</typeparam>
    /// <param name="features">X, [rows, features]; rows = <paramref name="labels"/>.Length.</param>
    /// <param name="coefficients">W, [classes, features].</param>
    /// <param name="intercepts">b, one per class; empty: 0, and the classes are counted from <paramref name="coefficients"/>.</param>
    /// <param name="labels">The class of each row, 0 to classes − 1, or <see cref="IgnoreLabel"/>.</param>
    /// <param name="featureGradient">Receives ∂loss/∂X; may be the memory of <paramref name="features"/>. Empty: not wanted.</param>
    /// <param name="coefficientGradient">Receives ∂loss/∂W. Empty: not wanted.</param>
    /// <param name="interceptGradient">Receives ∂loss/∂b. Empty: not wanted.</param>
    /// <param name="sampleWeights">Weight of each row, at least 0. Empty: 1 for all.</param>
    /// <exception cref="ArgumentException">An input is empty, lengths do not fit, or an output overlaps an input or another output.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is no class (the message names the row), a weight is negative, or an option is out of its range.</exception>
    public LossResult Evaluate<T>(
        ReadOnlySpan<T> features, ReadOnlySpan<T> coefficients, ReadOnlySpan<T> intercepts, ReadOnlySpan<int> labels,
        Span<T> featureGradient = default, Span<T> coefficientGradient = default, Span<T> interceptGradient = default,
        ReadOnlySpan<T> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(labels);
        Argument.NotEmpty(features);
        Argument.NotEmpty(coefficients);
        int featureCount = LossArguments.ClassCount(features.Length, labels.Length, nameof(features));
        int classCount = LossArguments.ClassCount(coefficients.Length, featureCount, nameof(coefficients));
        if (!intercepts.IsEmpty) Argument.SameLength(classCount, intercepts.Length, nameof(intercepts));
        Validate(classCount);
        LossArguments.Weights(sampleWeights, labels.Length);
        featureGradient = LossArguments.Output(featureGradient, features.Length, features);
        coefficientGradient = LossArguments.Output(coefficientGradient, coefficients.Length, default);
        interceptGradient = LossArguments.Output(interceptGradient, classCount, default);
        CheckSeparate(features, coefficients, intercepts, sampleWeights, featureGradient, nameof(featureGradient), mayBeFeatures: true);
        CheckSeparate(features, coefficients, intercepts, sampleWeights, coefficientGradient, nameof(coefficientGradient));
        CheckSeparate(features, coefficients, intercepts, sampleWeights, interceptGradient, nameof(interceptGradient));
        Argument.Disjoint(featureGradient, coefficientGradient, nameof(coefficientGradient));
        Argument.Disjoint(featureGradient, interceptGradient, nameof(interceptGradient));
        Argument.Disjoint(coefficientGradient, interceptGradient, nameof(interceptGradient));
        double weightSum = LossArguments.WeightSum(labels, classCount, IgnoreLabel, ClassWeights.Span, sampleWeights, out int ignored);
        CrossEntropyTotals totals = LinearCrossEntropyRunner.Run(
            this, features, coefficients, intercepts, labels, weightSum, featureGradient, coefficientGradient, interceptGradient, sampleWeights);
        double loss = Reduction == LossReduction.Sum ? totals.Loss : weightSum == 0 ? double.NaN : totals.Loss / weightSum;
        return new(loss, weightSum, labels.Length, ignored, totals.Correct);
    }

    private static void CheckSeparate<T>(
        ReadOnlySpan<T> features, ReadOnlySpan<T> coefficients, ReadOnlySpan<T> intercepts, ReadOnlySpan<T> sampleWeights, Span<T> output, string name,
        bool mayBeFeatures = false)
    {
        if (!mayBeFeatures) Argument.Disjoint(features, output, name);
        Argument.Disjoint(coefficients, output, name);
        Argument.Disjoint(intercepts, output, name);
        Argument.Disjoint(sampleWeights, output, name);
    }

    private void Validate(int classCount)
    {
        LossArguments.Share(LabelSmoothing);
        Argument.FiniteAndPositive(Temperature);
        Argument.FiniteAndNotNegative(ZLoss);
        Argument.Parallelism(MaxDegreeOfParallelism);
        LossArguments.Known(Reduction);
        LossArguments.Weights(ClassWeights.Span, classCount, nameof(ClassWeights));
    }
}
