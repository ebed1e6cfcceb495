using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What turns a logit z into a log-probability: z − max − log − logLow.</summary>
internal readonly record struct LogNormalizer(double Max, double Log, double LogLow);

/// <summary>One step over a block of logits of p and q.</summary>
internal enum LogitSum
{
    /// <summary>Largest |g| with g = (zQ − zP) − shift, over entries where p or q is above 0.</summary>
    Spread,

    /// <summary>Σ p (e^g − 1), for |g| ≤ ln 2 / 2.</summary>
    Growth,

    /// <summary>Σ over the terms of the Kullback-Leibler divergence.</summary>
    KullbackLeibler,

    /// <summary>Σ over the terms of the Jensen-Shannon divergence.</summary>
    JensenShannon,
}

/// <summary>Divergences of two softmax distributions from the logits in double, by δ[i] = ln p[i] − ln q[i].</summary>
/// <remarks>
/// D(p || q) = Σ p δ = Σ p (e^−δ − 1 + δ), because Σ p (e^−δ − 1) = Σ q − Σ p = 0: every term of the second form is ≥ 0 and keeps its digits
/// when p and q are close. It is used where |δ| ≤ ln 2 / 2; when some δ are larger, those enter as p δ and Σ (p − q) over the others is added.
/// For Jensen-Shannon t = (p − q)/(p + q) = tanh(δ/2), see <see cref="DivergenceKernel"/>.
/// </remarks>
internal unsafe struct LogitDivergenceKernel(double* logitsP, double* logitsQ, int count, LogNormalizer p, LogNormalizer q, double logRatio, LogitSum step)
    : IVectorKernel<double>
{
    private const double Near = 0.34657;        // just below ln 2 / 2, the domain of the exponential's polynomial

    public CompensatedSum Terms;
    public CompensatedSum Differences;
    public double Largest;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), termsHigh = zero, termsLow = zero, differencesHigh = zero, differencesLow = zero, largest = zero;
        TVector lowest = TSimd.Create(double.NegativeInfinity);
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            int here = Math.Min(TSimd.Lanes, count - i);
            TVector zP = TSimd.LoadPartial(logitsP + i, here, lowest), zQ = TSimd.LoadPartial(logitsQ + i, here, lowest);
            TVector probability = Probability<TSimd, TVector>(zP, p, out TVector logP);
            TVector other = Probability<TSimd, TVector>(zQ, q, out TVector logQ);
            TVector present = TSimd.LessThan(zero, TSimd.Max(probability, other));
            TVector delta = Delta<TSimd, TVector>(zP, zQ);
            TVector near = TSimd.LessThan(TSimd.Abs(delta), TSimd.Create(Near));
            TVector curvature = TSimd.Multiply(TSimd.Multiply(delta, delta), ExpPolynomial.SecondOrder<TSimd, TVector, double>(TSimd.Subtract(zero, delta)));
            switch (step)
            {
                case LogitSum.Spread:
                    largest = TSimd.Max(TSimd.Select(present, TSimd.Abs(delta), zero), largest);
                    break;
                case LogitSum.Growth:
                    TSimd.AddWide(ref termsHigh, ref termsLow, TSimd.Select(present, TSimd.Multiply(probability, TSimd.Subtract(curvature, delta)), zero));
                    break;
                case LogitSum.KullbackLeibler:
                    {
                        TVector far = TSimd.Multiply(probability, TSimd.Subtract(logP, logQ));
                        TVector term = TSimd.Select(near, TSimd.Multiply(probability, curvature), far);
                        TVector difference = TSimd.Select(near, TSimd.Multiply(probability, TSimd.Subtract(delta, curvature)), zero);
                        largest = TSimd.Max(TSimd.Select(present, TSimd.Select(near, zero, TSimd.Create(1)), zero), largest);
                        TVector absent = TSimd.Equal(probability, zero);
                        TSimd.AddWide(ref termsHigh, ref termsLow, TSimd.Select(absent, zero, term));
                        TSimd.AddWide(ref differencesHigh, ref differencesLow, TSimd.Select(absent, zero, difference));
                        break;
                    }

                default:
                    {
                        TVector sum = TSimd.Add(probability, other);
                        TVector eMinus1 = TSimd.Subtract(curvature, delta);                                          // e^−δ − 1
                        TVector t = TSimd.Select(
                            near,
                            TSimd.Divide(eMinus1, TSimd.Add(eMinus1, TSimd.Create(2))),
                            TSimd.Divide(TSimd.Subtract(probability, other), sum));
                        TVector term = DivergenceKernel.JensenShannonTerm<TSimd, TVector>(probability, other, t);
                        TSimd.AddWide(ref termsHigh, ref termsLow, term);
                        break;
                    }
            }
        }

        Terms = TSimd.TotalOfWide(termsHigh, termsLow);
        Differences = TSimd.TotalOfWide(differencesHigh, differencesLow);
        Largest = TSimd.MaxOfLanes(largest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Probability<TSimd, TVector>(TVector z, LogNormalizer normalizer, out TVector log)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector difference = TwoSum.Subtract<TSimd, TVector, double>(z, TSimd.Create(normalizer.Max), out TVector low);
        TVector rest = TSimd.Subtract(low, TSimd.Create(normalizer.LogLow));
        TVector high = TwoSum.Subtract<TSimd, TVector, double>(difference, TSimd.Create(normalizer.Log), out TVector low2);
        rest = TSimd.Add(rest, low2);
        TVector masked = TSimd.Equal(high, TSimd.Create(double.NegativeInfinity));
        log = TSimd.Select(masked, high, TSimd.Add(high, rest));
        return ExpPolynomial.OfNonPositive<TSimd, TVector, double>(high, rest);
    }

    /// <summary>δ = (zP − zQ) − (maxP − maxQ) − logRatio.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector Delta<TSimd, TVector>(TVector zP, TVector zQ)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector shift = TwoSum.Subtract<TSimd, TVector, double>(TSimd.Create(p.Max), TSimd.Create(q.Max), out TVector shiftLow);
        TVector difference = TwoSum.Subtract<TSimd, TVector, double>(zP, zQ, out TVector low);
        TVector delta = TwoSum.Subtract<TSimd, TVector, double>(difference, shift, out TVector low2);
        return TSimd.Add(delta, TSimd.Subtract(TSimd.Add(low, TSimd.Subtract(low2, shiftLow)), TSimd.Create(logRatio)));
    }
}
