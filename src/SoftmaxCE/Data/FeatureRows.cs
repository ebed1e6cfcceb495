namespace SoftmaxCE;

/// <summary>A table of features, one row per example: <see cref="DenseRows{T}"/>, <see cref="BlockRows{T}"/> or <see cref="SparseRows{T}"/>.</summary>
/// <remarks>Holds on to the caller's memory and never copies it; the values must not change while a trainer or model reads them.</remarks>
public abstract class FeatureRows
{
    private protected FeatureRows(int rowCount, int featureCount)
    {
        RowCount = rowCount;
        FeatureCount = featureCount;
    }

    /// <summary>Number of rows; 0 is allowed, but nothing can be trained on it.</summary>
    public int RowCount { get; }

    /// <summary>Features in each row, at least 1.</summary>
    public int FeatureCount { get; }

    /// <summary>Whether products are fast in float without losing digits of the values: float, Half and byte.</summary>
    internal abstract bool FitSingle { get; }

    /// <summary>Writes the features of one row, scale and offset applied, into <paramref name="destination"/>.</summary>
    internal abstract void CopyRow(int row, Span<double> destination);

    /// <summary>Writes some columns of one row, scale and offset applied.</summary>
    /// <param name="row">The row.</param>
    /// <param name="columns">Columns wanted.</param>
    /// <param name="places">For every column its place in <paramref name="columns"/>, or −1.</param>
    /// <param name="destination">One value per wanted column.</param>
    internal abstract void CopyColumns(int row, ReadOnlySpan<int> columns, ReadOnlySpan<int> places, Span<double> destination);
}
