namespace SoftmaxCE;

/// <summary>
/// Work on the lanes of vectors in which no lane needs another one. Where a vector is several registers (<see cref="PairSimd{THalfSimd,THalf,T}"/>),
/// it is done for all vectors on the first register's lanes, then for all on the second's: constants and sums of a part of the lanes fit the
/// 16 registers of such hardware, those of all lanes do not.
/// </summary>
internal interface ILaneWork<T>
    where T : unmanaged
{
    /// <param name="firstLane">Which lane of a whole vector is the first of <typeparamref name="TVector"/>.</param>
    /// <typeparam name="TSimd">The operations on <typeparamref name="TVector"/>.</typeparam>
    /// <typeparam name="TVector">One register.</typeparam>
    void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct;
}

/// <summary>What all widths have in common.</summary>
internal static unsafe class WholeVector
{
    public const int Bytes = 64;

    /// <summary>Lanes of a whole vector, however many registers that is.</summary>
    public static int Lanes<T>()
        where T : unmanaged => Bytes / sizeof(T);

    /// <summary>The first address from here on that vectors are aligned to; up to 63 bytes of the memory are lost.</summary>
    public static byte* Align(byte* memory) => (byte*)(((nuint)memory + (Bytes - 1)) & ~(nuint)(Bytes - 1));
}
