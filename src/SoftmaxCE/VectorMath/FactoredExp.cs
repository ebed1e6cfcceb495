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
/// Where there are 16 registers, those that occur once per vector stay in memory: an instruction takes one operand from there for nothing, while
/// the compiler, given more values than registers, would keep results of the loop in memory instead.
/// </remarks>
internal unsafe struct FactoredExp<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private TVector _rounding, _lowest, _stepsPerUnit, _minusStepHigh, _minusStepLow, _minusOffset, _c2, _c3, _c4, _c5, _c6, _c7, _c8;
    private T* _constants, _powers;

    /// <summary>e^(x − max) for a maximum of its own in each lane, no larger in magnitude than <see cref="FactoredExp.Reach{T}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMaximum<TSimd>(TVector max)
        where TSimd : struct, ISimd<TVector, T>
    {
        SetConstants<TSimd>();
        TVector rounding = TSimd.Create(Element.FromDouble<T>(FactoredExp.Rounding<T>()));
        TVector k = TSimd.Subtract(TSimd.MultiplyAdd(max, _stepsPerUnit, rounding), rounding);
        TVector offset = TSimd.Add(TSimd.MultiplyAdd(k, _minusStepHigh, max), TSimd.Multiply(k, _minusStepLow));
        _minusOffset = TSimd.Subtract(TSimd.Create(default), offset);
        _rounding = TSimd.Subtract(TSimd.Create(Element.FromDouble<T>(FactoredExp.Rounding<T>() + (8 * FactoredExp.Headroom<T>()))), k);      // whole numbers
        TVector depth = TSimd.Create(Element.FromDouble<T>(8 * FactoredExp.Depth<T>()));
        _lowest = TSimd.Multiply(TSimd.Subtract(k, depth), TSimd.Create(Element.FromDouble<T>(FactoredExp.Step)));
    }

    /// <summary>Writes what <see cref="SetMaximum{TSimd}(TVector)"/> has found for the maximum of each lane, in three vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreMaxima<TSimd>(T* maxima)
        where TSimd : struct, ISimd<TVector, T>
    {
        TSimd.Store(ref *maxima, 0, _rounding);
        TSimd.Store(ref *maxima, (nuint)WholeVector.Lanes<T>(), _lowest);
        TSimd.Store(ref *maxima, (nuint)(2 * WholeVector.Lanes<T>()), _minusOffset);
    }

    /// <summary>The maximum of one lane of those, for all lanes; after <see cref="SetConstants"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMaximum<TSimd>(T* maxima, nuint lane)
        where TSimd : struct, ISimd<TVector, T>
    {
        _rounding = TSimd.Create(maxima[lane]);
        _lowest = TSimd.Create(maxima[lane + (nuint)WholeVector.Lanes<T>()]);
        _minusOffset = TSimd.Create(maxima[lane + (nuint)(2 * WholeVector.Lanes<T>())]);
    }

    /// <summary>t and q for x ≤ max. Whatever is <see cref="FactoredExp.Depth{T}"/> powers of two below the maximum, −∞ included, gets the value there. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
    {
        x = TSimd.Max(_lowest, x);                  // in this order a NaN in x passes
        TVector steps = TSimd.MultiplyAdd(x, _stepsPerUnit, _rounding), n = TSimd.Subtract(steps, _rounding);
        q = PowerLess1<TSimd>(TSimd.Add(TSimd.MultiplyAdd(n, _minusStepHigh, x), TSimd.MultiplyAdd(n, Operand<TSimd>(_minusStepLow, 2, 0), _minusOffset)), 0);
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
        TVector rest = TSimd.MultiplyAdd(n, Operand<TSimd>(_minusStepLow, 2, 0), TSimd.Add(low, _minusOffset));
        q = PowerLess1<TSimd>(TSimd.Add(TSimd.MultiplyAdd(n, _minusStepHigh, x), rest), 0);
        return TSimd.AddEighths(TSimd.Lookup(_powers, steps), steps);
    }

    /// <summary>Two vectors in lockstep: t and q of <paramref name="x0"/> and <paramref name="x1"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector SplitTwo<TSimd>(TVector x0, TVector x1, out TVector q0, out TVector t1, out TVector q1)
        where TSimd : struct, ISimd<TVector, T>
    {
        x0 = TSimd.Max(_lowest, x0);
        x1 = TSimd.Max(_lowest, x1);
        TVector steps0 = TSimd.MultiplyAdd(x0, Operand<TSimd>(_stepsPerUnit, 0, 0), _rounding), steps1 = TSimd.MultiplyAdd(x1, Operand<TSimd>(_stepsPerUnit, 0, 1), _rounding);
        TVector n0 = TSimd.Subtract(steps0, _rounding), n1 = TSimd.Subtract(steps1, _rounding);
        TVector a0 = TSimd.MultiplyAdd(n0, Operand<TSimd>(_minusStepHigh, 1, 0), x0), a1 = TSimd.MultiplyAdd(n1, Operand<TSimd>(_minusStepHigh, 1, 1), x1);
        TVector r0 = TSimd.Add(a0, TSimd.MultiplyAdd(n0, Operand<TSimd>(_minusStepLow, 2, 0), _minusOffset));
        TVector r1 = TSimd.Add(a1, TSimd.MultiplyAdd(n1, Operand<TSimd>(_minusStepLow, 2, 1), _minusOffset));
        TVector t0 = TSimd.AddEighths(TSimd.Lookup(_powers, steps0), steps0);
        t1 = TSimd.AddEighths(TSimd.Lookup(_powers, steps1), steps1);
        q0 = PowerLess1<TSimd>(r0, 0);
        q1 = PowerLess1<TSimd>(r1, 1);
        return t0;
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

    /// <summary>What does not depend on a maximum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetConstants<TSimd>()
        where TSimd : struct, ISimd<TVector, T>
    {
        _powers = FactoredExp.Powers<T>();
        _constants = FactoredExp.Constants<T>();
        _stepsPerUnit = Constant<TSimd>(0);
        _minusStepHigh = Constant<TSimd>(1);
        _minusStepLow = Constant<TSimd>(2);
        _c2 = Constant<TSimd>(3);
        _c3 = Constant<TSimd>(4);
        _c4 = Constant<TSimd>(5);
        if (typeof(T) != typeof(float))
        {
            _c5 = Constant<TSimd>(6);
            _c6 = Constant<TSimd>(7);
            _c7 = Constant<TSimd>(8);
            _c8 = Constant<TSimd>(9);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector PowerLess1<TSimd>(TVector r, int copy)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector r2 = TSimd.Multiply(r, r), c23 = TSimd.MultiplyAdd(r, Operand<TSimd>(_c3, 4, copy), Operand<TSimd>(_c2, 3, copy));
        if (typeof(T) == typeof(float)) return TSimd.MultiplyAdd(r2, TSimd.MultiplyAdd(r2, Operand<TSimd>(_c4, 5, copy), c23), r);
        TVector r4 = TSimd.Multiply(r2, r2), c45 = TSimd.MultiplyAdd(r, Operand<TSimd>(_c5, 6, copy), Operand<TSimd>(_c4, 5, copy));
        TVector c67 = TSimd.MultiplyAdd(r, Operand<TSimd>(_c7, 8, copy), Operand<TSimd>(_c6, 7, copy));
        TVector high = TSimd.MultiplyAdd(r2, Operand<TSimd>(_c8, 9, copy), c67);
        return TSimd.MultiplyAdd(r2, TSimd.MultiplyAdd(r4, high, TSimd.MultiplyAdd(r2, c45, c23)), r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector Constant<TSimd>(int index)
        where TSimd : struct, ISimd<TVector, T> => TSimd.Load(ref *_constants, (nuint)(index * WholeVector.Lanes<T>()));

    /// <summary>A constant as an operand: from its register, or from a copy of the constants in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector Operand<TSimd>(TVector register, int index, int copy)
        where TSimd : struct, ISimd<TVector, T> => TSimd.HasManyRegisters ? register : Constant<TSimd>(index + (copy * FactoredExp.ConstantCount<T>()));
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
    // Each fills a whole vector, and all are there twice: two vectors in lockstep that read the same constant would make the compiler keep it
    // in a register it does not have, and save others for it.
    private static readonly float* SingleConstants = Vectors<float>(
        [11.54156f, -355f / 4096, 2.6524305e-5f, 0.5000001788139343f, 0.16672135889530182f, 0.041641611605882645f]);

    private static readonly double* DoubleConstants = Vectors<double>(
    [
        11.541560327111707, -0.08664339757524431, 5.251143840851356e-12, 0.5000000000000007, 0.1666666666669637, 0.0416666666660998,
        0.008333333128117558, 0.0013888890117157728, 0.00019845535556949783, 2.4795659891749085e-05,
    ]);

    private static readonly double SingleOfMaximum = Math.ScaleB(*Singles, (int)Headroom<float>());
    private static readonly double DoubleOfMaximum = Math.ScaleB(*Doubles, (int)Headroom<double>());

    /// <summary>
    /// Makes the tables, before the methods that read them are compiled: then these hold the addresses, and no tests whether there are tables. Costs nothing later.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Initialize() => _ = Singles;

    /// <summary>Largest |max| up to which the reduction, with the step in two parts, is good to 0.1 units of the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Reach<T>() => typeof(T) == typeof(float) ? 256 : 5e4;

    /// <summary>The largest exponential of a row is κ 2^this: room for the smallest that matter to stay normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Headroom<T>() => typeof(T) == typeof(float) ? 70 : 130;

    /// <summary>2^headroom, and its inverse: exact in T.</summary>
    public static double Raise<T>()
        where T : unmanaged => Math.ScaleB(1, (int)Headroom<T>());

    /// <inheritdoc cref="Raise"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Lower<TSimd, TVector, T>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => ExpPolynomial.Constant<TSimd, TVector, T>(8.470329472543003e-22f, 7.346839692639297e-40);         // 2^-70, 2^-130

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
        where T : unmanaged => typeof(T) == typeof(float) ? SingleOfMaximum : DoubleOfMaximum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* Constants<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? (T*)SingleConstants : (T*)DoubleConstants;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ConstantCount<T>() => typeof(T) == typeof(float) ? 6 : 10;

    private static TValue* Vectors<TValue>(ReadOnlySpan<TValue> values)
        where TValue : unmanaged
    {
        int lanes = WholeVector.Lanes<TValue>();
        TValue[] vectors = new TValue[2 * lanes * values.Length];
        for (int i = 0; i < 2 * values.Length; i++) Array.Fill(vectors, values[i % values.Length], lanes * i, lanes);
        return Aligned<TValue>(vectors);
    }

    private static TValue* Aligned<TValue>(ReadOnlySpan<TValue> values)
        where TValue : unmanaged
    {
        TValue* memory = (TValue*)NativeMemory.AlignedAlloc((nuint)(values.Length * sizeof(TValue)), 64);
        values.CopyTo(new Span<TValue>(memory, values.Length));
        return memory;
    }
}
