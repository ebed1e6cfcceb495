using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The exponentials t (1 + q) of at most 16 classes, rows down the lanes, and the reciprocals of their sums.</summary>
/// <param name="values">[count, stride] logits; the first vector of each class is used.</param>
/// <param name="stride">From one class to the next.</param>
/// <param name="count">Classes.</param>
/// <param name="scratch">Receives t and q of each class, two vectors of 512 bits.</param>
/// <param name="maxima">The maximum of each lane.</param>
/// <param name="factors">Receives 1 / sum of each lane, and behind them what rounding took from it.</param>
internal readonly unsafe struct FewExponentials<T>(T* values, nint stride, int count, T* scratch, T* maxima, T* factors) : ILaneKernel<T>
    where T : unmanaged
{
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector max = TSimd.Load(ref *(maxima + firstLane), 0);
        T* pairs = scratch + firstLane;
        if (SoftmaxColumns.IsFar<TSimd, TVector, T>(max)) Split<TSimd, TVector, ShiftedExponential<TVector, T>>(firstLane, max, pairs);
        else Split<TSimd, TVector, DirectExponential<TVector, T>>(firstLane, max, pairs);
        TVector high = ColumnSums.OfPairs<TSimd, TVector, T>(pairs, count, out TVector low);
        TSimd.Store(ref *(factors + firstLane), 0, SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector factorLow));
        TSimd.Store(ref *(factors + LaneSum<T>.Stride + firstLane), 0, factorLow);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Split<TSimd, TVector, TExponential>(int firstLane, TVector max, T* pairs)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)LaneSum<T>.Stride;
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        T* x = values + firstLane;
        for (int c = 0; c < count; c++, x += stride, pairs += 2 * lanes)
        {
            TSimd.Store(ref *pairs, 0, exp.Split<TSimd>(TSimd.Load(ref *x, 0), out TVector q));
            TSimd.Store(ref *pairs, lanes, q);
        }
    }
}
