namespace SoftmaxCE;

/// <summary>Certified distance of a point to the optimum of F(W, b) = mean loss + L2/2 ‖W‖² + L1 ‖W‖₁.</summary>
/// <remarks>
/// For any row distributions q whose class totals equal those of the labels, D(q) = mean entropy of q − ‖soft(G(q), L1)‖² / (2 L2) is at
/// most the optimum, where G(q) = mean of (q − y) xᵀ. With q = p, the model's probabilities, F − D is ‖∇_W F‖² / (2 L2) when L1 = 0.
/// The class totals of p differ from those of y by g = ∂F/∂b, which is 0 up to rounding when the intercepts are exact. What is left is
/// repaired and paid for: q = (1 − θ) p + θ v with one v for all rows has the right totals for the smallest θ with v ≥ 0; then
/// mean entropy of q ≥ (1 − θ) · mean entropy of p, and G(q) differs from G(p) by known terms.
/// Without L2 (or where it is better), q is moved towards y until |G(q)| ≤ L1, and D is the mean entropy of what it then is.
/// </remarks>
internal sealed class DualityGap
{
    // The objective and the gap are sums of many terms in double; what rounding may have taken from them stays below this fraction.
    private const double Rounding = 1e-15;

    private readonly IObjective _objective;
    private readonly double _l1;
    private readonly double[] _means;
    private readonly double[] _classMeans;      // mean of y xᵀ
    private readonly double[] _shares;

    /// <param name="objective">The smooth part.</param>
    /// <param name="l1">Weight of ‖W‖₁.</param>
    /// <param name="means">Mean of every feature.</param>
    /// <param name="gradientAtPriors">Gradient at W = 0, b = ln(class shares).</param>
    public DualityGap(IObjective objective, double l1, double[] means, ReadOnlySpan<double> gradientAtPriors)
    {
        _objective = objective;
        _l1 = l1;
        _means = means;
        int classes = objective.ClassCount, features = objective.FeatureCount;
        _shares = new double[classes];
        objective.ClassShares(_shares);
        _classMeans = new double[classes * features];
        if (!objective.HasIntercepts) return;
        for (int c = 0; c < classes; c++)
        {
            for (int j = 0; j < features; j++) _classMeans[(c * features) + j] = (_shares[c] * means[j]) - gradientAtPriors[(c * features) + j];
        }
    }

    /// <summary>Bound on F(point) − optimum, from the gradient of the smooth part at the point, which the objective was evaluated at last.</summary>
    public double At(ReadOnlySpan<double> point, ReadOnlySpan<double> gradient, double value)
    {
        double l2 = _objective.L2;
        if (l2 == 0 && _l1 == 0) return double.PositiveInfinity;
        int count = _classMeans.Length, classes = _shares.Length, features = _means.Length;
        ReadOnlySpan<double> interceptGradient = gradient[count..];
        double theta = 0;
        for (int c = 0; c < interceptGradient.Length; c++) theta = Math.Max(theta, interceptGradient[c] / (_shares[c] + interceptGradient[c]));
        theta = Math.Min(theta, 1);

        // In the loop: w a coefficient, loss the gradient of the mean loss, repaired that of the mean loss for q.
        double conjugate = 0, moved = 0, largest = 0;
        for (int c = 0; c < classes; c++)
        {
            double g = interceptGradient.IsEmpty ? 0 : interceptGradient[c];
            for (int j = 0; j < features; j++)
            {
                int i = (c * features) + j;
                double w = point[i], change = theta == 0 && g == 0 ? 0 : Repair(i, c, j, gradient[i] - (l2 * w), theta, g);
                double repaired = gradient[i] - (l2 * w) + change;
                moved -= change * w;
                largest = Math.Max(largest, Math.Abs(repaired));
                if (l2 == 0) continue;
                if (_l1 == 0)
                {
                    double full = gradient[i] + change;
                    conjugate += full * full / (2 * l2);
                }
                else
                {
                    double soft = Math.Max(Math.Abs(repaired) - _l1, 0);
                    conjugate += Math.Max((repaired * w) + (l2 / 2 * w * w) + (_l1 * Math.Abs(w)) + (soft * soft / (2 * l2)), 0);
                }
            }
        }

        double rounding = Rounding * Math.Abs(value);
        double smooth = l2 == 0 ? double.PositiveInfinity : conjugate + InterceptPart(point[count..], interceptGradient, moved, theta) + rounding;
        if (_l1 == 0) return smooth;
        double shortening = largest <= _l1 ? 1 : _l1 / largest;
        double kept = 1 - (shortening * theta);
        double entropy = kept <= 0 ? 0 : kept * _objective.MeanEntropy(shortening * (1 - theta) / kept);
        return Math.Min(smooth, Math.Max(value - entropy, 0) + rounding);
    }

    /// <summary>G(q) − G(p) in one coefficient: −θ G(p) + θ (share · mean − class mean) − (1 − θ) g · mean.</summary>
    private double Repair(int i, int c, int j, double loss, double theta, double g) =>
        (theta * ((_shares[c] * _means[j]) - _classMeans[i] - loss)) - ((1 - theta) * g * _means[j]);

    /// <summary>What the repair costs: Σ g b, θ · entropy (at most ln C) and what moving G does to ⟨G, W⟩.</summary>
    private double InterceptPart(ReadOnlySpan<double> intercepts, ReadOnlySpan<double> interceptGradient, double moved, double theta)
    {
        if (interceptGradient.IsEmpty) return 0;
        double linear = moved;
        for (int c = 0; c < intercepts.Length; c++) linear += interceptGradient[c] * intercepts[c];
        return Math.Max(linear, 0) + (theta * Math.Log(_shares.Length));
    }
}
