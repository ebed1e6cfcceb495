using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One sum over two rows of logits, with δ = ln p − ln q.</summary>
internal enum LogitSum
{
    /// <summary>Σ p (e^−δ − 1 + δ), the Kullback-Leibler divergence.</summary>
    KullbackLeibler,

    /// <summary>Σ m g(t), the Jensen-Shannon divergence.</summary>
    JensenShannon,

    /// <summary>Σ p (e^−δ − 1), which is 0 when δ has its true shift.</summary>
    Growth,
}

/// <summary>A sum over a part of two rows of logits, with p scaled as in <see cref="FactoredExp{TVector,T}"/>.</summary>
/// <remarks>
/// Over a whole row D(p || q) = Σ p δ = Σ p (e^−δ − 1 + δ), because Σ p e^−δ = Σ q = Σ p, and every term of the second sum is ≥ 0. An error ε that
/// all δ have in common, from the logarithms of the two sums, changes it by ε²/2 only; so δ may come from sums in T unless the divergence is as
/// small as ε. Then the growth of p e^−δ over p tells how far the shift is off.
///
/// φ(x) = e^x − 1 − x = x² P(x) keeps its relative accuracy near 0 (<see cref="DivergencePolynomial"/>). Beyond |δ| = ln 4 a term is q + p (δ − 1).
///
/// A pair adds m g(t) to the Jensen-Shannon divergence, with m = (p + q) / 2 and t = |p − q| / (p + q) = E / (E + 2), E = e^|δ| − 1 = |δ| + φ(|δ|):
/// m t² = min(p, q) E t / 2. Beyond |δ| = ln 4, with r the ratio of the smaller to the larger one, it adds half the larger one times
/// (1 + r) ln(2 / (1 + r)) + r ln r.
/// </remarks>
internal unsafe struct LogitDivergenceKernel<T>(T* logitsP, T* logitsQ, nuint count, in LogitPair<T> pair, LogitSum kind) : IVectorKernel<T>, ILaneKernel<T>
    where T : unmanaged
{
    private readonly LogitPair<T> _pair = pair;
    private LaneSum<T> _sum;

    public CompensatedSum Sum;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TSimd.RunLanes(ref this, 0);
        Sum = _sum.Total;
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (kind == LogitSum.KullbackLeibler) Run<TSimd, TVector, KullbackLeiblerTerm>(firstLane);
        else if (kind == LogitSum.JensenShannon) Run<TSimd, TVector, JensenShannonTerm>(firstLane);
        else Run<TSimd, TVector, GrowthTerm>(firstLane);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void Run<TSimd, TVector, TTerm>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TTerm : struct
    {
        T one = Element.FromDouble<T>(1);
        RowExponential<T> p = new(_pair.MaxP, one), q = new(_pair.MaxQ, one);
        if (p.IsDirect && q.IsDirect) Terms<TSimd, TVector, DirectExponential<TVector, T>, TTerm>(firstLane, p, q);
        else Terms<TSimd, TVector, ShiftedExponential<TVector, T>, TTerm>(firstLane, p, q);
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Terms<TSimd, TVector, TExponential, TTerm>(int firstLane, in RowExponential<T> rowP, in RowExponential<T> rowQ)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TTerm : struct
    {
        int stride = WholeVector.Lanes<T>();
        TExponential expP = default, expQ = default;
        expP.Prepare<TSimd>(rowP);
        expQ.Prepare<TSimd>(rowQ);
        PairVectors<TVector> pair = new(TSimd.Create(_pair.Ratio), TSimd.Create(_pair.Shift), TSimd.Create(_pair.ShiftLow));
        TVector zero = TSimd.Create(default), first = zero, second = zero;
        T* zP = logitsP + firstLane, zQ = logitsQ + firstLane;
        nint left = (nint)count;
        for (; left >= 2 * stride; left -= 2 * stride, zP += 2 * stride, zQ += 2 * stride)
        {
            TVector a = Term<TSimd, TVector, TExponential, TTerm>(expP, expQ, TSimd.Load(ref *zP, 0), TSimd.Load(ref *zQ, 0), pair);
            TVector b = Term<TSimd, TVector, TExponential, TTerm>(expP, expQ, TSimd.Load(ref *(zP + stride), 0), TSimd.Load(ref *(zQ + stride), 0), pair);
            TSimd.AddWide(ref first, ref second, TSimd.Add(a, b));
        }

        for (; left > 0; left -= stride, zP += stride, zQ += stride)
        {
            int here = LaneSum<T>.Here<TSimd, TVector>(left, firstLane);
            TVector lowest = RowPasses.Lowest<TSimd, TVector, T>();
            TVector isLogit = TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(here)));
            TVector term = Term<TSimd, TVector, TExponential, TTerm>(expP, expQ, TSimd.LoadPartial(zP, here, lowest), TSimd.LoadPartial(zQ, here, lowest), pair);
            TSimd.AddWide(ref first, ref second, TSimd.Select(isLogit, term, zero));
        }

        _sum.Set<TSimd, TVector>(firstLane, first, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector, TExponential, TTerm>(
        in TExponential expP, in TExponential expQ, TVector zP, TVector zQ, in PairVectors<TVector> pair)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TTerm : struct
    {
        TVector t = expP.Split<TSimd>(zP, out TVector rest), p = TSimd.MultiplyAdd(t, rest, t);
        t = expQ.Split<TSimd>(zQ, out rest);
        TVector q = TSimd.MultiplyAdd(t, rest, t);

        // Where p is masked δ is −∞, or NaN where both are; p is as good as 0 there, and the terms keep p δ so.
        TVector difference = TwoSum.Subtract<TSimd, TVector, T>(zP, zQ, out TVector low);
        TVector lows = TwoSum.Subtract<TSimd, TVector, T>(low, pair.ShiftLow, out TVector lost);          // may cancel next to all of the difference
        TVector delta = TSimd.Add(TSimd.Add(TSimd.Subtract(difference, pair.Shift), lows), lost);

        TVector distance = TSimd.Abs(delta), isNear = TSimd.LessThan(distance, TSimd.Create(Element.FromDouble<T>(DivergencePolynomial.Near)));
        if (typeof(TTerm) == typeof(GrowthTerm))
        {
            TVector growth = TSimd.Subtract(Phi<TSimd, TVector>(TSimd.Subtract(TSimd.Create(default), delta)), delta);
            return TSimd.Select(isNear, TSimd.Multiply(p, growth), TSimd.Subtract(TSimd.Multiply(q, pair.Ratio), p));
        }

        // Beside an infinity the rounding error of the difference is NaN, and what counts is the difference.
        TVector certain = TSimd.Select(TSimd.Equal(delta, delta), delta, difference);
        if (typeof(TTerm) == typeof(KullbackLeiblerTerm))
        {
            TVector masked = TSimd.Create(Element.FromDouble<T>(-FactoredExp.Depth<T>()));
            TVector far = TSimd.MultiplyAdd(p, TSimd.Subtract(TSimd.Max(certain, masked), Constant<TSimd, TVector>(1f, 1.0)), TSimd.Multiply(q, pair.Ratio));
            return TSimd.Select(isNear, TSimd.Multiply(p, Phi<TSimd, TVector>(TSimd.Subtract(TSimd.Create(default), delta))), far);
        }
        else
        {
            q = TSimd.Multiply(q, pair.Ratio);
            TVector larger = TSimd.Max(p, q), smaller = TSimd.Min(p, q);
            TVector e = TSimd.Add(distance, Phi<TSimd, TVector>(distance)), u = TSimd.Divide(e, TSimd.Add(e, Constant<TSimd, TVector>(2f, 2.0)));
            TVector near = TSimd.Multiply(TSimd.Multiply(smaller, e), TSimd.Multiply(u, DivergencePolynomial.OfSquare<TSimd, TVector, T>(TSimd.Multiply(u, u))));

            TVector r = TSimd.Divide(smaller, larger), log = TSimd.Min(TSimd.Abs(certain), TSimd.Create(Element.FromDouble<T>(FactoredExp.Depth<T>())));
            TVector far = TSimd.Multiply(larger, TSimd.NegatedMultiplyAdd(r, log, DivergencePolynomial.OfSmallRatio<TSimd, TVector, T>(r)));
            return TSimd.Multiply(TSimd.Select(isNear, near, far), Constant<TSimd, TVector>(0.5f, 0.5));
        }
    }

    /// <summary>e^x − 1 − x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Phi<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => TSimd.Multiply(TSimd.Multiply(x, x), DivergencePolynomial.SecondOrder<TSimd, TVector, T>(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Constant<TSimd, TVector>(float single, double @double)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => ExpPolynomial.Constant<TSimd, TVector, T>(single, @double);

    /// <summary><see cref="LogitPair{T}"/> in every lane.</summary>
    private readonly struct PairVectors<TVector>(TVector ratio, TVector shift, TVector shiftLow)
        where TVector : struct
    {
        public readonly TVector Ratio = ratio;
        public readonly TVector Shift = shift;
        public readonly TVector ShiftLow = shiftLow;
    }

    private readonly struct KullbackLeiblerTerm;

    private readonly struct JensenShannonTerm;

    private readonly struct GrowthTerm;
}
