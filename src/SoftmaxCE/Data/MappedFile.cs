using System.IO.MemoryMappedFiles;

namespace SoftmaxCE;

/// <summary>A file mapped into memory to be read: the operating system brings in what is touched and lets go of it when memory is short.</summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private int _isDisposed;

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file; it must not be shortened while it is mapped.</param>
    /// <param name="start">Bytes to leave out at the beginning, such as a header.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="start"/> is negative or not before the file's end.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public MappedFile(string path, long start = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        long length = new FileInfo(path).Length;
        if (start >= length) throw new ArgumentOutOfRangeException(nameof(start), start, $"Must be before the end of the file, which has {length} bytes.");
        Length = length - start;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        try
        {
            _view = _file.CreateViewAccessor(start, Length, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            _start = pointer + _view.PointerOffset;
        }
        catch
        {
            _view?.Dispose();
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Bytes that are mapped.</summary>
    public long Length { get; }

    /// <summary>Ends the mapping. Rows that read from it must no longer be used: they throw.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    internal ReadOnlySpan<T> Read<T>(long firstByte, int count)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        return new ReadOnlySpan<T>(_start + firstByte, count);
    }
}
