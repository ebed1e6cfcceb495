using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Delivers whole rows, as they are stored. Called by several threads at once, and again in every pass over the data: the same row must always have the same values.</summary>
/// <typeparam name="T">float, double, Half or byte.</typeparam>
/// <param name="firstRow">The first row wanted.</param>
/// <param name="destination">Overwritten with as many rows, row-major, as it has room for.</param>
public delegate void RowReader<T>(int firstRow, Span<T> destination)
    where T : unmanaged;

/// <summary>
/// Rows in which every feature is stored, like <see cref="DenseRows{T}"/>, but not in one piece of memory: in several arrays, in a file that
/// is mapped into memory, or made by a callback. There may be more than 2³¹ values.
/// </summary>
/// <remarks>
/// Every solver trains on them, with the same bits as on <see cref="DenseRows{T}"/> of the same values. A few hundred rows are read at a time,
/// each once per pass; random access (mini-batches in random order, the sampled rows of the preconditioner) reads row by row. A solver keeps
/// three doubles per row and class beside the rows, and rows times classes must stay below 2³¹.
/// </remarks>
/// <typeparam name="T">float, double, Half or byte.</typeparam>
public sealed class BlockRows<T> : DenseRows
    where T : unmanaged
{
    private readonly RowSource<T> _source;

    private BlockRows(RowSource<T> source, int rowCount, int featureCount, double scale, double offset)
        : base(rowCount, featureCount, scale, offset)
    {
        RawValues.RequireKnown<T>();
        _source = source;
    }

    internal override bool FitSingle => typeof(T) != typeof(double);

    /// <summary>Rows in several pieces of memory, one after another.</summary>
    /// <param name="blocks">Each row-major, of whole rows; may differ in length.</param>
    /// <param name="featureCount">Features per row, at least 1.</param>
    /// <param name="scale">Multiplies every value; finite.</param>
    /// <param name="offset">Added to every scaled value; finite.</param>
    /// <exception cref="ArgumentException">A block is not a whole number of rows; the message names it.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not float, double, Half or byte.</exception>
    public static BlockRows<T> FromBlocks(IReadOnlyList<ReadOnlyMemory<T>> blocks, int featureCount, double scale = 1, double offset = 0)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        Argument.Positive(featureCount);
        MemoryBlocks<T> source = new(blocks, featureCount);
        return new BlockRows<T>(source, source.RowCount, featureCount, scale, offset);
    }

    /// <summary>Rows that a callback delivers: read from wherever they are, decompressed, or computed.</summary>
    /// <param name="read">Delivers rows; called by several threads at once.</param>
    /// <param name="rowCount">Number of rows.</param>
    /// <param name="featureCount">Features per row, at least 1.</param>
    /// <param name="scale">Multiplies every value; finite.</param>
    /// <param name="offset">Added to every scaled value; finite.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not float, double, Half or byte.</exception>
    public static BlockRows<T> FromReader(RowReader<T> read, int rowCount, int featureCount, double scale = 1, double offset = 0)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentOutOfRangeException.ThrowIfNegative(rowCount);
        Argument.Positive(featureCount);
        return new BlockRows<T>(new CallbackRows<T>(read, featureCount), rowCount, featureCount, scale, offset);
    }

    /// <summary>Rows in a file of little-endian values without anything between them, such as the data of an IDX, NumPy or safetensors file. The file is mapped into memory, not read as a whole.</summary>
    /// <param name="file">The mapped file; it must stay open while the rows are in use.</param>
    /// <param name="rowCount">Number of rows; 0 for all that the file holds, which then must be whole rows.</param>
    /// <param name="featureCount">Features per row, at least 1.</param>
    /// <param name="scale">Multiplies every value; finite.</param>
    /// <param name="offset">Added to every scaled value; finite.</param>
    /// <exception cref="ArgumentException">The file is too short, or not a whole number of rows.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not float, double, Half or byte, or this processor is big-endian.</exception>
    public static BlockRows<T> FromFile(MappedFile file, int rowCount, int featureCount, double scale = 1, double offset = 0)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(rowCount);
        Argument.Positive(featureCount);
        RawValues.RequireKnown<T>();
        if (!BitConverter.IsLittleEndian) throw new NotSupportedException("Mapped files need a little-endian processor.");
        rowCount = MappedRows<T>.CountRows(file, rowCount, featureCount);
        return new BlockRows<T>(new MappedRows<T>(file, featureCount), rowCount, featureCount, scale, offset);
    }

    internal override ReadOnlySpan<float> ReadSingles(int firstRow, int count, Span<float> scratch)
    {
        if (typeof(T) == typeof(float)) return MemoryMarshal.Cast<T, float>(_source.Read(firstRow, count, MemoryMarshal.Cast<float, T>(scratch)));
        using Raw raw = new(this, count);
        return RawValues.ToSingles(_source.Read(firstRow, count, raw.Values), scratch);
    }

    internal override ReadOnlySpan<double> ReadDoubles(int firstRow, int count, Span<double> scratch)
    {
        if (typeof(T) == typeof(double)) return MemoryMarshal.Cast<T, double>(_source.Read(firstRow, count, MemoryMarshal.Cast<double, T>(scratch)));
        using Raw raw = new(this, count);
        return RawValues.ToDoubles(_source.Read(firstRow, count, raw.Values), scratch);
    }

    internal override void CopyColumns(int row, ReadOnlySpan<int> columns, ReadOnlySpan<int> places, Span<double> destination)
    {
        using Raw raw = new(this, 1);
        ReadOnlySpan<T> values = _source.Read(row, 1, raw.Values);
        for (int k = 0; k < columns.Length; k++) destination[k] = Scaled(RawValues.ToDouble(values[columns[k]]));
    }

    /// <summary>Rented room for rows as they are stored.</summary>
    private readonly ref struct Raw(BlockRows<T> rows, int count) : IDisposable
    {
        private readonly T[] _rented = rows._source.NeedsRoom ? ArrayPool<T>.Shared.Rent(checked(count * rows.FeatureCount)) : [];

        public Span<T> Values => _rented;

        public void Dispose()
        {
            if (_rented.Length > 0) ArrayPool<T>.Shared.Return(_rented);
        }
    }
}

/// <summary>Where rows come from.</summary>
internal abstract class RowSource<T>(int featureCount)
    where T : unmanaged
{
    protected int FeatureCount => featureCount;

    /// <summary>Whether <see cref="Read"/> may write into its room.</summary>
    public abstract bool NeedsRoom { get; }

    /// <summary>Some rows: where they lie, or copied into <paramref name="room"/>.</summary>
    public abstract ReadOnlySpan<T> Read(int firstRow, int count, Span<T> room);
}

/// <summary>Rows in several pieces of memory.</summary>
internal sealed class MemoryBlocks<T> : RowSource<T>
    where T : unmanaged
{
    private readonly ReadOnlyMemory<T>[] _blocks;
    private readonly int[] _starts;         // first row of each block, then the number of rows

    public MemoryBlocks(IReadOnlyList<ReadOnlyMemory<T>> blocks, int featureCount)
        : base(featureCount)
    {
        _blocks = [.. blocks];
        _starts = new int[_blocks.Length + 1];
        for (int block = 0; block < _blocks.Length; block++)
        {
            int length = _blocks[block].Length;
            if (length % featureCount != 0) ThrowBlock(block, length, featureCount, nameof(blocks));
            _starts[block + 1] = checked(_starts[block] + (length / featureCount));
        }
    }

    public int RowCount => _starts[^1];

    public override bool NeedsRoom => true;

    public override ReadOnlySpan<T> Read(int firstRow, int count, Span<T> room)
    {
        int block = Array.BinarySearch(_starts, firstRow);
        if (block < 0) block = ~block - 1;
        while (block < _blocks.Length - 1 && _starts[block + 1] == firstRow) block++;       // empty blocks share a start
        if (firstRow + count <= _starts[block + 1]) return Part(block, firstRow, count);
        int copied = 0;
        for (; copied < count; block++)
        {
            int rows = Math.Min(count - copied, _starts[block + 1] - firstRow - copied);
            Part(block, firstRow + copied, rows).CopyTo(room[(copied * FeatureCount)..]);
            copied += rows;
        }

        return room[..(count * FeatureCount)];
    }

    private ReadOnlySpan<T> Part(int block, int firstRow, int count) => _blocks[block].Span.Slice((firstRow - _starts[block]) * FeatureCount, count * FeatureCount);

    [DoesNotReturn]
    private static void ThrowBlock(int block, int length, int featureCount, string name) =>
        throw new ArgumentException($"Block {block} has {length} values, which is not a whole number of rows of {featureCount} features.", name);
}

/// <summary>Rows from a callback.</summary>
internal sealed class CallbackRows<T>(RowReader<T> read, int featureCount) : RowSource<T>(featureCount)
    where T : unmanaged
{
    public override bool NeedsRoom => true;

    public override ReadOnlySpan<T> Read(int firstRow, int count, Span<T> room)
    {
        Span<T> rows = room[..(count * FeatureCount)];
        read(firstRow, rows);
        return rows;
    }
}

/// <summary>Rows where a file is mapped.</summary>
internal sealed class MappedRows<T>(MappedFile file, int featureCount) : RowSource<T>(featureCount)
    where T : unmanaged
{
    public override bool NeedsRoom => false;

    private readonly long _rowBytes = RowBytes(featureCount);

    /// <summary>The number of rows wanted, or for 0 all there are.</summary>
    public static int CountRows(MappedFile file, int wanted, int featureCount)
    {
        long rowBytes = RowBytes(featureCount);
        if (wanted > 0)
        {
            if (wanted * rowBytes > file.Length) throw new ArgumentException($"Needs {wanted * rowBytes} bytes for {wanted} rows but has {file.Length}.", nameof(file));
            return wanted;
        }

        if (file.Length % rowBytes != 0) throw new ArgumentException($"Has {file.Length} bytes, which is not a whole number of rows of {rowBytes} bytes.", nameof(file));
        return checked((int)(file.Length / rowBytes));
    }

    public override ReadOnlySpan<T> Read(int firstRow, int count, Span<T> room) => file.Read<T>(firstRow * _rowBytes, count * FeatureCount);

    private static long RowBytes(int featureCount) => (long)featureCount * Marshal.SizeOf<T>();
}
