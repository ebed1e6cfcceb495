using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>e^(x − max), up to a factor common to a row, as a product t (1 + q): to more digits than T holds, and without max being subtracted.</summary>
/// <remarks>
/// Subtracting the maximum first costs the rounding error of x − max: |x − max| / 2 ulp of the result, 40 ulp for a float logit 80 below the
/// maximum. Here x and max are each reduced by their own multiple of a step, ln 2 / 8, which is exact, and only the small remainders meet:
/// <code>
///   x = n step + a,   max = k step + b,   r = a − b,   |r| ≤ step
///   e^(x − max) · κ 2^headroom = t (1 + q),   t = κ 2^((n − k) / 8 + headroom),   q = e^r − 1 = r + r² P(r)
/// </code>
/// t is one of eight table entries with its exponent changed by integer arithmetic. κ is a number for which κ 2^(j/8) is next to a float
/// (double) for all eight j: to 0.054 (0.032) units of 2^-24 (2^-53), found by trying the 5 million (1.2 billion) nearest to such numbers. So no
/// second table with what rounding lost is needed. P is from our own Remez run (50 digits) on |r| ≤ 1.003 step, weighted for the
/// relative error of e^r: 0.09 units of 2^-24 for float with degree 2, 0.04 units of 2^-53 for double with degree 6. With the roundings of r
/// and q, t (1 + q) is good to half a unit; the maximum itself has r = 0 up to 2^-29, so that t + t q rounds to t.
///
/// The constants are read from memory into fields, so that they stay in registers; constants in the code are loaded again in every iteration.
/// </remarks>
internal unsafe struct FactoredExp<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private TVector _rounding, _lowest, _stepsPerUnit, _minusStepHigh, _minusStepLow, _minusOffset, _c2, _c3, _c4, _c5, _c6, _c7, _c8;
    private T* _powers;

    /// <summary>e^(x − max) for a maximum of its own in each lane, no larger in magnitude than <see cref="FactoredExp.Reach{T}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMaximum<TSimd>(TVector max)
        where TSimd : struct, ISimd<TVector, T>
    {
        T* constant = FactoredExp.Constants<T>();
        _powers = FactoredExp.Powers<T>();
        _stepsPerUnit = TSimd.Create(constant[0]);
        _minusStepHigh = TSimd.Create(constant[1]);
        _minusStepLow = TSimd.Create(constant[2]);
        _c2 = TSimd.Create(constant[3]);
        _c3 = TSimd.Create(constant[4]);
        _c4 = TSimd.Create(constant[5]);
        if (typeof(T) != typeof(float))
        {
            _c5 = TSimd.Create(constant[6]);
            _c6 = TSimd.Create(constant[7]);
            _c7 = TSimd.Create(constant[8]);
            _c8 = TSimd.Create(constant[9]);
        }

        TVector rounding = TSimd.Create(Element.FromDouble<T>(FactoredExp.Rounding<T>()));
        TVector k = TSimd.Subtract(TSimd.MultiplyAdd(max, _stepsPerUnit, rounding), rounding);
        TVector offset = TSimd.Add(TSimd.MultiplyAdd(k, _minusStepHigh, max), TSimd.Multiply(k, _minusStepLow));
        _minusOffset = TSimd.Subtract(TSimd.Create(default), offset);
        _rounding = TSimd.Subtract(TSimd.Create(Element.FromDouble<T>(FactoredExp.Rounding<T>() + (8 * FactoredExp.Headroom<T>()))), k);      // whole numbers
        TVector depth = TSimd.Create(Element.FromDouble<T>(8 * FactoredExp.Depth<T>()));
        _lowest = TSimd.Multiply(TSimd.Subtract(k, depth), TSimd.Create(Element.FromDouble<T>(FactoredExp.Step)));
    }

    /// <summary>t and q for x ≤ max. Whatever is <see cref="FactoredExp.Depth{T}"/> powers of two below the maximum, −∞ included, gets the value there. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
    {
        x = TSimd.Max(_lowest, x);                  // in this order a NaN in x passes
        TVector steps = TSimd.MultiplyAdd(x, _stepsPerUnit, _rounding), n = TSimd.Subtract(steps, _rounding);
        q = PowerLess1<TSimd>(TSimd.Add(TSimd.MultiplyAdd(n, _minusStepHigh, x), TSimd.MultiplyAdd(n, _minusStepLow, _minusOffset)));
        return TSimd.AddEighths(TSimd.Lookup(_powers, steps), steps);
    }

    /// <summary>The same for x + low, where low is the rounding error of x; low may be NaN where x is −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Split<TSimd>(TVector x, TVector low, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
    {
        low = TSimd.Select(TSimd.LessThan(x, _lowest), TSimd.Create(default), low);
        x = TSimd.Max(_lowest, x);
        TVector steps = TSimd.MultiplyAdd(x, _stepsPerUnit, _rounding), n = TSimd.Subtract(steps, _rounding);
        q = PowerLess1<TSimd>(TSimd.Add(TSimd.MultiplyAdd(n, _minusStepHigh, x), TSimd.MultiplyAdd(n, _minusStepLow, TSimd.Add(low, _minusOffset))));
        return TSimd.AddEighths(TSimd.Lookup(_powers, steps), steps);
    }

    /// <summary>Four vectors of floats in lockstep, where <see cref="Four.Pays"/>: one alone is a chain of operations that wait for each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Four<TVector> Split<TSimd>(Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T>
    {
        x = Four.Max<TSimd, TVector, T>(_lowest, x);
        Four<TVector> steps = Four.MultiplyAdd<TSimd, TVector, T>(x, _stepsPerUnit, _rounding), n = Four.Subtract<TSimd, TVector, T>(steps, _rounding);
        Four<TVector> r = Four.Add<TSimd, TVector, T>(
            Four.MultiplyAdd<TSimd, TVector, T>(n, _minusStepHigh, x), Four.MultiplyAdd<TSimd, TVector, T>(n, _minusStepLow, _minusOffset));
        Four<TVector> r2 = Four.Multiply<TSimd, TVector, T>(r, r), c23 = Four.MultiplyAdd<TSimd, TVector, T>(r, _c3, _c2);
        q = Four.MultiplyAdd<TSimd, TVector, T>(r2, Four.MultiplyAdd<TSimd, TVector, T>(r2, _c4, c23), r);
        return new(
            TSimd.AddEighths(TSimd.Lookup(_powers, steps.A), steps.A), TSimd.AddEighths(TSimd.Lookup(_powers, steps.B), steps.B),
            TSimd.AddEighths(TSimd.Lookup(_powers, steps.C), steps.C), TSimd.AddEighths(TSimd.Lookup(_powers, steps.D), steps.D));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector PowerLess1<TSimd>(TVector r)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector r2 = TSimd.Multiply(r, r), c23 = TSimd.MultiplyAdd(r, _c3, _c2);
        if (typeof(T) == typeof(float)) return TSimd.MultiplyAdd(r2, TSimd.MultiplyAdd(r2, _c4, c23), r);
        TVector r4 = TSimd.Multiply(r2, r2), c45 = TSimd.MultiplyAdd(r, _c5, _c4), c67 = TSimd.MultiplyAdd(r, _c7, _c6);
        TVector high = TSimd.MultiplyAdd(r2, _c8, c67);
        return TSimd.MultiplyAdd(r2, TSimd.MultiplyAdd(r4, high, TSimd.MultiplyAdd(r2, c45, c23)), r);
    }
}

/// <summary>Constants and tables of <see cref="FactoredExp{TVector,T}"/>, in memory aligned for vectors and never freed.</summary>
internal static unsafe class FactoredExp
{
    /// <summary>ln 2 / 8.</summary>
    public const double Step = 0.08664339756999316;

    // Bits of κ 2^(j/8) rounded to float, less j eighths of the exponent's last place (j << 20); twice, because a vector looks up 16 entries.
    private static readonly float* Singles = (float*)Aligned<uint>(
    [
        0x3F8B3A3E, 0x3F87D424, 0x3F859202, 0x3F848E45, 0x3F84E5BE, 0x3F86B7DA, 0x3F8A26DE, 0x3F8F5829,
        0x3F8B3A3E, 0x3F87D424, 0x3F859202, 0x3F848E45, 0x3F84E5BE, 0x3F86B7DA, 0x3F8A26DE, 0x3F8F5829,
    ]);

    // The same for double (j << 49).
    private static readonly double* Doubles = (double*)Aligned<ulong>(
    [
        0x3FF12299599E8073, 0x3FF0AF9EC2826D0D, 0x3FF06093241B208D, 0x3FF038B71263F520,
        0x3FF03B967C294AE7, 0x3FF06D0F7D005AE7, 0x3FF0D159CD451552, 0x3FF16D0EDE6B728A,
    ]);

    // 1 / step; −step in two parts, the first with so few bits (9 and 32) that its product with any n that occurs is exact; P.
    private static readonly float* SingleConstants = Aligned<float>(
        [11.54156f, -355f / 4096, 2.6524305e-5f, 0.5000001788139343f, 0.16672135889530182f, 0.041641611605882645f]);

    private static readonly double* DoubleConstants = Aligned<double>(
    [
        11.541560327111707, -0.08664339757524431, 5.251143840851356e-12, 0.5000000000000007, 0.1666666666669637, 0.0416666666660998,
        0.008333333128117558, 0.0013888890117157728, 0.00019845535556949783, 2.4795659891749085e-05,
    ]);

    /// <summary>Largest |max| up to which the reduction, with the step in two parts, is good to 0.1 units of the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Reach<T>() => typeof(T) == typeof(float) ? 256 : 5e4;

    /// <summary>The largest exponential of a row is κ 2^this: room for the smallest that matter to stay normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Headroom<T>() => typeof(T) == typeof(float) ? 70 : 130;

    /// <summary>2^-this of the largest is the smallest exponential that occurs; divided by a sum it rounds to 0, even when multiplied by a large weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Depth<T>() => typeof(T) == typeof(float) ? 195 : 1150;

    /// <summary>A sum of <paramref name="count"/> exponentials that is smaller than this is one of −∞, or as good as.</summary>
    public static double Nothing<T>(int count)
        where T : unmanaged => 2.0 * count * Math.ScaleB(OfMaximum<T>(), -(int)Depth<T>());

    /// <summary>ln κ, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogScale<T>() => typeof(T) == typeof(float) ? 0.0840790811219437 : 0.06854332925054722;

    /// <summary>What rounding took from <see cref="LogScale{T}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogScaleLow<T>() => typeof(T) == typeof(float) ? 5.6e-19 : 1.2716601323322916e-18;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Rounding<T>() => typeof(T) == typeof(float) ? FloatBits.RoundingMagic : DoubleBits.RoundingMagic;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* Powers<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? (T*)Singles : (T*)Doubles;

    /// <summary>The exponential of the maximum: κ 2^headroom as rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double OfMaximum<T>()
        where T : unmanaged => Math.ScaleB(Element.ToDouble(*Powers<T>()), (int)Headroom<T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* Constants<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? (T*)SingleConstants : (T*)DoubleConstants;

    private static TValue* Aligned<TValue>(ReadOnlySpan<TValue> values)
        where TValue : unmanaged
    {
        TValue* memory = (TValue*)NativeMemory.AlignedAlloc((nuint)(values.Length * sizeof(TValue)), 64);
        values.CopyTo(new Span<TValue>(memory, values.Length));
        return memory;
    }
}
