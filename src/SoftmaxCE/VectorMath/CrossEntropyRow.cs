using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The scalar part of one row: from Σ e^(x − max) to the loss and the factors of the gradient.</summary>
/// <remarks>
/// One class, the pivot, is kept apart: the label, or the largest logit when the target is spread. With
/// s = Σ e^(x[i] − max) and r = s without the pivot, the pivot's probability is p = (s − r)/s and 1 − p is r/s, which has all its digits even
/// when p is 1 in every format. Likewise ln s is log1p(r) when the pivot is the maximum. The gradient of every other class is
/// factor · e^(x − max) minus its background.
/// </remarks>
internal readonly struct CrossEntropyRow(double loss, double probabilityFactor, double pivotGradient)
{
    /// <summary>Loss of the row, before the sample weight.</summary>
    public double Loss { get; } = loss;

    /// <summary>∂loss/∂x[j] = <see cref="ProbabilityFactor"/> · p[j] − background[j], for j other than the pivot.</summary>
    public double ProbabilityFactor { get; } = probabilityFactor;

    /// <summary>∂loss/∂x at the pivot.</summary>
    public double PivotGradient { get; } = pivotGradient;

    /// <summary>Cross-entropy and z-loss: Σ u[c] (−ln p[c]) + z (ln Σ e^x)².</summary>
    /// <param name="pivot">The pivot's probability.</param>
    /// <param name="own">Target of the pivot beyond the background.</param>
    /// <param name="background">Σ background over the classes other than the pivot.</param>
    /// <param name="backgroundAtPivot">The pivot's share of the background.</param>
    /// <param name="backgroundDot">Σ background[c] (x[c] − max) ≤ 0.</param>
    /// <param name="zLoss">z of this row.</param>
    public static CrossEntropyRow Plain(
        in PivotProbability pivot, double own, double background, double backgroundAtPivot, double backgroundDot, double zLoss)
    {
        double all = background + backgroundAtPivot;
        double loss = (own == 0 ? 0 : own * pivot.MinusLog) + (all == 0 ? 0 : (all * pivot.LogSum) - backgroundDot);
        double factor = own + all;
        double atPivot = AtPivot(pivot, factor, background, own + backgroundAtPivot);
        if (zLoss == 0) return new(loss, factor, atPivot);

        double slope = 2 * zLoss * pivot.LogSumExp;
        return new(loss + (zLoss * pivot.LogSumExp * pivot.LogSumExp), factor + slope, atPivot + (slope * pivot.Value));
    }

    /// <summary>factor · p − share, where factor = share + rest: the form in which nothing cancels that has more digits apart.</summary>
    private static double AtPivot(in PivotProbability pivot, double factor, double rest, double share) =>
        pivot.Value < 0.5 ? (factor * pivot.Value) - share : rest - (factor * pivot.Others);

    /// <summary>own · (1 − p)^γ (−ln p) + z (ln Σ e^x)² for a label without background.</summary>
    public static CrossEntropyRow Focal(in PivotProbability pivot, double own, double gamma, double zLoss)
    {
        double damping = Math.Pow(pivot.Others, gamma);
        double loss = own * damping * pivot.MinusLog;
        double factor = own * FocalSlope(pivot.Value, pivot.Others, pivot.MinusLog, gamma);
        double slope = zLoss == 0 ? 0 : 2 * zLoss * pivot.LogSumExp;
        if (zLoss != 0) loss += zLoss * pivot.LogSumExp * pivot.LogSumExp;
        return new(loss, factor + slope, (slope * pivot.Value) - (factor * pivot.Others));
    }

    /// <summary>−p · d/dp [(1 − p)^γ (−ln p)] = (1 − p)^γ (1 + γ p (−ln p) / (1 − p)).</summary>
    public static double FocalSlope(double p, double oneMinusP, double minusLog, double gamma)
    {
        double ratio = oneMinusP == 0 ? 1 : p == 0 ? 0 : minusLog / oneMinusP;
        return Math.Pow(oneMinusP, gamma) * (1 + (gamma * p * ratio));
    }
}

/// <summary>The probability of the pivot class with everything that is 0 or 1 in floating point kept as what it really is.</summary>
internal readonly struct PivotProbability
{
    /// <summary>p.</summary>
    public double Value { get; private init; }

    /// <summary>1 − p.</summary>
    public double Others { get; private init; }

    /// <summary>−ln p.</summary>
    public double MinusLog { get; private init; }

    /// <summary>ln Σ e^(x − max).</summary>
    public double LogSum { get; private init; }

    /// <summary>Σ e^(x − max).</summary>
    public double Sum { get; private init; }

    /// <summary>ln Σ e^x.</summary>
    public double LogSumExp { get; private init; }

    /// <param name="sum">Σ e^(x − max).</param>
    /// <param name="max">The largest x (after the temperature).</param>
    /// <param name="difference">x − max at the pivot.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public static PivotProbability Of(PivotSum sum, double max, double difference)
    {
        double total = sum.Total;
        double logSum = difference == 0
            ? LogPolynomial.Log1p<ScalarSimd<double>, double, double>(sum.Others)
            : LogPolynomial.Log<ScalarSimd<double>, double, double>(total);
        return new()
        {
            Sum = total,
            Value = sum.AtPivot / total,
            Others = sum.Others / total,
            LogSum = logSum,
            MinusLog = logSum - difference,
            LogSumExp = max + logSum,
        };
    }
}
