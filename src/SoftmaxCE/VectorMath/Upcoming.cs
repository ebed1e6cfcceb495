using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Where the logits lie that are needed after those at work, and where will be written then: into the cache with them.</summary>
/// <remarks>
/// Where nothing follows, these are the addresses at work. A hint for what lies behind the end of an array can be dear: where no memory is mapped the
/// processor looks through the page tables for every one of them.
/// </remarks>
internal readonly unsafe struct Upcoming<T>(T* logits, T* destination)
    where T : unmanaged
{
    public T* Logits { get; } = logits;

    /// <summary>Where will be written; where nothing is, more logits.</summary>
    public T* Destination { get; } = destination;

    /// <summary>What lies <paramref name="count"/> values further on, if anything does.</summary>
    /// <param name="logits">The logits at work.</param>
    /// <param name="destination">Where their results go; null: nowhere.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="exists">Whether there are more.</param>
    public static Upcoming<T> Next(T* logits, T* destination, nuint count, bool exists)
    {
        T* next = exists ? logits + count : logits;
        return new(next, destination == null ? next : exists ? destination + count : destination);
    }

    /// <summary>For a part of a row (<see cref="LongRow{T}"/>): the next part, of this row or of the one behind; where nothing is written, the one after it as well.</summary>
    /// <remarks>
    /// Exponentials that are only added up take less time than memory does to answer: what comes from there is asked for two parts in advance, and once more
    /// one part in advance, because by then it may be in the second-level cache alone.
    /// </remarks>
    /// <param name="row">The row's logits.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="part">The part at work.</param>
    /// <param name="destination">Where its results go; null: nowhere.</param>
    /// <param name="isLast">Whether no other row follows in memory.</param>
    public static Upcoming<T> OfPart(T* row, nint count, nint part, T* destination, bool isLast)
    {
        nint length = (nint)LongRow<T>.PartLength, start = part * length, parts = (count + length - 1) / length;
        Upcoming<T> next = Next(row + start, destination, (nuint)nint.Min(length, count - start), part + 1 < parts || !isLast);
        if (destination != null) return next;
        nint ofNextRow = part + 2 - parts;
        if (ofNextRow < 0) return new(row + start + (2 * length), next.Destination);
        return isLast || count < (ofNextRow + 1) * length ? next : new(row + count + (ofNextRow * length), next.Destination);
    }
}

/// <summary>What is <see cref="Upcoming{T}"/> while rows are worked on one after the other, each of them shorter than <see cref="LongRow{T}.PartLength"/>.</summary>
/// <remarks>
/// Memory takes longer to answer than a row of some hundred logits takes, so several rows are on their way at any time, in a part of the first-level
/// cache that is left by those at work. Of rows of 1,000 floats from memory the softmax takes a fifth less time than with two rows, the sum two fifths.
/// Destinations need less, as a store does not wait.
/// </remarks>
internal readonly unsafe struct RowsAhead<T>
    where T : unmanaged
{
    private const int LogitBytes = 12 * 1024;
    private const int LogitBytesAlone = 16 * 1024;
    private const int DestinationBytes = 4 * 1024;

    private readonly nint _logits, _destination;
    private readonly T* _lastLogits, _lastDestination;

    /// <param name="logits">The first row.</param>
    /// <param name="destination">Where its results go; null: nowhere.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="rows">How many rows there are.</param>
    public RowsAhead(T* logits, T* destination, nuint count, nint rows)
    {
        nint rowBytes = (nint)count * sizeof(T), behind = (rows - 1) * (nint)count;
        bool isAlone = destination == null;
        _logits = nint.Max((isAlone ? LogitBytesAlone : LogitBytes) / rowBytes, 2) * (nint)count;
        _lastLogits = logits + behind;
        _destination = isAlone ? _logits : nint.Max(DestinationBytes / rowBytes, 1) * (nint)count;
        _lastDestination = isAlone ? _lastLogits : destination + behind;
    }

    /// <summary>For one row.</summary>
    /// <param name="logits">The row.</param>
    /// <param name="destination">Where its results go; where nothing is stored, the row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Upcoming<T> Of(T* logits, T* destination) => new(Earlier(logits + _logits, _lastLogits), Earlier(destination + _destination, _lastDestination));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Earlier(T* a, T* b) => a < b ? a : b;
}
