using System.Buffers.Binary;
using System.Text;

namespace SoftmaxCE;

/// <summary>
/// The fields of a protocol buffer message one after another, read as if written by an enemy: every length is compared with the bytes that
/// are really there, numbers have at most 64 bits, and nothing is copied before it is asked for. The counterpart of <see cref="ProtobufMessage"/>.
/// </summary>
internal ref struct ProtobufFields(ReadOnlySpan<byte> message)
{
    private const ulong LargestField = (1UL << 29) - 1;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = message;
    private ReadOnlySpan<byte> _bytes;
    private ulong _number;
    private Kind _kind;

    private enum Kind
    {
        Varint = 0,
        EightBytes = 1,
        Bytes = 2,
        FourBytes = 5,
    }

    /// <summary>Number of the field that <see cref="Next"/> read.</summary>
    public int Field { get; private set; }

    /// <summary>Reads the next field; false at the end of the message.</summary>
    /// <exception cref="InvalidDataException">The bytes are no field, or end too early.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty) return false;
        ulong key = Varint(ref _rest);
        if (key >> 3 is 0 or > LargestField) throw new InvalidDataException($"There is no field number {key >> 3} in a protocol buffer.");
        Field = (int)(key >> 3);
        _kind = (Kind)(key & 7);
        switch (_kind)
        {
            case Kind.Varint: _number = Varint(ref _rest); break;
            case Kind.EightBytes: _bytes = Take(sizeof(double)); break;
            case Kind.Bytes: _bytes = Take(Varint(ref _rest)); break;
            case Kind.FourBytes: _bytes = Take(sizeof(float)); break;
            default: throw new InvalidDataException($"Field {Field} is of kind {key & 7}, which is not one of 0, 1, 2 and 5.");
        }

        return true;
    }

    /// <summary>The field as a number.</summary>
    public readonly long Integer()
    {
        Require(Kind.Varint);
        return (long)_number;
    }

    /// <summary>The field as a 32-bit float.</summary>
    public readonly float Float()
    {
        Require(Kind.FourBytes);
        return BinaryPrimitives.ReadSingleLittleEndian(_bytes);
    }

    /// <summary>The field as bytes, such as those of an inner message.</summary>
    public readonly ReadOnlySpan<byte> Bytes()
    {
        Require(Kind.Bytes);
        return _bytes;
    }

    /// <summary>The field as text.</summary>
    /// <exception cref="InvalidDataException">It is not valid UTF-8.</exception>
    public readonly string Text()
    {
        try
        {
            return StrictUtf8.GetString(Bytes());
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException($"Field {Field} is not valid UTF-8.", exception);
        }
    }

    /// <summary>Adds the integers of a repeated field: one, or many packed into bytes.</summary>
    public readonly void AddIntegers(List<long> numbers)
    {
        if (_kind == Kind.Varint)
        {
            numbers.Add((long)_number);
            return;
        }

        ReadOnlySpan<byte> packed = Bytes();
        while (!packed.IsEmpty) numbers.Add((long)Varint(ref packed));
    }

    /// <summary>Adds the 32-bit floats of a repeated field: one, or many packed into bytes.</summary>
    public readonly void AddFloats(List<double> numbers)
    {
        ReadOnlySpan<byte> packed = _kind == Kind.FourBytes ? _bytes : Bytes();
        numbers.EnsureCapacity(numbers.Count + CountOf(packed, sizeof(float)));
        for (; !packed.IsEmpty; packed = packed[sizeof(float)..]) numbers.Add(BinaryPrimitives.ReadSingleLittleEndian(packed));
    }

    /// <summary>Adds the 64-bit floats of a repeated field: one, or many packed into bytes.</summary>
    public readonly void AddDoubles(List<double> numbers)
    {
        ReadOnlySpan<byte> packed = _kind == Kind.EightBytes ? _bytes : Bytes();
        numbers.EnsureCapacity(numbers.Count + CountOf(packed, sizeof(double)));
        for (; !packed.IsEmpty; packed = packed[sizeof(double)..]) numbers.Add(BinaryPrimitives.ReadDoubleLittleEndian(packed));
    }

    private readonly int CountOf(ReadOnlySpan<byte> packed, int size) =>
        packed.Length % size == 0 ? packed.Length / size : throw new InvalidDataException($"Field {Field} has {packed.Length} bytes, which are not numbers of {size} bytes each.");

    private readonly void Require(Kind kind)
    {
        if (_kind != kind) throw new InvalidDataException($"Field {Field} is of kind {(int)_kind}; {(int)kind} is needed.");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length) throw new InvalidDataException($"Field {Field} states {length} bytes but {_rest.Length} are left.");
        ReadOnlySpan<byte> taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    // Seven bits per byte, the lowest first; the tenth byte holds the last of 64.
    private static ulong Varint(ref ReadOnlySpan<byte> rest)
    {
        ulong value = 0;
        for (int i = 0; i < 10; i++)
        {
            if (i >= rest.Length) throw new InvalidDataException("The file ends within a number.");
            byte next = rest[i];
            if (i == 9 && next > 1) break;
            value |= (ulong)(next & 0x7F) << (7 * i);
            if (next >= 0x80) continue;
            rest = rest[(i + 1)..];
            return value;
        }

        throw new InvalidDataException("A number has more than 64 bits.");
    }
}
