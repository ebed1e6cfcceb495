namespace SoftmaxCE;

/// <summary>Focal loss of a spread target: Σ u[c] (1 − p[c])^γ (−ln p[c]), one class after the other in double.</summary>
/// <remarks>
/// With h[c] = u[c] (1 − p[c])^γ (1 + γ p[c] (−ln p[c]) / (1 − p[c])) the gradient is p[j] Σ h − h[j]. A class whose logit is −∞ has gradient 0.
/// The powers cost far more than the rest, so this combination of options has no vector form.
/// </remarks>
internal readonly unsafe struct FocalSweep<T>(
    T* logits, int count, T max, double temperature, double gamma, in CrossEntropyKernel<T>.SpreadTarget target, in PivotProbability pivot)
    where T : unmanaged
{
    private readonly CrossEntropyKernel<T>.SpreadTarget _target = target;
    private readonly PivotProbability _pivot = pivot;

    public double Loss(double zLoss)
    {
        CompensatedSum loss = default;
        for (int c = 0; c < count; c++)
        {
            double share = Share(c);
            if (share == 0) continue;
            Probability(c, out double p, out double oneMinusP, out double minusLog);
            loss.Add(share * Math.Pow(oneMinusP, gamma) * minusLog);
        }

        double lse = _pivot.LogSumExp;
        return loss.Value + (zLoss == 0 ? 0 : zLoss * lse * lse);
    }

    /// <summary>Reads logit j before it writes gradient j, so that both may be the same memory.</summary>
    public void WriteGradient(T* gradient, double zLoss, double scale)
    {
        CompensatedSum slopes = default;
        for (int c = 0; c < count; c++)
        {
            Probability(c, out double p, out double oneMinusP, out double minusLog);
            slopes.Add(Slope(c, p, oneMinusP, minusLog));
        }

        double slope = zLoss == 0 ? 0 : 2 * zLoss * _pivot.LogSumExp;
        for (int c = 0; c < count; c++)
        {
            Probability(c, out double p, out double oneMinusP, out double minusLog);
            double value = (p * (slopes.Value + slope)) - Slope(c, p, oneMinusP, minusLog);
            gradient[c] = Element.FromDouble<T>(double.IsPositiveInfinity(minusLog) ? 0 : scale * value);
        }
    }

    private double Share(int c) => Element.ToDouble(_target.Background[c]) + (c == _target.Pivot ? _target.Own : 0);

    private double Slope(int c, double p, double oneMinusP, double minusLog)
    {
        double share = Share(c);
        return share == 0 ? 0 : share * CrossEntropyRow.FocalSlope(p, oneMinusP, minusLog, gamma);
    }

    private void Probability(int c, out double p, out double oneMinusP, out double minusLog)
    {
        if (c == _target.Pivot)
        {
            (p, oneMinusP, minusLog) = (_pivot.Value, _pivot.Others, _pivot.MinusLog);
            return;
        }

        double difference = (Element.ToDouble(logits[c]) - Element.ToDouble(max)) / temperature;
        p = ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>(difference) / _pivot.Sum;
        oneMinusP = 1 - p;
        minusLog = _pivot.LogSum - difference;
    }
}
