namespace SoftmaxCE;

/// <summary>
/// Sparse rows without the columns that L1 keeps out of every model: no residual is larger than 1, so the gradient of the mean loss in a coefficient is at
/// most the mean |x| of its column, and where that is at most L1 f the coefficient 0 is best. This holds at every dual point, too, so that a gap over the
/// other columns is one over all.
/// </summary>
/// <remarks>In texts most words are so rare. Their values are few, but every vector of coefficients would have room for them.</remarks>
internal sealed class KeptColumns : SparseRows
{
    // What rounding may take from a mean of |x|.
    private const double Rounding = 1e-9;

    // A copy of the values pays when it leaves out at least this share of the columns.
    private const double LeastShare = 0.25;

    private readonly float[] _singles;
    private readonly double[] _doubles;
    private readonly int[] _kept;               // rising

    private KeptColumns(SparseRows original, int[] kept, int[] columns, long[] rowStarts, float[] singles, double[] doubles)
        : base(columns, rowStarts, kept.Length, columns.Length)
    {
        Original = original;
        _kept = kept;
        _singles = singles;
        _doubles = doubles;
    }

    /// <summary>The rows as they were given.</summary>
    public SparseRows Original { get; }

    internal override bool FitSingle => Original.FitSingle;

    internal override ReadOnlySpan<float> SingleValues => _singles;

    internal override ReadOnlySpan<double> DoubleValues => _doubles;

    /// <summary>The rows without such columns; null if that is not worth while, or a value is not finite.</summary>
    /// <param name="rows">Their columns are looked through.</param>
    /// <param name="weights">One per row; null for all 1.</param>
    /// <param name="penalty">L1 of every feature.</param>
    public static KeptColumns? Of(FeatureRows rows, double[]? weights, Penalty penalty)
    {
        if (!penalty.HasL1 || rows is not SparseRows sparse) return null;
        double[] means = MeanSizes(sparse, weights);
        int[] places = new int[means.Length];
        List<int> kept = [];
        for (int j = 0; j < means.Length; j++)
        {
            if (!double.IsFinite(means[j])) return null;
            bool isKept = means[j] * (1 + Rounding) > penalty.L1Of(j) || (kept.Count == 0 && j == means.Length - 1);
            places[j] = isKept ? kept.Count : -1;
            if (isKept) kept.Add(j);
        }

        return kept.Count <= (1 - LeastShare) * means.Length ? Compact(sparse, [.. kept], places) : null;
    }

    /// <summary>Values of all features, perhaps class by class and with intercepts behind them, become those of the kept ones.</summary>
    public double[] Select(ReadOnlySpan<double> all, int classes)
    {
        int features = Original.FeatureCount;
        double[] selected = new double[all.Length - (classes * (features - FeatureCount))];
        for (int c = 0; c < classes; c++)
        {
            for (int k = 0; k < _kept.Length; k++) selected[(c * FeatureCount) + k] = all[(c * features) + _kept[k]];
        }

        all[(classes * features)..].CopyTo(selected.AsSpan(classes * FeatureCount));
        return selected;
    }

    /// <summary>The reverse of <see cref="Select"/>, with 0 for the other features.</summary>
    public double[] Expand(ReadOnlySpan<double> selected, int classes)
    {
        int features = Original.FeatureCount;
        double[] all = new double[selected.Length + (classes * (features - FeatureCount))];
        for (int c = 0; c < classes; c++)
        {
            for (int k = 0; k < _kept.Length; k++) all[(c * features) + _kept[k]] = selected[(c * FeatureCount) + k];
        }

        selected[(classes * FeatureCount)..].CopyTo(all.AsSpan(classes * features));
        return all;
    }

    private static double[] MeanSizes(SparseRows rows, double[]? weights)
    {
        double[] sizes = new double[rows.FeatureCount];
        ReadOnlySpan<int> columns = rows.Columns.Span;
        ReadOnlySpan<long> starts = rows.RowStarts.Span;
        double weightSum = 0;
        for (int i = 0; i < rows.RowCount; i++)
        {
            double weight = weights is null ? 1 : weights[i];
            weightSum += weight;
            for (int k = (int)starts[i]; k < starts[i + 1]; k++) sizes[columns[k]] += weight * Math.Abs(rows.FitSingle ? rows.SingleValues[k] : rows.DoubleValues[k]);
        }

        for (int j = 0; j < sizes.Length; j++) sizes[j] /= weightSum;
        return sizes;
    }

    private static KeptColumns Compact(SparseRows rows, int[] kept, int[] places)
    {
        ReadOnlySpan<int> columns = rows.Columns.Span;
        ReadOnlySpan<long> starts = rows.RowStarts.Span;
        int count = 0;
        foreach (int column in columns) count += places[column] >= 0 ? 1 : 0;
        int[] newColumns = new int[count];
        long[] newStarts = new long[starts.Length];
        float[] singles = new float[rows.FitSingle ? count : 0];
        double[] doubles = new double[rows.FitSingle ? 0 : count];
        int next = 0;
        for (int i = 0; i < rows.RowCount; i++)
        {
            for (int k = (int)starts[i]; k < starts[i + 1]; k++)
            {
                int place = places[columns[k]];
                if (place < 0) continue;
                if (rows.FitSingle) singles[next] = rows.SingleValues[k];
                else doubles[next] = rows.DoubleValues[k];
                newColumns[next++] = place;
            }

            newStarts[i + 1] = next;
        }

        return new KeptColumns(rows, kept, newColumns, newStarts, singles, doubles);
    }
}
