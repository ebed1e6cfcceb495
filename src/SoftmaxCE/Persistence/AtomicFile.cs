namespace SoftmaxCE;

/// <summary>
/// Replaces a file in one step: the content goes to a new file beside it, is flushed to the disk, and only then takes the name. A
/// crash, a full disk or an exception at any moment leaves the old file whole.
/// </summary>
internal static class AtomicFile
{
    /// <param name="path">The file to write; when it is a link, the file it points to.</param>
    /// <param name="write">Writes the content.</param>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Path.GetFullPath(TargetOfLink(path) ?? path);
        string temporary = $"{target}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);                               // no error when it was never made
            throw;
        }
    }

    private static string? TargetOfLink(string path) => File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null;
}
