using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One row of logits: maximum, sum of exponentials, probabilities, log-probabilities.</summary>
/// <remarks>
/// softmax(x)[i] = e^(x[i] − max) / Σ e^(x[j] − max), where a factor common to all exponentials may take the place of e^−max. The passes:
/// <code>
///   1  max               reads x                 one comparison per vector
///   2  exp, sum, store   reads x, writes e       the work: about 20 instructions per vector
///   3  scale             reads and writes e      e · (1 / sum)
/// </code>
/// Every value costs one exponential. Log-sum-exp alone needs no second look at the row, see <see cref="LogSumExp"/>.
///
/// Three things keep the result within 2 ulp whatever the row: no rounding error of x − max enters (<see cref="RowExponential{T}"/>), the sum is
/// wider than T (<see cref="ISimd{TVector,T}.AddWide"/>), and the factor 1 / sum carries its own rounding error. Computing e^(x − logSumExp)
/// instead would lose |x − max| / 2 ulp.
///
/// NaN and infinities need no tests in the loops: −∞ − max is −∞, whose exponential is 0; a NaN, a +∞ or a row of −∞ alone makes the sum
/// NaN and with it every output.
///
/// Why results do not depend on the machine: see <see cref="ISimd{TVector,T}"/>. They do not depend on threads because a row is one thread's.
/// </remarks>
internal static unsafe class SoftmaxKernel
{
    /// <summary>Largest error of a softmax output in ulp, for float and double, while the output is a normal number.</summary>
    public const double MaxUlpError = 2.0;

    /// <summary>Largest error of log-sum-exp in ulp of max(|result|, 1).</summary>
    public const double MaxUlpErrorLogSumExp = 1.0;

    /// <summary>Largest error of log-softmax in ulp of the result.</summary>
    public const double MaxUlpErrorLogSoftmax = 4.0;

    /// <summary>Half of a usual first-level cache.</summary>
    private const int SegmentBytes = 16 * 1024;

    /// <summary>A sum this many powers of two below another adds nothing to twice the precision of double; still a normal number.</summary>
    private const double Vanishing = -900;

    /// <summary>Probabilities of one row; <paramref name="destination"/> may be <paramref name="logits"/>.</summary>
    public static void Softmax<TSimd, TVector, T>(T* logits, nuint count, T temperature, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        T max = Max<TSimd, TVector, T>(logits, count);
        CompensatedSum sum = Sum<TSimd, TVector, T>(logits, count, new(max, temperature, count), destination);
        T factor = RowSum.Reciprocal(sum, out T factorLow);
        Scale<TSimd, TVector, T>(destination, count, factor, factorLow);
    }

    /// <summary>Log-probabilities of one row; <paramref name="destination"/> may be <paramref name="logits"/>.</summary>
    public static void LogSoftmax<TSimd, TVector, T>(T* logits, nuint count, T temperature, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        T max = Max<TSimd, TVector, T>(logits, count);
        RowExponential<T> exponential = new(max, temperature, count);
        CompensatedSum sum = Sum<TSimd, TVector, T>(logits, count, exponential, null);
        double ofMaximum = exponential.OfMaximum, logLow = 0;
        double log = sum.Value < 2 * ofMaximum
            ? RowSum.Log1p(SumBelowMaximum<TSimd, TVector, T>(logits, count, exponential).Value / ofMaximum)
            : exponential.LogAboveMaximum(sum, out logLow);
        LogProbabilities<TSimd, TVector, T>(logits, count, max, temperature, log, logLow, destination);
    }

    /// <summary>ln Σ e^x[i], rounded to T.</summary>
    /// <remarks>
    /// The row is read once: of each segment, while it is in the first-level cache, the maximum and the sum relative to a power of two near it.
    /// Sums of segments are merged by a change of exponent, which rounds nothing.
    /// </remarks>
    public static T LogSumExp<TSimd, TVector, T>(T* logits, nuint count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint segment = (nuint)(SegmentBytes / sizeof(T));
        CompensatedSum sum = default;
        double exponent = double.NegativeInfinity;
        for (nuint i = 0; i < count; i += segment)
        {
            nuint length = nuint.Min(segment, count - i);
            RowExponential<T> row = new(Max<TSimd, TVector, T>(logits + i, length), Element.FromDouble<T>(1), nuint.MaxValue);
            if (!row.IsDirect)
            {
                if (double.IsNegativeInfinity(Element.ToDouble(row.Max)) && !ContainsNaN(logits + i, length)) continue;
                return LogSumExpFarOut<TSimd, TVector, T>(logits, count);
            }

            CompensatedSum part = Sum<TSimd, TVector, T, PlainExponential<TVector, T>>(logits + i, length, row, null);
            double top = Math.Max(exponent, row.Exponent);
            sum.TimesPowerOfTwo((int)Math.Max(exponent - top, Vanishing));
            part.TimesPowerOfTwo((int)Math.Max(row.Exponent - top, Vanishing));
            sum.Add(part);
            exponent = top;
        }

        if (double.IsNegativeInfinity(exponent)) return Element.FromDouble<T>(exponent);
        double leading = RowSum.Log(sum, exponent, out double rest);
        return Element.FromDouble<T>(leading + rest);
    }

    /// <summary>The same when the logits are so large, or infinite, that the maximum has to be subtracted.</summary>
    private static T LogSumExpFarOut<TSimd, TVector, T>(T* logits, nuint count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        T max = Max<TSimd, TVector, T>(logits, count);
        RowExponential<T> exponential = new(max, Element.FromDouble<T>(1), count: 0);
        T result = exponential.LogSumExp(Sum<TSimd, TVector, T>(logits, count, exponential, null));
        return double.IsNaN(Element.ToDouble(result)) && !ContainsNaN(logits, count) ? max : result;      // all −∞, or some +∞
    }

    private static bool ContainsNaN<T>(T* values, nuint count)
        where T : unmanaged
    {
        for (nuint i = 0; i < count; i++)
        {
            if (double.IsNaN(Element.ToDouble(values[i]))) return true;
        }

        return false;
    }

    /// <summary>The largest entry, NaN left out; −∞ when there is none.</summary>
    public static T Max<TSimd, TVector, T>(T* logits, nuint count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        TVector max0 = lowest, max1 = lowest, max2 = lowest, max3 = lowest;
        for (; i + (4 * lanes) <= count; i += 4 * lanes)
        {
            max0 = TSimd.Max(TSimd.Load(ref *logits, i), max0);
            max1 = TSimd.Max(TSimd.Load(ref *logits, i + lanes), max1);
            max2 = TSimd.Max(TSimd.Load(ref *logits, i + (2 * lanes)), max2);
            max3 = TSimd.Max(TSimd.Load(ref *logits, i + (3 * lanes)), max3);
        }

        for (; i + lanes <= count; i += lanes) max0 = TSimd.Max(TSimd.Load(ref *logits, i), max0);
        if (i < count) max1 = TSimd.Max(TSimd.LoadPartial(logits + i, (int)(count - i), lowest), max1);
        return TSimd.MaxOfLanes(TSimd.Max(TSimd.Max(max0, max1), TSimd.Max(max2, max3)));
    }

    /// <summary>The sum of the row's exponentials; the exponentials themselves go to <paramref name="exponentials"/> unless it is null.</summary>
    public static CompensatedSum Sum<TSimd, TVector, T>(T* logits, nuint count, in RowExponential<T> row, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => row.IsDirect
        ? Sum<TSimd, TVector, T, DirectExponential<TVector, T>>(logits, count, row, exponentials)
        : Sum<TSimd, TVector, T, ShiftedExponential<TVector, T>>(logits, count, row, exponentials);

    [SkipLocalsInit]
    private static CompensatedSum Sum<TSimd, TVector, T, TExponential>(T* logits, nuint count, in RowExponential<T> row, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        T* tables = stackalloc T[3 * ScaledExp.TableLength];
        TExponential exp = default;
        exp.Prepare<TSimd>(row, AlignedTables(tables));
        TVector zero = TSimd.Create(default), first = zero, second = zero, lost = zero;

        // Two exponentials are added before they are widened: half the conversions for one rounding.
        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector e0 = exp.Of<TSimd>(TSimd.Load(ref *logits, i), out TVector lost0);
            TVector e1 = exp.Of<TSimd>(TSimd.Load(ref *logits, i + lanes), out TVector lost1);
            if (exponentials != null)
            {
                TSimd.Store(ref *exponentials, i, e0);
                TSimd.Store(ref *exponentials, i + lanes, e1);
            }

            lost = TSimd.Add(lost, TSimd.Add(lost0, lost1));
            TSimd.AddWide(ref first, ref second, TSimd.Add(e0, e1));
        }

        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        for (; i < count; i += lanes)
        {
            int here = count - i < lanes ? (int)(count - i) : TSimd.Lanes;
            TVector e = exp.Of<TSimd>(TSimd.LoadPartial(logits + i, here, lowest), out TVector lost0);
            if (exponentials != null) TSimd.StorePartial(exponentials + i, here, e);
            lost = TSimd.Add(lost, lost0);
            TSimd.AddWide(ref first, ref second, e);
        }

        TSimd.AddWide(ref first, ref second, lost);
        return TSimd.TotalOfWide(first, second);
    }

    /// <summary>The sum of the row's exponentials without the entries that equal the maximum: what is left of a confident row.</summary>
    private static CompensatedSum SumBelowMaximum<TSimd, TVector, T>(T* logits, nuint count, in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => row.IsDirect
        ? SumBelowMaximum<TSimd, TVector, T, DirectExponential<TVector, T>>(logits, count, row)
        : SumBelowMaximum<TSimd, TVector, T, ShiftedExponential<TVector, T>>(logits, count, row);

    private static CompensatedSum SumBelowMaximum<TSimd, TVector, T, TExponential>(T* logits, nuint count, in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)TSimd.Lanes;
        T* tables = stackalloc T[3 * ScaledExp.TableLength];
        TExponential exp = default;
        exp.Prepare<TSimd>(row, AlignedTables(tables));
        TVector zero = TSimd.Create(default), first = zero, second = zero, lost = zero, max = TSimd.Create(row.Max);
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        for (nuint i = 0; i < count; i += lanes)
        {
            int here = count - i < lanes ? (int)(count - i) : TSimd.Lanes;
            TVector x = TSimd.LoadPartial(logits + i, here, lowest), e = exp.Of<TSimd>(x, out TVector lost0);
            TVector nothing = exp.IsNothing<TSimd>(x), isMax = TSimd.Equal(x, max);
            lost = TSimd.Add(lost, TSimd.Select(nothing, zero, TSimd.Select(isMax, zero, lost0)));
            TSimd.AddWide(ref first, ref second, TSimd.Select(nothing, zero, TSimd.Select(isMax, zero, e)));
        }

        TSimd.AddWide(ref first, ref second, lost);
        return TSimd.TotalOfWide(first, second);
    }

    /// <summary>Two tables aligned to 64 bytes within the room for three.</summary>
    private static T* AlignedTables<T>(T* tables)
        where T : unmanaged => (T*)(((nuint)tables + 63) & ~(nuint)63);

    /// <summary>values[i] · (factor + factorLow), rounded almost once, in place.</summary>
    public static void Scale<TSimd, TVector, T>(T* values, nuint count, T factor, T factorLow)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TVector high = TSimd.Create(factor), low = TSimd.Create(factorLow);
        for (; i + lanes <= count; i += lanes)
        {
            TVector e = TSimd.Load(ref *values, i);
            TSimd.Store(ref *values, i, TSimd.MultiplyAdd(e, high, TSimd.Multiply(e, low)));
        }

        if (i < count)
        {
            TVector e = TSimd.LoadPartial(values + i, (int)(count - i), high);
            TSimd.StorePartial(values + i, (int)(count - i), TSimd.MultiplyAdd(e, high, TSimd.Multiply(e, low)));
        }
    }

    /// <summary>(x[i] − max) / temperature − (log + logLow).</summary>
    private static void LogProbabilities<TSimd, TVector, T>(T* logits, nuint count, T max, T temperature, double log, double logLow, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(max, temperature);
        TVector high = ExpPolynomial.Constant<TSimd, TVector, T>((float)log, log);
        TVector low = ExpPolynomial.Constant<TSimd, TVector, T>((float)(log - (float)log + logLow), logLow);
        for (; i + lanes <= count; i += lanes)
        {
            TSimd.Store(ref *destination, i, LogProbability<TSimd, TVector, T>(TSimd.Load(ref *logits, i), shift, high, low));
        }

        if (i < count)
        {
            TVector last = TSimd.LoadPartial(logits + i, (int)(count - i), high);
            TSimd.StorePartial(destination + i, (int)(count - i), LogProbability<TSimd, TVector, T>(last, shift, high, low));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LogProbability<TSimd, TVector, T>(TVector x, Shift<TVector> shift, TVector log, TVector logLow)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector difference = shift.Difference<TSimd, T>(x, out TVector low);
        TVector result = TSimd.Add(TSimd.Subtract(difference, log), TSimd.Subtract(low, logLow));
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        TVector masked = TSimd.Equal(TSimd.Subtract(difference, log), lowest);          // there low is NaN; −∞ − NaN is NaN and stays
        return TSimd.Select(masked, lowest, result);
    }
}
