using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Natural logarithms.</summary>
/// <remarks>
/// x = 2^k m with m in [√½, √2), f = m − 1, s = f / (2 + f), z = s². Then ln m = f − (f²/2 − s (f²/2 + z Q(z))), the form in which the
/// leading term f enters unrounded. Q comes from our own Remez run (50 digits) on z ≤ 0.172²: relative error of ln m 8.2e-10 (0.014 ulp)
/// for float with degree 2, 1.3e-18 (0.012 ulp) for double with degree 6.
/// </remarks>
internal static class LogPolynomial
{
    /// <summary>Largest error of <see cref="Log"/> in ulp of the exact value, over every positive x.</summary>
    public const double MaxUlpError = 1.0;

    /// <summary>Largest error of <see cref="Log1p"/> in ulp of the exact value, over every x &gt; −1.</summary>
    public const double MaxUlpErrorLog1p = 2.0;

    // ln 2 = high + low; the high parts leave 8 and 11 bits free, so that k · high is exact.
    private const float Ln2HighFloat = 0.693145752f;
    private const float Ln2LowFloat = 1.42860677e-6f;
    private const double Ln2HighDouble = 0.6931471803691238;
    private const double Ln2LowDouble = 1.9082149292705877e-10;

    /// <summary>ln x for x ≥ 0: −∞ at 0, +∞ at +∞, NaN at NaN and below 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log<TSimd, TVector, T>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector fraction = NormalFraction<TSimd, TVector, T>(x, out TVector exponent);
        TVector f = TSimd.Subtract(fraction, Constant<TSimd, TVector, T>(1f, 1.0));
        TVector finite = Combine<TSimd, TVector, T>(exponent, f, FMinusLog1p<TSimd, TVector, T>(f), TSimd.Create(default));
        return WithSpecialValues<TSimd, TVector, T>(x, finite);
    }

    /// <summary>ln(x · 2^power) for a positive normal x; anything else gives a meaningless lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogOfNormal<TSimd, TVector, T>(TVector x, T power)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector fraction = TSimd.SplitPowerOfTwo(x, out TVector exponent), f = TSimd.Subtract(fraction, Constant<TSimd, TVector, T>(1f, 1.0));
        return Combine<TSimd, TVector, T>(TSimd.Add(exponent, TSimd.Create(power)), f, FMinusLog1p<TSimd, TVector, T>(f), TSimd.Create(default));
    }

    /// <summary>ln(1 + x) for x ≥ −1, with full relative accuracy near 0: −∞ at −1, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log1p<TSimd, TVector, T>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector one = Constant<TSimd, TVector, T>(1f, 1.0);
        TVector sum = TSimd.Add(one, x);

        // What rounding 1 + x lost, relative to the sum: ln(sum + lost) = ln sum + lost / sum, the next term being lost²/2.
        TVector larger = TSimd.Max(x, one), smaller = TSimd.Min(x, one);
        TVector lost = TSimd.Divide(TSimd.Subtract(smaller, TSimd.Subtract(sum, larger)), sum);

        TVector fraction = TSimd.SplitPowerOfTwo(sum, out TVector exponent);
        TVector f = TSimd.Subtract(fraction, one);
        TVector finite = Combine<TSimd, TVector, T>(exponent, f, FMinusLog1p<TSimd, TVector, T>(f), lost);
        return WithSpecialValues<TSimd, TVector, T>(sum, finite);
    }

    /// <summary>f − ln(1 + f) ≥ 0 for 1 + f in [√½, √2], to full relative accuracy: what a divergence adds up where p is next to q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector FMinusLog1p<TSimd, TVector, T>(TVector f)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => FMinusLog1p<TSimd, TVector, T>(f, forFloats: typeof(T) == typeof(float));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector FMinusLog1p<TSimd, TVector, T>(TVector f, bool forFloats)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector s = TSimd.Divide(f, TSimd.Add(f, Constant<TSimd, TVector, T>(2f, 2.0)));
        TVector z = TSimd.Multiply(s, s);
        TVector halfSquare = TSimd.Multiply(TSimd.Multiply(f, f), Constant<TSimd, TVector, T>(0.5f, 0.5));
        return TSimd.NegatedMultiplyAdd(s, TSimd.MultiplyAdd(z, Q<TSimd, TVector, T>(z, forFloats), halfSquare), halfSquare);
    }

    /// <summary>x as m · 2^exponent with m in [√½, √2), also for subnormal x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector NormalFraction<TSimd, TVector, T>(TVector x, out TVector exponent)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector subnormal = TSimd.LessThan(x, Constant<TSimd, TVector, T>(1.17549435e-38f, 2.2250738585072014e-308));
        TVector raised = TSimd.Multiply(x, Constant<TSimd, TVector, T>(16777216f, 18014398509481984.0));            // 2^24, 2^54
        TVector fraction = TSimd.SplitPowerOfTwo(TSimd.Select(subnormal, raised, x), out TVector k);
        exponent = TSimd.Select(subnormal, TSimd.Subtract(k, Constant<TSimd, TVector, T>(24f, 54.0)), k);
        return fraction;
    }

    /// <summary>exponent · ln 2 + f − fMinusLog + more, large parts last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TSimd, TVector, T>(TVector exponent, TVector f, TVector fMinusLog, TVector more)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector small = TSimd.MultiplyAdd(exponent, Constant<TSimd, TVector, T>(Ln2LowFloat, Ln2LowDouble), TSimd.Subtract(more, fMinusLog));
        return TSimd.MultiplyAdd(exponent, Constant<TSimd, TVector, T>(Ln2HighFloat, Ln2HighDouble), TSimd.Add(f, small));
    }

    /// <summary>
    /// ln(sum · (1 + relativeLow) · 2^exponent) for a positive normal sum, +∞ or NaN, as a leading part and a rest that together carry more digits
    /// than a double.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogOfSum<TSimd, TVector>(TVector sum, TVector relativeLow, double exponent, out TVector rest)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), ln2High = TSimd.Create(Ln2HighDouble), isFinite = TSimd.LessThan(sum, TSimd.Create(double.PositiveInfinity));
        TVector fraction = TSimd.SplitPowerOfTwo(sum, out TVector k), f = TSimd.Subtract(fraction, TSimd.Create(1));
        k = TSimd.Add(k, TSimd.Create(exponent));
        TVector small = TSimd.MultiplyAdd(k, TSimd.Create(Ln2LowDouble), TSimd.Subtract(relativeLow, FMinusLog1p<TSimd, TVector, double>(f)));
        TVector leading = TSimd.MultiplyAdd(k, ln2High, f);
        rest = TSimd.Add(TSimd.Add(TSimd.MultiplyAdd(k, ln2High, TSimd.Subtract(zero, leading)), f), small);
        rest = TSimd.Select(isFinite, rest, zero);
        return TSimd.Select(isFinite, leading, sum);
    }

    /// <summary>
    /// ln((sum + low) · 2^exponent) for what will be rounded to float: relative error 8.2e-10. For a positive normal sum, to which low, if it is not 0,
    /// adds what rounding took from a sum next to 1; +∞ and NaN stay.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogForFloats<TSimd, TVector>(TVector sum, TVector low, double exponent)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector fraction = TSimd.SplitPowerOfTwo(sum, out TVector k), f = TSimd.Subtract(fraction, TSimd.Create(1));
        TVector fMinusLog = FMinusLog1p<TSimd, TVector, double>(f, forFloats: true);
        TVector log = Combine<TSimd, TVector, double>(TSimd.Add(k, TSimd.Create(exponent)), f, fMinusLog, low);
        return TSimd.Select(TSimd.LessThan(sum, TSimd.Create(double.PositiveInfinity)), log, sum);
    }

    /// <summary>ln(1 + x) for x ≥ 0 that will be rounded to float, to full relative accuracy near 0: relative error 8.2e-10. +∞ and NaN stay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log1pForFloats<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        // What rounding takes from 1 + x matters where x is small. There the sum is next to 1, and ln(sum + low) next to ln sum + low.
        TVector one = TSimd.Create(1), sum = TSimd.Add(x, one);
        return LogForFloats<TSimd, TVector>(sum, TSimd.Subtract(x, TSimd.Subtract(sum, one)), 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector WithSpecialValues<TSimd, TVector, T>(TVector x, TVector finite)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector zero = TSimd.Create(default), infinity = Constant<TSimd, TVector, T>(float.PositiveInfinity, double.PositiveInfinity);
        TVector positive = TSimd.Select(TSimd.LessThan(x, infinity), finite, x);                                    // +∞ and NaN stay
        TVector notPositive = TSimd.Select(TSimd.Equal(x, zero), TSimd.Subtract(zero, infinity), TSimd.Subtract(x, x));
        TVector nan = TSimd.Divide(zero, zero);
        notPositive = TSimd.Select(TSimd.LessThan(x, zero), nan, notPositive);
        return TSimd.Select(TSimd.LessThan(zero, x), positive, notPositive);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Q<TSimd, TVector, T>(TVector z, bool forFloats)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (forFloats)
        {
            TVector q = TSimd.MultiplyAdd(z, Constant<TSimd, TVector, T>(0.29878438f, 0.29878438f), Constant<TSimd, TVector, T>(0.39977312f, 0.39977312f));
            return TSimd.MultiplyAdd(z, q, Constant<TSimd, TVector, T>(0.66666776f, 0.66666776f));
        }
        else
        {
            TVector z2 = TSimd.Multiply(z, z);
            TVector q01 = TSimd.MultiplyAdd(z, Constant<TSimd, TVector, T>(0, 0.39999999999396596), Constant<TSimd, TVector, T>(0, 0.6666666666666737));
            TVector q23 = TSimd.MultiplyAdd(z, Constant<TSimd, TVector, T>(0, 0.22222198085135894), Constant<TSimd, TVector, T>(0, 0.28571428746790983));
            TVector q45 = TSimd.MultiplyAdd(z, Constant<TSimd, TVector, T>(0, 0.15313314046032924), Constant<TSimd, TVector, T>(0, 0.1818359145099226));
            TVector q456 = TSimd.MultiplyAdd(z2, Constant<TSimd, TVector, T>(0, 0.14803723286749718), q45);
            return TSimd.MultiplyAdd(z2, TSimd.MultiplyAdd(z2, q456, q23), q01);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Constant<TSimd, TVector, T>(float single, double @double)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => ExpPolynomial.Constant<TSimd, TVector, T>(single, @double);
}
