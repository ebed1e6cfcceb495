using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A kernel in which a lane meets no other lane before the very end, as in every sum over a block.</summary>
/// <remarks>
/// Where a register holds fewer than 512 bits, a kernel of pairs of vectors needs twice the registers, and holds more locals than the compiler tracks:
/// then every value lives in memory, and operations become calls. Such a kernel is run by <see cref="ISimd{TVector,T}.RunLanes"/> instead: over the
/// whole block for the lanes of the first register, then over the block again for those of the next. The block is in the first-level cache, and the
/// sums of the lanes are the same.
/// </remarks>
internal interface ILaneKernel<T>
    where T : unmanaged
{
    /// <summary>Takes the values at <paramref name="firstLane"/> … <paramref name="firstLane"/> + Lanes − 1 of every <see cref="WholeVector.Lanes"/>.</summary>
    void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct;
}

/// <summary>A sum per lane of 512 bits, filled register by register.</summary>
internal unsafe struct LaneSum<T>
    where T : unmanaged
{
    private fixed double _sums[16];
    private fixed double _lost[16];

    /// <summary>Values that the lanes from <paramref name="firstLane"/> on have among the <paramref name="count"/> values left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Here<TSimd, TVector>(nint count, int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => (int)Math.Clamp(count - firstLane, 0, TSimd.Lanes);

    /// <summary>Takes over the sum of a register's lanes (see <see cref="ISimd{TVector,T}.AddWide"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set<TSimd, TVector>(int firstLane, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        fixed (double* sums = _sums, lost = _lost) TSimd.StoreWide(first, second, sums + firstLane, lost + firstLane);
    }

    /// <summary>The sum over all lanes; see <see cref="ISimd{TVector,T}.TotalOfWide"/>.</summary>
    public readonly CompensatedSum Total
    {
        [MethodImpl(LoopMethod.Compiled)]
        get
        {
            LaneSum<T> copy = this;
            return WideTotal.Of<T>(copy._sums, copy._lost, WholeVector.Lanes<T>());
        }
    }
}
