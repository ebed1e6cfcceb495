using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The passes over a row, or a part of one, that <see cref="SoftmaxKernel"/> is made of.</summary>
/// <remarks>
/// Pointers are good for <c>count</c> values; partial vectors at the end are read and written with a mask, so nothing behind them is touched.
/// Each pass is a method of its own, never inlined: several loops in one method do not get the registers they need.
/// </remarks>
internal static unsafe class RowPasses
{
    /// <summary>The largest entry, NaN left out; −∞ when there is none.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static T Max<TSimd, TVector, T>(T* logits, nuint count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TVector lowest = Lowest<TSimd, TVector, T>(), max0 = LastOf<TSimd, TVector, T>(logits, count, lowest), max1 = lowest, max2 = lowest, max3 = lowest;
        if (count > lanes) max1 = TSimd.Load(ref *logits, 0);

        // The first and the last vector overlap their neighbours, so that those in between are aligned.
        nuint i = ElementsToBoundary(logits, lanes);
        for (; i + (4 * lanes) <= count; i += 4 * lanes)
        {
            max0 = TSimd.Max(TSimd.Load(ref *logits, i), max0);
            max1 = TSimd.Max(TSimd.Load(ref *logits, i + lanes), max1);
            max2 = TSimd.Max(TSimd.Load(ref *logits, i + (2 * lanes)), max2);
            max3 = TSimd.Max(TSimd.Load(ref *logits, i + (3 * lanes)), max3);
        }

        for (; i + lanes <= count; i += lanes) max2 = TSimd.Max(TSimd.Load(ref *logits, i), max2);
        return TSimd.MaxOfLanes(TSimd.Max(TSimd.Max(max0, max1), TSimd.Max(max2, max3)));
    }

    /// <summary>The sum of at most <see cref="LongRow{T}.PartLength"/> exponentials; they themselves go to <paramref name="destination"/> unless it is null.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static CompensatedSum Exponentials<TSimd, TVector, T>(T* logits, nuint count, in RowExponential<T> row, T* destination, Upcoming<T> upcoming)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => destination == null
        ? Exponentials<TSimd, TVector, T, Dropped>(logits, count, row, null, upcoming)
        : Exponentials<TSimd, TVector, T, Stored>(logits, count, row, destination, upcoming);

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static CompensatedSum Exponentials<TSimd, TVector, T, TFate>(T* logits, nuint count, in RowExponential<T> row, T* destination, Upcoming<T> upcoming)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TFate : struct, IFate
    {
        byte* memory = stackalloc byte[4 * WholeVector.Bytes];
        T* last = (T*)WholeVector.Align(memory), sums = last + TSimd.Lanes;
        TSimd.Store(ref *last, 0, LastOf<TSimd, TVector, T>(logits, count, Lowest<TSimd, TVector, T>()));
        ExponentialPass<T, TFate> pass = new(logits, count, row, destination, upcoming, last, sums);
        TSimd.RunLanes(ref pass, 0);
        if (TFate.Stores && count % (nuint)TSimd.Lanes != 0) StoreLast<TSimd, TVector, T>(destination, count, TSimd.Load(ref *last, 0));
        return TSimd.TotalOfWide(TSimd.Load(ref *sums, 0), TSimd.Load(ref *sums, (nuint)TSimd.Lanes));
    }

    /// <summary>The sum of the exponentials without the entries that equal the maximum: what is left of a confident row.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public static CompensatedSum ExponentialsBelowMaximum<TSimd, TVector, T>(T* logits, nuint count, in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        byte* memory = stackalloc byte[3 * WholeVector.Bytes];
        T* sums = (T*)WholeVector.Align(memory);
        BelowMaximumPass<T> pass = new(logits, count, row, sums);
        TSimd.RunLanes(ref pass, 0);
        return TSimd.TotalOfWide(TSimd.Load(ref *sums, 0), TSimd.Load(ref *sums, (nuint)TSimd.Lanes));
    }

    /// <summary>values[i] · (factor + factorLow), rounded almost once; <paramref name="destination"/> may be <paramref name="values"/>.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void Scale<TSimd, TVector, T>(T* values, nuint count, T factor, T factorLow, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TVector high = TSimd.Create(factor), low = TSimd.Create(factorLow), zero = TSimd.Create(default);

        // The first vector and the last overlap their neighbours, so that those in between are aligned. Both are read before anything is written.
        TVector first = count < lanes ? zero : TSimd.Load(ref *values, 0), last = LastOf<TSimd, TVector, T>(values, count, zero);
        for (nuint i = ElementsToBoundary(destination, lanes); i + lanes <= count; i += lanes)
        {
            TVector e = TSimd.Load(ref *values, i);
            TSimd.Store(ref *destination, i, TSimd.MultiplyAdd(e, high, TSimd.Multiply(e, low)));
        }

        if (count >= lanes) TSimd.Store(ref *destination, 0, TSimd.MultiplyAdd(first, high, TSimd.Multiply(first, low)));
        StoreLast<TSimd, TVector, T>(destination, count, TSimd.MultiplyAdd(last, high, TSimd.Multiply(last, low)));
    }

    /// <summary>Exponentials times numerator / denominator, in place; for quotients as small as they may be.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void ScaleByQuotient<TSimd, TVector, T>(T* exponentials, nuint count, CompensatedSum numerator, CompensatedSum denominator)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        T factor = RowSum.Quotient(numerator, denominator, out T factorLow);
        if (IsTiny(factor) && numerator.High != 0)
        {
            // The exponentials give the power of two that they carry to the factor, which has no digits to lose then. What they lose is below any result.
            int power = (int)FactoredExp.Headroom<T>();
            Scale<TSimd, TVector, T>(exponentials, count, Element.FromDouble<T>(Math.ScaleB(1, -power)), default, exponentials);
            numerator.TimesPowerOfTwo(power);
            factor = RowSum.Quotient(numerator, denominator, out factorLow);
        }

        Scale<TSimd, TVector, T>(exponentials, count, factor, factorLow, exponentials);
    }

    /// <summary>Whether a factor, or what its rounding lost, is not a normal number.</summary>
    public static bool IsTiny<T>(T factor)
        where T : unmanaged => Math.Abs(Element.ToDouble(factor)) < (typeof(T) == typeof(float) ? 7.9e-31 : 1e-290);        // 2^-100; 2^-963

    /// <summary>t (1 + q) (factor + factorLow).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Scaled<TSimd, TVector, T>(TVector t, TVector q, TVector factor, TVector factorLow)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        TSimd.MultiplyAdd(t, factor, TSimd.MultiplyAdd(TSimd.Multiply(t, q), factor, TSimd.Multiply(t, factorLow)));

    /// <summary>(x − max) / temperature − log. Both parts are negative, so nothing cancels: three roundings in all.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void LogProbabilities<TSimd, TVector, T>(T* logits, nuint count, T max, T temperature, T log, T* destination)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TVector top = TSimd.Create(max), heat = TSimd.Create(temperature), logOfSum = TSimd.Create(log);
        bool hasTemperature = Element.ToDouble(temperature) != 1;
        for (; i + lanes <= count; i += lanes)
        {
            TVector difference = TSimd.Subtract(TSimd.Load(ref *logits, i), top);
            if (hasTemperature) difference = TSimd.Divide(difference, heat);
            TSimd.Store(ref *destination, i, TSimd.Subtract(difference, logOfSum));
        }

        if (i < count)
        {
            TVector difference = TSimd.Divide(TSimd.Subtract(TSimd.LoadPartial(logits + i, (int)(count - i), top), top), heat);
            TSimd.StorePartial(destination + i, (int)(count - i), TSimd.Subtract(difference, logOfSum));
        }
    }

    /// <summary>The last vector of a row; of a row shorter than a vector, all of it and <paramref name="fill"/> behind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LastOf<TSimd, TVector, T>(T* values, nuint count, TVector fill)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => count >= (nuint)TSimd.Lanes
        ? TSimd.Load(ref *values, count - (nuint)TSimd.Lanes)
        : TSimd.LoadPartial(values, (int)count, fill);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLast<TSimd, TVector, T>(T* values, nuint count, TVector value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (count >= (nuint)TSimd.Lanes) TSimd.Store(ref *values, count - (nuint)TSimd.Lanes, value);
        else TSimd.StorePartial(values, (int)count, value);
    }

    /// <summary>Elements up to the next address that vectors are aligned to; 0 where no element is at one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint ElementsToBoundary<T>(T* values, nuint lanes)
        where T : unmanaged => (((nuint)values & (nuint)(sizeof(T) - 1)) == 0 ? (0 - (nuint)values) / (nuint)sizeof(T) : 0) & (lanes - 1);

    public static bool ContainsNaN<T>(T* values, nuint count)
        where T : unmanaged
    {
        NaNScanKernel<T> scan = new(values, count);
        VectorWidth.Run<NaNScanKernel<T>, T>(ref scan);
        return scan.Found;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Lowest<TSimd, TVector, T>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);

    /// <summary>What becomes of exponentials besides being added up.</summary>
    internal interface IFate
    {
        static abstract bool Stores { get; }
    }

    public readonly struct Stored : IFate
    {
        public static bool Stores => true;
    }

    public readonly struct Dropped : IFate
    {
        public static bool Stores => false;
    }
}
