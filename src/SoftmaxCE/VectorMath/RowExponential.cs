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
    public static double LogAboveMaximum(CompensatedSum sum, out double rest)
    {
        double log = RowSum.Log(sum, -FactoredExp.Headroom<T>(), out rest);
        double leading = TwoSum.Subtract<ScalarSimd<double>, double, double>(log, FactoredExp.LogScale<T>(), out double lost);
        rest += lost - FactoredExp.LogScaleLow<T>();
        return leading;
    }

    /// <summary>ln Σ e^x, rounded once to T; temperature 1.</summary>
    public static T LogSumExp(T max, CompensatedSum sum)
    {
        double leading = LogAboveMaximum(sum, out double rest);
        double result = TwoSum.Add<ScalarSimd<double>, double, double>(Element.ToDouble(max), leading, out double lost);
        return Element.FromDouble<T>(double.IsFinite(result) ? result + (lost + rest) : result);
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

    /// <summary>The exponential t (1 + q).</summary>
    TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>;

    Four<TVector> Split<TSimd>(Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T>;
}

/// <summary>The exponential of x itself.</summary>
internal struct DirectExponential<TVector, T> : IRowExponential<TVector, T>
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
    public readonly TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T> => _exp.Split<TSimd>(x, out q);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Four<TVector> Split<TSimd>(Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T> => _exp.Split<TSimd>(x, out q);
}

/// <summary>The exponential of (x − max) / temperature; in lanes whose maximum is within reach, that of x itself as in <see cref="DirectExponential{TVector,T}"/>.</summary>
internal struct ShiftedExponential<TVector, T> : IRowExponential<TVector, T>
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
    public readonly TVector Split<TSimd>(TVector x, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector difference = _shift.Difference<TSimd, T>(x, out TVector low);
        return _exp.Split<TSimd>(difference, low, out q);
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
