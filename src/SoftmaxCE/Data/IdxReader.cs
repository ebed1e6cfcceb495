namespace SoftmaxCE;

/// <summary>
/// Reads the IDX files of the MNIST family (MNIST, Fashion-MNIST, KMNIST, EMNIST), plain or compressed with gzip: images as 8-bit pixels,
/// labels as numbers.
/// </summary>
/// <remarks>
/// The format: two zero bytes, the type (8 for bytes), the number of dimensions, each dimension as a big-endian 32-bit number, then the
/// bytes. What is wrong is an <see cref="InvalidDataException"/> that says at which byte.
/// </remarks>
public static class IdxReader
{
    private const double PixelScale = 1.0 / 255;

    /// <summary>Reads images, or any bytes in two or more dimensions.</summary>
    /// <param name="path">The file; whether it is compressed shows in its first bytes.</param>
    /// <returns>A row per image, its pixels row by row as features; stored as bytes, and read as 0 to 1 through the scale 1/255.</returns>
    /// <exception cref="InvalidDataException">The file is not as it should be; the message says at which byte.</exception>
    public static DenseRows<byte> ReadImages(string path)
    {
        using FileStream stream = Open(path);
        return ReadImages(stream);
    }

    /// <summary>Reads images, or any bytes in two or more dimensions.</summary>
    /// <param name="stream">Read to its end, which must be the end of the data; it stays open.</param>
    /// <returns>A row per image, its pixels row by row as features; stored as bytes, and read as 0 to 1 through the scale 1/255.</returns>
    /// <exception cref="InvalidDataException">The data is not as it should be; the message says at which byte.</exception>
    public static DenseRows<byte> ReadImages(Stream stream)
    {
        (int[] dimensions, byte[] values) = IdxFile.Read(stream);
        if (dimensions.Length < 2) throw new InvalidDataException("Byte 3: one dimension, as labels have; images have at least two.");
        int featureCount = 1;                                     // cannot overflow: the file reader checked this product
        foreach (int size in dimensions.AsSpan(1)) featureCount *= size;
        if (featureCount == 0) throw new InvalidDataException("Byte 4: an image has no pixels.");
        return new DenseRows<byte>(values, featureCount, PixelScale);
    }

    /// <summary>Reads labels.</summary>
    /// <param name="path">The file; whether it is compressed shows in its first bytes.</param>
    /// <returns>The label of each row, 0 to 255.</returns>
    /// <exception cref="InvalidDataException">The file is not as it should be; the message says at which byte.</exception>
    public static int[] ReadLabels(string path)
    {
        using FileStream stream = Open(path);
        return ReadLabels(stream);
    }

    /// <summary>Reads labels.</summary>
    /// <param name="stream">Read to its end, which must be the end of the data; it stays open.</param>
    /// <returns>The label of each row, 0 to 255.</returns>
    /// <exception cref="InvalidDataException">The data is not as it should be; the message says at which byte.</exception>
    public static int[] ReadLabels(Stream stream)
    {
        (int[] dimensions, byte[] values) = IdxFile.Read(stream);
        if (dimensions.Length != 1) throw new InvalidDataException($"Byte 3: {dimensions.Length} dimensions, as images have; labels have one.");
        return [.. values.Select(value => (int)value)];
    }

    private static FileStream Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
    }
}
