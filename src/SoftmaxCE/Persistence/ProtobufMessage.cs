using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace SoftmaxCE;

/// <summary>
/// A message in the protocol buffer wire format: fields one after another, each a varint of 8 · number + kind, then the value. Kind 0 is
/// a varint, kind 2 a length and that many bytes. Every method adds one field.
/// </summary>
internal sealed class ProtobufMessage
{
    private const int VarintKind = 0;
    private const int BytesKind = 2;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlySpan<byte> WrittenBytes => _bytes.WrittenSpan;

    public ProtobufMessage Integer(int field, long value)
    {
        Varint(((ulong)field << 3) | VarintKind);
        Varint((ulong)value);
        return this;
    }

    public ProtobufMessage Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint(((ulong)field << 3) | BytesKind);
        Varint((ulong)value.Length);
        _bytes.Write(value);
        return this;
    }

    public ProtobufMessage Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtobufMessage Message(int field, ProtobufMessage value) => Bytes(field, value.WrittenBytes);

    /// <summary>Packed 32-bit floats: as the bytes of a tensor, and as a repeated field.</summary>
    public ProtobufMessage Floats(int field, ReadOnlySpan<double> values)
    {
        byte[] bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), (float)values[i]);
        return Bytes(field, bytes);
    }

    private void Varint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        int length = 0;
        for (; value >= 0x80; value >>= 7) bytes[length++] = (byte)(value | 0x80);
        bytes[length++] = (byte)value;
        _bytes.Write(bytes[..length]);
    }
}
