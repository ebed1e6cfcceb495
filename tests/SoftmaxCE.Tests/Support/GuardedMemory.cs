using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SoftmaxCE.Tests;

/// <summary>Which end of the memory touches its guard page; the other end is up to one page away from the other guard page.</summary>
public enum GuardSide
{
    /// <summary>The last value ends exactly where the guard page starts: reading or writing one value too many ends the process.</summary>
    After,

    /// <summary>The first value starts exactly where the guard page ends: reading or writing one value too early ends the process.</summary>
    Before,
}

/// <summary>Makes <see cref="GuardedMemory{T}"/>.</summary>
public static class GuardedMemory
{
    /// <summary>Distinct random floats in [-20, 20).</summary>
    public static GuardedMemory<float> Random(int length, int seed, GuardSide side = GuardSide.After) => Random<float>(length, seed, side);

    /// <summary>Random values in [-20, 20), the same for the same seed.</summary>
    public static GuardedMemory<T> Random<T>(int length, int seed, GuardSide side = GuardSide.After)
        where T : unmanaged, System.Numerics.IFloatingPoint<T>
    {
        Random random = new(seed);
        T[] values = new T[length];
        for (int i = 0; i < length; i++) values[i] = T.CreateChecked((random.NextDouble() * 40) - 20);
        return CopyOf<T>(values, side);
    }

    public static GuardedMemory<T> CopyOf<T>(ReadOnlySpan<T> values, GuardSide side = GuardSide.After)
        where T : unmanaged => new(values, side);

    /// <summary>Memory of zeros, for outputs.</summary>
    public static GuardedMemory<T> Zeros<T>(int length, GuardSide side = GuardSide.After)
        where T : unmanaged => new(new T[length], side);
}

/// <summary>
/// Memory between two pages that may be neither read nor written, so that a kernel which strays outside its span crashes
/// instead of passing by luck. <see cref="Original"/> keeps what the memory held at first, for tests that work in place.
/// </summary>
public sealed unsafe class GuardedMemory<T> : IDisposable
    where T : unmanaged
{
    private readonly T[] _original;
    private readonly byte* _first;
    private byte* _pages;
    private readonly nuint _byteCount;

    internal GuardedMemory(ReadOnlySpan<T> values, GuardSide side)
    {
        _original = values.ToArray();
        nuint page = (nuint)Environment.SystemPageSize;
        nuint bytes = (nuint)values.Length * (nuint)Unsafe.SizeOf<T>();
        nuint inner = Math.Max(1, (bytes + page - 1) / page) * page;
        _byteCount = inner + (2 * page);
        _pages = PageMemory.Allocate(_byteCount);
        PageMemory.Forbid(_pages, page);
        PageMemory.Forbid(_pages + page + inner, page);
        _first = side == GuardSide.Before ? _pages + page : _pages + page + inner - bytes;
        values.CopyTo(Span);
    }

    ~GuardedMemory() => Free();

    public int Length => _original.Length;

    public Span<T> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pages is null, this);
            return new Span<T>(_first, _original.Length);
        }
    }

    public ReadOnlySpan<T> ReadOnlySpan => Span;

    /// <summary>The values the memory was made with.</summary>
    public ReadOnlySpan<T> Original => _original;

    /// <summary>The byte before the first value and the byte after the last one; which of them is on a guard page depends on the side.</summary>
    internal (nint Before, nint After) Neighbours => ((nint)(_first - 1), (nint)(_first + (_original.Length * Unsafe.SizeOf<T>())));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pages is null) return;
        PageMemory.Free(_pages, _byteCount);
        _pages = null;
    }
}
