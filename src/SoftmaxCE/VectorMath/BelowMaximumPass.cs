using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sum of a row's exponentials without the entries that equal the maximum, in double and so to full relative accuracy however small it is.</summary>
/// <param name="logits">The row.</param>
/// <param name="count">Its classes.</param>
/// <param name="row">The way to take exponentials.</param>
/// <param name="sums">Receives the sums, aligned: two vectors as of <see cref="ISimd{TVector,T}.AddWide"/>.</param>
internal readonly unsafe struct BelowMaximumPass<T>(T* logits, nuint count, RowExponential<T> row, T* sums) : ILaneKernel<T>
    where T : unmanaged
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (row.IsDirect) Run<TSimd, TVector, DirectExponential<TVector, T>>(firstLane);
        else Run<TSimd, TVector, ShiftedExponential<TVector, T>>(firstLane);
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Run<TSimd, TVector, TExponential>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)WholeVector.Lanes<T>(), whole = count - (count % lanes), i = 0;
        T* source = logits + firstLane;
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector first = TSimd.Create(default), second = first;
        for (; i < whole; i += lanes) Add<TSimd, TVector, TExponential>(exp, TSimd.Load(ref *source, i), ref first, ref second);
        if (i < count)
        {
            int here = Math.Clamp((int)(count - i) - firstLane, 0, TSimd.Lanes);
            Add<TSimd, TVector, TExponential>(exp, TSimd.LoadPartial(source + i, here, RowPasses.Lowest<TSimd, TVector, T>()), ref first, ref second);
        }

        TSimd.Store(ref *sums, (nuint)firstLane, first);
        TSimd.Store(ref *sums, lanes + (nuint)firstLane, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add<TSimd, TVector, TExponential>(TExponential exp, TVector x, ref TVector first, ref TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TVector zero = TSimd.Create(default), t = exp.Split<TSimd>(x, out TVector q), e = TSimd.MultiplyAdd(t, q, t);
        e = TSimd.Select(TSimd.Equal(x, RowPasses.Lowest<TSimd, TVector, T>()), zero, e);
        TSimd.AddWide(ref first, ref second, TSimd.Select(TSimd.Equal(x, TSimd.Create(row.Max)), zero, e));
    }
}
