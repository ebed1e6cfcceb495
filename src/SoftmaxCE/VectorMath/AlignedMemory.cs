using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Scratch memory outside the managed heap, cut into pieces that each start on a cache line.</summary>
internal sealed unsafe class AlignedMemory(nuint byteCount) : IDisposable
{
    private const nuint Alignment = 64;

    private readonly byte* _start = (byte*)NativeMemory.AlignedAlloc(byteCount, Alignment);
    private nuint _used;

    /// <summary>The bytes that a piece of so many values takes.</summary>
    public static nuint SizeOf<T>(nint count)
        where T : unmanaged => (((nuint)count * (nuint)sizeof(T)) + Alignment - 1) / Alignment * Alignment;

    /// <summary>The next piece; what is in it is not defined.</summary>
    public T* Take<T>(nint count)
        where T : unmanaged
    {
        nuint size = SizeOf<T>(count);
        if (_used + size > byteCount) throw new InvalidOperationException($"The scratch memory of {byteCount} bytes is used up.");
        T* piece = (T*)(_start + _used);
        _used += size;
        return piece;
    }

    public void Dispose() => NativeMemory.AlignedFree(_start);
}
