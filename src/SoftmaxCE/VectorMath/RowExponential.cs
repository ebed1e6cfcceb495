using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>How the exponentials of one row are taken, chosen by its maximum; all carry the factor κ 2^headroom of <see cref="FactoredExp{TVector,T}"/>.</summary>
/// <remarks>
/// Usually the logits go in as they are. A maximum out of reach, and a temperature, take d = (x − max) / temperature with its rounding error.
/// </remarks>
internal readonly struct RowExponential<T>(T max, T temperature)
    where T : unmanaged
{
    public T Max { get; } = max;

    public T Temperature { get; } = temperature;

    public bool IsDirect
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Math.Abs(Element.ToDouble(Max)) <= FactoredExp.Reach<T>() && Element.ToDouble(Temperature) == 1;
    }

    /// <summary>ln Σ e^((x − max) / temperature) from the sum of these exponentials, as a leading part and a rest.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double LogAboveMaximum(CompensatedSum sum, out double rest) =>
        LogAboveMaximum<ScalarSimd<double>, double>(sum.High, sum.Low, out rest);

    /// <summary>ln Σ e^((x − max) / temperature) from the sum of these exponentials, to the digits of T.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double RoundedLogAboveMaximum(CompensatedSum sum) => RoundedLogAboveMaximum<ScalarSimd<double>, double>(sum.High, sum.Low);

    /// <summary>ln Σ e^x, rounded once to T; temperature 1.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static T LogSumExp(T max, CompensatedSum sum) =>
        Element.FromDouble<T>(LogSumExp<ScalarSimd<double>, double>(Element.ToDouble(max), sum.High, sum.Low));

    /// <summary>ln Σ e^x of a row in each lane from its finite maximum and the sum high + low of its exponentials; NaN where that is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogSumExp<TSimd, TVector>(TVector max, TVector high, TVector low)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        if (typeof(T) == typeof(float)) return TSimd.Add(max, RoundedLogAboveMaximum<TSimd, TVector>(high, low));
        TVector leading = LogAboveMaximum<TSimd, TVector>(high, low, out TVector rest);
        TVector result = TwoSum.Add<TSimd, TVector, double>(max, leading, out TVector lost);
        return TSimd.Add(result, TSimd.Add(lost, rest));
    }

    /// <summary>ln Σ e^((x − max) / temperature) ≥ 0, to full relative accuracy.</summary>
    /// <param name="others">The sum of the exponentials of the entries below the maximum.</param>
    /// <param name="maxima">The number of entries that equal the maximum; NaN where the maximum is infinite.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogAboveMaximum<TSimd, TVector>(TVector others, TVector maxima)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        if (typeof(T) != typeof(float))
        {
            TVector rest = TSimd.Add(TSimd.Divide(others, TSimd.Create(FactoredExp.OfMaximum<T>())), TSimd.Subtract(maxima, TSimd.Create(1)));
            return LogPolynomial.Log1p<TSimd, TVector, double>(rest);
        }

        // What rounding takes from the sum is all that a confident row has, and then the sum is 1; else it is below the digits that a float can show.
        TVector r = TSimd.Multiply(others, TSimd.Create(1 / FactoredExp.OfMaximum<T>())), sum = TSimd.Add(maxima, r);
        return LogPolynomial.LogForFloats<TSimd, TVector>(sum, TSimd.Subtract(r, TSimd.Subtract(sum, maxima)), 0);
    }

    /// <summary>ln Σ e^((x − max) / temperature) of a row in each lane from the sum high + low of its exponentials, to the digits of T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector RoundedLogAboveMaximum<TSimd, TVector>(TVector high, TVector low)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        if (typeof(T) != typeof(float)) return TSimd.Add(LogAboveMaximum<TSimd, TVector>(high, low, out TVector rest), rest);
        TVector log = LogPolynomial.LogForFloats<TSimd, TVector>(TSimd.Add(high, low), TSimd.Create(0), -FactoredExp.Headroom<T>());
        return TSimd.Subtract(log, TSimd.Create(FactoredExp.LogScale<T>()));
    }

    /// <summary>ln Σ e^((x − max) / temperature) of a row in each lane from the sum high + low of its exponentials.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogAboveMaximum<TSimd, TVector>(TVector high, TVector low, out TVector rest)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        // What rounding takes from high + low is below the digits that a float can show.
        TVector sum = TSimd.Add(high, low), lost = TSimd.Create(0);
        if (typeof(T) != typeof(float)) lost = TSimd.Divide(TSimd.Subtract(low, TSimd.Subtract(sum, high)), sum);
        TVector log = LogPolynomial.LogOfSum<TSimd, TVector>(sum, lost, -FactoredExp.Headroom<T>(), out rest);
        TVector leading = TwoSum.Subtract<TSimd, TVector, double>(log, TSimd.Create(FactoredExp.LogScale<T>()), out TVector lostOfScale);
        rest = TSimd.Add(rest, TSimd.Subtract(lostOfScale, TSimd.Create(FactoredExp.LogScaleLow<T>())));
        return leading;
    }
}

/// <summary><see cref="RowExponential{T}"/> in vectors: one type per way, so that a loop holds the code of one.</summary>
internal interface IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    void Prepare<TSimd>(in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>For a row in each lane, with its maximum.</summary>
    void Prepare<TSimd>(TVector max, T temperature)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>Once before many rows.</summary>
    void SetConstants<TSimd>()
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>For one of many rows, after <see cref="SetConstants"/>.</summary>
    void Prepare<TSimd>(in ShortRowPass.Rows<T> rows, nuint row)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>The exponential t (1 + q).</summary>
    TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>Those of two vectors.</summary>
    TVector SplitTwo<TSimd>(TVector x0, TVector x1, out TVector q0, out TVector t1, out TVector q1)
        where TSimd : struct, ISimd<TVector, T>;

    Four<TVector> Split<TSimd>(Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T>;
}

/// <summary>The exponential of x itself.</summary>
internal unsafe struct DirectExponential<TVector, T> : IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private FactoredExp<TVector, T> _exp;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prepare<TSimd>(in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T> => _exp.SetMaximum<TSimd>(TSimd.Create(row.Max));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prepare<TSimd>(TVector max, T temperature)
        where TSimd : struct, ISimd<TVector, T> => _exp.SetMaximum<TSimd>(max);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prepare<TSimd>(in ShortRowPass.Rows<T> rows, nuint row)
        where TSimd : struct, ISimd<TVector, T>
    {
        if (rows.Prepared == null) _exp.SetMaximum<TSimd>(TSimd.Create(rows.Maxima[row]));
        else _exp.SetMaximum<TSimd>(rows.Prepared, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetConstants<TSimd>()
        where TSimd : struct, ISimd<TVector, T> => _exp.SetConstants<TSimd>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T> => _exp.Split<TSimd>(x, out q);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector SplitTwo<TSimd>(TVector x0, TVector x1, out TVector q0, out TVector t1, out TVector q1)
        where TSimd : struct, ISimd<TVector, T> => _exp.SplitTwo<TSimd>(x0, x1, out q0, out t1, out q1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Four<TVector> Split<TSimd>(Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T> => _exp.Split<TSimd>(x, out q);
}

/// <summary>The exponential of (x − max) / temperature; in lanes whose maximum is within reach, that of x itself as in <see cref="DirectExponential{TVector,T}"/>.</summary>
internal unsafe struct ShiftedExponential<TVector, T> : IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private FactoredExp<TVector, T> _exp;
    private Shift<TVector> _shift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prepare<TSimd>(in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
    {
        _exp.SetMaximum<TSimd>(TSimd.Create(default));
        _shift = Shift<TVector>.Create<TSimd, T>(row.Max, row.Temperature);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prepare<TSimd>(TVector max, T temperature)
        where TSimd : struct, ISimd<TVector, T>
    {
        bool hasTemperature = Element.ToDouble(temperature) != 1;
        TVector zero = TSimd.Create(default), reach = TSimd.Create(Element.FromDouble<T>(hasTemperature ? -1 : FactoredExp.Reach<T>()));
        TVector isFar = TSimd.LessThan(reach, TSimd.Abs(max));
        _exp.SetMaximum<TSimd>(TSimd.Select(isFar, zero, max));
        _shift = new(TSimd.Select(isFar, max, zero), TSimd.Create(temperature), hasTemperature);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetConstants<TSimd>()
        where TSimd : struct, ISimd<TVector, T> => _exp.SetConstants<TSimd>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prepare<TSimd>(in ShortRowPass.Rows<T> rows, nuint row)
        where TSimd : struct, ISimd<TVector, T> => Prepare<TSimd>(TSimd.Create(rows.Maxima[row]), rows.Temperature);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector difference = _shift.Difference<TSimd, T>(x, out TVector low);
        return _exp.Split<TSimd>(difference, low, out q);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector SplitTwo<TSimd>(TVector x0, TVector x1, out TVector q0, out TVector t1, out TVector q1)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector t0 = Split<TSimd>(x0, out q0);
        t1 = Split<TSimd>(x1, out q1);
        return t0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Four<TVector> Split<TSimd>(Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T>
    {
        Four<TVector> t = new(Split<TSimd>(x.A, out TVector a), Split<TSimd>(x.B, out TVector b), Split<TSimd>(x.C, out TVector c), Split<TSimd>(x.D, out TVector d));
        q = new(a, b, c, d);
        return t;
    }
}
