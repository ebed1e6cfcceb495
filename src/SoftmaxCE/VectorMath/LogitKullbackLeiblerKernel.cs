using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ p (e^−δ − 1 + δ) over a part of two rows of logits, with δ = ln p − ln q and p scaled as in <see cref="FactoredExp{TVector,T}"/>.</summary>
/// <remarks>
/// Over a whole row this is D(p || q) = Σ p δ, because Σ p e^−δ = Σ q = Σ p, and every term is ≥ 0. An error ε that all δ have in common, from the
/// logarithms of the two sums, changes it by ε²/2 only; so δ may come from sums in T unless the divergence is as small as ε.
///
/// φ(x) = e^x − 1 − x = x² P(x) keeps its relative accuracy near 0, and φ(2x) = (e^x − 1)² + 2 φ(x), again of terms ≥ 0, brings it from
/// |x| ≤ ln 2 / 2 to four times as far. Beyond that a term is q + p (δ − 1).
/// </remarks>
internal unsafe struct LogitKullbackLeiblerKernel<T>(T* logitsP, T* logitsQ, nuint count, in LogitPair<T> pair) : IVectorKernel<T>
    where T : unmanaged
{
    private readonly LogitPair<T> _pair = pair;

    public CompensatedSum Sum;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T one = Element.FromDouble<T>(1);
        RowExponential<T> p = new(_pair.MaxP, one), q = new(_pair.MaxQ, one);
        Sum = p.IsDirect && q.IsDirect
            ? Terms<TSimd, TVector, DirectExponential<TVector, T>>(logitsP, logitsQ, count, p, q, _pair)
            : Terms<TSimd, TVector, ShiftedExponential<TVector, T>>(logitsP, logitsQ, count, p, q, _pair);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CompensatedSum Terms<TSimd, TVector, TExponential>(
        T* logitsP, T* logitsQ, nuint count, in RowExponential<T> p, in RowExponential<T> q, in LogitPair<T> pair)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TExponential expP = default, expQ = default;
        expP.Prepare<TSimd>(p);
        expQ.Prepare<TSimd>(q);
        TVector ratio = TSimd.Create(pair.Ratio), shift = TSimd.Create(pair.Shift), shiftLow = TSimd.Create(pair.ShiftLow), zero = TSimd.Create(default);
        TVector first = zero, second = zero;
        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector a = Term<TSimd, TVector, TExponential>(expP, expQ, TSimd.Load(ref *logitsP, i), TSimd.Load(ref *logitsQ, i), ratio, shift, shiftLow);
            TVector b = Term<TSimd, TVector, TExponential>(
                expP, expQ, TSimd.Load(ref *logitsP, i + lanes), TSimd.Load(ref *logitsQ, i + lanes), ratio, shift, shiftLow);
            TSimd.AddWide(ref first, ref second, TSimd.Add(a, b));
        }

        for (; i < count; i += lanes)
        {
            int here = (int)nuint.Min(lanes, count - i);
            TVector lowest = RowPasses.Lowest<TSimd, TVector, T>();
            TVector zP = TSimd.LoadPartial(logitsP + i, here, lowest), zQ = TSimd.LoadPartial(logitsQ + i, here, lowest);
            TVector isLogit = TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(here)));
            TVector term = Term<TSimd, TVector, TExponential>(expP, expQ, zP, zQ, ratio, shift, shiftLow);
            TSimd.AddWide(ref first, ref second, TSimd.Select(isLogit, term, zero));
        }

        return TSimd.TotalOfWide(first, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector, TExponential>(
        in TExponential expP, in TExponential expQ, TVector zP, TVector zQ, TVector ratio, TVector shift, TVector shiftLow)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TVector t = expP.Split<TSimd>(zP, out TVector rest), p = TSimd.MultiplyAdd(t, rest, t);
        t = expQ.Split<TSimd>(zQ, out rest);
        TVector q = TSimd.MultiplyAdd(t, rest, t);

        // Where p is masked δ is −∞, or NaN where both are; p is as good as 0 there, and this keeps p δ so.
        TVector difference = TwoSum.Subtract<TSimd, TVector, T>(zP, zQ, out TVector low);
        TVector delta = TSimd.Add(TSimd.Subtract(difference, shift), TSimd.Subtract(low, shiftLow));
        TVector masked = TSimd.Create(Element.FromDouble<T>(-FactoredExp.Depth<T>()));
        TVector isNear = TSimd.LessThan(TSimd.Abs(delta), ExpPolynomial.Constant<TSimd, TVector, T>(1.386f, 1.386));

        TVector x = TSimd.Multiply(delta, ExpPolynomial.Constant<TSimd, TVector, T>(-0.25f, -0.25)), two = ExpPolynomial.Constant<TSimd, TVector, T>(2f, 2.0);
        TVector phi = TSimd.Multiply(TSimd.Multiply(x, x), ExpPolynomial.SecondOrder<TSimd, TVector, T>(x)), power = TSimd.Add(x, phi);
        phi = TSimd.MultiplyAdd(power, power, TSimd.Add(phi, phi));                  // φ(2x)
        power = TSimd.MultiplyAdd(x, two, phi);
        phi = TSimd.MultiplyAdd(power, power, TSimd.Add(phi, phi));                  // φ(4x)

        // Beside an infinity the rounding error of the difference is NaN, and what counts is the difference.
        TVector far = TSimd.Select(TSimd.Equal(delta, delta), delta, difference);
        far = TSimd.Subtract(TSimd.Max(far, masked), ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0));
        return TSimd.Select(isNear, TSimd.Multiply(p, phi), TSimd.MultiplyAdd(p, far, TSimd.Multiply(q, ratio)));
    }
}

/// <summary>What the terms of a divergence need to know of two whole rows: the maxima, the ratio of the sums P / Q, and ln p − ln q = zP − zQ − shift.</summary>
internal readonly record struct LogitPair<T>(T MaxP, T MaxQ, T Ratio, T Shift, T ShiftLow)
    where T : unmanaged
{
    public static LogitPair<T> Of(in LogitPart<T> p, in LogitPart<T> q)
    {
        double logP = p.Log(out double restP), logQ = q.Log(out double restQ);
        double maxima = TwoSum.Subtract<ScalarSimd<double>, double, double>(Element.ToDouble(p.Max), Element.ToDouble(q.Max), out double lost);
        double logs = TwoSum.Subtract<ScalarSimd<double>, double, double>(logP, logQ, out double lostLogs);
        double total = TwoSum.Add<ScalarSimd<double>, double, double>(maxima, logs, out double lostTotal);
        double low = lost + lostLogs + lostTotal + (restP - restQ);
        T shift = Element.FromDouble<T>(total), shiftLow = Element.FromDouble<T>(total - Element.ToDouble(shift) + low);
        return new(p.Max, q.Max, Element.FromDouble<T>(p.Sum.Value / q.Sum.Value), shift, shiftLow);
    }
}
