using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>1 / (1 + e^−x): softmax of the two logits {x, 0}, with the larger one subtracted.</summary>
internal readonly struct SigmoidFunction<T> : IVectorFunction<T>
    where T : unmanaged
{
    /// <summary>Largest error in ulp of the exact value, over every x.</summary>
    public const double MaxUlpError = 2.0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector smaller = ExpPolynomial.OfNonPositive<TSimd, TVector, T>(TSimd.Subtract(zero, TSimd.Abs(x)));
        return TSimd.Divide(TSimd.Select(TSimd.LessThan(x, zero), smaller, one), TSimd.Add(one, smaller));
    }
}

/// <summary>ln(1 / (1 + e^−x)) = min(x, 0) − ln(1 + e^−|x|).</summary>
internal readonly struct LogSigmoidFunction<T> : IVectorFunction<T>
    where T : unmanaged
{
    /// <summary>Largest error in ulp of the exact value, over every x.</summary>
    public const double MaxUlpError = 4.0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        TVector smaller = ExpPolynomial.OfNonPositive<TSimd, TVector, T>(TSimd.Subtract(zero, TSimd.Abs(x)));
        return TSimd.Subtract(TSimd.Min(x, zero), LogPolynomial.Log1p<TSimd, TVector, T>(smaller));
    }
}
