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

/// <summary>Sums of p ln p and its relatives over a block of probabilities, of floats in float and of doubles in double.</summary>
/// <remarks>
/// The terms of a divergence are never negative (see <see cref="DivergenceTerms"/>): D(p || q) = Σ [p ln(p/q) − p + q] − Σ (q − p), and Σ (q − p), which is
/// next to 0 for distributions, is summed apart.
///
/// Floats are rounded a few times per term, and two terms are added before they are added in double: within 5 ulp of the sum as long as the terms have
/// one sign. Doubles go to compensated sums.
///
/// Where a probability is divided by, or its logarithm taken, it is multiplied by a power of two first, the scale, so that subnormal numbers are like
/// others, and 0 is replaced by a fraction of the smallest number, which is as good (a NaN stays). Two vectors are taken in lockstep: each term is a chain of operations that
/// wait for each other, longer than a processor looks ahead.
/// </remarks>
internal unsafe struct DivergenceKernel<T>(T* p, T* q, int count, DivergenceKind kind, T scale) : IVectorKernel<T>, ILaneKernel<T>
    where T : unmanaged
{
    private LaneSum<T> _terms, _differences;
    private double _highest;

    /// <summary>Σ of the terms: −H, −H(p, q), scale times the non-negative part of D(p || q), twice the scale times JS.</summary>
    public CompensatedSum Terms;

    /// <summary>Σ (q − p), not scaled, for Kullback-Leibler; for the cross-entropy 0, or NaN where some q is, or is infinite.</summary>
    public CompensatedSum Differences;

    /// <summary>Some entry is below 0.</summary>
    public bool FoundNegative;

    /// <summary>Some p &gt; 0 meets q = 0, where that makes the sum infinite; then <see cref="Terms"/> is not.</summary>
    public bool FoundMissing;

    /// <summary>The largest entry of which the logarithm is taken, at least 0; 0 for divergences.</summary>
    public readonly double Highest => _highest;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TSimd.RunLanes(ref this, 0);
        Terms = _terms.Total;
        Differences = _differences.Total;
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (kind == DivergenceKind.Entropy) Run<TSimd, TVector, EntropyTerm>(firstLane);
        else if (kind == DivergenceKind.CrossEntropy) Run<TSimd, TVector, CrossEntropyTerm>(firstLane);
        else if (kind == DivergenceKind.KullbackLeibler) Run<TSimd, TVector, RelativeTerm>(firstLane);
        else Run<TSimd, TVector, MeanTerm>(firstLane);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void Run<TSimd, TVector, TTerm>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TTerm : struct
    {
        T* x = p + firstLane, y = (typeof(TTerm) == typeof(EntropyTerm) ? p : q) + firstLane;
        Watch<TSimd, TVector, TTerm>(x, y, firstLane);
        Sums<TSimd, TVector, TTerm>(x, y, firstLane);
    }

    /// <summary>Notes what makes the sum of the terms meaningless, and adds up differences.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private void Watch<TSimd, TVector, TTerm>(T* x, T* y, int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TTerm : struct
    {
        int stride = WholeVector.Lanes<T>();
        TVector zero = TSimd.Create(default), lowest = zero, highest = zero, missing = zero, sum = zero, differences = zero, differencesRest = zero;
        for (int left = count; left > 0; left -= stride, x += stride, y += stride)
        {
            TVector valueX, valueY;
            if (left >= stride)
            {
                valueX = TSimd.Load(ref *x, 0);
                valueY = TSimd.Load(ref *y, 0);
            }
            else
            {
                int here = LaneSum<T>.Here<TSimd, TVector>(left, firstLane);
                valueX = TSimd.LoadPartial(x, here, zero);
                valueY = TSimd.LoadPartial(y, here, zero);
            }

            lowest = TSimd.Min(valueX, lowest);                        // in this order a NaN is passed over; the sums will be NaN
            if (typeof(TTerm) != typeof(EntropyTerm)) lowest = TSimd.Min(valueY, lowest);
            if (typeof(TTerm) == typeof(EntropyTerm) || typeof(TTerm) == typeof(CrossEntropyTerm)) highest = TSimd.Max(valueY, highest);
            if (typeof(TTerm) == typeof(CrossEntropyTerm) || typeof(TTerm) == typeof(RelativeTerm))
            {
                missing = TSimd.Max(TSimd.Select(TSimd.Equal(valueY, zero), valueX, zero), missing);
            }

            if (typeof(TTerm) == typeof(CrossEntropyTerm)) sum = TSimd.Add(valueY, sum);
            if (typeof(TTerm) == typeof(RelativeTerm)) TSimd.AddWide(ref differences, ref differencesRest, TSimd.Subtract(valueY, valueX));
        }

        // The logarithms of NaN and of infinity are numbers.
        if (typeof(TTerm) == typeof(CrossEntropyTerm))
        {
            TSimd.AddWide(ref differences, ref differencesRest, TSimd.Select(TSimd.Equal(sum, sum), zero, sum));
            TSimd.AddWide(ref differences, ref differencesRest, TSimd.Subtract(highest, highest));
        }

        _differences.Set<TSimd, TVector>(firstLane, differences, differencesRest);
        FoundNegative |= TSimd.AnyGreater(zero, lowest);
        FoundMissing |= TSimd.AnyGreater(missing, zero);
        _highest = Math.Max(_highest, Element.ToDouble(TSimd.MaxOfLanes(highest)));
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Sums<TSimd, TVector, TTerm>(T* x, T* y, int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TTerm : struct
    {
        int stride = WholeVector.Lanes<T>(), left = count;
        TVector zero = TSimd.Create(default), factor = TSimd.Create(scale), terms = zero, termsRest = zero;
        for (; left >= 2 * stride; left -= 2 * stride, x += 2 * stride, y += 2 * stride)
        {
            Pair<TVector> two = OfTwo<TSimd, TVector, TTerm>(x, y, stride, factor);
            if (typeof(T) == typeof(float))
            {
                TSimd.AddWide(ref terms, ref termsRest, TSimd.Add(two.Lower, two.Upper));
            }
            else
            {
                TSimd.AddWide(ref terms, ref termsRest, two.Lower);
                TSimd.AddWide(ref terms, ref termsRest, two.Upper);
            }
        }

        for (; left > 0; left -= stride, x += stride, y += stride)
        {
            int here = LaneSum<T>.Here<TSimd, TVector>(left, firstLane);           // a pair (0, 0) adds nothing to the sum
            TVector term = Term<TSimd, TVector, TTerm>(TSimd.LoadPartial(x, here, zero), TSimd.LoadPartial(y, here, zero), factor);
            TSimd.AddWide(ref terms, ref termsRest, term);
        }

        _terms.Set<TSimd, TVector>(firstLane, terms, termsRest);
    }

    /// <summary>The terms of two vectors in lockstep.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Pair<TVector> OfTwo<TSimd, TVector, TTerm>(T* x, T* y, int stride, TVector factor)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TTerm : struct
    {
        Pair<TVector> pairX = new(TSimd.Load(ref *x, 0), TSimd.Load(ref *(x + stride), 0)), pairY = new(TSimd.Load(ref *y, 0), TSimd.Load(ref *(y + stride), 0));
        return Term<PairSimd<TSimd, TVector, T>, Pair<TVector>, TTerm>(pairX, pairY, new(factor, factor));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector, TTerm>(TVector x, TVector y, TVector factor)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TTerm : struct
    {
        TVector ys = Scaled<TSimd, TVector>(y, factor);
        if (typeof(TTerm) == typeof(EntropyTerm) || typeof(TTerm) == typeof(CrossEntropyTerm)) return TSimd.Multiply(x, DivergenceTerms.Log<TSimd, TVector, T>(ys, factor));
        TVector xs = Scaled<TSimd, TVector>(x, factor);
        return typeof(TTerm) == typeof(MeanTerm) ? DivergenceTerms.Mean<TSimd, TVector, T>(xs, ys) : DivergenceTerms.Relative<TSimd, TVector, T>(xs, ys);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scaled<TSimd, TVector>(TVector value, TVector factor)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        // 2^-96 and 2^-990, some thousandths of the smallest number, scaled.
        TVector nothing = ExpPolynomial.Constant<TSimd, TVector, T>(1.26217745e-29f, 9.556619453472961e-299);
        return TSimd.Max(nothing, TSimd.Multiply(value, factor));
    }

    private readonly struct EntropyTerm;

    private readonly struct CrossEntropyTerm;

    private readonly struct RelativeTerm;

    private readonly struct MeanTerm;
}
