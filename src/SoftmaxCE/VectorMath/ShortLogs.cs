using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sums behind log-sum-exp and log-softmax of one row of at most <see cref="RowBatch.MostVectors"/> vectors.</summary>
/// <remarks><see cref="RowLogs{T}"/> and <see cref="RowBatch"/> give the same bits for many rows at once.</remarks>
internal static unsafe class ShortLogs
{
    /// <summary>The sum of the row's exponentials, and its maximum.</summary>
    public static CompensatedSum Sum<TSimd, TVector, T>(T* logits, nuint count, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        T one = Element.FromDouble<T>(1);
        if (count > (nuint)TSimd.Lanes)
        {
            max = RowPasses.Max<TSimd, TVector, T>(logits, count);
            RowExponential<T> row = new(max, one);
            return row.IsDirect
                ? Sum<TSimd, TVector, T, DirectExponential<TVector, T>>(logits, count, row)
                : Sum<TSimd, TVector, T, ShiftedExponential<TVector, T>>(logits, count, row);
        }

        TVector t = OneVector<TSimd, TVector, T>(logits, (int)count, one, out TVector x, out TVector q, out max);
        SplitColumnSum<TVector, T>.Of<TSimd>(x, x, t, q, out TVector high, out TVector low);
        return Across<TSimd, TVector, T>(high, low);
    }

    /// <summary>ln Σ e^((x − max) / temperature) ≥ 0, to full relative accuracy; NaN where a logit is, and where the maximum is infinite.</summary>
    public static double LogAboveMaximum<TSimd, TVector, T>(T* logits, nuint count, T temperature, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        double maxima;
        CompensatedSum others;
        if (count > (nuint)TSimd.Lanes)
        {
            max = RowPasses.Max<TSimd, TVector, T>(logits, count);
            RowExponential<T> row = new(max, temperature);
            others = row.IsDirect
                ? Others<TSimd, TVector, T, DirectExponential<TVector, T>>(logits, count, row, out maxima)
                : Others<TSimd, TVector, T, ShiftedExponential<TVector, T>>(logits, count, row, out maxima);
        }
        else
        {
            TVector t = OneVector<TSimd, TVector, T>(logits, (int)count, temperature, out TVector x, out TVector q, out max);
            TVector zero = TSimd.Create(default), top = TSimd.Create(max), isMax = TSimd.Equal(x, top);
            OthersColumnSum<TVector, T>.Of<TSimd>(x, top, t, q, out TVector first, out TVector second);
            others = TSimd.TotalOfWide(first, second);
            maxima = SumOf<TSimd, TVector, T>(TSimd.Select(isMax, ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), zero));
        }

        maxima += Element.ToDouble(max) - Element.ToDouble(max);
        return RowExponential<T>.LogAboveMaximum<ScalarSimd<double>, double>(others.High + others.Low, maxima);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CompensatedSum Sum<TSimd, TVector, T, TExponential>(T* logits, nuint count, in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector high = RowBatch.Sums<TSimd, TVector, T, TExponential, RowPasses.Dropped>(exp, logits, count, null, out TVector low);
        return Across<TSimd, TVector, T>(high, low);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CompensatedSum Others<TSimd, TVector, T, TExponential>(T* logits, nuint count, in RowExponential<T> row, out double maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector first = RowBatch.Others<TSimd, TVector, T, TExponential>(exp, TSimd.Create(row.Max), logits, count, out TVector second, out TVector countOfMax);
        maxima = SumOf<TSimd, TVector, T>(countOfMax);
        return TSimd.TotalOfWide(first, second);
    }

    /// <summary>A row that fits one vector; behind its end t is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector OneVector<TSimd, TVector, T>(T* logits, int count, T temperature, out TVector x, out TVector q, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        x = TSimd.LoadPartial(logits, count, RowPasses.Lowest<TSimd, TVector, T>());
        max = TSimd.MaxOfLanes(x);
        return SoftmaxKernel.ExponentialsOfOne<TSimd, TVector, T>(x, count, new(max, temperature), out q);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static CompensatedSum Across<TSimd, TVector, T>(TVector high, TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => new() { High = SumOf<TSimd, TVector, T>(high), Low = SumOf<TSimd, TVector, T>(low) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double SumOf<TSimd, TVector, T>(TVector value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => Element.ToDouble(TSimd.MaxOfLanes(TSimd.AddAcross(value)));
}
