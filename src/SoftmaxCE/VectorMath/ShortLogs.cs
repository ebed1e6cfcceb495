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
            return Sum<TSimd, TVector, T>(logits, count, max);
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
            others = Others<TSimd, TVector, T>(logits, count, max, temperature, out maxima);
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

    [SkipLocalsInit]
    private static CompensatedSum Sum<TSimd, TVector, T>(T* logits, nuint count, T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        byte* memory = stackalloc byte[3 * WholeVector.Bytes];
        T* highs = (T*)WholeVector.Align(memory), lows = highs + TSimd.Lanes;
        T one = Element.FromDouble<T>(1);
        ShortRowSums<T, RowPasses.Dropped> sums = new(
            new(logits, count, 1, &max, one, new RowExponential<T>(max, one).IsDirect), null, null, highs, lows);
        TSimd.RunByRegister(ref sums, 0);
        return Across<TSimd, TVector, T>(TSimd.Load(ref *highs, 0), TSimd.Load(ref *lows, 0));
    }

    [SkipLocalsInit]
    private static CompensatedSum Others<TSimd, TVector, T>(T* logits, nuint count, T max, T temperature, out double maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        byte* memory = stackalloc byte[4 * WholeVector.Bytes];
        T* first = (T*)WholeVector.Align(memory), second = first + TSimd.Lanes, counts = second + TSimd.Lanes;
        ShortRowOthers<T> others = new(
            new(logits, count, 1, &max, temperature, new RowExponential<T>(max, temperature).IsDirect), null, first, second, counts);
        TSimd.RunByRegister(ref others, 0);
        maxima = SumOf<TSimd, TVector, T>(TSimd.Load(ref *counts, 0));
        return TSimd.TotalOfWide(TSimd.Load(ref *first, 0), TSimd.Load(ref *second, 0));
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
