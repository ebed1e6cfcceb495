using System.Buffers;
using System.Text;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// The bytes of an ONNX model of one node, written field by field as onnx.proto numbers them: input "x" and output "y" of
/// free shape, opset 13.
/// </summary>
internal static class OnnxModel
{
    public const string InputName = "x";
    public const string OutputName = "y";

    private const int IrVersion = 8;
    private const int Opset = 13;
    private const int IntAttribute = 2;
    private const int IntsAttribute = 7;

    /// <summary>y = Softmax(x) or LogSoftmax(x) along an axis.</summary>
    public static byte[] AlongAxis(string operation, int elementType, int axis) =>
        Model(operation, elementType, Attribute("axis", IntAttribute, value => value.Integer(3, axis)));

    /// <summary>y = ReduceLogSumExp(x) over the last axis, which is dropped.</summary>
    public static byte[] ReduceLogSumExp(int elementType) => Model(
        "ReduceLogSumExp",
        elementType,
        Attribute("axes", IntsAttribute, value => value.Integer(8, -1)),
        Attribute("keepdims", IntAttribute, value => value.Integer(3, 0)));

    private static byte[] Model(string operation, int elementType, params Action<Fields>[] attributes)
    {
        Fields model = new();
        model.Integer(1, IrVersion).Text(2, "SoftmaxCE.Benchmarks");
        model.Message(7, graph => graph
            .Message(1, node =>
            {
                node.Text(1, InputName).Text(2, OutputName).Text(3, operation).Text(4, operation);
                foreach (Action<Fields> attribute in attributes) node.Message(5, attribute);
            })
            .Text(2, operation)
            .Message(11, Value(InputName, elementType))
            .Message(12, Value(OutputName, elementType)));
        model.Message(8, opset => opset.Text(1, "").Integer(2, Opset));
        return model.ToArray();
    }

    private static Action<Fields> Attribute(string name, int type, Action<Fields> value) => attribute =>
    {
        attribute.Text(1, name);
        value(attribute);
        attribute.Integer(20, type);
    };

    private static Action<Fields> Value(string name, int elementType) => value => value
        .Text(1, name)
        .Message(2, type => type.Message(1, tensor => tensor.Integer(1, elementType)));

    /// <summary>Protocol buffer fields: integers as varints, everything else with its length before it.</summary>
    private sealed class Fields
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public Fields Integer(int field, long value) => Varint((ulong)field << 3).Varint((ulong)value);

        public Fields Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Fields Message(int field, Action<Fields> write)
        {
            Fields message = new();
            write(message);
            return Bytes(field, message.ToArray());
        }

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

        private Fields Bytes(int field, byte[] value)
        {
            const ulong LengthDelimited = 2;
            Varint(((ulong)field << 3) | LengthDelimited).Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        private Fields Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7) _bytes.Write([(byte)(value | 0x80)]);
            _bytes.Write([(byte)value]);
            return this;
        }
    }
}
