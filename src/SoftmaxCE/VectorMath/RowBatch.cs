using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Rows of 2 to 16 vectors, as many rows at once as a vector has lanes, stage by stage.</summary>
/// <remarks>
/// One such row alone spends most of its time waiting: for its maximum over the lanes, for its sum over the lanes, for the division. In a batch each
/// stage is work on all rows, and what goes across lanes is a transposition and then work on whole vectors. A row gets the bits it gets alone
/// (<see cref="Sums"/>, <see cref="Others"/>).
/// </remarks>
internal static unsafe class RowBatch
{
    /// <summary>Longest row in vectors: up to here the high parts of all exponentials add up without rounding, in whatever order (<see cref="SplitSum"/>).</summary>
    public const int MostVectors = 16;

    /// <summary>One batch. Not for rows whose maximum is out of reach of <see cref="DirectExponential{TVector,T}"/>: then nothing is done, and the return value is false.</summary>
    [SkipLocalsInit]
    public static bool Run<TSimd, TVector, T>(RowResult result, T* logits, int count, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, size = lanes * lanes;
        T* memory = stackalloc T[(3 * size) + (4 * lanes)], highs = (T*)(((nuint)memory + 63) & ~(nuint)63), lows = highs + size, turned = lows + size;
        T* factors = turned + size;
        double* numbers = stackalloc double[(RowLogs<T>.NumbersPerRow * lanes) + 8];
        RowLogs<T> logs = new((double*)(((nuint)numbers + 63) & ~(nuint)63), lanes);
        Maxima<TSimd, TVector, T>(logits, count, highs);
        SimdTranspose.Block(highs, lanes, lanes, lanes, size, turned, lanes, size);
        TVector maxima = SoftmaxColumns.Max<TSimd, TVector, T>(turned, lanes, lanes);
        if (TSimd.AnyGreater(TSimd.Abs(maxima), TSimd.Create(Element.FromDouble<T>(FactoredExp.Reach<T>())))) return false;

        TSimd.Store(ref *factors, 0, maxima);
        switch (result)
        {
            case RowResult.Softmax:
                Exponentials<TSimd, TVector, T, RowPasses.Stored>(logits, count, factors, destination, highs, lows);
                TVector high = SumOfRows<TSimd, TVector, T>(highs, turned), low = SumOfRows<TSimd, TVector, T>(lows, turned);
                TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector factorLow);
                TSimd.Store(ref *factors, 0, factor);
                TSimd.Store(ref *factors, (nuint)lanes, factorLow);
                Scale<TSimd, TVector, T>(destination, count, factors);
                break;
            case RowResult.LogSoftmax:
                OthersOfRows<TSimd, TVector, T>(logits, count, factors, destination, highs, logs);
                logs.SetThird<TSimd, TVector>(SumOfRows<TSimd, TVector, T>(highs, turned));
                logs.LogAboveMaximum(factors + lanes);
                LogProbabilities<TSimd, TVector, T>(logits, count, factors, destination);
                break;
            default:
                Exponentials<TSimd, TVector, T, RowPasses.Dropped>(logits, count, factors, null, highs, lows);
                SplitColumnSum<TVector, T>.Store<TSimd>(
                    SumOfRows<TSimd, TVector, T>(highs, turned), SumOfRows<TSimd, TVector, T>(lows, turned), logs.High, logs.Low);
                logs.SetThird<TSimd, TVector>(TSimd.Load(ref *factors, 0));
                logs.LogSumExp(destination);
                break;
        }

        return true;
    }

    /// <summary>The sums of one row's exponentials in each lane; with <see cref="RowPasses.Stored"/> they themselves go to <paramref name="destination"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sums<TSimd, TVector, T, TExponential, TFate>(TExponential exp, T* logits, nuint count, T* destination, out TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TFate : struct
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TVector last = TSimd.Load(ref *logits, count - lanes);             // before it is overwritten
        FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector t0 = exp.Split<TSimd>(TSimd.Load(ref *logits, i), out TVector q0), t1 = exp.Split<TSimd>(TSimd.Load(ref *logits, i + lanes), out TVector q1);
            if (typeof(TFate) == typeof(RowPasses.Stored))
            {
                TSimd.Store(ref *destination, i, TSimd.MultiplyAdd(t0, q0, t0));
                TSimd.Store(ref *destination, i + lanes, TSimd.MultiplyAdd(t1, q1, t1));
            }

            even.Add<TSimd>(t0, q0);
            odd.Add<TSimd>(t1, q1);
        }

        if (i + lanes <= count)
        {
            TVector t = exp.Split<TSimd>(TSimd.Load(ref *logits, i), out TVector q);
            if (typeof(TFate) == typeof(RowPasses.Stored)) TSimd.Store(ref *destination, i, TSimd.MultiplyAdd(t, q, t));
            even.Add<TSimd>(t, q);
            i += lanes;
        }

        if (i < count)
        {
            // The last vector overlaps the one before; what that has counted does not count again.
            TVector t = exp.Split<TSimd>(last, out TVector q);
            if (typeof(TFate) == typeof(RowPasses.Stored)) TSimd.Store(ref *destination, count - lanes, TSimd.MultiplyAdd(t, q, t));
            TVector isCounted = TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(lanes - (count - i))));
            odd.Add<TSimd>(TSimd.Select(isCounted, TSimd.Create(default), t), q);
        }

        low = TSimd.Add(even.Low<TSimd>(), odd.Low<TSimd>());
        return TSimd.Add(even.High<TSimd>(), odd.High<TSimd>());
    }

    /// <summary>
    /// The sums of one row's exponentials below the maximum in each lane, in double (see <see cref="ISimd{TVector,T}.AddWide"/>) and so to full relative
    /// accuracy however small they are; and how many entries equal the maximum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Others<TSimd, TVector, T, TExponential>(TExponential exp, TVector max, T* logits, nuint count, out TVector second, out TVector maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TVector zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), first = zero;
        second = zero;
        maxima = zero;
        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector x0 = TSimd.Load(ref *logits, i), x1 = TSimd.Load(ref *logits, i + lanes), isMax0 = TSimd.Equal(x0, max), isMax1 = TSimd.Equal(x1, max);
            TVector t0 = exp.Split<TSimd>(x0, out TVector q0), t1 = exp.Split<TSimd>(x1, out TVector q1);
            TVector e0 = TSimd.Select(isMax0, zero, TSimd.MultiplyAdd(t0, q0, t0)), e1 = TSimd.Select(isMax1, zero, TSimd.MultiplyAdd(t1, q1, t1));
            TSimd.AddWide(ref first, ref second, TSimd.Add(e0, e1));
            maxima = TSimd.Add(maxima, TSimd.Add(TSimd.Select(isMax0, one, zero), TSimd.Select(isMax1, one, zero)));
        }

        for (; i < count; i += lanes)
        {
            // The last vector overlaps the one before; what that has counted does not count again.
            nuint at = nuint.Min(i, count - lanes);
            TVector x = TSimd.Load(ref *logits, at), t = exp.Split<TSimd>(x, out TVector q), isMax = TSimd.Equal(x, max);
            TVector isCounted = TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(i - at)));
            TSimd.AddWide(ref first, ref second, TSimd.Select(isCounted, zero, TSimd.Select(isMax, zero, TSimd.MultiplyAdd(t, q, t))));
            maxima = TSimd.Add(maxima, TSimd.Select(isCounted, zero, TSimd.Select(isMax, one, zero)));
        }

        return first;
    }

    /// <summary>For each row the largest of the values in each lane.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Maxima<TSimd, TVector, T>(T* logits, int count, T* maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, length = (nuint)count;
        for (nuint row = 0; row < lanes; row++, logits += length)
        {
            TVector max0 = TSimd.Load(ref *logits, 0), max1 = TSimd.Load(ref *logits, length - lanes);
            nuint i = lanes;
            for (; i + (2 * lanes) <= length; i += 2 * lanes)
            {
                max0 = TSimd.Max(TSimd.Load(ref *logits, i), max0);
                max1 = TSimd.Max(TSimd.Load(ref *logits, i + lanes), max1);
            }

            if (i + lanes <= length) max0 = TSimd.Max(TSimd.Load(ref *logits, i), max0);
            TSimd.Store(ref *maxima, row * lanes, TSimd.Max(max0, max1));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Exponentials<TSimd, TVector, T, TFate>(T* logits, int count, T* maxima, T* destination, T* highs, T* lows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TFate : struct
    {
        nuint lanes = (nuint)TSimd.Lanes;
        for (nuint row = 0; row < lanes; row++, logits += count, destination += typeof(TFate) == typeof(RowPasses.Stored) ? count : 0)
        {
            CacheHints.Fetch(logits + (lanes * (nuint)count), (nuint)count);            // the next batch's row
            if (typeof(TFate) == typeof(RowPasses.Stored)) CacheHints.Fetch(destination + (lanes * (nuint)count), (nuint)count);
            DirectExponential<TVector, T> exp = default;
            exp.Prepare<TSimd>(TSimd.Create(maxima[row]), Element.FromDouble<T>(1));
            TVector high = Sums<TSimd, TVector, T, DirectExponential<TVector, T>, TFate>(exp, logits, (nuint)count, destination, out TVector low);
            TSimd.Store(ref *highs, row * lanes, high);
            TSimd.Store(ref *lows, row * lanes, low);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OthersOfRows<TSimd, TVector, T>(T* logits, int count, T* maxima, T* destination, T* counts, RowLogs<T> logs)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        for (nuint row = 0; row < lanes; row++, logits += count, destination += count)
        {
            CacheHints.Fetch(logits + (lanes * (nuint)count), (nuint)count);            // the next batch's row
            CacheHints.Fetch(destination, (nuint)count);
            DirectExponential<TVector, T> exp = default;
            TVector max = TSimd.Create(maxima[row]);
            exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
            TVector first = Others<TSimd, TVector, T, DirectExponential<TVector, T>>(exp, max, logits, (nuint)count, out TVector second, out TVector countOfMax);
            CompensatedSum total = TSimd.TotalOfWide(first, second);
            logs.High[row] = total.High;
            logs.Low[row] = total.Low;
            TSimd.Store(ref *counts, row * lanes, countOfMax);
        }
    }

    /// <summary>(x − max) − log of each row; the maxima are followed by the logarithms.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LogProbabilities<TSimd, TVector, T>(T* logits, int count, T* maxima, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, length = (nuint)count;
        for (nuint row = 0; row < lanes; row++, logits += length, destination += length)
        {
            TVector max = TSimd.Create(maxima[row]), log = TSimd.Create(maxima[row + lanes]), last = TSimd.Load(ref *logits, length - lanes);
            for (nuint i = 0; i + lanes <= length; i += lanes)
            {
                TSimd.Store(ref *destination, i, TSimd.Subtract(TSimd.Subtract(TSimd.Load(ref *logits, i), max), log));
            }

            TSimd.Store(ref *destination, length - lanes, TSimd.Subtract(TSimd.Subtract(last, max), log));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Scale<TSimd, TVector, T>(T* values, int count, T* factors)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, length = (nuint)count;
        for (nuint row = 0; row < lanes; row++, values += length)
        {
            TVector high = TSimd.Create(factors[row]), low = TSimd.Create(factors[row + lanes]), last = TSimd.Load(ref *values, length - lanes);
            for (nuint i = 0; i + lanes <= length; i += lanes)
            {
                TVector e = TSimd.Load(ref *values, i);
                TSimd.Store(ref *values, i, TSimd.MultiplyAdd(e, high, TSimd.Multiply(e, low)));
            }

            TSimd.Store(ref *values, length - lanes, TSimd.MultiplyAdd(last, high, TSimd.Multiply(last, low)));
        }
    }

    /// <summary>For each of a square of rows the sum of its lanes.</summary>
    private static TVector SumOfRows<TSimd, TVector, T>(T* rows, T* turned)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes;
        SimdTranspose.Block(rows, lanes, lanes, lanes, lanes * lanes, turned, lanes, lanes * lanes);
        return SumOfLanes<TSimd, TVector, T>(turned);
    }

    /// <summary>Lane by lane the sum of as many vectors as there are lanes: vector i with i + half, then quarter, … as <see cref="ISimd{TVector,T}.AddAcross"/> adds lanes.</summary>
    private static TVector SumOfLanes<TSimd, TVector, T>(T* vectors)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.Lanes == 16
        ? TSimd.Add(
            TSimd.Add(FourApart<TSimd, TVector, T>(vectors, 0), FourApart<TSimd, TVector, T>(vectors, 2)),
            TSimd.Add(FourApart<TSimd, TVector, T>(vectors, 1), FourApart<TSimd, TVector, T>(vectors, 3)))
        : TSimd.Add(
            TSimd.Add(TwoApart<TSimd, TVector, T>(vectors, 0, 4), TwoApart<TSimd, TVector, T>(vectors, 2, 4)),
            TSimd.Add(TwoApart<TSimd, TVector, T>(vectors, 1, 4), TwoApart<TSimd, TVector, T>(vectors, 3, 4)));

    private static TVector FourApart<TSimd, TVector, T>(T* vectors, int i)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.Add(TwoApart<TSimd, TVector, T>(vectors, i, 8), TwoApart<TSimd, TVector, T>(vectors, i + 4, 8));

    private static TVector TwoApart<TSimd, TVector, T>(T* vectors, int i, int distance)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.Add(TSimd.Load(ref *vectors, (nuint)(i * TSimd.Lanes)), TSimd.Load(ref *vectors, (nuint)((i + distance) * TSimd.Lanes)));
}
