using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Which sum over one or two distributions is taken.</summary>
internal enum DivergenceKind
{
    Entropy,
    CrossEntropy,
    KullbackLeibler,
    JensenShannon,
}

/// <summary>
/// Sums of p ln p and its relatives over a block of probabilities in double. Blocks of floats that <see cref="SingleDivergenceKernel"/> finds unusual,
/// and other types, are widened to double first.
/// </summary>
/// <remarks>
/// Kullback-Leibler as Σ p ln(p/q) is a sum of large terms of both signs; where q is next to p nothing but rounding is left of it. Here every
/// term with p/q in [√½, √2) enters as p (u − ln(1 + u)) with u = q/p − 1, which is never negative and keeps its relative accuracy down to
/// u = 0; the part that this leaves out, Σ (p − q) over those entries, is exact per entry and summed apart, with a compensated sum.
///
/// Jensen-Shannon is Σ of p and q against their mean m; with t = (p − q)/(p + q) a pair contributes m g(t), g(t) = ½ [(1 + t) ln(1 + t) +
/// (1 − t) ln(1 − t)] = t²/2 + t⁴/12 + …, never negative. |t| ≤ ½ uses that series (own coefficients), the rest the logarithms.
/// </remarks>
internal unsafe struct DivergenceKernel(double* p, double* q, int count, DivergenceKind kind) : IVectorKernel<double>, ILaneKernel<double>
{
    private LaneSum<double> _terms, _differences;

    /// <summary>Σ of the terms named in the remarks.</summary>
    public CompensatedSum Terms;

    /// <summary>Σ (p − q) over the entries whose term leaves it out.</summary>
    public CompensatedSum Differences;

    /// <summary>Some entry is below 0.</summary>
    public bool FoundNegative;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TSimd.RunLanes(ref this, 0);
        Terms = _terms.Total;
        Differences = _differences.Total;
    }

    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        if (kind == DivergenceKind.Entropy) Sums<TSimd, TVector, EntropyTerm>(firstLane);
        else if (kind == DivergenceKind.CrossEntropy) Sums<TSimd, TVector, CrossEntropyTerm>(firstLane);
        else if (kind == DivergenceKind.KullbackLeibler) Sums<TSimd, TVector, RelativeTerm>(firstLane);
        else Sums<TSimd, TVector, MeanTerm>(firstLane);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Sums<TSimd, TVector, TTerm>(int firstLane)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
        where TTerm : struct
    {
        TVector zero = TSimd.Create(0), terms = zero, termsLow = zero, differences = zero, differencesLow = zero, lowest = zero;
        int stride = WholeVector.Lanes<double>();
        for (int i = 0; i < count; i += stride)
        {
            // A pair (0, 0) adds nothing to any of the sums.
            int here = LaneSum<double>.Here<TSimd, TVector>(count - i, firstLane), start = i + firstLane;
            TVector x, y = zero;
            if (here == TSimd.Lanes)
            {
                x = TSimd.Load(ref *p, (nuint)start);
                if (typeof(TTerm) != typeof(EntropyTerm)) y = TSimd.Load(ref *q, (nuint)start);
            }
            else
            {
                x = TSimd.LoadPartial(p + start, here, zero);
                if (typeof(TTerm) != typeof(EntropyTerm)) y = TSimd.LoadPartial(q + start, here, zero);
            }

            lowest = TSimd.Min(TSimd.Min(x, y), lowest);
            if (typeof(TTerm) == typeof(EntropyTerm)) TSimd.AddWide(ref terms, ref termsLow, MinusXLogY<TSimd, TVector>(x, x));
            if (typeof(TTerm) == typeof(CrossEntropyTerm)) TSimd.AddWide(ref terms, ref termsLow, MinusXLogY<TSimd, TVector>(x, y));
            if (typeof(TTerm) == typeof(MeanTerm))
            {
                TVector t = TSimd.Divide(TSimd.Subtract(x, y), TSimd.Add(x, y));
                TSimd.AddWide(ref terms, ref termsLow, JensenShannonTerm<TSimd, TVector>(x, y, t));
            }

            if (typeof(TTerm) == typeof(RelativeTerm))
            {
                TSimd.AddWide(ref terms, ref termsLow, KullbackLeiblerTerm<TSimd, TVector>(x, y, out TVector difference));
                TSimd.AddWide(ref differences, ref differencesLow, difference);
            }
        }

        _terms.Set<TSimd, TVector>(firstLane, terms, termsLow);
        _differences.Set<TSimd, TVector>(firstLane, differences, differencesLow);
        FoundNegative |= TSimd.AnyGreater(zero, lowest);
    }

    /// <summary>−x ln y, and 0 where x is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector MinusXLogY<TSimd, TVector>(TVector x, TVector y)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0);
        TVector term = TSimd.Multiply(TSimd.Subtract(zero, x), LogPolynomial.Log<TSimd, TVector, double>(y));
        return TSimd.Select(TSimd.Equal(x, zero), zero, term);
    }

    /// <summary>p ln(p/q), less p − q where that is handed out apart; 0 where p is 0, +∞ where only q is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector KullbackLeiblerTerm<TSimd, TVector>(TVector x, TVector y, out TVector difference)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), one = TSimd.Create(1);
        TVector fractionX = LogPolynomial.NormalFraction<TSimd, TVector, double>(x, out TVector exponentX);
        TVector fractionY = LogPolynomial.NormalFraction<TSimd, TVector, double>(y, out TVector exponentY);
        TVector ratio = TSimd.Divide(fractionY, fractionX);                                  // of the fractions: in (½, 2), cannot overflow
        TVector fraction = TSimd.SplitPowerOfTwo(ratio, out TVector k);
        TVector exponent = TSimd.Add(k, TSimd.Subtract(exponentY, exponentX));               // q/p = fraction · 2^exponent

        // At exponent 0 fraction − 1 is (y − x)/x, whose numerator is exact.
        TVector near = TSimd.Equal(exponent, zero);
        TVector exact = TSimd.Subtract(y, x);
        TVector u = TSimd.Select(near, TSimd.Divide(exact, x), TSimd.Subtract(fraction, one));
        TVector uMinusLog = LogPolynomial.FMinusLog1p<TSimd, TVector, double>(u);
        TVector logOfRatio = LogPolynomial.Combine<TSimd, TVector, double>(exponent, u, uMinusLog, zero);
        TVector far = TSimd.Subtract(zero, TSimd.Multiply(x, logOfRatio));
        TVector term = TSimd.Select(near, TSimd.Multiply(x, uMinusLog), far);
        difference = TSimd.Select(near, TSimd.Subtract(zero, exact), zero);

        term = TSimd.Select(TSimd.Equal(y, zero), TSimd.Create(double.PositiveInfinity), term);
        difference = TSimd.Select(TSimd.Equal(x, zero), zero, TSimd.Select(TSimd.Equal(y, zero), zero, difference));
        term = TSimd.Select(TSimd.Equal(x, zero), zero, term);
        TVector sum = TSimd.Add(x, y);                                                       // a NaN in either is a NaN here
        return TSimd.Select(TSimd.Equal(sum, sum), term, sum);
    }

    /// <summary>½ [p ln(p/m) + q ln(q/m)] with m = (p + q)/2, given t = (p − q)/(p + q); 0 where both are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector JensenShannonTerm<TSimd, TVector>(TVector x, TVector y, TVector t)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), half = TSimd.Create(0.5);
        TVector sum = TSimd.Add(x, y);
        TVector t2 = TSimd.Multiply(t, t);
        TVector series = TSimd.Multiply(t2, JensenShannonSeries<TSimd, TVector>(t2));

        TVector up = TSimd.Divide(TSimd.Add(x, x), sum), down = TSimd.Divide(TSimd.Add(y, y), sum);      // 1 + t and 1 − t, not rounded twice
        TVector logarithms = TSimd.Subtract(
            TSimd.Multiply(half, TSimd.Subtract(zero, MinusXLogY<TSimd, TVector>(up, up))),
            TSimd.Multiply(half, MinusXLogY<TSimd, TVector>(down, down)));
        TVector close = TSimd.LessThan(TSimd.Abs(t), half);
        TVector term = TSimd.Multiply(TSimd.Multiply(half, sum), TSimd.Select(close, series, logarithms));
        return TSimd.Select(TSimd.Equal(sum, zero), zero, term);
    }

    /// <summary>g(t) / t² for |t| ≤ ½, as a polynomial in t² from our own Remez run (50 digits): relative error 6e-18.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector JensenShannonSeries<TSimd, TVector>(TVector t2)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector g = TSimd.Create(0.007234722526614533);
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(-0.0034448331091776166));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.004657775415141308));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.001904377996488368));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.0034077491027504564));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.004148479866279669));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.005496110737299593));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.0075756632042691735));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.011111114657441775));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.017857142778066507));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.03333333333424757));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.08333333333332918));
        g = TSimd.MultiplyAdd(g, t2, TSimd.Create(0.5));
        return g;
    }

    private readonly struct EntropyTerm;

    private readonly struct CrossEntropyTerm;

    private readonly struct RelativeTerm;

    private readonly struct MeanTerm;
}
