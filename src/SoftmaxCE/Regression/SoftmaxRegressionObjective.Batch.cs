namespace SoftmaxCE;

/// <content>Gradients over a few rows.</content>
internal sealed unsafe partial class SoftmaxRegressionObjective : IBatchObjective
{
    // Rows taken at a time; a longer batch is the sum of such pieces, whose residuals are all made before anything is written.
    private const int PieceRows = 64;

    private double[] _batchRows = [];
    private double[] _batchResiduals = [];

    public int RowCount => _rows.RowCount;

    public void AddBatchGradient(ReadOnlySpan<int> batch, ReadOnlySpan<double> point, double factor, Span<double> target, double coefficientScale, double interceptScale)
    {
        int classes = ClassCount, features = FeatureCount;
        if (_batchRows.Length == 0) _batchRows = PinnedMemory.Allocate<double>(checked(PieceRows * features));
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
        double scale = factor * _rows.RowCount / (batch.Length * _examples.WeightSum);
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

        if (!HasIntercepts) return;
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
            LossRows kernel = new()
            {
                Logits = logits + ((long)i * ClassCount), Probabilities = null, Labels = _examples.Labels + piece[i],
                Weights = _examples.WeightsFrom(piece[i]), RowCount = 1, ClassCount = ClassCount, ResidualSums = null,
            };
            VectorWidth.Run<LossRows, double>(ref kernel);
        }
    }

    private static void Rescale(Span<double> values, double factor)
    {
        if (factor == 1) return;
        for (int i = 0; i < values.Length; i++) values[i] *= factor;
    }
}
