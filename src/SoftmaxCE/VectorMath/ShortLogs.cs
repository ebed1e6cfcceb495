using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sums behind log-sum-exp and log-softmax of one row of at most <see cref="RowBatch.MostVectors"/> vectors.</summary>
/// <remarks><see cref="RowLogs{T}"/> and <see cref="RowBatch"/> give the same bits for many rows at once.</remarks>
internal static unsafe class ShortLogs
{
    /// <summary>The sum of the row's exponentials, and its maximum.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static CompensatedSum Sum<TSimd, TVector, T>(T* logits, nuint count, T temperature, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (count > (nuint)TSimd.Lanes)
        {
            max = RowPasses.Max<TSimd, TVector, T>(logits, count);
            return Sum<TSimd, TVector, T>(logits, count, max, temperature);
        }

        TVector t = OneVector<TSimd, TVector, T>(logits, (int)count, temperature, out TVector x, out TVector q, out max);
        SplitColumnSum<TVector, T>.Of<TSimd>(x, x, t, q, out TVector high, out TVector low);
        return Across<TSimd, TVector, T>(high, low);
    }

    /// <summary>
    /// ln Σ e^((x − max) / temperature) ≥ 0 of a row that fits one vector, to full relative accuracy; NaN where a logit is, and where the maximum is
    /// infinite.
    /// </summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double LogAboveMaximum<TSimd, TVector, T>(T* logits, nuint count, T temperature, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector t = OneVector<TSimd, TVector, T>(logits, (int)count, temperature, out TVector x, out TVector q, out max);
        TVector zero = TSimd.Create(default), top = TSimd.Create(max), isMax = TSimd.Equal(x, top);
        OthersColumnSum<TVector, T>.Of<TSimd>(x, top, t, q, out TVector first, out TVector second);
        CompensatedSum others = TSimd.TotalOfWide(first, second);
        double maxima = SumOf<TSimd, TVector, T>(TSimd.Select(isMax, ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), zero));
        maxima += Element.ToDouble(max) - Element.ToDouble(max);
        return RowExponential<T>.LogAboveMaximum<ScalarSimd<double>, double>(others.High + others.Low, maxima);
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static CompensatedSum Sum<TSimd, TVector, T>(T* logits, nuint count, T max, T temperature)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        byte* memory = stackalloc byte[3 * WholeVector.Bytes];
        T* highs = (T*)WholeVector.Align(memory), lows = highs + TSimd.Lanes;
        ShortRowPass.Rows<T> row = new(logits, count, 1, &max, temperature, new RowExponential<T>(max, temperature).IsDirect);
        ShortRowSums<T, RowPasses.Dropped> sums = new(row, null, null, highs, lows);
        TSimd.RunLanes(ref sums, 0);
        return Across<TSimd, TVector, T>(TSimd.Load(ref *highs, 0), TSimd.Load(ref *lows, 0));
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
