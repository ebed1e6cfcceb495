using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Twice the Jensen-Shannon divergence of two parts of rows of floats as the difference of two sums, for rows that are not close.</summary>
/// <remarks>
/// A pair whose larger probability is L and whose smaller is S adds L G(S/L) − S δ, with G(r) = (1 + r) ln(2 / (1 + r)) and δ = |ln p − ln q|, which the logits
/// give without a logarithm. Next to δ = 0 both parts are about S δ and their difference δ²/4 of that: the caller looks at the totals, and falls back to
/// <see cref="LogitDivergenceKernel{T}"/>, which takes twice as long.
///
/// The exponentials go to memory that stays in the first-level cache: a loop for each has all the registers it needs. p and q are scaled as there.
/// </remarks>
internal unsafe struct LogitMeanKernel(float* logitsP, float* logitsQ, int count, in LogitPair<float> pair) : IVectorKernel<float>, ILaneKernel<float>
{
    /// <summary>Logits that a kernel can take.</summary>
    public const int PartLength = 1024;

    private readonly LogitPair<float> _pair = pair;
    private LaneSum<float> _terms, _lost;
    private float* _p, _q;

    /// <summary>The sum of the terms.</summary>
    public CompensatedSum Terms;

    /// <summary>Σ S δ, roughly: what the terms lose by the difference.</summary>
    public CompensatedSum Lost;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        byte* memory = stackalloc byte[(2 * PartLength * sizeof(float)) + WholeVector.Bytes];
        _p = (float*)WholeVector.Align(memory);
        _q = _p + PartLength;
        TSimd.RunLanes(ref this, 0);
        Terms = _terms.Total;
        Lost = _lost.Total;
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        Exponentials<TSimd, TVector>(logitsP, new(_pair.MaxP, 1), _p, firstLane);
        Exponentials<TSimd, TVector>(logitsQ, new(_pair.MaxQ, 1), _q, firstLane);
        Sums<TSimd, TVector>(firstLane);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Exponentials<TSimd, TVector>(float* logits, in RowExponential<float> row, float* destination, int firstLane)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        if (row.IsDirect) Exponentials<TSimd, TVector, DirectExponential<TVector, float>>(logits, row, destination, firstLane);
        else Exponentials<TSimd, TVector, ShiftedExponential<TVector, float>>(logits, row, destination, firstLane);
    }

    /// <summary>What is behind the last logit gets the exponential of −∞.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void Exponentials<TSimd, TVector, TExponential>(float* logits, in RowExponential<float> row, float* destination, int firstLane)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, float>
    {
        int stride = WholeVector.Lanes<float>(), left = count;
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        float* x = logits + firstLane, e = destination + firstLane;
        for (; left >= 2 * stride; left -= 2 * stride, x += 2 * stride, e += 2 * stride)
        {
            TVector t0 = exp.SplitTwo<TSimd>(TSimd.Load(ref *x, 0), TSimd.Load(ref *(x + stride), 0), out TVector q0, out TVector t1, out TVector q1);
            TSimd.Store(ref *e, 0, TSimd.MultiplyAdd(t0, q0, t0));
            TSimd.Store(ref *(e + stride), 0, TSimd.MultiplyAdd(t1, q1, t1));
        }

        for (; left > 0; left -= stride, x += stride, e += stride)
        {
            int here = LaneSum<float>.Here<TSimd, TVector>(left, firstLane);
            TVector t = exp.Split<TSimd>(TSimd.LoadPartial(x, here, RowPasses.Lowest<TSimd, TVector, float>()), out TVector q);
            TSimd.Store(ref *e, 0, TSimd.MultiplyAdd(t, q, t));
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Sums<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        int stride = WholeVector.Lanes<float>(), left = count;
        TVector zero = TSimd.Create(0), terms = zero, termsRest = zero, lost = zero, ratio = TSimd.Create(_pair.Ratio), shift = TSimd.Create(_pair.Shift);
        float* zP = logitsP + firstLane, zQ = logitsQ + firstLane, p = _p + firstLane, q = _q + firstLane;
        for (; left >= 2 * stride; left -= 2 * stride, zP += 2 * stride, zQ += 2 * stride, p += 2 * stride, q += 2 * stride)
        {
            Pair<TVector> difference = new(
                TSimd.Subtract(TSimd.Load(ref *zP, 0), TSimd.Load(ref *zQ, 0)), TSimd.Subtract(TSimd.Load(ref *(zP + stride), 0), TSimd.Load(ref *(zQ + stride), 0)));
            Pair<TVector> pairP = new(TSimd.Load(ref *p, 0), TSimd.Load(ref *(p + stride), 0)), pairQ = new(TSimd.Load(ref *q, 0), TSimd.Load(ref *(q + stride), 0));
            Pair<TVector> losts = new(lost, zero);
            Pair<TVector> term = Term<PairSimd<TSimd, TVector, float>, Pair<TVector>>(difference, pairP, pairQ, new(shift, shift), new(ratio, ratio), ref losts);
            TSimd.AddWide(ref terms, ref termsRest, TSimd.Add(term.Lower, term.Upper));
            lost = TSimd.Add(losts.Lower, losts.Upper);
        }

        for (; left > 0; left -= stride, zP += stride, zQ += stride, p += stride, q += stride)
        {
            int here = LaneSum<float>.Here<TSimd, TVector>(left, firstLane);
            TVector difference = TSimd.Subtract(TSimd.LoadPartial(zP, here, zero), TSimd.LoadPartial(zQ, here, zero));
            TSimd.AddWide(ref terms, ref termsRest, Term<TSimd, TVector>(difference, TSimd.Load(ref *p, 0), TSimd.Load(ref *q, 0), shift, ratio, ref lost));
        }

        _terms.Set<TSimd, TVector>(firstLane, terms, termsRest);
        terms = termsRest = zero;
        TSimd.AddWide(ref terms, ref termsRest, lost);
        _lost.Set<TSimd, TVector>(firstLane, terms, termsRest);
    }

    /// <summary>L G(S/L) − S δ. An infinite δ, and that of two masked logits, counts as far: S is as good as 0 there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector>(TVector difference, TVector p, TVector q, TVector shift, TVector ratio, ref TVector lost)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        q = TSimd.Multiply(q, ratio);
        TVector larger = TSimd.Max(p, q), smaller = TSimd.Min(p, q), r = TSimd.Divide(smaller, larger);
        TVector distance = TSimd.Min(TSimd.Abs(TSimd.Subtract(difference, shift)), TSimd.Create((float)FactoredExp.Depth<float>()));
        lost = TSimd.MultiplyAdd(smaller, distance, lost);
        return TSimd.NegatedMultiplyAdd(smaller, distance, TSimd.Multiply(larger, DivergencePolynomial.OfRatio<TSimd, TVector>(r)));
    }
}
