namespace SoftmaxCE;

/// <summary>Certified distance of a point to the optimum of F(W, b) = mean loss + L2/2 Σ f W² + L1 Σ f |W|, f the penalty factors.</summary>
/// <remarks>
/// For any row distributions q whose class totals equal those of the labels y (or targets), D(q) = mean of (entropy of q + (q − y) · o) −
/// Σ soft(G(q), L1 f)² / (2 L2 f) is at most the optimum, where G(q) = mean of (q − y) xᵀ and o are the offset logits. With q = p, the
/// model's probabilities, F − D is Σ (∂F/∂W)² / (2 L2 f) when L1 = 0.
/// The class totals of p differ from those of y by g = ∂F/∂b, which is 0 up to rounding when the intercepts are exact. What is left is
/// repaired and paid for: q = (1 − θ) p + θ π − (1 − θ) g, π the class shares in every row, has the right totals, for the smallest θ that
/// makes it a distribution; then mean entropy of q ≥ (1 − θ) · mean entropy of p, and G(q) and (q − y) · o differ from those of p by terms
/// that are known or bounded.
/// Without L2 (or where it is better), q is moved towards y until |G(q)| ≤ L1 f, and D is the mean entropy of what it then is.
/// A coefficient with f = 0 would need G(q) = 0 to the last bit, so nothing is certified when there is one.
/// How far the bound is above the distance: near the optimum the distance is ½ gᵀH⁻¹g, the bound ½ gᵀg / L2, so by h / L2 for a gradient in a
/// direction of curvature h (20 to 30 times on Fashion-MNIST with L2 = 1e-4). A tighter dual point is q = p + (diag p − p pᵀ) X u, for which
/// F − D = ½ uᵀH₀u + ‖g + H₀u‖² / (2 L2) up to third order, H₀ the Hessian without penalty; its best u is Newton's step, and a u good enough takes as
/// many Hessian products as the step that makes the gradient itself small. So none is cheaper than to go on.
/// </remarks>
internal sealed class DualityGap
{
    // The objective and the gap are sums of many terms in double; what rounding may have taken from them stays below this fraction.
    private const double Rounding = 1e-15;

    private readonly IObjective _objective;
    private readonly Penalty _penalty;
    private readonly double[] _means;
    private readonly double[] _variances;
    private readonly double[] _gradientAtShares;    // G(π)
    private readonly double[] _shares;              // π
    private readonly int _count;

    /// <param name="objective">The smooth part.</param>
    /// <param name="l1">Weight of Σ f |W|.</param>
    /// <param name="nullModel">The optimum at W = 0.</param>
    public DualityGap(IObjective objective, double l1, NullModel nullModel)
    {
        _objective = objective;
        _penalty = Penalty.Of(objective, l1);
        _means = nullModel.Means;
        _variances = nullModel.Variances;
        _gradientAtShares = nullModel.GradientAtShares;
        _shares = new double[objective.ClassCount];
        objective.ClassShares(_shares);
        _count = objective.ClassCount * objective.FeatureCount;
    }

    /// <summary>Bound on F(point) − optimum, from the gradient of the smooth part at the point, which the objective was evaluated at last.</summary>
    public double At(ReadOnlySpan<double> point, ReadOnlySpan<double> gradient, double value)
    {
        if (!_penalty.CoversAll) return double.PositiveInfinity;
        int classes = _shares.Length, features = _means.Length;
        ReadOnlySpan<double> interceptGradient = gradient[_count..];
        double theta = 0;
        for (int c = 0; c < interceptGradient.Length; c++) theta = Math.Max(theta, interceptGradient[c] / (_shares[c] + interceptGradient[c]));
        theta = Math.Min(theta, 1);

        // In the loop: w a coefficient, repaired the gradient of the mean loss for q.
        double conjugate = 0, moved = 0, shortening = 1;
        for (int c = 0; c < classes; c++)
        {
            double g = interceptGradient.IsEmpty ? 0 : interceptGradient[c];
            for (int j = 0; j < features; j++)
            {
                int i = (c * features) + j;
                double w = point[i], l2 = _penalty.L2Of(j), l1 = _penalty.L1Of(j);
                double change = theta == 0 && g == 0 ? 0 : (theta * (_gradientAtShares[i] - (gradient[i] - (l2 * w)))) - ((1 - theta) * g * _means[j]);
                double repaired = gradient[i] - (l2 * w) + change, size = Math.Abs(repaired);
                moved -= change * w;
                if (size > l1) shortening = Math.Min(shortening, l1 / size);
                if (l2 == 0) continue;
                if (l1 == 0)
                {
                    double full = gradient[i] + change;
                    conjugate += full * full / (2 * l2);
                }
                else
                {
                    double soft = Math.Max(size - l1, 0);
                    conjugate += Math.Max((repaired * w) + (l2 / 2 * w * w) + (l1 * Math.Abs(w)) + (soft * soft / (2 * l2)), 0);
                }
            }
        }

        double rounding = RoundingOf(point[.._count], _means, _variances, value);
        double smooth = _penalty.HasL2 ? conjugate + InterceptPart(point[_count..], interceptGradient, moved, theta) + rounding : double.PositiveInfinity;
        if (!_penalty.HasL1) return smooth;
        double kept = 1 - (shortening * theta);
        double entropy = kept <= 0 ? 0 : kept * _objective.MeanEntropy(shortening * (1 - theta) / kept);
        return Math.Min(smooth, Math.Max(value - entropy + (shortening * OffsetPart(interceptGradient, theta)), 0) + rounding);
    }

    /// <summary>
    /// What rounding may have taken from the objective: its own last digits, and those of logits, which are as large as their terms w x, times the residuals,
    /// whose mean size is at most 1 and about the mean loss.
    /// </summary>
    public static double RoundingOf(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> means, ReadOnlySpan<double> variances, double value)
    {
        double squares = 0;
        for (int i = 0; i < coefficients.Length; i += means.Length)
        {
            for (int j = 0; j < means.Length; j++) squares += coefficients[i + j] * coefficients[i + j] * (variances[j] + (means[j] * means[j]));
        }

        return Rounding * (Math.Abs(value) + (Math.Sqrt(squares) * Math.Min(Math.Abs(value), 1)));
    }

    /// <summary>What the repair costs: Σ g b, θ · entropy (at most ln C) and what moving G does to ⟨G, W⟩.</summary>
    private double InterceptPart(ReadOnlySpan<double> intercepts, ReadOnlySpan<double> interceptGradient, double moved, double theta)
    {
        if (interceptGradient.IsEmpty) return 0;
        double linear = moved;
        for (int c = 0; c < intercepts.Length; c++) linear += interceptGradient[c] * intercepts[c];
        return Math.Max(linear, 0) + (theta * Math.Log(_shares.Length)) + OffsetPart(interceptGradient, theta);
    }

    /// <summary>How much less than for p the mean of (q − y) · o may be: θ · mean |(p − π) · o| + |g · o|, where g sums to 0.</summary>
    private double OffsetPart(ReadOnlySpan<double> interceptGradient, double theta)
    {
        double range = _objective.MeanOffsetRange, size = 0;
        if (range == 0) return 0;
        foreach (double g in interceptGradient) size += Math.Abs(g);
        return range * (theta + (size / 2));
    }
}
