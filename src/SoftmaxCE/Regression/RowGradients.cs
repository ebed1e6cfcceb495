namespace SoftmaxCE;

/// <summary>Gradients over a few rows at a time, of any rows: all of a table, or a batch of a stream.</summary>
internal sealed unsafe class RowGradients
{
    // Rows taken at a time; a longer batch is the sum of such pieces, whose residuals are all made before anything is written.
    private const int PieceRows = 64;

    private readonly FeatureRows _rows;
    private readonly Examples _examples;
    private readonly double[] _batchRows;
    private double[] _batchResiduals = [];

    /// <param name="rows">The rows.</param>
    /// <param name="examples">Their labels or targets, weights and offsets.</param>
    public RowGradients(FeatureRows rows, Examples examples)
    {
        _rows = rows;
        _examples = examples;
        (RowCount, WeightSum) = (examples.RowCount, examples.WeightSum);
        _batchRows = PinnedMemory.Allocate<double>(checked(PieceRows * rows.FeatureCount));
    }

    private int ClassCount => _examples.ClassCount;

    private int FeatureCount => _rows.FeatureCount;

    private int CoefficientCount => ClassCount * FeatureCount;

    /// <summary>Rows whose mean weight is taken as 1: those given, unless set.</summary>
    public long RowCount { get; set; }

    /// <summary>Their weight.</summary>
    public double WeightSum { get; set; }

    /// <summary>Sum of the weighted losses that the last call met, at its point.</summary>
    public double LossSum { get; private set; }

    /// <inheritdoc cref="IBatchObjective.AddBatchGradient"/>
    public void Add(ReadOnlySpan<int> batch, ReadOnlySpan<double> point, double factor, Span<double> target, double coefficientScale, double interceptScale)
    {
        int classes = ClassCount, features = FeatureCount;
        LossSum = 0;
        if (_batchResiduals.Length < batch.Length * classes) _batchResiduals = PinnedMemory.Allocate<double>(checked(batch.Length * classes));
        double[] intercepts = PinnedMemory.Allocate<double>(classes);
        Array.Clear(intercepts);
        point[CoefficientCount..].CopyTo(intercepts);
        double* rows = PinnedMemory.Pointer(_batchRows), residuals = PinnedMemory.Pointer(_batchResiduals);
        fixed (double* coefficients = point)
        {
            for (int first = 0; first < batch.Length; first += PieceRows)
            {
                ReadOnlySpan<int> piece = batch[first..Math.Min(first + PieceRows, batch.Length)];
                ReadRows(piece);
                RowProducts<double>.Run(rows, piece.Length, features, coefficients, classes, PinnedMemory.Pointer(intercepts), residuals + ((long)first * classes));
                ToResiduals(piece, residuals + ((long)first * classes));
            }
        }

        Span<double> all = _batchResiduals.AsSpan(0, batch.Length * classes);
        double scale = factor * RowCount / (batch.Length * WeightSum);
        for (int i = 0; i < all.Length; i++) all[i] *= scale;
        Rescale(target[..CoefficientCount], coefficientScale);
        Span<double> targetIntercepts = target[CoefficientCount..];
        Rescale(targetIntercepts, interceptScale);
        fixed (double* sums = target)
        {
            for (int first = 0; first < batch.Length; first += PieceRows)
            {
                ReadOnlySpan<int> piece = batch[first..Math.Min(first + PieceRows, batch.Length)];
                if (batch.Length > PieceRows) ReadRows(piece);
                OuterProducts<double>.Add(residuals + ((long)first * classes), classes, rows, piece.Length, features, sums);
            }
        }

        if (targetIntercepts.IsEmpty) return;
        for (int i = 0; i < all.Length; i++) targetIntercepts[i % classes] += all[i];
    }

    private void ReadRows(ReadOnlySpan<int> piece)
    {
        for (int i = 0; i < piece.Length; i++) _rows.CopyRow(piece[i], _batchRows.AsSpan(i * FeatureCount, FeatureCount));
    }

    private void ToResiduals(ReadOnlySpan<int> piece, double* logits)
    {
        for (int i = 0; i < piece.Length; i++)
        {
            _examples.AddOffsets(piece[i], new Span<double>(logits + ((long)i * ClassCount), ClassCount));
            LossRows kernel = new()
            {
                Logits = logits + ((long)i * ClassCount), Probabilities = null, Labels = _examples.Labels + piece[i],
                Targets = _examples.TargetsFrom(piece[i]), Weights = _examples.WeightsFrom(piece[i]), RowCount = 1, ClassCount = ClassCount, ResidualSums = null,
            };
            VectorWidth.Run<LossRows, double>(ref kernel);
            LossSum += kernel.LossSum;
        }
    }

    private static void Rescale(Span<double> values, double factor)
    {
        if (factor == 1) return;
        for (int i = 0; i < values.Length; i++) values[i] *= factor;
    }
}
