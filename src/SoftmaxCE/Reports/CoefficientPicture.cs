using System.Buffers.Binary;

namespace SoftmaxCE;

/// <summary>The coefficients of a class as a bitmap of one pixel per feature: red above 0, blue below, white at 0.</summary>
internal static class CoefficientPicture
{
    private const int HeaderSize = 54;

    /// <summary>An address that holds the picture itself, so that the page needs no other file.</summary>
    /// <param name="coefficients">[height, width], row-major.</param>
    /// <param name="width">Pixels per line.</param>
    /// <param name="largest">The magnitude that gets the full colour, above 0.</param>
    public static string ToAddress(ReadOnlySpan<double> coefficients, int width, double largest) => "data:image/bmp;base64," + Convert.ToBase64String(ToBitmap(coefficients, width, largest));

    // A Windows bitmap without compression: header, then the lines from the top (negative height), blue green red, each padded to 4 bytes.
    private static byte[] ToBitmap(ReadOnlySpan<double> coefficients, int width, double largest)
    {
        int height = coefficients.Length / width;
        int lineSize = ((3 * width) + 3) / 4 * 4;
        byte[] file = new byte[HeaderSize + (height * lineSize)];
        file[0] = (byte)'B';
        file[1] = (byte)'M';
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), HeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), HeaderSize - 14);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), -height);
        file[26] = 1;                                             // colour planes
        file[28] = 24;                                            // bits per pixel
        for (int i = 0; i < coefficients.Length; i++)
        {
            double strength = Math.Clamp(coefficients[i] / largest, -1, 1);
            byte faded = (byte)Math.Round(255 * (1 - Math.Abs(strength)));
            Span<byte> pixel = file.AsSpan(HeaderSize + (i / width * lineSize) + (3 * (i % width)), 3);
            pixel[0] = strength > 0 ? faded : (byte)255;
            pixel[1] = faded;
            pixel[2] = strength < 0 ? faded : (byte)255;
        }

        return file;
    }
}
