using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Rows in compressed sparse row form (CSR): row i holds values[k] in column columns[k] for rowStarts[i] ≤ k &lt; rowStarts[i + 1]; other features are 0.</summary>
/// <typeparam name="T">float or double.</typeparam>
/// <remarks>Columns within a row may come in any order; a column that comes twice counts twice. No copy is made.</remarks>
public sealed class SparseRows<T> : SparseRows
    where T : unmanaged
{
    private readonly ReadOnlyMemory<T> _values;

    /// <summary>Looks at three arrays as sparse rows, and checks all of their indices.</summary>
    /// <param name="values">The stored values.</param>
    /// <param name="columns">Column of each stored value, 0 to <paramref name="featureCount"/> − 1; same length.</param>
    /// <param name="rowStarts">Row count + 1 positions, starting with 0, never falling, ending with the number of values.</param>
    /// <param name="featureCount">Features per row, at least 1.</param>
    /// <exception cref="ArgumentException">Lengths differ, or row starts fall or do not span the values; the message names the row.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is out of range; the message names row and column.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not float or double.</exception>
    public SparseRows(ReadOnlyMemory<T> values, ReadOnlyMemory<int> columns, ReadOnlyMemory<long> rowStarts, int featureCount)
        : base(columns, rowStarts, featureCount, values.Length)
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            throw new NotSupportedException($"Sparse rows of {typeof(T).Name} are not supported: use float or double.");
        }

        _values = values;
    }

    /// <summary>The stored values.</summary>
    public ReadOnlyMemory<T> Values => _values;

    internal override bool FitSingle => typeof(T) == typeof(float);

    internal override ReadOnlySpan<float> SingleValues => typeof(T) == typeof(float) ? MemoryMarshal.Cast<T, float>(_values.Span) : default;

    internal override ReadOnlySpan<double> DoubleValues => typeof(T) == typeof(double) ? MemoryMarshal.Cast<T, double>(_values.Span) : default;
}

/// <summary>What <see cref="SparseRows{T}"/> is to code that does not care about the stored type. Made by <see cref="SparseRows{T}"/> only.</summary>
public abstract class SparseRows : FeatureRows
{
    private protected SparseRows(ReadOnlyMemory<int> columns, ReadOnlyMemory<long> rowStarts, int featureCount, int valueCount)
        : base(Math.Max(rowStarts.Length - 1, 0), featureCount)
    {
        Argument.Positive(featureCount);
        Argument.SameLength(valueCount, columns.Length, nameof(columns));
        CheckRowStarts(rowStarts.Span, valueCount);
        CheckColumns(columns.Span, rowStarts.Span, featureCount);
        Columns = columns;
        RowStarts = rowStarts;
    }

    /// <summary>Column of each stored value.</summary>
    public ReadOnlyMemory<int> Columns { get; }

    /// <summary>Where each row starts in the values, and where the last one ends.</summary>
    public ReadOnlyMemory<long> RowStarts { get; }

    /// <summary>The stored values when they are floats, else empty.</summary>
    internal abstract ReadOnlySpan<float> SingleValues { get; }

    /// <summary>The stored values when they are doubles, else empty.</summary>
    internal abstract ReadOnlySpan<double> DoubleValues { get; }

    /// <summary>Whether every value is 0 or of such a size that products with it and sums of them are far from the limits of a float, and so are the coefficients it asks for.</summary>
    internal bool AllowsSingle()
    {
        const double Least = 1e-8, Largest = 1e8;
        for (int k = 0; k < Columns.Length; k++)
        {
            double size = Math.Abs(FitSingle ? SingleValues[k] : DoubleValues[k]);
            if (size != 0 && !(size is > Least and < Largest)) return false;
        }

        return true;
    }

    internal override void CopyRow(int row, Span<double> destination)
    {
        destination[..FeatureCount].Clear();
        ReadOnlySpan<int> columns = Columns.Span;
        int start = (int)RowStarts.Span[row], end = (int)RowStarts.Span[row + 1];
        for (int k = start; k < end; k++) destination[columns[k]] += FitSingle ? SingleValues[k] : DoubleValues[k];
    }

    internal override void CopyColumns(int row, ReadOnlySpan<int> columns, ReadOnlySpan<int> places, Span<double> destination)
    {
        destination[..columns.Length].Clear();
        ReadOnlySpan<int> stored = Columns.Span;
        int start = (int)RowStarts.Span[row], end = (int)RowStarts.Span[row + 1];
        for (int k = start; k < end; k++)
        {
            int place = places[stored[k]];
            if (place >= 0) destination[place] += FitSingle ? SingleValues[k] : DoubleValues[k];
        }
    }

    private static void CheckRowStarts(ReadOnlySpan<long> rowStarts, int valueCount)
    {
        if (rowStarts.IsEmpty) throw new ArgumentException("Needs row count + 1 entries but is empty; no rows are a single 0.", nameof(rowStarts));
        if (rowStarts[0] != 0) throw new ArgumentException($"Row 0 must start at 0, not at {rowStarts[0]}.", nameof(rowStarts));
        for (int row = 0; row + 1 < rowStarts.Length; row++)
        {
            if (rowStarts[row + 1] < rowStarts[row])
            {
                throw new ArgumentException($"Row {row} starts at {rowStarts[row]} but ends before it, at {rowStarts[row + 1]}.", nameof(rowStarts));
            }
        }

        if (rowStarts[^1] != valueCount)
        {
            throw new ArgumentException($"The last row must end at the number of values, {valueCount}, not at {rowStarts[^1]}.", nameof(rowStarts));
        }
    }

    private static void CheckColumns(ReadOnlySpan<int> columns, ReadOnlySpan<long> rowStarts, int featureCount)
    {
        for (int k = 0; k < columns.Length; k++)
        {
            if ((uint)columns[k] >= (uint)featureCount) ThrowColumn(columns[k], k, rowStarts, featureCount, nameof(columns));
        }
    }

    [DoesNotReturn]
    private static void ThrowColumn(int column, int position, ReadOnlySpan<long> rowStarts, int featureCount, string name)
    {
        int row = 0;
        while (rowStarts[row + 1] <= position) row++;
        throw new ArgumentOutOfRangeException(
            name, column, $"Row {row} has a value in column {column}, but there are {featureCount} features: columns are 0 to {featureCount - 1}.");
    }
}
