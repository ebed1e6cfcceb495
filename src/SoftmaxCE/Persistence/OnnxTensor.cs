using System.Buffers.Binary;

namespace SoftmaxCE;

/// <summary>A constant of an ONNX graph. Numbers are read when they are 32-bit or 64-bit floats, texts when they are texts; else there are none.</summary>
internal sealed record OnnxTensor(string Name, OnnxMessages.Element Element, IReadOnlyList<long> Shape, IReadOnlyList<double> Numbers, IReadOnlyList<string> Texts)
{
    private const int MostDimensions = 8;

    public static OnnxTensor Parse(ReadOnlySpan<byte> message)
    {
        string name = "";
        OnnxMessages.Element element = 0;
        List<long> shape = [];
        List<double> numbers = [];
        List<string> texts = [];
        ReadOnlySpan<byte> raw = default;
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1: fields.AddIntegers(shape); break;
                case 2: element = (OnnxMessages.Element)fields.Integer(); break;
                case 4: fields.AddFloats(numbers); break;
                case 6: texts.Add(fields.Text()); break;
                case 8: name = fields.Text(); break;
                case 9: raw = fields.Bytes(); break;
                case 10: fields.AddDoubles(numbers); break;
                case 3 or 13: throw new InvalidDataException("A constant lies in another file or in pieces; only files that hold all their numbers are read.");
                case 14 when fields.Integer() != 0: throw new InvalidDataException("A constant lies in another file; only files that hold all their numbers are read.");
                default: break;                                   // documentation, and values of types that no linear classifier has
            }
        }

        if (!raw.IsEmpty) AddRaw(raw, element, numbers);
        OnnxTensor tensor = new(name, element, shape, numbers, texts);
        if (element is OnnxMessages.Element.Float or OnnxMessages.Element.Double) tensor.RequireCount(numbers.Count);
        if (element == OnnxMessages.Element.Text) tensor.RequireCount(texts.Count);
        return tensor;
    }

    private static void AddRaw(ReadOnlySpan<byte> raw, OnnxMessages.Element element, List<double> numbers)
    {
        int size = element switch { OnnxMessages.Element.Float => sizeof(float), OnnxMessages.Element.Double => sizeof(double), _ => 0 };
        if (size == 0) return;
        if (raw.Length % size != 0) throw new InvalidDataException($"A constant has {raw.Length} bytes, which are not numbers of {size} bytes each.");
        numbers.EnsureCapacity(numbers.Count + (raw.Length / size));
        for (; !raw.IsEmpty; raw = raw[size..])
            numbers.Add(size == sizeof(float) ? BinaryPrimitives.ReadSingleLittleEndian(raw) : BinaryPrimitives.ReadDoubleLittleEndian(raw));
    }

    private void RequireCount(int actual)
    {
        if (Shape.Count > MostDimensions) throw new InvalidDataException($"The constant '{Excerpt.Of(Name)}' has {Shape.Count} dimensions; at most {MostDimensions} are read.");
        UInt128 count = 1;                                        // stops growing at 2^63 · 2^31
        foreach (long size in Shape)
        {
            if (size < 0 || count > int.MaxValue) throw new InvalidDataException($"The shape of the constant '{Excerpt.Of(Name)}' is negative or overflows.");
            count *= (ulong)size;
        }

        if (count != (UInt128)actual) throw new InvalidDataException($"The constant '{Excerpt.Of(Name)}' has {actual} values for a shape of {count}.");
    }
}
