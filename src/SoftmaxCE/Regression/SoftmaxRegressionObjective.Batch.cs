namespace SoftmaxCE;

/// <content>Gradients over a few rows.</content>
internal sealed partial class SoftmaxRegressionObjective : IBatchObjective
{
    private RowGradients? _rowGradients;

    public int RowCount => _rows.RowCount;

    public void AddBatchGradient(ReadOnlySpan<int> batch, ReadOnlySpan<double> point, double factor, Span<double> target, double coefficientScale, double interceptScale)
    {
        _rowGradients ??= new RowGradients(_rows, _examples);
        _rowGradients.Add(batch, point, factor, target, coefficientScale, interceptScale);
        _rowsRead += batch.Length;
    }
}
