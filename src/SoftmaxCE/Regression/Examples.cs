using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>The examples beside the features: labels or targets, weights and offsets, in memory that does not move.</summary>
internal sealed unsafe class Examples
{
    private readonly int[] _labels;             // −1 for a row with a distribution
    private readonly double[]? _targets;        // [rows, classes]; null when all rows have labels
    private readonly double[]? _weights;
    private readonly double[]? _offsets;        // [rows, classes]

    /// <param name="labels">One per row; −1 for a row with a distribution.</param>
    /// <param name="weights">One per row; null for all 1.</param>
    /// <param name="classCount">Number of classes.</param>
    /// <param name="targets">[rows, classes]; rows with a label are not read.</param>
    /// <param name="offsets">[rows, classes]; empty for none.</param>
    public Examples(ReadOnlySpan<int> labels, double[]? weights, int classCount, double[]? targets = null, ReadOnlySpan<double> offsets = default)
        : this(Pinned(labels), weights, classCount, targets is null ? null : Pinned<double>(targets), offsets.IsEmpty ? null : Pinned(offsets))
    {
    }

    private Examples(int[] labels, double[]? weights, int classCount, double[]? targets, double[]? offsets)
    {
        _labels = labels;
        _targets = targets;
        _offsets = offsets;
        _weights = weights is null ? null : Pinned<double>(weights);
        ClassCount = classCount;
        Shares = new double[classCount];
        for (int i = 0; i < labels.Length; i++)
        {
            double weight = _weights is null ? 1 : _weights[i];
            if (labels[i] >= 0) Shares[labels[i]] += weight;
            else TensorPrimitives.MultiplyAdd(_targets.AsSpan(i * classCount, classCount), weight, Shares, Shares);
        }

        foreach (double share in Shares) WeightSum += share;
        for (int c = 0; c < classCount; c++) Shares[c] /= WeightSum;
        for (int i = 0; _offsets is not null && i < labels.Length; i++)
        {
            ReadOnlySpan<double> row = _offsets.AsSpan(i * classCount, classCount);
            MeanOffsetRange += (_weights is null ? 1 : _weights[i]) / WeightSum * (TensorPrimitives.Max(row) - TensorPrimitives.Min(row));
        }
    }

    public int RowCount => _labels.Length;

    /// <summary>Whether there is a label for every row and nothing that is added to logits.</summary>
    public bool HasLabelsAlone => _targets is null && _offsets is null;

    public int ClassCount { get; }

    public double WeightSum { get; }

    /// <summary>Weighted share of each class.</summary>
    public double[] Shares { get; }

    public double[]? WeightArray => _weights;

    /// <summary>Weighted mean of the largest minus the smallest offset of a row.</summary>
    public double MeanOffsetRange { get; }

    public int* Labels => PinnedMemory.Pointer(_labels);

    /// <summary>Weights from a row on; null when all are 1.</summary>
    public double* WeightsFrom(int row) => _weights is null ? null : PinnedMemory.Pointer(_weights) + row;

    /// <summary>Target distributions from a row on; null when all rows have labels.</summary>
    public double* TargetsFrom(int row) => _targets is null ? null : PinnedMemory.Pointer(_targets) + ((long)row * ClassCount);

    /// <summary>Adds the offsets of some rows to their logits; whether there are any.</summary>
    public bool AddOffsets(int firstRow, Span<double> logits)
    {
        if (_offsets is null) return false;
        TensorPrimitives.Add<double>(logits, _offsets.AsSpan(firstRow * ClassCount, logits.Length), logits);
        return true;
    }

    /// <summary>Σ (q − y) · o over some rows, weighted, o the offsets and q = y + factor · (p − y).</summary>
    public double OffsetSum(int firstRow, int length, double* probabilities, double factor)
    {
        double sum = 0;
        for (int i = firstRow; _offsets is not null && i < firstRow + length; i++)
        {
            ReadOnlySpan<double> row = _offsets.AsSpan(i * ClassCount, ClassCount);
            double own = _labels[i] >= 0 ? row[_labels[i]] : DoubleVectors.Dot(row, _targets.AsSpan(i * ClassCount, ClassCount));
            double along = DoubleVectors.Dot(row, new ReadOnlySpan<double>(probabilities + ((long)(i - firstRow) * ClassCount), ClassCount));
            sum += (_weights is null ? 1 : _weights[i]) * factor * (along - own);
        }

        return sum;
    }

    /// <summary>The label, or the first class with the largest target.</summary>
    public int LikeliestClass(int row) =>
        _labels[row] >= 0 ? _labels[row] : SoftmaxRegressionModel.FirstMaximum(_targets.AsSpan(row * ClassCount, ClassCount));

    /// <summary>Weighted mean of −Σ t ln t; 0 when all rows have labels: the least mean loss there can be.</summary>
    public double MeanTargetEntropy()
    {
        CompensatedSum sum = default;
        for (int i = 0; _targets is not null && i < _labels.Length; i++)
        {
            if (_labels[i] < 0) sum.Add((_weights is null ? 1 : _weights[i]) * InformationMeasures.Entropy<double>(_targets.AsSpan(i * ClassCount, ClassCount)));
        }

        return sum.Value / WeightSum;
    }

    /// <summary>The same examples with other weights.</summary>
    public Examples WithWeights(double[] weights) => new(_labels, weights, ClassCount, _targets, _offsets);

    private static T[] Pinned<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        T[] pinned = PinnedMemory.Allocate<T>(values.Length);
        values.CopyTo(pinned);
        return pinned;
    }
}
