using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One row of logits: probabilities, log-probabilities, log-sum-exp.</summary>
/// <remarks>
/// softmax(x)[i] = e^(x[i] − max) / Σ e^(x[j] − max). The passes (<see cref="RowPasses"/>), with what a row in the first-level cache costs
/// on a core that starts four 512-bit operations a cycle, in cycles per vector of 16 floats:
/// <code>
///   1  max               reads x                 0.6
///   2  exp, sum, store   reads x, writes e       6.3   19 operations: 14 for the exponential, 5 for an exact sum
///   3  scale             reads and writes e      1.3   e · (1 / sum), with the rounding error of 1 / sum
/// </code>
/// Log-sum-exp needs the first two alone, and nothing stored. Rows longer than a part of the first-level cache go through the passes 1 and 2
/// part by part: <see cref="LongRow{T}"/>. Rows that fit one vector stay in registers: <see cref="OneVector"/>. Rows that fit a few take their sums in
/// the same order alone (<see cref="ShortLogs"/>) and many at once (<see cref="SoftmaxRows{T}"/>).
/// Of many longer rows one is at work while another waits for its maximum, its sum or its logarithm: <see cref="SoftmaxRows{T}"/>, <see cref="LogRows{T}"/>.
///
/// Log-softmax needs the logarithm of the sum to full relative accuracy, also where it is next to 0: rows that fit one vector add the exponentials
/// below the maximum in double and count those that equal it; longer ones do so in a pass of its own, where the sum is close to the maximum's.
///
/// Three things keep the result within 2 ulp whatever the row: no rounding error of x − max enters (<see cref="FactoredExp{TVector,T}"/>), the
/// sum takes the exponentials before they are rounded (<see cref="FactoredSum{TVector,T}"/>), and the factor 1 / sum carries its own rounding
/// error. Computing e^(x − logSumExp) instead would lose |x − max| / 2 ulp.
///
/// NaN and infinities need no tests in the loops: −∞ gives the smallest exponential, which divided by the sum is 0; a NaN, a +∞ or a row of
/// −∞ alone makes the sum NaN and with it every output.
///
/// Why results do not depend on the machine: see <see cref="ISimd{TVector,T}"/>.
/// </remarks>
internal static unsafe class SoftmaxKernel
{
    /// <summary>Largest error of a softmax output in ulp, for float and double, while the output is a normal number.</summary>
    public const double MaxUlpError = 2.0;

    /// <summary>Largest error of log-sum-exp in ulp of max(|result|, 1).</summary>
    public const double MaxUlpErrorLogSumExp = 1.0;

    /// <summary>Largest error of log-softmax in ulp of the result.</summary>
    public const double MaxUlpErrorLogSoftmax = 4.0;

    /// <summary>
    /// Where a sum without one of its exponentials, the maximum's or a label's, is smaller than this share of that, taking it off would cost digits: the others
    /// are added up alone.
    /// </summary>
    public const double Confident = 0.0625;

    /// <summary>Probabilities of one row; <paramref name="destination"/> may be <paramref name="logits"/>. Unless it is the last, another row follows in memory.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Softmax<TSimd, TVector, T>(T* logits, nuint count, T temperature, T* destination, bool isLast)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (count <= (nuint)TSimd.Lanes)
        {
            OneVector<TSimd, TVector, T>(logits, (int)count, temperature, destination);
        }
        else if (count <= (nuint)(RowBatch.MostVectors * TSimd.Lanes))
        {
            T factor = ShortRow<TSimd, TVector, T>(logits, count, temperature, destination, out T factorLow);
            RowPasses.Scale<TSimd, TVector, T>(destination, count, factor, factorLow, destination);
        }
        else if (count <= LongRow<T>.PartLength)
        {
            T max = RowPasses.Max<TSimd, TVector, T>(logits, count);
            Upcoming<T> upcoming = Upcoming<T>.Next(logits, destination, count, !isLast);
            CompensatedSum sum = RowPasses.Exponentials<TSimd, TVector, T>(logits, count, new(max, temperature), destination, upcoming);
            T factor = RowSum.Reciprocal(sum, out T factorLow);
            RowPasses.Scale<TSimd, TVector, T>(destination, count, factor, factorLow, destination);
        }
        else
        {
            new LongRow<T>(logits, (nint)count, temperature, destination) { IsLast = isLast }.Softmax<TSimd, TVector>();
        }
    }

    /// <summary>Log-probabilities of one row; <paramref name="destination"/> may be <paramref name="logits"/>.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void LogSoftmax<TSimd, TVector, T>(T* logits, nuint count, T temperature, T* destination, bool isLast)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        T max;
        double log;
        if (count <= (nuint)TSimd.Lanes)
        {
            log = ShortLogs.LogAboveMaximum<TSimd, TVector, T>(logits, count, temperature, out max);
        }
        else
        {
            CompensatedSum sum = Sum<TSimd, TVector, T>(logits, count, temperature, destination, isLast, out max);
            log = LogAboveMaximum<TSimd, TVector, T>(logits, count, new(max, temperature), sum);
        }

        RowPasses.LogProbabilities<TSimd, TVector, T>(logits, count, max, temperature, Element.FromDouble<T>(log), destination);
    }

    /// <summary>ln Σ e^x[i], rounded to T.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static T LogSumExp<TSimd, TVector, T>(T* logits, nuint count, bool isLast)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        CompensatedSum sum = Sum<TSimd, TVector, T>(logits, count, Element.FromDouble<T>(1), null, isLast, out T max);
        if (!double.IsNaN(sum.Value)) return RowExponential<T>.LogSumExp(max, sum);
        return WithoutSum(logits, count);
    }

    /// <summary>Log-sum-exp of a row whose sum is NaN: NaN if a logit is; else all are −∞, or some +∞, and it is their maximum.</summary>
    public static T WithoutSum<T>(T* logits, nuint count)
        where T : unmanaged
    {
        double max = double.NegativeInfinity;
        for (nuint i = 0; i < count; i++) max = Math.Max(max, Element.ToDouble(logits[i]));
        return Element.FromDouble<T>(max);
    }

    /// <summary>The largest logit, and the sum of the exponentials of the distances to it. <paramref name="writtenNext"/>: into the cache with it.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private static CompensatedSum Sum<TSimd, TVector, T>(T* logits, nuint count, T temperature, T* writtenNext, bool isLast, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (count <= (nuint)(RowBatch.MostVectors * TSimd.Lanes)) return ShortLogs.Sum<TSimd, TVector, T>(logits, count, temperature, out max);
        if (count > LongRow<T>.PartLength) return new LongRow<T>(logits, (nint)count, temperature, null) { IsLast = isLast }.Sum<TSimd, TVector>(null, out max);
        max = RowPasses.Max<TSimd, TVector, T>(logits, count);
        Upcoming<T> upcoming = new(isLast ? logits : logits + count, writtenNext == null ? logits : writtenNext);
        return RowPasses.Exponentials<TSimd, TVector, T>(logits, count, new(max, temperature), null, upcoming);
    }

    /// <summary>Whether the sum is so close to the maximum's exponential that its logarithm wants the other exponentials apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsConfident<T>(double sum)
        where T : unmanaged => sum < (1 + Confident) * FactoredExp.OfMaximum<T>();

    /// <summary>ln Σ e^((x − max) / temperature) ≥ 0 of a row of more than one vector, to full relative accuracy.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double LogAboveMaximum<TSimd, TVector, T>(T* logits, nuint count, in RowExponential<T> row, CompensatedSum sum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (!IsConfident<T>(sum.Value)) return RowExponential<T>.RoundedLogAboveMaximum(sum);
        return RowSum.Log1p(RowPasses.ExponentialsBelowMaximum<TSimd, TVector, T>(logits, count, row).Value / FactoredExp.OfMaximum<T>());
    }

    /// <summary>The exponentials of a row of a few vectors; returns what they are to be multiplied by. <see cref="RowBatch"/> gives the same bits.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static T ShortRow<TSimd, TVector, T>(T* logits, nuint count, T temperature, T* destination, out T factorLow)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        byte* memory = stackalloc byte[4 * WholeVector.Bytes];
        T* last = (T*)WholeVector.Align(memory), highs = last + TSimd.Lanes, lows = highs + TSimd.Lanes;
        T max = RowPasses.Max<TSimd, TVector, T>(logits, count);
        TSimd.Store(ref *last, 0, TSimd.Load(ref *logits, count - (nuint)TSimd.Lanes));
        ShortRowPass.Rows<T> row = new(logits, count, 1, &max, temperature, new RowExponential<T>(max, temperature).IsDirect);
        ShortRowSums<T, RowPasses.Stored> sums = new(row, destination, last, highs, lows);
        TSimd.RunLanes(ref sums, 0);
        TSimd.Store(ref *destination, count - (nuint)TSimd.Lanes, ShortRowPass.Last<TSimd, TVector, T>(destination, count, last));
        TVector high = TSimd.AddAcross(TSimd.Load(ref *highs, 0)), low = TSimd.AddAcross(TSimd.Load(ref *lows, 0));
        TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector rest);
        factorLow = TSimd.MaxOfLanes(rest);
        return TSimd.MaxOfLanes(factor);
    }

    /// <summary>A row that fits one vector: the same passes in registers, and the exponentials are not rounded before they are scaled.</summary>
    /// <remarks><see cref="SoftmaxColumns"/> gives the same bits.</remarks>
    [MethodImpl(LoopMethod.Compiled)]
    private static void OneVector<TSimd, TVector, T>(T* logits, int count, T temperature, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector x = TSimd.LoadPartial(logits, count, RowPasses.Lowest<TSimd, TVector, T>());
        TVector t = ExponentialsOfOne<TSimd, TVector, T>(x, count, new(TSimd.MaxOfLanes(x), temperature), out TVector q);
        TVector high = SplitSum.High<TSimd, TVector, T>(t), low = TSimd.MultiplyAdd(t, q, TSimd.Subtract(t, high));
        TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(TSimd.AddAcross(high), TSimd.AddAcross(low), out TVector factorLow);
        TSimd.StorePartial(destination, count, RowPasses.Scaled<TSimd, TVector, T>(t, q, factor, factorLow));
    }

    /// <summary>The exponentials t (1 + q) of a row that fits one vector; behind its end t is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ExponentialsOfOne<TSimd, TVector, T>(TVector x, int count, in RowExponential<T> row, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        FactoredExp<TVector, T> exp = default;
        exp.SetMaximum<TSimd>(TSimd.Create(row.Max));
        TVector t = row.IsDirect ? exp.Split<TSimd>(x, out q) : Shifted<TSimd, TVector, T>(row, x, out q);
        TVector isLogit = TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(count)));
        return TSimd.Select(isLogit, t, TSimd.Create(default));
    }

    [MethodImpl(LoopMethod.Apart)]
    private static TVector Shifted<TSimd, TVector, T>(in RowExponential<T> row, TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        ShiftedExponential<TVector, T> exp = default;
        exp.Prepare<TSimd>(row);
        return exp.Split<TSimd>(x, out q);
    }
}
