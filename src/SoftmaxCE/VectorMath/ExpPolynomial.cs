using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>e^x for x ≤ 0, which is all that a max-shifted softmax needs.</summary>
/// <remarks>
/// x = n ln 2 + r with |r| ≤ ln 2 / 2, then e^x = 2^n (1 + r + r² P(r)). P comes from our own Remez run (50 digits) on
/// |r| ≤ 1.0005 ln 2 / 2, weighted for the relative error of e^r: 3.1e-9 (0.05 ulp) for float with degree 4,
/// 3.6e-18 (0.03 ulp) for double with degree 9.
/// </remarks>
internal static class ExpPolynomial
{
    /// <summary>Largest error of <see cref="OfNonPositive{TSimd,TVector,T}(TVector)"/> for float, in ulp of the exact value, over every x in [−∞, 0].</summary>
    public const double MaxUlpErrorFloat = 1.0;

    /// <summary>The same for double.</summary>
    public const double MaxUlpErrorDouble = 1.0;

    // Below the cut e^x is under half the smallest subnormal, so it rounds to 0: ln(2^-150) = -103.97, ln(2^-1075) = -745.13.
    private const float CutFloat = -103.98f;
    private const double CutDouble = -745.14;

    private const double InverseLn2 = 1.4426950408889634;

    // ln 2 = high + low. The high parts have 9 and 32 significant bits, so n · high is exact for every n that occurs (8 and 11 bits).
    private const float Ln2HighFloat = 0.693359375f;
    private const float Ln2LowFloat = -2.12194442e-4f;
    private const double Ln2HighDouble = 0.6931471803691238;
    private const double Ln2LowDouble = 1.9082149292705877e-10;

    /// <summary>e^x for x ≤ 0: exactly 1 at 0, exactly 0 at −∞ and below the last subnormal, NaN at NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfNonPositive<TSimd, TVector, T>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => OfNonPositive<TSimd, TVector, T>(x, TSimd.Create(default));

    /// <summary>e^(x + low) for x ≤ 0 and |low| ≤ ulp(x); <paramref name="low"/> may be NaN where x is −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfNonPositive<TSimd, TVector, T>(TVector x, TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector magic = Constant<TSimd, TVector, T>(FloatBits.RoundingMagic, DoubleBits.RoundingMagic);
        TVector n = TSimd.Subtract(TSimd.MultiplyAdd(x, Constant<TSimd, TVector, T>((float)InverseLn2, InverseLn2), magic), magic);
        TVector high = TSimd.MultiplyAdd(n, Constant<TSimd, TVector, T>(-Ln2HighFloat, -Ln2HighDouble), x);          // exact
        TVector rest = TSimd.MultiplyAdd(n, Constant<TSimd, TVector, T>(-Ln2LowFloat, -Ln2LowDouble), low), r = TSimd.Add(high, rest);
        TVector one = Constant<TSimd, TVector, T>(1f, 1.0), r2 = TSimd.Multiply(r, r), power;
        if (typeof(T) == typeof(float))
        {
            // The roundings of r and of 1 + r are kept: with them a float is off by up to 1.02 ulp, without by 0.78, and that among the subnormals.
            TVector lost = TSimd.Add(TSimd.Subtract(high, r), rest), sum = TSimd.Add(one, r);
            TVector small = TSimd.MultiplyAdd(r2, SecondOrder<TSimd, TVector, T>(r, r2), TSimd.Add(TSimd.Subtract(r, TSimd.Subtract(sum, one)), lost));
            power = TSimd.Add(sum, small);
        }
        else
        {
            power = TSimd.Add(one, TSimd.MultiplyAdd(r2, SecondOrder<TSimd, TVector, T>(r, r2), r));
        }

        power = TSimd.TimesPowerOfTwo(power, n);
        TVector vanishes = TSimd.LessThan(x, Constant<TSimd, TVector, T>(CutFloat, CutDouble));
        return TSimd.Select(vanishes, TSimd.Create(default), power);
    }

    /// <summary>P(r) of the remarks, (e^r − 1 − r) / r², for |r| ≤ ln 2 / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SecondOrder<TSimd, TVector, T>(TVector r)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => SecondOrder<TSimd, TVector, T>(r, TSimd.Multiply(r, r));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector SecondOrder<TSimd, TVector, T>(TVector r, TVector r2)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            TVector c01 = Linear<TSimd, TVector, T>(0.49999994f, 0.16666521f, 0, 0, r);
            TVector c23 = Linear<TSimd, TVector, T>(0.04166839f, 0.008368745f, 0, 0, r);
            TVector c234 = TSimd.MultiplyAdd(r2, Constant<TSimd, TVector, T>(0.0013814549f, 0), c23);
            return TSimd.MultiplyAdd(r2, c234, c01);
        }
        else
        {
            TVector r4 = TSimd.Multiply(r2, r2);
            TVector c01 = Linear<TSimd, TVector, T>(0, 0, 0.5000000000000011, 0.1666666666666641, r);
            TVector c23 = Linear<TSimd, TVector, T>(0, 0, 0.041666666666529725, 0.008333333333494978, r);
            TVector c45 = Linear<TSimd, TVector, T>(0, 0, 0.0013888888943759917, 0.00019841269505771318, r);
            TVector c67 = Linear<TSimd, TVector, T>(0, 0, 2.480149294967899e-05, 2.7557586806202483e-06, r);
            TVector c89 = Linear<TSimd, TVector, T>(0, 0, 2.7630306235883047e-07, 2.5000018093703498e-08, r);
            TVector c4to9 = TSimd.MultiplyAdd(r4, c89, TSimd.MultiplyAdd(r2, c67, c45));
            return TSimd.MultiplyAdd(r4, c4to9, TSimd.MultiplyAdd(r2, c23, c01));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Linear<TSimd, TVector, T>(float float0, float float1, double double0, double double1, TVector r)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        TSimd.MultiplyAdd(r, Constant<TSimd, TVector, T>(float1, double1), Constant<TSimd, TVector, T>(float0, double0));

    /// <summary>The constant of the element type in use; the other one is dropped by the compiler.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Constant<TSimd, TVector, T>(float single, double @double)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => typeof(T) == typeof(float)
        ? TSimd.Create(Unsafe.BitCast<float, T>(single))
        : TSimd.Create(Unsafe.BitCast<double, T>(@double));
}
