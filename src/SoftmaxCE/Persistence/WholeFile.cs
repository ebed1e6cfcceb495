namespace SoftmaxCE;

/// <summary>Reads a stream to its end; memory grows with the bytes that arrive, never with a length that the file states.</summary>
internal static class WholeFile
{
    /// <exception cref="InvalidDataException">The stream is longer than an array can be.</exception>
    public static ReadOnlyMemory<byte> Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.CanSeek && stream.Length - stream.Position > Array.MaxLength) throw TooLong();
        using MemoryStream whole = new();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            if (whole.Length + count > Array.MaxLength) throw TooLong();
            whole.Write(buffer, 0, count);
        }

        return whole.GetBuffer().AsMemory(0, (int)whole.Length);
    }

    private static InvalidDataException TooLong() => new("The model file is larger than 2 GiB.");
}
