namespace SoftmaxCE.Tests;

/// <summary>The documented formula of one row's loss in <see cref="Wide"/> arithmetic, and its derivative as a central difference.</summary>
internal sealed record WideLoss(double Temperature, double ZLoss, double FocalGamma)
{
    // 2^-40: the error of the difference quotient is about h² = 1e-24, the rounding 2^-160 / h = 1e-36.
    private static readonly Wide Step = Wide.One.TimesPowerOfTwo(-40);

    /// <summary>Σ u[c] (1 − p[c])^γ (−ln p[c]) + ζ w (ln Σ e^x)².</summary>
    public Wide Of(Wide[] logits, double[] target, double weight)
    {
        Wide[] x = Array.ConvertAll(logits, z => z / Temperature);
        Wide max = x.Aggregate(Wide.Max);
        Wide sum = WideReference.Sum(x.Select(v => WideMath.Exp(v - max)));
        Wide logSum = max + WideMath.Log(sum), loss = Wide.Zero;
        for (int c = 0; c < x.Length; c++)
        {
            if (target[c] == 0) continue;
            Wide logProbability = x[c] - logSum;
            loss += target[c] * Damping(1 - WideMath.Exp(logProbability)) * -logProbability;
        }

        return loss + (ZLoss * weight * logSum * logSum);
    }

    public Wide[] GradientOf(Wide[] logits, double[] target, double weight)
    {
        Wide[] gradient = new Wide[logits.Length];
        for (int j = 0; j < logits.Length; j++)
        {
            Wide[] above = [.. logits], below = [.. logits];
            above[j] += Step;
            below[j] -= Step;
            gradient[j] = (Of(above, target, weight) - Of(below, target, weight)) / (2 * Step);
        }

        return gradient;
    }

    private Wide Damping(Wide oneMinusP) =>
        FocalGamma == 0 ? Wide.One : oneMinusP.Sign <= 0 ? Wide.Zero : WideMath.Exp(FocalGamma * WideMath.Log(oneMinusP));
}
