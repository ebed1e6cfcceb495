using System.Buffers.Binary;
using System.Text.Json;

namespace SoftmaxCE;

/// <summary>
/// The header of a safetensors file, read as if written by an enemy: every length is compared with the bytes that are really there
/// before it is used, sizes multiply without overflow, names are unique, and the tensors cover the data without gap or overlap.
/// Whatever is wrong ends in an <see cref="InvalidDataException"/> that says what.
/// </summary>
internal sealed class SafeTensorsHeader
{
    private readonly Dictionary<string, string> _metadata = [];
    private readonly Dictionary<string, TensorInfo> _tensors = [];

    private SafeTensorsHeader(int dataStart) => DataStart = dataStart;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <summary>Where the tensors' bytes start in the file.</summary>
    public int DataStart { get; }

    /// <param name="file">The whole file.</param>
    /// <exception cref="InvalidDataException">The file is not a valid safetensors file.</exception>
    public static SafeTensorsHeader Parse(ReadOnlySpan<byte> file)
    {
        ReadOnlySpan<byte> json = HeaderBytes(file);
        SafeTensorsHeader header = new(SafeTensors.LengthSize + json.Length);
        try
        {
            header.ReadEntries(json);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is not valid UTF-8, or an escaped half of a surrogate pair.
            throw Invalid("its header is not valid JSON", exception);
        }

        header.RequireFullCover(file.Length - header.DataStart);
        return header;
    }

    private static ReadOnlySpan<byte> HeaderBytes(ReadOnlySpan<byte> file)
    {
        if (file.Length < SafeTensors.LengthSize) throw Invalid($"it has {file.Length} bytes, less than the 8 of the header length");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file);
        if (length > SafeTensors.LongestHeader) throw Invalid($"it states a header of {length} bytes; {SafeTensors.LongestHeader} are allowed");
        if (length > (ulong)(file.Length - SafeTensors.LengthSize)) throw Invalid($"it states a header of {length} bytes but ends after {file.Length - SafeTensors.LengthSize}");
        ReadOnlySpan<byte> json = file.Slice(SafeTensors.LengthSize, (int)length);
        if (json.IsEmpty || json[0] != (byte)'{') throw Invalid("its header does not start with '{'");
        return json;
    }

    private void ReadEntries(ReadOnlySpan<byte> json)
    {
        bool hasMetadata = false;
        Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 4 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw Invalid($"the entry '{Excerpt.Of(name)}' is not an object");
            if (name == SafeTensors.MetadataKey)
            {
                if (hasMetadata) throw Invalid("the metadata occurs twice");
                hasMetadata = true;
                ReadMetadata(ref reader);
            }
            else if (!_tensors.TryAdd(name, ReadTensor(ref reader, name))) throw Invalid($"the tensor '{Excerpt.Of(name)}' occurs twice");
        }

        if (reader.Read()) throw Invalid("its header goes on after its last '}'");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw Invalid($"the metadata '{Excerpt.Of(key)}' is not a string");
            if (!_metadata.TryAdd(key, reader.GetString()!)) throw Invalid($"the metadata '{Excerpt.Of(key)}' occurs twice");
        }
    }

    private static TensorInfo ReadTensor(ref Utf8JsonReader reader, string name)
    {
        string? dtype = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            switch (key)
            {
                case SafeTensors.DTypeKey when dtype is null && reader.TokenType == JsonTokenType.String: dtype = reader.GetString(); break;
                case SafeTensors.ShapeKey when shape is null: shape = ReadNumbers(ref reader, name); break;
                case SafeTensors.OffsetsKey when offsets is null: offsets = ReadNumbers(ref reader, name); break;
                default: throw Invalid($"the tensor '{Excerpt.Of(name)}' has an unexpected or repeated '{Excerpt.Of(key)}'");
            }
        }

        if (dtype is null || shape is null || offsets is not [long begin, long end]) throw Invalid($"the tensor '{Excerpt.Of(name)}' lacks its dtype, shape or two offsets");
        TensorInfo tensor = new(name, dtype, shape, begin, end);
        if (end < begin || end - begin != ByteCount(tensor)) throw Invalid($"the offsets of the tensor '{Excerpt.Of(name)}' do not fit its shape");
        return tensor;
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Invalid($"the tensor '{Excerpt.Of(name)}' has something else where a list of numbers is due");
        List<long> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw Invalid($"the tensor '{Excerpt.Of(name)}' has a size or offset that is not a whole number from 0 to 2^63 − 1");
            numbers.Add(number);
        }

        return numbers;
    }

    private static long ByteCount(TensorInfo tensor)
    {
        long count = SafeTensors.ElementSize(tensor.DType);
        if (count == 0) throw Invalid($"the tensor '{Excerpt.Of(tensor.Name)}' has the unknown dtype '{Excerpt.Of(tensor.DType)}'");
        foreach (long size in tensor.Shape)
            if (Math.BigMul(count, size, out count) != 0 || count < 0) throw Invalid($"the shape of the tensor '{Excerpt.Of(tensor.Name)}' overflows");
        return count;
    }

    // Empty tensors share their begin with a neighbour, so the end decides second.
    private void RequireFullCover(long dataLength)
    {
        long covered = 0;
        foreach (TensorInfo tensor in _tensors.Values.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End))
        {
            if (tensor.Begin != covered) throw Invalid($"there is a gap or an overlap before the tensor '{Excerpt.Of(tensor.Name)}'");
            covered = tensor.End;
        }

        if (covered != dataLength) throw Invalid($"its tensors take {covered} bytes but {dataLength} are there");
    }

    private static InvalidDataException Invalid(string what, Exception? inner = null) => new($"This is not a valid safetensors file: {what}.", inner);
}
