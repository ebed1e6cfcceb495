using System.Buffers.Binary;
using System.IO.Compression;

namespace SoftmaxCE.Tests;

/// <summary>The pixels of a PNG file as browsers write screenshots: 8 bits per channel, red green blue with or without alpha, not interlaced.</summary>
internal sealed class PngImage
{
    private const int SignatureSize = 8;

    private readonly byte[] _bytes;
    private readonly int _channels;

    public PngImage(byte[] file)
    {
        Width = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(16));
        Height = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(20));
        file[24].Should().Be(8, "8 bits per channel are read");
        _channels = file[25] switch { 2 => 3, 6 => 4, byte kind => throw new InvalidDataException($"Colour type {kind}.") };
        _bytes = Unfilter(Unpack(file));
    }

    public int Width { get; }

    public int Height { get; }

    public int Count(Func<int, int, int, bool> isWanted)
    {
        int count = 0;
        for (int i = 0; i < _bytes.Length; i += _channels) count += isWanted(_bytes[i], _bytes[i + 1], _bytes[i + 2]) ? 1 : 0;
        return count;
    }

    private static byte[] Unpack(byte[] file)
    {
        using MemoryStream packed = new();
        for (int at = SignatureSize; at < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            if (file.AsSpan(at + 4, 4).SequenceEqual("IDAT"u8)) packed.Write(file, at + 8, length);
            at += length + 12;
        }

        packed.Position = 0;
        using ZLibStream stream = new(packed, CompressionMode.Decompress);
        using MemoryStream whole = new();
        stream.CopyTo(whole);
        return whole.ToArray();
    }

    private byte[] Unfilter(byte[] lines)
    {
        int size = Width * _channels;
        byte[] pixels = new byte[Height * size];
        for (int y = 0; y < Height; y++)
        {
            int filter = lines[y * (size + 1)];
            for (int x = 0; x < size; x++)
            {
                int left = x < _channels ? 0 : pixels[(y * size) + x - _channels];
                int up = y == 0 ? 0 : pixels[((y - 1) * size) + x];
                int corner = x < _channels || y == 0 ? 0 : pixels[((y - 1) * size) + x - _channels];
                int predicted = filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, 4 => Paeth(left, up, corner), _ => throw new InvalidDataException($"Filter {filter}.") };
                pixels[(y * size) + x] = (byte)(lines[(y * (size + 1)) + 1 + x] + predicted);
            }
        }

        return pixels;
    }

    private static int Paeth(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - (2 * corner));
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
