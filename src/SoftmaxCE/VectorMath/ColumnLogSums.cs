using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What log-softmax needs of lines of scratch memory, a line per lane of a register.</summary>
/// <remarks>
/// A line whose sum is next to the exponential of its maximum needs those below the maximum apart, for the digits of its logarithm. Short lines, of
/// which many are like that, take them at once; long ones in a pass of its own.
/// </remarks>
/// <param name="lines">[length, lanes of a register] logits.</param>
/// <param name="length">Values of a line.</param>
internal readonly unsafe struct ColumnLogSums<T>(T* lines, int length)
    where T : unmanaged
{
    /// <summary>The maximum of each line, the sum of the exponentials of the distances to it, and what rounding took from that.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void Sum<TSimd, TVector>(T* maxima, ref StripExchange<T> exchange, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(lines, TSimd.Lanes, length);
        TSimd.Store(ref *maxima, 0, max);
        new ColumnExponentials<T>(lines, length).Sum<TSimd, TVector, RowPasses.Dropped>(max, ref exchange, sums, lost);
    }

    /// <summary>The maximum of each line, the sum of the exponentials below it, and how many logits equal it.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void SumBelow<TSimd, TVector>(T* maxima, RowLogs<T> logs)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(lines, TSimd.Lanes, length);
        TSimd.Store(ref *maxima, 0, max);
        logs.SetThird<TSimd, TVector>(SumBelow<TSimd, TVector>(max, logs.High, logs.Low));
    }

    /// <summary>Replaces the logarithms of sums that are next to the maximum's exponential.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void MendConfident<TSimd, TVector>(T* maxima, double* sums, T* logs)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        bool isAny = false;
        for (int i = 0; i < TSimd.Lanes; i++) isAny |= SoftmaxKernel.IsConfident<T>(sums[i]);
        if (!isAny) return;
        double* below = stackalloc double[2 * TSimd.Lanes], lost = below + TSimd.Lanes;
        SumBelow<TSimd, TVector>(TSimd.Load(ref *maxima, 0), below, lost);
        for (int i = 0; i < TSimd.Lanes; i++)
        {
            if (SoftmaxKernel.IsConfident<T>(sums[i])) logs[i] = Element.FromDouble<T>(RowSum.Log1p((below[i] + lost[i]) / FactoredExp.OfMaximum<T>()));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private TVector SumBelow<TSimd, TVector>(TVector max, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => SoftmaxColumns.IsFar<TSimd, TVector, T>(max)
        ? SumBelow<TSimd, TVector, ShiftedExponential<TVector, T>>(max, sums, lost)
        : SumBelow<TSimd, TVector, DirectExponential<TVector, T>>(max, sums, lost);

    /// <summary>Sums the exponentials below the maximum; returns how many logits equal it, NaN where it is infinite.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private TVector SumBelow<TSimd, TVector, TExponential>(TVector max, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nint lanes = TSimd.Lanes;
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector zero = TSimd.Create(default), first = zero, second = zero, count = TSimd.Subtract(max, max);
        T* x = lines, end = x + (length * lanes);
        for (; x + lanes < end; x += 2 * lanes)
        {
            TVector e = BelowMaximum<TSimd, TVector, TExponential>(exp, x, max, ref count);
            TSimd.AddWide(ref first, ref second, TSimd.Add(e, BelowMaximum<TSimd, TVector, TExponential>(exp, x + lanes, max, ref count)));
        }

        if (x < end) TSimd.AddWide(ref first, ref second, BelowMaximum<TSimd, TVector, TExponential>(exp, x, max, ref count));
        TSimd.StoreWide(first, second, sums, lost);
        return count;
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
