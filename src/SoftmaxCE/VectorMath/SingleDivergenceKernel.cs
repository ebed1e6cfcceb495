using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sums of <see cref="DivergenceKernel"/> over a block of floats, in float: for distributions as they usually are.</summary>
/// <remarks>
/// Every term is rounded a few times and four of them are added before they are added in double: within 5 ulp of the sum as long as the terms have
/// one sign. Where that may not be so, an entry above 1 of which the logarithm is taken, a missing or a negative one, <see cref="IsUnusual"/> says so, and
/// the sums mean nothing. Two of the kinds are taken of 2^64 times the entries, so that subnormal numbers, raised, are like others, and 0 is
/// replaced by 2^-86, which is as good (a NaN stays).
///
/// Kullback-Leibler: p ln(p/q) − p + q ≥ 0. With y = q 2^−k next to p, d = y − p, s = d / (y + p), ln(y/p) = 2 s + s z R(z), z = s², it is
/// (q − y − p k ln 2) + s (d − p z R(z)). At k = 0 the first part is 0 and d is exact, and both parts of the second have one sign.
/// Σ (q − p) is summed apart. R is from our own Remez run on z ≤ 0.04: error 4.8e-7, which z makes 1e-8.
///
/// Jensen-Shannon: see <see cref="DivergencePolynomial"/>; beyond t = 0.6, m g(t) = (p + q) [½ (1 + t) ln(1 + t) + v/2 ln v] / 2, v = 1 − t = 2 min(p, q) / (p + q).
/// </remarks>
internal unsafe struct SingleDivergenceKernel(float* p, float* q, int count, DivergenceKind kind) : IVectorKernel<float>, ILaneKernel<float>
{
    /// <summary>2^64.</summary>
    public const float Scale = 18446744073709551616f;

    private const int ScalePower = 64;

    /// <summary>Stands for 0, raised: 2^-86, half the smallest number.</summary>
    private const float Nothing = 1.2924697e-26f;

    private const float SmallestNormal = 1.17549435e-38f;

    // As in LogPolynomial: k · Ln2High is exact.
    private const float Ln2High = 0.693145752f;
    private const float Ln2Low = 1.42860677e-6f;

    private LaneSum<float> _terms, _differences;

    /// <summary>Σ of the terms: −H, −H(p, q), 2^64 times the non-negative part of D(p || q), 2^65 JS.</summary>
    public CompensatedSum Terms;

    /// <summary>2^64 Σ (q − p), for Kullback-Leibler.</summary>
    public CompensatedSum Differences;

    public bool IsUnusual;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        TSimd.RunLanes(ref this, 0);
        Terms = _terms.Total;
        Differences = _differences.Total;
    }

    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        if (kind == DivergenceKind.Entropy) Sums<TSimd, TVector, EntropyTerm>(firstLane);
        else if (kind == DivergenceKind.CrossEntropy) Sums<TSimd, TVector, CrossEntropyTerm>(firstLane);
        else if (kind == DivergenceKind.KullbackLeibler) Sums<TSimd, TVector, RelativeTerm>(firstLane);
        else Sums<TSimd, TVector, MeanTerm>(firstLane);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Sums<TSimd, TVector, TTerm>(int firstLane)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
        where TTerm : struct
    {
        int stride = WholeVector.Lanes<float>(), left = count;
        TVector zero = TSimd.Create(0);
        State<TVector> state = new() { Terms = zero, TermsRest = zero, Differences = zero, DifferencesRest = zero, Lowest = zero, Highest = zero, Missing = zero };
        float* x = p + firstLane, y = (typeof(TTerm) == typeof(EntropyTerm) ? p : q) + firstLane;
        for (; left >= 4 * stride; left -= 4 * stride, x += 4 * stride, y += 4 * stride)
        {
            TVector a = Term<TSimd, TVector, TTerm>(TSimd.Load(ref *x, 0), TSimd.Load(ref *y, 0), ref state);
            TVector b = Term<TSimd, TVector, TTerm>(TSimd.Load(ref *(x + stride), 0), TSimd.Load(ref *(y + stride), 0), ref state);
            a = TSimd.Add(a, b);
            b = Term<TSimd, TVector, TTerm>(TSimd.Load(ref *(x + (2 * stride)), 0), TSimd.Load(ref *(y + (2 * stride)), 0), ref state);
            TVector c = Term<TSimd, TVector, TTerm>(TSimd.Load(ref *(x + (3 * stride)), 0), TSimd.Load(ref *(y + (3 * stride)), 0), ref state);
            TSimd.AddWide(ref state.Terms, ref state.TermsRest, TSimd.Add(a, TSimd.Add(b, c)));
        }

        for (; left > 0; left -= stride, x += stride, y += stride)
        {
            int here = LaneSum<float>.Here<TSimd, TVector>(left, firstLane);           // a pair (0, 0) adds nothing to any of the sums
            TVector term = Term<TSimd, TVector, TTerm>(TSimd.LoadPartial(x, here, zero), TSimd.LoadPartial(y, here, zero), ref state);
            TSimd.AddWide(ref state.Terms, ref state.TermsRest, term);
        }

        _terms.Set<TSimd, TVector>(firstLane, state.Terms, state.TermsRest);
        _differences.Set<TSimd, TVector>(firstLane, state.Differences, state.DifferencesRest);
        IsUnusual |= TSimd.AnyGreater(zero, state.Lowest) || TSimd.AnyGreater(state.Highest, TSimd.Create(1)) || TSimd.AnyGreater(state.Missing, zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector, TTerm>(TVector x, TVector y, ref State<TVector> state)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
        where TTerm : struct
    {
        state.Lowest = TSimd.Min(x, state.Lowest);                     // in this order a NaN is passed over; the sum will be one
        if (typeof(TTerm) == typeof(EntropyTerm))
        {
            state.Highest = TSimd.Max(x, state.Highest);
            return TSimd.Multiply(x, LogPolynomial.LogOfNormal<TSimd, TVector, float>(TSimd.Max(TSimd.Create(SmallestNormal), x), 0));
        }

        TVector zero = TSimd.Create(0);
        state.Lowest = TSimd.Min(y, state.Lowest);
        TVector ys = TSimd.Max(TSimd.Create(Nothing), TSimd.Multiply(y, TSimd.Create(Scale)));
        if (typeof(TTerm) == typeof(CrossEntropyTerm))
        {
            state.Highest = TSimd.Max(y, state.Highest);
            state.Missing = TSimd.Max(TSimd.Select(TSimd.Equal(y, zero), x, zero), state.Missing);
            return TSimd.Multiply(x, LogPolynomial.LogOfNormal<TSimd, TVector, float>(ys, -ScalePower));
        }

        TVector xs = TSimd.Max(TSimd.Create(Nothing), TSimd.Multiply(x, TSimd.Create(Scale)));
        if (typeof(TTerm) == typeof(RelativeTerm))
        {
            state.Missing = TSimd.Max(TSimd.Select(TSimd.Equal(y, zero), x, zero), state.Missing);
            TSimd.AddWide(ref state.Differences, ref state.DifferencesRest, TSimd.Subtract(ys, xs));
            return Relative<TSimd, TVector>(xs, ys);
        }

        return Mean<TSimd, TVector>(xs, ys);
    }

    /// <summary>x ln(x/y) − x + y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Relative<TSimd, TVector>(TVector x, TVector y)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        TVector moved = TSimd.MoveBeside(y, x, out TVector k), d = TSimd.Subtract(moved, x), s = TSimd.Divide(d, TSimd.Add(moved, x)), z = TSimd.Multiply(s, s);
        TVector r = TSimd.MultiplyAdd(z, TSimd.Create(0.299595654f), TSimd.Create(0.399788588f));
        r = TSimd.MultiplyAdd(z, r, TSimd.Create(0.666667163f));
        TVector beside = TSimd.Multiply(s, TSimd.NegatedMultiplyAdd(TSimd.Multiply(x, z), r, d));
        beside = TSimd.MultiplyAdd(x, TSimd.Multiply(k, TSimd.Create(-Ln2Low)), beside);
        return TSimd.Add(TSimd.MultiplyAdd(x, TSimd.Multiply(k, TSimd.Create(-Ln2High)), TSimd.Subtract(y, moved)), beside);
    }

    /// <summary>x ln(x/m) + y ln(y/m), m = (x + y) / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Mean<TSimd, TVector>(TVector x, TVector y)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        TVector sum = TSimd.Add(x, y), inverse = TSimd.Divide(TSimd.Create(1), sum), d = TSimd.Abs(TSimd.Subtract(x, y)), t = TSimd.Multiply(d, inverse);
        TVector near = TSimd.Multiply(TSimd.Multiply(d, t), DivergencePolynomial.OfSquare<TSimd, TVector, float>(TSimd.Multiply(t, t)));
        TVector half = TSimd.Multiply(TSimd.Min(x, y), inverse);                                                     // v / 2
        TVector log = LogPolynomial.LogOfNormal<TSimd, TVector, float>(TSimd.Max(TSimd.Create(SmallestNormal), half), 1);
        TVector far = TSimd.Multiply(sum, TSimd.MultiplyAdd(half, log, DivergencePolynomial.OfLargeTangent<TSimd, TVector>(t)));
        return TSimd.Select(TSimd.LessThan(t, TSimd.Create(0.6f)), near, far);
    }

    /// <summary>The sums of a loop, and the extremes that tell whether they mean something.</summary>
    private struct State<TVector>
        where TVector : struct
    {
        public TVector Terms;
        public TVector TermsRest;
        public TVector Differences;
        public TVector DifferencesRest;
        public TVector Lowest;
        public TVector Highest;
        public TVector Missing;
    }

    private readonly struct EntropyTerm;

    private readonly struct CrossEntropyTerm;

    private readonly struct RelativeTerm;

    private readonly struct MeanTerm;
}
