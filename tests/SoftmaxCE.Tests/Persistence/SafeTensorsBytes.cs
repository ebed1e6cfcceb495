using System.Buffers.Binary;
using System.Text;

namespace SoftmaxCE.Tests;

/// <summary>Files put together by hand, right or wrong.</summary>
internal static class SafeTensorsBytes
{
    /// <summary>The length of the header, the header, the data: whatever they say.</summary>
    public static byte[] Of(string header, params byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }

    public static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    public static byte[] Doubles(params double[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
