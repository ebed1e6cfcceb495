using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What <see cref="RowLogs{T}"/> needs for the log-softmax of neighbouring lines, a line per lane.</summary>
/// <param name="lines">[length, lanes of 512 bits] logits.</param>
/// <param name="length">Values of a line.</param>
/// <param name="numbers">Receives the numbers of <see cref="RowLogs{T}"/>: the exponentials below the maximum, and how many logits equal it.</param>
/// <param name="maxima">Receives the maximum of each line.</param>
internal readonly unsafe struct ColumnLogSums<T>(T* lines, int length, double* numbers, T* maxima) : ILaneKernel<T>
    where T : unmanaged
{
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(lines + firstLane, WholeVector.Lanes<T>(), length);
        TSimd.Store(ref *(maxima + firstLane), 0, max);
        if (SoftmaxColumns.IsFar<TSimd, TVector, T>(max)) Sum<TSimd, TVector, ShiftedExponential<TVector, T>>(firstLane, max);
        else Sum<TSimd, TVector, DirectExponential<TVector, T>>(firstLane, max);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Sum<TSimd, TVector, TExponential>(int firstLane, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        int stride = WholeVector.Lanes<T>();
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector zero = TSimd.Create(default), first = zero, second = zero, count = TSimd.Subtract(max, max);            // NaN where the maximum is infinite
        T* x = lines + firstLane, end = x + ((nint)length * stride);
        for (; x + stride < end; x += 2 * stride)
        {
            TVector e = BelowMaximum<TSimd, TVector, TExponential>(exp, x, max, ref count);
            TSimd.AddWide(ref first, ref second, TSimd.Add(e, BelowMaximum<TSimd, TVector, TExponential>(exp, x + stride, max, ref count)));
        }

        if (x < end) TSimd.AddWide(ref first, ref second, BelowMaximum<TSimd, TVector, TExponential>(exp, x, max, ref count));
        double* sums = numbers + firstLane;
        TSimd.StoreWide(first, second, sums, sums + stride);
        ColumnSums.StoreDoubles<TSimd, TVector, T>(count, sums + (2 * stride), sums + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector BelowMaximum<TSimd, TVector, TExponential>(in TExponential exp, T* x, TVector max, ref TVector count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TVector value = TSimd.Load(ref *x, 0), isMax = TSimd.Equal(value, max), zero = TSimd.Create(default), t = exp.Split<TSimd>(value, out TVector q);
        count = TSimd.Add(count, TSimd.Select(isMax, ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), zero));
        return TSimd.Select(isMax, zero, TSimd.MultiplyAdd(t, q, t));
    }
}
