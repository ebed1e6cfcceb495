namespace SoftmaxCE;

/// <summary>The examples beside the features: labels and weights, in memory that does not move.</summary>
internal sealed unsafe class Examples
{
    private readonly int[] _labels;
    private readonly double[]? _weights;

    public Examples(ReadOnlySpan<int> labels, double[]? weights, int classCount)
    {
        _labels = GC.AllocateUninitializedArray<int>(labels.Length, pinned: true);
        labels.CopyTo(_labels);
        if (weights is not null)
        {
            _weights = GC.AllocateUninitializedArray<double>(weights.Length, pinned: true);
            weights.CopyTo(_weights, 0);
        }

        ClassCount = classCount;
        Shares = new double[classCount];
        for (int i = 0; i < labels.Length; i++) Shares[labels[i]] += _weights is null ? 1 : _weights[i];
        foreach (double share in Shares) WeightSum += share;
        for (int c = 0; c < classCount; c++) Shares[c] /= WeightSum;
    }

    public int RowCount => _labels.Length;

    public int ClassCount { get; }

    public double WeightSum { get; }

    /// <summary>Weighted share of each class.</summary>
    public double[] Shares { get; }

    public double[]? WeightArray => _weights;

    public int* Labels => PinnedMemory.Pointer(_labels);

    /// <summary>Weights from a row on; null when all are 1.</summary>
    public double* WeightsFrom(int row) => _weights is null ? null : PinnedMemory.Pointer(_weights) + row;
}

/// <summary>Logits → residuals of the loss; keeps logits and probabilities.</summary>
internal sealed unsafe class LossStep(Examples examples, double[] logits, double[] probabilities) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums)
    {
        int classes = examples.ClassCount;
        long offset = (long)first * classes;
        new ReadOnlySpan<double>(products, length * classes).CopyTo(logits.AsSpan((int)offset));
        LossRows kernel = new()
        {
            Logits = products, Probabilities = PinnedMemory.Pointer(probabilities) + offset, Labels = examples.Labels + first,
            Weights = examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.Run<LossRows, double>(ref kernel);
        stepSums[classes] += kernel.LossSum;
    }
}

/// <summary>Logits of a direction → residuals of a Hessian product; keeps the logits of the direction.</summary>
internal sealed unsafe class CurvatureStep(Examples examples, double[] probabilities, double[] directionLogits) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums)
    {
        int classes = examples.ClassCount;
        long offset = (long)first * classes;
        new ReadOnlySpan<double>(products, length * classes).CopyTo(directionLogits.AsSpan((int)offset));
        CurvatureRows kernel = new()
        {
            Logits = products, Probabilities = PinnedMemory.Pointer(probabilities) + offset,
            Weights = examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.Run<CurvatureRows, double>(ref kernel);
    }
}

/// <summary>Keeps the products, [rows, count].</summary>
internal sealed unsafe class KeepStep(double[] kept, int count) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums) =>
        new ReadOnlySpan<double>(products, length * count).CopyTo(kept.AsSpan(first * count));
}

/// <summary>Products times the row's weight: the middle of a product with XᵀX.</summary>
internal sealed unsafe class GramStep(double[]? sampleWeights, int count) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums)
    {
        if (sampleWeights is null) return;
        for (int i = 0; i < length; i++)
        {
            for (int c = 0; c < count; c++) products[(i * count) + c] *= sampleWeights[first + i];
        }
    }
}
