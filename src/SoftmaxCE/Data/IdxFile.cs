using System.Buffers.Binary;
using System.IO.Compression;

namespace SoftmaxCE;

/// <summary>
/// The bytes of an IDX file. Memory grows with the bytes that arrive, never with a size that the header states, so that neither a false
/// header nor a small compressed file that swells can take it all: not more is read than the header states.
/// </summary>
internal static class IdxFile
{
    private const int UnsignedByte = 8;
    private const int FirstRead = 1 << 16;

    /// <exception cref="InvalidDataException">The data is not as it should be; the message says at which byte.</exception>
    public static (int[] Dimensions, byte[] Values) Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> start = stackalloc byte[2];
        if (stream.ReadAtLeast(start, 2, throwOnEndOfStream: false) < 2) throw new InvalidDataException("Byte 0: the file ends before its header does.");
        bool compressed = start[0] == 0x1F && start[1] == 0x8B;
        if (!compressed) return ReadPlain(stream, start);
        using PrefixedStream whole = new(start.ToArray(), stream);
        using GZipStream unpacked = new(whole, CompressionMode.Decompress);
        if (unpacked.ReadAtLeast(start, 2, throwOnEndOfStream: false) < 2) throw new InvalidDataException("Byte 0: the file ends before its header does.");
        return ReadPlain(unpacked, start);
    }

    private static (int[] Dimensions, byte[] Values) ReadPlain(Stream stream, ReadOnlySpan<byte> start)
    {
        if (start[0] != 0 || start[1] != 0) throw new InvalidDataException("Byte 0: an IDX file starts with two zero bytes.");
        Span<byte> header = stackalloc byte[2];
        ReadHeader(stream, header, 2);
        if (header[0] != UnsignedByte) throw new InvalidDataException($"Byte 2: values of type {header[0]}; only unsigned bytes, type {UnsignedByte}, are read.");
        if (header[1] == 0) throw new InvalidDataException("Byte 3: no dimensions.");
        int[] dimensions = ReadDimensions(stream, header[1]);
        return (dimensions, ReadExactly(stream, CountOf(dimensions), headerLength: 4 + (4 * dimensions.Length)));
    }

    // From the last dimension to the first, so that the size of one row is in bounds even when there are no rows.
    private static int CountOf(int[] dimensions)
    {
        long count = 1;
        for (int i = dimensions.Length - 1; i >= 0; i--)
        {
            count *= dimensions[i];
            if (count > Array.MaxLength) throw new InvalidDataException($"Byte {4 + (4 * i)}: the dimensions call for more than 2^31 values.");
        }

        return (int)count;
    }

    private static int[] ReadDimensions(Stream stream, int dimensionCount)
    {
        int[] dimensions = new int[dimensionCount];
        Span<byte> size = stackalloc byte[4];
        for (int i = 0; i < dimensionCount; i++)
        {
            ReadHeader(stream, size, 4 + (4 * i));
            uint value = BinaryPrimitives.ReadUInt32BigEndian(size);
            if (value > Array.MaxLength) throw new InvalidDataException($"Byte {4 + (4 * i)}: a dimension of {value}, more than 2^31.");
            dimensions[i] = (int)value;
        }

        return dimensions;
    }

    private static void ReadHeader(Stream stream, Span<byte> destination, int at)
    {
        if (stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false) < destination.Length)
            throw new InvalidDataException($"Byte {at}: the file ends before its header does.");
    }

    private static byte[] ReadExactly(Stream stream, int count, int headerLength)
    {
        byte[] values = new byte[Math.Min(count, FirstRead)];
        int filled = 0;
        while (filled < count)
        {
            if (filled == values.Length) Array.Resize(ref values, (int)Math.Min(count, 2L * values.Length));
            int read = stream.Read(values, filled, values.Length - filled);
            if (read == 0) throw new InvalidDataException($"Byte {headerLength + (long)filled}: the file ends here, but its dimensions call for {count} values after byte {headerLength}.");
            filled += read;
        }

        if (stream.ReadByte() >= 0) throw new InvalidDataException($"Byte {headerLength + (long)count}: there are more than the {count} values that the dimensions call for.");
        return values;
    }
}
