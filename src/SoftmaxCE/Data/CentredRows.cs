namespace SoftmaxCE;

/// <summary>
/// Dense rows with an origin subtracted from every row as it is read. A column like 10⁸ + u, u in [0, 1], loses eight digits in products with its
/// coefficient and more in squares; with intercepts its model is that of u, whose intercept is moved by the origin times the coefficient.
/// </summary>
internal sealed class CentredRows : DenseRows
{
    // A column is far from 0 when its mean is so many times its range: products lose that many digits to rounding, and so does the column's gradient,
    // which with L1 alone the certificate compares with L1.
    private const double Far = 30;

    // Rows spread over the table that tell where columns lie.
    private const int SampledRows = 64;

    private readonly DenseRows _rows;
    private readonly double[] _origin;

    private CentredRows(DenseRows rows, double[] origin)
        : base(rows.RowCount, rows.FeatureCount, scale: 1, offset: 0)
    {
        _rows = rows;
        _origin = origin;
    }

    internal override bool FitSingle => false;

    /// <summary>The rows as they were given.</summary>
    public DenseRows Original => _rows;

    /// <summary>The rows themselves, if no column is far from 0.</summary>
    public static FeatureRows Of(FeatureRows rows) => rows is DenseRows dense && OriginOf(dense) is { } origin ? new CentredRows(dense, origin) : rows;

    /// <summary>To the intercepts behind [classes, features] coefficients, for features as they were given, the part that the origin takes is added; with a factor of −1 it is taken away.</summary>
    public void MoveIntercepts(Span<double> point, double factor)
    {
        int classes = point.Length / (FeatureCount + 1);
        for (int c = 0; c < classes; c++) point[(classes * FeatureCount) + c] += factor * DoubleVectors.Dot(point.Slice(c * FeatureCount, FeatureCount), _origin);
    }

    internal override ReadOnlySpan<float> ReadSingles(int firstRow, int count, Span<float> scratch) => throw new NotSupportedException("Centred rows are read in double.");

    internal override ReadOnlySpan<double> ReadDoubles(int firstRow, int count, Span<double> scratch)
    {
        ReadOnlySpan<double> raw = _rows.ReadDoubles(firstRow, count, scratch);
        Span<double> centred = scratch[..raw.Length];
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < _origin.Length; j++) centred[(i * _origin.Length) + j] = Centred(raw[(i * _origin.Length) + j], j);
        }

        return centred;
    }

    internal override void CopyColumns(int row, ReadOnlySpan<int> columns, ReadOnlySpan<int> places, Span<double> destination)
    {
        _rows.CopyColumns(row, columns, places, destination);
        for (int k = 0; k < columns.Length; k++) destination[k] -= _origin[columns[k]];
    }

    private double Centred(double raw, int column) => Math.FusedMultiplyAdd(raw, _rows.Scale, _rows.Offset) - _origin[column];

    private static double[]? OriginOf(DenseRows rows)
    {
        int features = rows.FeatureCount, count = Math.Min(rows.RowCount, SampledRows);
        double[] row = new double[features], means = new double[features], lowest = new double[features], highest = new double[features];
        for (int i = 0; i < count; i++)
        {
            rows.CopyRow((int)((long)rows.RowCount * i / count), row);
            for (int j = 0; j < features; j++)
            {
                means[j] += row[j] / count;
                lowest[j] = i == 0 ? row[j] : Math.Min(lowest[j], row[j]);
                highest[j] = i == 0 ? row[j] : Math.Max(highest[j], row[j]);
            }
        }

        bool any = false;
        for (int j = 0; j < features; j++)
        {
            double range = highest[j] - lowest[j];
            bool far = Math.Abs(means[j]) > Far * range && double.IsFinite(means[j]);
            any |= far && range > 0;
            if (!far) means[j] = 0;
        }

        return any ? means : null;
    }
}
