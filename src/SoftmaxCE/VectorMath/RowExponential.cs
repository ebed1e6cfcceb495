using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>How the exponentials of one row are taken, chosen by its maximum: see <see cref="ScaledExp{TVector,T}"/>.</summary>
/// <remarks>
/// Long rows go in directly, without the maximum being subtracted: e^x · 2^(headroom − k). Short ones, for which making the tables exact at the
/// maximum does not pay, a maximum out of reach, and a temperature take d = (x − max) / temperature with its rounding error, and k = 0.
/// </remarks>
internal readonly struct RowExponential<T>
    where T : unmanaged
{
    public readonly T Max;
    public readonly T Temperature;
    public readonly bool IsDirect;

    /// <summary>The exponentials carry the factor 2^−this.</summary>
    public readonly double Exponent;

    /// <summary>From this length on the six instructions per vector that subtracting the maximum takes cost more than the tables.</summary>
    private const int DirectLength = 1024;

    public RowExponential(T max, T temperature, nuint count)
    {
        double value = Element.ToDouble(max);
        Max = max;
        Temperature = temperature;
        IsDirect = count >= DirectLength && Math.Abs(value) <= ScaledExp.Reach<T>() && Element.ToDouble(temperature) == 1;
        Exponent = (IsDirect ? Element.ToDouble(ScaledExp.PowersOfTwo<ScalarSimd<T>, T, T>(max)) : 0) - ScaledExp.Headroom<T>();
    }

    /// <summary>The exponential of the maximum itself.</summary>
    public double OfMaximum
    {
        get
        {
            if (!IsDirect) return Math.ScaleB(1, (int)ScaledExp.Headroom<T>());
            return Element.ToDouble(ScaledExp<T, T>.Create<ScalarSimd<T>>(Exponent).Of<ScalarSimd<T>>(Max, out _));
        }
    }

    /// <summary>ln of what a sum of these exponentials stands for, as a leading part and a rest: ln Σ e^x, or ln Σ e^d when not direct.</summary>
    public double Log(CompensatedSum sum, out double rest) => RowSum.Log(sum, Exponent, out rest);

    /// <summary>ln Σ e^x, rounded once to T; temperature 1.</summary>
    public T LogSumExp(CompensatedSum sum)
    {
        double leading = Log(sum, out double rest), max = IsDirect ? 0 : Element.ToDouble(Max);
        double result = TwoSum.Add<ScalarSimd<double>, double, double>(max, leading, out double lost);
        return Element.FromDouble<T>(double.IsFinite(result) ? result + (lost + rest) : result);
    }

    /// <summary>ln Σ e^d with d = (x − max) / temperature, as a leading part and a rest.</summary>
    public double LogAboveMaximum(CompensatedSum sum, out double rest)
    {
        double leading = Log(sum, out rest);
        if (!IsDirect) return leading;
        double difference = TwoSum.Subtract<ScalarSimd<double>, double, double>(leading, Element.ToDouble(Max), out double lost);
        rest += lost;
        return difference;
    }
}

/// <summary><see cref="RowExponential{T}"/> in vectors: one type per way, so that a loop holds the code of one.</summary>
internal interface IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <param name="tables">Memory of 32 values that lives as long as this is used.</param>
    unsafe void Prepare<TSimd>(in RowExponential<T> row, T* tables)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>The exponential and what its rounding lost.</summary>
    TVector Of<TSimd>(TVector x, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>A mask of the x whose exponential is 0 in all but name.</summary>
    TVector IsNothing<TSimd>(TVector x)
        where TSimd : struct, ISimd<TVector, T>;
}

/// <summary>The exponential of x itself, for sums alone: nothing is made exact, so that sums of different rows add up.</summary>
internal struct PlainExponential<TVector, T> : IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private ScaledExp<TVector, T> _exp;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prepare<TSimd>(in RowExponential<T> row, T* tables)
        where TSimd : struct, ISimd<TVector, T> => _exp = ScaledExp<TVector, T>.Create<TSimd>(row.Exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Of<TSimd>(TVector x, out TVector lost)
        where TSimd : struct, ISimd<TVector, T> => _exp.Of<TSimd>(x, out lost);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector IsNothing<TSimd>(TVector x)
        where TSimd : struct, ISimd<TVector, T> => TSimd.LessThan(x, _exp.Lowest);
}

/// <summary>The exponential of x itself, exact at the maximum.</summary>
internal struct DirectExponential<TVector, T> : IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private ScaledExp<TVector, T> _exp;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prepare<TSimd>(in RowExponential<T> row, T* tables)
        where TSimd : struct, ISimd<TVector, T> =>
        _exp = ScaledExp<TVector, T>.Create<TSimd>(row.Exponent).ExactAt<TSimd>(TSimd.Create(row.Max), tables);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Of<TSimd>(TVector x, out TVector lost)
        where TSimd : struct, ISimd<TVector, T> => _exp.Of<TSimd>(x, out lost);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector IsNothing<TSimd>(TVector x)
        where TSimd : struct, ISimd<TVector, T> => TSimd.LessThan(x, _exp.Lowest);
}

/// <summary>The exponential of (x − max) / temperature.</summary>
internal struct ShiftedExponential<TVector, T>(ScaledExp<TVector, T> exp, Shift<TVector> shift) : IRowExponential<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    private ScaledExp<TVector, T> _exp = exp;
    private Shift<TVector> _shift = shift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prepare<TSimd>(in RowExponential<T> row, T* tables)
        where TSimd : struct, ISimd<TVector, T>
    {
        _exp = ScaledExp<TVector, T>.Create<TSimd>(row.Exponent);
        _shift = Shift<TVector>.Create<TSimd, T>(row.Max, row.Temperature);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Of<TSimd>(TVector x, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector difference = _shift.Difference<TSimd, T>(x, out TVector low);
        return _exp.Of<TSimd>(difference, low, out lost);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector IsNothing<TSimd>(TVector x)
        where TSimd : struct, ISimd<TVector, T> => TSimd.LessThan(_shift.Difference<TSimd, T>(x, out _), _exp.Lowest);
}
