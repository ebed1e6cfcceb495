using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>What a kernel tells the caches in advance. Addresses past the end of the memory do no harm.</summary>
internal static unsafe class CacheHints
{
    public const int LineBytes = 64;

    /// <summary>The cache line at this address will be needed soon, to be read or written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch<T>(T* address)
        where T : unmanaged
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>Values from <paramref name="first"/> on will be needed soon, to be read or written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch<T>(T* first, nuint count)
        where T : unmanaged
    {
        if (!Sse.IsSupported) return;
        for (byte* line = (byte*)first, end = (byte*)(first + count); line < end; line += LineBytes) Sse.Prefetch0(line);
    }
}
