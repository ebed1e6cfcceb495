using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace SoftmaxCE;

/// <summary>Writes tensors of doubles and strings about them as a safetensors file.</summary>
internal sealed class SafeTensorsWriter
{
    private const string Float64 = "F64";

    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (long[] Shape, ReadOnlyMemory<double> Values)> _tensors = new(StringComparer.Ordinal);

    public SafeTensorsWriter Metadata(string key, string value)
    {
        _metadata.Add(key, value);
        return this;
    }

    public SafeTensorsWriter Tensor(string name, ReadOnlyMemory<double> values, params long[] shape)
    {
        _tensors.Add(name, (shape, values));
        return this;
    }

    /// <summary>Writes the file: metadata and tensors each in the order of their names, the header padded so that the data is aligned to 8 bytes.</summary>
    /// <exception cref="InvalidOperationException">The header is longer than the format allows.</exception>
    public void WriteTo(Stream stream)
    {
        ArrayBufferWriter<byte> header = new();
        WriteHeader(header);
        header.Write("       "u8[..(-header.WrittenCount & 7)]);
        if (header.WrittenCount > SafeTensors.LongestHeader)
            throw new InvalidOperationException($"The header takes {header.WrittenCount} bytes; the format allows {SafeTensors.LongestHeader}.");

        Span<byte> length = stackalloc byte[SafeTensors.LengthSize];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.WrittenCount);
        stream.Write(length);
        stream.Write(header.WrittenSpan);
        foreach ((long[] _, ReadOnlyMemory<double> values) in _tensors.Values) WriteValues(stream, values.Span);
    }

    private void WriteHeader(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output);
        json.WriteStartObject();
        if (_metadata.Count > 0)
        {
            json.WriteStartObject(SafeTensors.MetadataKey);
            foreach ((string key, string value) in _metadata) json.WriteString(key, value);
            json.WriteEndObject();
        }

        long begin = 0;
        foreach ((string name, (long[] shape, ReadOnlyMemory<double> values)) in _tensors)
        {
            long end = begin + ((long)values.Length * sizeof(double));
            json.WriteStartObject(name);
            json.WriteString(SafeTensors.DTypeKey, Float64);
            WriteNumbers(json, SafeTensors.ShapeKey, shape);
            WriteNumbers(json, SafeTensors.OffsetsKey, [begin, end]);
            json.WriteEndObject();
            begin = end;
        }

        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, long[] numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    private static void WriteValues(Stream stream, ReadOnlySpan<double> values)
    {
        const int AtOnce = 8192;
        byte[] buffer = new byte[AtOnce * sizeof(double)];
        for (int start = 0; start < values.Length; start += AtOnce)
        {
            ReadOnlySpan<double> part = values[start..Math.Min(start + AtOnce, values.Length)];
            for (int i = 0; i < part.Length; i++) BinaryPrimitives.WriteDoubleLittleEndian(buffer.AsSpan(i * sizeof(double)), part[i]);
            stream.Write(buffer, 0, part.Length * sizeof(double));
        }
    }
}
