using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Rows of 2 to 16 vectors, as many rows at once as a vector has lanes, stage by stage.</summary>
/// <remarks>
/// One such row alone spends most of its time waiting: for its maximum over the lanes, for its sum over the lanes, for the division. In a batch each
/// stage is work on all rows, and what goes across lanes does so for all rows together. A row gets the bits it gets alone
/// (<see cref="ShortRowPass"/>).
/// </remarks>
internal static unsafe class RowBatch
{
    /// <summary>Longest row in vectors: up to here the high parts of all exponentials add up without rounding, in whatever order (<see cref="SplitSum"/>).</summary>
    public const int MostVectors = 16;

    private const int AheadBytes = 12 * 1024;

    /// <summary>One batch. Not for rows whose maximum is out of reach of <see cref="DirectExponential{TVector,T}"/>: then nothing is done, and the return value is false.</summary>
    /// <param name="result">What the rows become.</param>
    /// <param name="logits">The first row.</param>
    /// <param name="count">Classes.</param>
    /// <param name="destination">Where the results go.</param>
    /// <param name="following">How many rows there are in memory from the first of the batch on.</param>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public static bool Run<TSimd, TVector, T>(RowResult result, T* logits, int count, T* destination, nint following)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, size = lanes * lanes;
        byte* memory = stackalloc byte[((4 * lanes) + 6) * WholeVector.Bytes];
        T* highs = (T*)WholeVector.Align(memory), lows = highs + size, turned = lows + size, last = turned + size;
        T* factors = last + size, prepared = factors + (2 * lanes);
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(lanes) + WholeVector.Lanes<double>()];
        RowLogs<T> logs = new((double*)WholeVector.Align((byte*)numbers), lanes);
        Maxima<TSimd, TVector, T>(logits, count, lanes, highs, last);
        TVector maxima = RowsAcross.Max<TSimd, TVector, T>(highs, turned);
        if (TSimd.AnyGreater(TSimd.Abs(maxima), TSimd.Create(Element.FromDouble<T>(FactoredExp.Reach<T>())))) return false;

        TSimd.Store(ref *factors, 0, maxima);
        FactoredExp<TVector, T> exp = default;
        exp.SetMaximum<TSimd>(maxima);
        exp.StoreMaxima<TSimd>(prepared);
        ShortRowPass.Rows<T> rows = new(logits, (nuint)count, (nuint)lanes, factors, Element.FromDouble<T>(1), true)
        {
            Prepared = prepared,
            Following = (nuint)following,
            RowsAhead = Math.Max((nuint)lanes, (nuint)(AheadBytes / (count * sizeof(T)))),
            Results = result == RowResult.LogSumExp ? null : destination,
        };
        switch (result)
        {
            case RowResult.Softmax:
                ShortRowSums<T, RowPasses.Stored> exponentials = new(rows, destination, last, highs, lows);
                TSimd.RunLanes(ref exponentials, 0);
                TVector high = RowsAcross.Sum<TSimd, TVector, T>(highs, turned), low = RowsAcross.Sum<TSimd, TVector, T>(lows, turned);
                TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector factorLow);
                TSimd.Store(ref *factors, 0, factor);
                TSimd.Store(ref *factors, (nuint)lanes, factorLow);
                Scale<TSimd, TVector, T>(destination, count, last, factors);
                break;
            default:
                ShortRowSums<T, RowPasses.Dropped> sums = new(rows, null, null, highs, lows);
                TSimd.RunLanes(ref sums, 0);
                SplitColumnSum<TVector, T>.Store<TSimd>(
                    RowsAcross.Sum<TSimd, TVector, T>(highs, turned), RowsAcross.Sum<TSimd, TVector, T>(lows, turned), logs.High, logs.Low, logs.Scratch);
                if (result == RowResult.LogSumExp)
                {
                    logs.SetThird<TSimd, TVector>(TSimd.Load(ref *factors, 0));
                    logs.LogSumExp(destination);
                    break;
                }

                logs.LogOfSums(factors + lanes);
                for (int row = 0; row < lanes; row++)
                {
                    CompensatedSum sum = new() { High = logs.High[row], Low = logs.Low[row] };
                    if (!SoftmaxKernel.IsConfident<T>(sum.Value)) continue;
                    RowExponential<T> exponential = new(factors[row], Element.FromDouble<T>(1));
                    double log = SoftmaxKernel.LogAboveMaximum<TSimd, TVector, T>(logits + (row * count), (nuint)count, exponential, sum);
                    factors[lanes + row] = Element.FromDouble<T>(log);
                }

                LogProbabilities<TSimd, TVector, T>(logits, count, factors, destination);
                break;
        }

        return true;
    }

    /// <summary>For each row the largest of the values in each lane, and the last vector.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void Maxima<TSimd, TVector, T>(T* logits, int count, int rows, T* maxima, T* last)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, length = (nuint)count;
        for (nuint row = 0; row < (nuint)rows; row++, logits += length)
        {
            TVector max0 = TSimd.Load(ref *logits, 0), max1 = TSimd.Load(ref *logits, length - lanes);
            TSimd.Store(ref *last, row * lanes, max1);
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

    /// <summary>(x − max) − log of each row; the maxima are followed by the logarithms.</summary>
    [MethodImpl(LoopMethod.Apart)]
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

    /// <summary>Exponentials times factors, which are followed by what rounding took from them; the last vector of a row may be apart.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private static void Scale<TSimd, TVector, T>(T* values, int count, T* lastVectors, T* factors)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, length = (nuint)count;
        for (nuint row = 0; row < lanes; row++, values += length)
        {
            TVector high = TSimd.Create(factors[row]), low = TSimd.Create(factors[row + lanes]);
            TVector last = ShortRowPass.Last<TSimd, TVector, T>(values, length, lastVectors + (row * lanes));
            for (nuint i = 0; i + lanes <= length; i += lanes)
            {
                TVector e = TSimd.Load(ref *values, i);
                TSimd.Store(ref *values, i, TSimd.MultiplyAdd(e, high, TSimd.Multiply(e, low)));
            }

            TSimd.Store(ref *values, length - lanes, TSimd.MultiplyAdd(last, high, TSimd.Multiply(last, low)));
        }
    }
}
