using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What one probability, or a pair of them, adds to an entropy or a divergence.</summary>
/// <remarks>
/// All logarithms are of a ratio y / x, which stands for itself where x is a power of two. With y′ = y 2^−k next to x, d = y′ − x, which is exact
/// (at least up to half and twice x), s = d / (y′ + x) and z = s² ≤ 0.04, ln(y/x) = k ln 2 + s (2 + z R(z)). R is from our own Remez run (45 digits),
/// weighted by what s makes of it: error 2.4e-8 of x ln(x/y) − x + y for float with degree 2, 1.3e-18 for double with degree 7.
/// </remarks>
internal static class DivergenceTerms
{
    // k is counted as MoveBeside does. The float nearest to ln 2 is off by 1.4e-9, which k times is below the rounding of ln(y/x); of a double the high
    // part leaves 11 bits free, so that k · high is exact.
    private const float Ln2Float = 8.26295832e-8f;                      // 0.693147182 2^-23
    private const double Ln2HighDouble = 0.6931471803691238;
    private const double Ln2LowDouble = 1.9082149292705877e-10;

    /// <summary>ln(y / x): within 2 ulp where y is not next to x; 2 ulp of ln(y / x) also where it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log<TSimd, TVector, T>(TVector y, TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector s = Tangent<TSimd, TVector, T>(y, x, out _, out _, out TVector k), z = TSimd.Multiply(s, s);
        TVector beside = TSimd.Multiply(s, TSimd.MultiplyAdd(z, R<TSimd, TVector, T>(z), Constant<TSimd, TVector, T>(2, 2)));
        if (typeof(T) != typeof(float)) beside = TSimd.MultiplyAdd(k, Constant<TSimd, TVector, T>(0, Ln2LowDouble), beside);
        return TSimd.MultiplyAdd(k, Constant<TSimd, TVector, T>(Ln2Float, Ln2HighDouble), beside);
    }

    /// <summary>x ln(x/y) − x + y ≥ 0.</summary>
    /// <remarks>
    /// It is (y − y′ − x k ln 2) + s (d − x z R(z)). At k = 0 the first part is 0, and both parts of the second have one sign.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Relative<TSimd, TVector, T>(TVector x, TVector y)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector s = Tangent<TSimd, TVector, T>(y, x, out TVector moved, out TVector d, out TVector k), z = TSimd.Multiply(s, s);
        TVector beside = TSimd.Multiply(s, TSimd.NegatedMultiplyAdd(TSimd.Multiply(x, z), R<TSimd, TVector, T>(z), d));
        TVector high = TSimd.Multiply(k, Constant<TSimd, TVector, T>(-Ln2Float, -Ln2HighDouble));
        if (typeof(T) != typeof(float)) beside = TSimd.MultiplyAdd(x, TSimd.Multiply(k, Constant<TSimd, TVector, T>(0, -Ln2LowDouble)), beside);
        return TSimd.Add(TSimd.MultiplyAdd(x, high, TSimd.Subtract(y, moved)), beside);
    }

    /// <summary>x ln(x/m) + y ln(y/m) ≥ 0 with m = (x + y) / 2.</summary>
    /// <remarks>
    /// With t = |x − y| / (x + y) it is (x + y) g(t), g of <see cref="DivergencePolynomial"/>. Beyond t = 0.6 g is ½ (1 + t) ln(1 + t) + v/2 ln v, with
    /// v = 1 − t = 2 min(x, y) / (x + y).
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Mean<TSimd, TVector, T>(TVector x, TVector y)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector sum = TSimd.Add(x, y), d = TSimd.Abs(TSimd.Subtract(x, y)), t = TSimd.Divide(d, sum), smaller = TSimd.Min(x, y);
        TVector near = TSimd.Multiply(TSimd.Multiply(d, t), DivergencePolynomial.OfSquare<TSimd, TVector, T>(TSimd.Multiply(t, t)));
        TVector log = Log<TSimd, TVector, T>(TSimd.Add(smaller, smaller), sum);
        TVector far = TSimd.MultiplyAdd(smaller, log, TSimd.Multiply(sum, DivergencePolynomial.OfLargeTangent<TSimd, TVector, T>(t)));
        return TSimd.Select(TSimd.LessThan(t, Constant<TSimd, TVector, T>(0.6f, 0.6)), near, far);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Tangent<TSimd, TVector, T>(TVector y, TVector x, out TVector moved, out TVector d, out TVector k)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        moved = TSimd.MoveBeside(y, x, out k);
        d = TSimd.Subtract(moved, x);
        return TSimd.Divide(d, TSimd.Add(moved, x));
    }

    /// <summary>R of the remarks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector R<TSimd, TVector, T>(TVector z)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector r = Constant<TSimd, TVector, T>(0.302013427f, 0.13735900935729603);
        if (typeof(T) != typeof(float))
        {
            r = TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0, 0.1319064170180404));
            r = TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0, 0.15390013842325048));
            r = TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0, 0.1818170255046051));
            r = TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0, 0.22222223623175097));
            r = TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0, 0.2857142856244131));
        }

        r = TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0.399667919f, 0.40000000000025865));
        return TSimd.MultiplyAdd(z, r, Constant<TSimd, TVector, T>(0.666668355f, 0.6666666666666664));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Constant<TSimd, TVector, T>(float single, double @double)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => ExpPolynomial.Constant<TSimd, TVector, T>(single, @double);
}
