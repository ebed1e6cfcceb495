namespace SoftmaxCE;

/// <summary>Rows in which every feature is stored: feature j of row i is values[i · featureCount + j] · scale + offset.</summary>
/// <typeparam name="T">float, double, Half or byte.</typeparam>
/// <remarks>No copy is made and nothing is widened as a whole: 8-bit pixels with <c>scale: 1.0 / 255</c> train from a quarter of the memory of floats.</remarks>
public sealed class DenseRows<T> : DenseRows
    where T : unmanaged
{
    private readonly ReadOnlyMemory<T> _values;

    /// <summary>Looks at <paramref name="values"/> as rows.</summary>
    /// <param name="values">Row-major, length a multiple of <paramref name="featureCount"/>.</param>
    /// <param name="featureCount">Features per row, at least 1.</param>
    /// <param name="scale">Multiplies every value; finite.</param>
    /// <param name="offset">Added to every scaled value; finite.</param>
    /// <exception cref="ArgumentException">The length is not a whole number of rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="featureCount"/> is below 1, or <paramref name="scale"/> or <paramref name="offset"/> is not finite.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not float, double, Half or byte.</exception>
    public DenseRows(ReadOnlyMemory<T> values, int featureCount, double scale = 1, double offset = 0)
        : base(CountRows(values.Length, featureCount, nameof(values)), featureCount, scale, offset)
    {
        RawValues.RequireKnown<T>();
        _values = values;
    }

    /// <summary>The memory given to the constructor.</summary>
    public ReadOnlyMemory<T> Values => _values;

    internal override bool FitSingle => typeof(T) != typeof(double);

    internal override ReadOnlySpan<float> ReadSingles(int firstRow, int count, Span<float> scratch) => RawValues.ToSingles(RawRows(firstRow, count), scratch);

    internal override ReadOnlySpan<double> ReadDoubles(int firstRow, int count, Span<double> scratch) => RawValues.ToDoubles(RawRows(firstRow, count), scratch);

    internal override void CopyColumns(int row, ReadOnlySpan<int> columns, ReadOnlySpan<int> places, Span<double> destination)
    {
        ReadOnlySpan<T> raw = RawRows(row, 1);
        for (int k = 0; k < columns.Length; k++) destination[k] = Scaled(RawValues.ToDouble(raw[columns[k]]));
    }

    private ReadOnlySpan<T> RawRows(int firstRow, int count) =>
        _values.Span.Slice((int)((long)firstRow * FeatureCount), (int)((long)count * FeatureCount));

    private static int CountRows(int length, int featureCount, string name)
    {
        Argument.Positive(featureCount);
        if (length % featureCount != 0)
        {
            throw new ArgumentException($"Has {length} values, which is not a whole number of rows of {featureCount} features.", name);
        }

        return length / featureCount;
    }
}

/// <summary>What <see cref="DenseRows{T}"/> and <see cref="BlockRows{T}"/> are to code that does not care where and how values are stored.</summary>
public abstract class DenseRows : FeatureRows
{
    private protected DenseRows(int rowCount, int featureCount, double scale, double offset)
        : base(rowCount, featureCount)
    {
        if (!double.IsFinite(scale)) throw new ArgumentOutOfRangeException(nameof(scale), scale, "Must be finite.");
        if (!double.IsFinite(offset)) throw new ArgumentOutOfRangeException(nameof(offset), offset, "Must be finite.");
        Scale = scale;
        Offset = offset;
    }

    /// <summary>Multiplies every stored value.</summary>
    public double Scale { get; }

    /// <summary>Added to every scaled value.</summary>
    public double Offset { get; }

    internal override void CopyRow(int row, Span<double> destination)
    {
        ReadOnlySpan<double> raw = ReadDoubles(row, 1, destination);
        if (Scale != 1 || Offset != 0)
        {
            ScaledValues.Run(raw, destination, Scale, Offset);
        }
        else if (raw != destination)
        {
            raw.CopyTo(destination);
        }
    }

    /// <summary>A stored value with scale and offset applied.</summary>
    private protected double Scaled(double raw) => Scale == 1 && Offset == 0 ? raw : Math.FusedMultiplyAdd(raw, Scale, Offset);

    /// <summary>Stored values of some rows, before scale and offset: the rows' own memory if it holds floats, else widened into <paramref name="scratch"/>.</summary>
    internal abstract ReadOnlySpan<float> ReadSingles(int firstRow, int count, Span<float> scratch);

    /// <summary>The same in double.</summary>
    internal abstract ReadOnlySpan<double> ReadDoubles(int firstRow, int count, Span<double> scratch);
}
