using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax of rows of 2 to 16 vectors, as many rows at once as a vector has lanes, stage by stage.</summary>
/// <remarks>
/// One such row alone spends most of its time waiting: for its maximum over the lanes, for its sum over the lanes, for the division. In a batch each
/// stage is work on all rows, and what goes across lanes is a transposition and then work on whole vectors. A row gets the bits it gets alone
/// (<see cref="Sums"/>).
/// </remarks>
internal static unsafe class RowBatch
{
    /// <summary>Longest row in vectors: up to here the high parts of all exponentials add up without rounding, in whatever order (<see cref="SplitSum"/>).</summary>
    public const int MostVectors = 16;

    /// <summary>Softmax of a batch. Not for rows whose maximum is out of reach of <see cref="DirectExponential{TVector,T}"/>: then nothing is done, and the result false.</summary>
    [SkipLocalsInit]
    public static bool Softmax<TSimd, TVector, T>(T* logits, int count, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, size = lanes * lanes;
        T* memory = stackalloc T[(3 * size) + (4 * lanes)], highs = (T*)(((nuint)memory + 63) & ~(nuint)63), lows = highs + size, turned = lows + size;
        T* factors = turned + size;
        Maxima<TSimd, TVector, T>(logits, count, highs);
        SimdTranspose.Block(highs, lanes, lanes, lanes, size, turned, lanes, size);
        TVector maxima = SoftmaxColumns.Max<TSimd, TVector, T>(turned, lanes, lanes);
        if (TSimd.AnyGreater(TSimd.Abs(maxima), TSimd.Create(Element.FromDouble<T>(FactoredExp.Reach<T>())))) return false;

        TSimd.Store(ref *factors, 0, maxima);
        Exponentials<TSimd, TVector, T>(logits, count, factors, destination, highs, lows);
        SimdTranspose.Block(highs, lanes, lanes, lanes, size, turned, lanes, size);
        TVector high = SumOfLanes<TSimd, TVector, T>(turned);
        SimdTranspose.Block(lows, lanes, lanes, lanes, size, turned, lanes, size);
        TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, SumOfLanes<TSimd, TVector, T>(turned), out TVector factorLow);
        TSimd.Store(ref *factors, 0, factor);
        TSimd.Store(ref *factors, (nuint)lanes, factorLow);
        Scale<TSimd, TVector, T>(destination, count, factors);
        return true;
    }

    /// <summary>The sums of one row's exponentials in each lane; they themselves go to <paramref name="destination"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sums<TSimd, TVector, T, TExponential>(TExponential exp, T* logits, nuint count, T* destination, out TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TVector last = TSimd.Load(ref *logits, count - lanes);             // before it is overwritten
        FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector t0 = exp.Split<TSimd>(TSimd.Load(ref *logits, i), out TVector q0), t1 = exp.Split<TSimd>(TSimd.Load(ref *logits, i + lanes), out TVector q1);
            TSimd.Store(ref *destination, i, TSimd.MultiplyAdd(t0, q0, t0));
            TSimd.Store(ref *destination, i + lanes, TSimd.MultiplyAdd(t1, q1, t1));
            even.Add<TSimd>(t0, q0);
            odd.Add<TSimd>(t1, q1);
        }

        if (i + lanes <= count)
        {
            TVector t = exp.Split<TSimd>(TSimd.Load(ref *logits, i), out TVector q);
            TSimd.Store(ref *destination, i, TSimd.MultiplyAdd(t, q, t));
            even.Add<TSimd>(t, q);
            i += lanes;
        }

        if (i < count)
        {
            // The last vector overlaps the one before; what that has counted does not count again.
            TVector t = exp.Split<TSimd>(last, out TVector q);
            TSimd.Store(ref *destination, count - lanes, TSimd.MultiplyAdd(t, q, t));
            TVector isCounted = TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(lanes - (count - i))));
            odd.Add<TSimd>(TSimd.Select(isCounted, TSimd.Create(default), t), q);
        }

        low = TSimd.Add(even.Low<TSimd>(), odd.Low<TSimd>());
        return TSimd.Add(even.High<TSimd>(), odd.High<TSimd>());
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
    private static void Exponentials<TSimd, TVector, T>(T* logits, int count, T* maxima, T* destination, T* highs, T* lows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        for (nuint row = 0; row < lanes; row++, logits += count, destination += count)
        {
            CacheHints.Fetch(logits + (lanes * (nuint)count), (nuint)count);            // the next batch's row
            CacheHints.Fetch(destination + (lanes * (nuint)count), (nuint)count);
            DirectExponential<TVector, T> exp = default;
            exp.Prepare<TSimd>(TSimd.Create(maxima[row]), Element.FromDouble<T>(1));
            TSimd.Store(ref *highs, row * lanes, Sums<TSimd, TVector, T, DirectExponential<TVector, T>>(exp, logits, (nuint)count, destination, out TVector low));
            TSimd.Store(ref *lows, row * lanes, low);
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
