using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>What a kernel tells the caches in advance. Addresses past the end of the memory are harmless but dear: see <see cref="Upcoming{T}"/>.</summary>
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

    /// <summary>The cache line at this address will be needed, but not at once: the first-level cache is not for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FetchToSecondLevel<T>(T* address)
        where T : unmanaged
    {
        if (Sse.IsSupported) Sse.Prefetch1(address);
    }

    /// <summary>Values from <paramref name="first"/> on will be needed soon, to be read or written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch<T>(T* first, nuint count)
        where T : unmanaged
    {
        if (!Sse.IsSupported) return;
        for (byte* line = (byte*)first, end = (byte*)(first + count); line < end; line += LineBytes) Sse.Prefetch0(line);
    }

    /// <summary>The lines with the first values of two vectors, one after the other, will be needed soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FetchTwo<T>(T* first, nuint lanes)
        where T : unmanaged
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(first);
        Sse.Prefetch0(first + lanes);
    }

    /// <summary>The lines with the first values of four vectors, one after the other, will be needed soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FetchFour<T>(T* first, nuint lanes)
        where T : unmanaged
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(first);
        Sse.Prefetch0(first + lanes);
        Sse.Prefetch0(first + (2 * lanes));
        Sse.Prefetch0(first + (3 * lanes));
    }
}
