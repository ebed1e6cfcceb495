using System.Buffers.Binary;

namespace SoftmaxCE;

/// <summary>Reads the numbers of a tensor as doubles, which hold every value of the narrower types exactly.</summary>
internal static class TensorValues
{
    /// <param name="file">The whole file to which <paramref name="header"/> belongs.</param>
    /// <param name="header">The file's header, already checked against its length.</param>
    /// <param name="tensor">A tensor of that header.</param>
    /// <exception cref="InvalidDataException">The tensor does not hold floating-point numbers, or more than fit an array.</exception>
    public static double[] Read(ReadOnlySpan<byte> file, SafeTensorsHeader header, TensorInfo tensor)
    {
        ReadOnlySpan<byte> bytes = Bytes(file, header, tensor);
        return tensor.DType switch
        {
            "F64" => Convert(bytes, sizeof(double), BinaryPrimitives.ReadDoubleLittleEndian),
            "F32" => Convert(bytes, sizeof(float), value => BinaryPrimitives.ReadSingleLittleEndian(value)),
            "F16" => Convert(bytes, sizeof(ushort), value => (double)BinaryPrimitives.ReadHalfLittleEndian(value)),
            "BF16" => Convert(bytes, sizeof(ushort), value => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(value) << 16)),
            _ => throw new InvalidDataException($"The tensor '{tensor.Name}' has dtype {tensor.DType}; F64, F32, F16 or BF16 is needed."),
        };
    }

    public static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> file, SafeTensorsHeader header, TensorInfo tensor) =>
        file.Slice(header.DataStart + (int)tensor.Begin, (int)(tensor.End - tensor.Begin));

    private delegate double ReadOne(ReadOnlySpan<byte> bytes);

    private static double[] Convert(ReadOnlySpan<byte> bytes, int size, ReadOne read)
    {
        double[] values = new double[bytes.Length / size];
        for (int i = 0; i < values.Length; i++) values[i] = read(bytes.Slice(i * size, size));
        return values;
    }
}
