using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What is done to a logit before its exponential: (x − max) / temperature.</summary>
/// <param name="Max">The row's maximum, in every lane.</param>
/// <param name="Temperature">The temperature, in every lane; read only when <paramref name="HasTemperature"/>.</param>
/// <param name="HasTemperature">False for temperature 1, the usual case, which then costs nothing.</param>
internal readonly record struct Shift<TVector>(TVector Max, TVector Temperature, bool HasTemperature)
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Shift<TVector> Create<TSimd, T>(T max, T temperature)
        where TSimd : struct, ISimd<TVector, T>
        where T : unmanaged => new(TSimd.Create(max), TSimd.Create(temperature), Element.ToDouble(temperature) != 1);

    /// <summary>The shifted logit and its rounding error, together exact to about twice the precision of T.
    /// Without the error e^(x − max) is off by |x − max| / 2 ulp: 40 ulp for a float logit 80 below the maximum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Difference<TSimd, T>(TVector x, out TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where T : unmanaged
    {
        TVector difference = TwoSum.Subtract<TSimd, TVector, T>(x, Max, out low);
        if (!HasTemperature) return difference;
        TVector quotient = TSimd.Divide(difference, Temperature);
        TVector remainder = TSimd.NegatedMultiplyAdd(quotient, Temperature, difference);        // exact
        low = TSimd.Divide(TSimd.Add(remainder, low), Temperature);
        return quotient;
    }

    /// <summary>e^((x − max) / temperature).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Exp<TSimd, T>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where T : unmanaged
    {
        TVector difference = Difference<TSimd, T>(x, out TVector low);
        return ExpPolynomial.OfNonPositive<TSimd, TVector, T>(difference, low);
    }
}
