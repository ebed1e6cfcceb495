using System.Text;

namespace SoftmaxCE.Tests;

/// <summary>The fields of a protocol buffer message, read independently of the writer: varints and length-delimited bytes.</summary>
internal sealed class ProtobufReader
{
    private readonly List<(int Field, long Number, byte[]? Bytes)> _fields = [];

    public ProtobufReader(ReadOnlySpan<byte> message)
    {
        while (!message.IsEmpty)
        {
            ulong key = Varint(ref message);
            ulong value = Varint(ref message);
            (key & 7).Should().BeOneOf([0UL, 2UL], "only these kinds are written");
            if ((key & 7) == 0)
            {
                _fields.Add(((int)(key >> 3), (long)value, null));
                continue;
            }

            _fields.Add(((int)(key >> 3), 0, message[..(int)value].ToArray()));
            message = message[(int)value..];
        }
    }

    public long Number(int field) => _fields.Single(entry => entry.Field == field).Number;

    public long[] Numbers(int field) => [.. _fields.Where(entry => entry.Field == field).Select(entry => entry.Number)];

    public byte[] Bytes(int field) => _fields.Single(entry => entry.Field == field).Bytes!;

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    public string[] Texts(int field) => [.. _fields.Where(entry => entry.Field == field).Select(entry => Encoding.UTF8.GetString(entry.Bytes!))];

    public float[] Floats(int field) => [.. Bytes(field).Chunk(4).Select(four => BitConverter.ToSingle(four))];

    public ProtobufReader Message(params int[] path) => path.Aggregate(this, (message, field) => new ProtobufReader(message.Bytes(field)));

    public ProtobufReader[] Messages(int field) => [.. _fields.Where(entry => entry.Field == field).Select(entry => new ProtobufReader(entry.Bytes))];

    private static ulong Varint(ref ReadOnlySpan<byte> message)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message[0];
            message = message[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
    }
}
