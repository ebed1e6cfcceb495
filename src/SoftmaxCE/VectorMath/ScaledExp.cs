using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>e^x · 2^−exponent: the exponential of a softmax, which needs it only up to a common factor, to more digits than T holds.</summary>
/// <remarks>
/// Subtracting the maximum before the exponential costs its rounding error: |x − max| / 2 ulp of the result, 40 ulp for a float logit 80 below
/// the maximum. Here nothing needs to be subtracted: with x = (16 n + j) ln 2 / 16 + r, |r| ≤ ln 2 / 32, the exponential is
/// <code>  e^x = 2^n · 2^(j/16) · e^r = 2^n (t + (tLow + t q)),   t + tLow = 2^(j/16) from two tables of 16,   q = r + r² P(r) = e^r − 1 </code>
/// and the maximum enters as a whole number that is taken off n: an exact change of the exponent. As r is small, everything but the last
/// addition is good to 2^-27 (float) or 2^-55 (double) of the result, and what that addition rounds away is handed out as well: so a sum of
/// these exponentials is better than its terms, and a probability is off by its own two roundings alone.
///
/// P comes from our own Remez run (50 digits) on |r| ≤ 1.002 ln 2 / 32, weighted for the relative error of e^r: 0.027 ulp for float with
/// degree 1, 0.11 ulp of the last bit for double with degree 4. The constants are read from memory into fields, so that they stay in registers;
/// constants in the code are loaded again in every iteration.
/// </remarks>
internal unsafe struct ScaledExp<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private TVector _rounding, _lowest, _inverseStep, _minusStepHigh, _minusStepLow, _c0, _c1, _c2, _c3, _c4;
    private T* _powers;

    /// <summary>The exponential with the factor 2^−<paramref name="exponent"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScaledExp<TVector, T> Create<TSimd>(double exponent)
        where TSimd : struct, ISimd<TVector, T> => Create<TSimd>(TSimd.Create(Element.FromDouble<T>(exponent)));

    /// <summary>The same with an exponent of its own, a whole number, for each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScaledExp<TVector, T> Create<TSimd>(TVector exponent)
        where TSimd : struct, ISimd<TVector, T>
    {
        T* constant = ScaledExp.Constants<T>();
        ScaledExp<TVector, T> exp = default;
        exp._powers = ScaledExp.Powers<T>();
        TVector rounding = TSimd.Create(Element.FromDouble<T>(ScaledExp.Rounding<T>())), sixteen = TSimd.Create(Element.FromDouble<T>(16));
        TVector lowestExponent = TSimd.Create(Element.FromDouble<T>(ScaledExp.LowestExponent<T>()));
        exp._rounding = TSimd.NegatedMultiplyAdd(exponent, sixteen, rounding);                      // exact: whole numbers
        exp._lowest = TSimd.Multiply(TSimd.Add(exponent, lowestExponent), TSimd.Create(Element.FromDouble<T>(0.6931471805599453)));
        exp._inverseStep = TSimd.Create(constant[0]);
        exp._minusStepHigh = TSimd.Create(constant[1]);
        exp._minusStepLow = TSimd.Create(constant[2]);
        exp._c0 = TSimd.Create(constant[3]);
        exp._c1 = TSimd.Create(constant[4]);
        if (typeof(T) == typeof(float)) return exp;
        exp._c2 = TSimd.Create(constant[5]);
        exp._c3 = TSimd.Create(constant[6]);
        exp._c4 = TSimd.Create(constant[7]);
        return exp;
    }

    /// <summary>The same exponential with its result at <paramref name="exactAt"/> rounded to T as the common factor, so that it is exact there.</summary>
    /// <param name="tables">Memory for the tables, 2 · 16 values; it must live as long as the result is used.</param>
    /// <remarks>
    /// A factor 1 − σ with σ = lost / power moves e^exactAt to the number it would be rounded to. It goes into the small parts of the table:
    /// tLow − t σ. So the largest logits have probabilities as exact as if the maximum had been subtracted, 1 for a single one.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ScaledExp<TVector, T> ExactAt<TSimd>(TVector exactAt, T* tables)
        where TSimd : struct, ISimd<TVector, T>
    {
        FillTables<TSimd>(exactAt, tables);
        ScaledExp<TVector, T> exact = this;
        exact._powers = tables;
        return exact;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void FillTables<TSimd>(TVector exactAt, T* tables)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector power = Of<TSimd>(exactAt, out TVector lost), sigma = TSimd.Divide(lost, power);
        TVector smallest = TSimd.Create(Element.FromDouble<T>(ScaledExp.SmallestLow<T>()));
        for (int j = 0; j < ScaledExp.TableLength; j += TSimd.Lanes)
        {
            TVector high = TSimd.Load(ref *_powers, (nuint)j), low = TSimd.Load(ref *_powers, (nuint)(ScaledExp.TableLength + j));
            TVector sixteenths = TSimd.Load(ref *ScaledExp.Sixteenths<T>(), (nuint)j), back = TSimd.Load(ref *ScaledExp.Sixteenths<T>(), (nuint)(ScaledExp.TableLength + j));
            TVector moved = TSimd.NegatedMultiplyAdd(TSimd.AddSixteenths(high, sixteenths), sigma, TSimd.AddSixteenths(low, sixteenths));
            moved = TSimd.Select(TSimd.LessThan(TSimd.Abs(moved), smallest), smallest, moved);                 // the bit arithmetic needs a normal number
            TSimd.Store(ref *tables, (nuint)j, high);
            TSimd.Store(ref *tables, (nuint)(ScaledExp.TableLength + j), TSimd.AddSixteenths(moved, back));
        }
    }

    /// <summary>Below this, −∞ included, the exponential is the smallest that occurs, which divided by a sum rounds to 0.</summary>
    public readonly TVector Lowest => _lowest;

    /// <summary>The scaled exponential of x, and in <paramref name="lost"/> what its rounding lost. NaN at NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Of<TSimd>(TVector x, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>
    {
        x = TSimd.Max(_lowest, x);                  // in this order a NaN in x passes
        TVector steps = TSimd.MultiplyAdd(x, _inverseStep, _rounding), n = TSimd.Subtract(steps, _rounding);
        return Power<TSimd>(steps, TSimd.MultiplyAdd(n, _minusStepLow, TSimd.MultiplyAdd(n, _minusStepHigh, x)), out lost);
    }

    /// <summary>The same for x + xLow, where xLow is the rounding error of x; it may be NaN where x is −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Of<TSimd>(TVector x, TVector xLow, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>
    {
        xLow = TSimd.Select(TSimd.LessThan(x, _lowest), TSimd.Create(default), xLow);
        x = TSimd.Max(_lowest, x);
        TVector steps = TSimd.MultiplyAdd(x, _inverseStep, _rounding), n = TSimd.Subtract(steps, _rounding);
        TVector low = TSimd.MultiplyAdd(n, _minusStepLow, xLow);
        return Power<TSimd>(steps, TSimd.Add(TSimd.MultiplyAdd(n, _minusStepHigh, x), low), out lost);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector Power<TSimd>(TVector steps, TVector r, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector r2 = TSimd.Multiply(r, r), secondOrder = TSimd.MultiplyAdd(r, _c1, _c0);
        if (typeof(T) != typeof(float))
        {
            TVector c23 = TSimd.MultiplyAdd(r, _c3, _c2);
            secondOrder = TSimd.MultiplyAdd(r2, TSimd.MultiplyAdd(r2, _c4, c23), secondOrder);
        }

        TVector q = TSimd.MultiplyAdd(r2, secondOrder, r);

        // The tables hold bits(2^(j/16)) less j sixteenths, so that adding 16 n + j sixteenths leaves n in the exponent.
        TVector high = TSimd.AddSixteenths(TSimd.Lookup(_powers, steps), steps);
        TVector low = TSimd.AddSixteenths(TSimd.Lookup(_powers + ScaledExp.TableLength, steps), steps);
        TVector rest = TSimd.MultiplyAdd(q, high, low), power = TSimd.Add(high, rest);
        lost = TSimd.Add(TSimd.Subtract(high, power), rest);
        return power;
    }
}

/// <summary>Constants and tables of <see cref="ScaledExp{TVector,T}"/>, in memory aligned for vectors and never freed.</summary>
internal static unsafe class ScaledExp
{
    public const int TableLength = 16;

    // Bits of 2^(j/16) rounded to float, less j sixteenths (j << 19); then the same of what that rounding lost. For j = 0, where nothing is lost, the second
    // table has 2^-40, too small to show: the arithmetic on the bits needs a normal number.
    private static readonly float* Singles = (float*)Aligned<uint>(
    [
        0x3F800000, 0x3F7DAAC3, 0x3F7B95C2, 0x3F79C3D3, 0x3F7837F0, 0x3F76F532, 0x3F75FED7, 0x3F75583F,
        0x3F7504F3, 0x3F7508A4, 0x3F75672A, 0x3F76248C, 0x3F7744FD, 0x3F78CCDF, 0x3F7AC0C7, 0x3F7D257D,
        0x2B800000, 0x33479891, 0xB250ABA1, 0x334F5624, 0x33031B71, 0x33192342, 0xB2FC9D5E, 0xB1F5EAF6,
        0x328FE77A, 0xB2F94FE8, 0x31BAA837, 0x31D0FC24, 0xB274A58A, 0xB1B6AB59, 0xB1D116DE, 0x31B12436,
    ]);

    // The same for double (j << 48); 2^-70 for j = 0.
    private static readonly double* Doubles = (double*)Aligned<ulong>(
    [
        0x3FF0000000000000, 0x3FEFB5586CF9890F, 0x3FEF72B83C7D517B, 0x3FEF387A6E756238,
        0x3FEF06FE0A31B715, 0x3FEEDEA64C123422, 0x3FEEBFDAD5362A27, 0x3FEEAB07DD485429,
        0x3FEEA09E667F3BCD, 0x3FEEA11473EB0187, 0x3FEEACE5422AA0DB, 0x3FEEC49182A3F090,
        0x3FEEE89F995AD3AD, 0x3FEF199BDD85529C, 0x3FEF5818DCFBA487, 0x3FEFA4AFA2A490DA,
        0x3B90000000000000, 0x3C97A62E4ADC610B, 0xBC7F9041B9D78A76, 0x3C96B07EB6C70573,
        0x3C82F46AD23182E4, 0x3C85DA0911F09EBC, 0x3C774397AFEC42E2, 0x3C8F324C054647AD,
        0xBC93DD3413B26456, 0xBC7B1577EE04992F, 0x3C8CE9F156864B27, 0x3C717C46B071F2BE,
        0x3C8BA1CD345DCC81, 0x3C741065895048DD, 0x3C74ED02D75B3707, 0xBC8F9C23179C2893,
    ]);

    // 16 / ln 2; −ln 2 / 16 in two parts, the first with so few bits (9 and 32) that its product with any n that occurs is exact; P.
    private static readonly float* SingleConstants = Aligned<float>(
        [23.08312065f, -0.693359375f / 16, 2.12194442e-4f / 16, 0.5000162124633789f, 0.16666719317436218f]);

    private static readonly double* DoubleConstants = Aligned<double>(
    [
        23.083120654223414, -0.6931471803691238 / 16, -1.9082149292705877e-10 / 16,
        0.499999999999996, 0.16666666664399932, 0.04166666669346711, 0.008333472475602637, 0.0013888592807577965,
    ]);

    // j and −j for j = 0..15, as integers.
    private static readonly float* SingleSixteenths = (float*)Aligned<int>(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15]);

    private static readonly double* DoubleSixteenths = (double*)Aligned<long>(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15]);

    /// <summary>Largest |x| up to which the reduction, with ln 2 in two parts, is good to 0.05 ulp of the exponential.</summary>
    public static double Reach<T>() => typeof(T) == typeof(float) ? 500 : 5e4;

    /// <summary>The exponent of the factor that a row with maximum k ln 2 takes is k − this: room for the smallest results to stay normal.</summary>
    public static double Headroom<T>() => typeof(T) == typeof(float) ? 70 : 130;

    /// <summary>2^this, the factor included, is the smallest exponential: 2^-153 and 2^-1078 of the largest, so far below the last subnormal.</summary>
    public static double LowestExponent<T>() => typeof(T) == typeof(float) ? 70 - 153 : 130 - 1078;

    public static double Rounding<T>() => typeof(T) == typeof(float) ? FloatBits.RoundingMagic : DoubleBits.RoundingMagic;

    /// <summary>x / ln 2 rounded to a whole number, for |x| within <see cref="Reach{T}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowersOfTwo<TSimd, TVector, T>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector rounding = TSimd.Create(Element.FromDouble<T>(Rounding<T>()));
        return TSimd.Subtract(TSimd.MultiplyAdd(x, TSimd.Create(Element.FromDouble<T>(1.4426950408889634)), rounding), rounding);
    }

    /// <summary>2^(j/16) rounded for j = 0..15, then what rounding lost.</summary>
    public static T* Powers<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? (T*)Singles : (T*)Doubles;

    /// <summary>j for j = 0..15 in the bits of T, then −j.</summary>
    public static T* Sixteenths<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? (T*)SingleSixteenths : (T*)DoubleSixteenths;

    /// <summary>The smallest magnitude in the second table.</summary>
    public static double SmallestLow<T>() => typeof(T) == typeof(float) ? 9.094947017729282e-13 : 8.470329472543003e-22;

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
