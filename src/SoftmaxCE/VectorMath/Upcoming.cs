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
}
