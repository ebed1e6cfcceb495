namespace SoftmaxCE;

/// <summary>A bound on F(point) − optimum that exists without penalty too, and is near the distance itself: the dual point is moved by a Newton step.</summary>
/// <remarks>
/// The row distributions are q = p (1 + z − p · z), z the change of the row's logits in a step u of some of the parameters. They sum to 1 and are ≥ 0
/// when no row's z spreads by more than m ≤ 1; and G(q) = G(p) + H₀ u, H₀ the Hessian of the mean loss. The step that makes the quadratic model least in the
/// parameters without penalty makes G(q) = 0 there, which is what the dual asks for. Then F − D(q) is KL(q ‖ p) + ⟨G(q), W⟩ + penalty + its conjugate,
/// and KL(q ‖ p) ≤ (1 + m) / 2 · uᵀH₀u, as (1 + e) ln(1 + e) − e ≤ (1 + m) e² / 2 for e ≥ −m.
/// Without L2 the residuals q − y are shortened by t until |G(q)| ≤ L1 f, and D of what they then are is at least t · D(q).
/// What rounding leaves of G(q) where it should be 0 is paid for by the distance that the coefficient may be away.
/// It costs a Hessian over the parameters and a product with it, so it is taken where training ends and not before.
/// </remarks>
internal sealed class DualStep(IObjective objective, double l1, SolverStart start, TrainingMonitor monitor)
{
    // With so few parameters, of all or of those without penalty, the matrix over them costs little beside a fit.
    private const int MostParameters = 600;

    private const double ModelAccuracy = 1e-13;

    // The matrix may be of a sample of the rows, or singular up to rounding: what a step leaves is solved for again.
    private const int Rounds = 5;

    // In units of a feature's deviation: how far the optimum may be away where nothing but the rounding of G(q) is left to hold it.
    private const double Reach = 1000;

    // Along a direction without penalty that the matrix hardly sees, step after step is too short, and its curvature grows from one to the next: what
    // that growth may still come to.
    private const double Creep = 1e4;

    private readonly Penalty _penalty = Penalty.Of(objective, l1);
    private readonly int _features = objective.FeatureCount;
    private readonly int _count = objective.ClassCount * objective.FeatureCount;

    /// <summary>The bound at the point that the objective was evaluated at last; +∞ where the step is too long, null where there are too many parameters.</summary>
    /// <param name="point">The point.</param>
    /// <param name="gradient">Of the smooth part, there.</param>
    /// <param name="value">The objective with L1.</param>
    public double? Bound(double[] point, double[] gradient, double value)
    {
        int[] parameters = Parameters(point);
        if (parameters.Length == 0) return null;
        double best = AfterSteps(parameters, point, gradient, value, _penalty.HasL1 ? 1 : Rounds);
        return _penalty.HasL1 && !_penalty.CoversAll ? Math.Min(best, AfterSteps(Unpenalised(point), point, gradient, value, Rounds)) : best;
    }

    private double AfterSteps(int[] parameters, double[] point, double[] gradient, double value, int rounds)
    {
        double[] step = new double[point.Length], product = new double[point.Length], there = [.. point], gradientThere = [.. gradient];
        double best = double.PositiveInfinity, before = double.NaN;
        for (int round = 0; round < rounds && !monitor.MustStop; round++)
        {
            double[] change = new QuadraticModel(objective, parameters, start, _penalty, there, gradientThere).Minimize(ModelAccuracy, monitor);
            for (int a = 0; a < parameters.Length; a++) step[parameters[a]] += change[a];
            if (!DoubleVectors.AllFinite(step)) break;
            objective.MultiplyHessian(step, product, precise: true);
            objective.StartLine();
            objective.ExtendLine(1);
            double curvature = objective.EvaluateLine(0).Curvature, bound = Bound(point, gradient, step, product, curvature, value);
            if (!_penalty.CoversAll && rounds > 1) bound = round == 0 ? double.PositiveInfinity : bound + (Creep * Math.Abs(curvature - before));
            if (!(bound < best / 2) && round > 0) return Math.Min(bound, best);
            (best, before) = (bound, curvature);
            if (_penalty.CoversAll && double.IsPositiveInfinity(bound)) break;
            for (int i = 0; i < point.Length; i++) (there[i], gradientThere[i]) = (point[i] + step[i], gradient[i] + product[i]);
        }

        return best;
    }

    /// <summary>F − D(q) for the step that is the objective's line, and its product with the Hessian.</summary>
    private double Bound(double[] point, double[] gradient, double[] step, double[] product, double curvature, double value)
    {
        MarginChanges margins = objective.LineMargins();
        double spread = Math.Max(margins.Largest - margins.Smallest, 0);
        if (!(spread <= 1)) return double.PositiveInfinity;

        double divergence = (1 + spread) / 2 * curvature, inner = 0, penalised = 0, left = 0, shortening = 1, meanLoss = value;
        for (int i = _count; i < point.Length; i++) inner += (gradient[i] + product[i]) * point[i];
        for (int i = 0; i < _count; i++)
        {
            int j = i % _features;
            double w = point[i], l2 = _penalty.L2Of(j), l1Of = _penalty.L1Of(j), g = gradient[i] + product[i] - (l2 * (w + step[i])), size = Math.Abs(g);
            inner += g * w;
            if (l2 == 0 && l1Of == 0)
            {
                double intercept = objective.HasIntercepts ? gradient[_count + (i / _features)] + product[_count + (i / _features)] : 0;
                double deviation = Math.Sqrt(SquareOf(j)), reach = Math.Abs(w) * deviation;
                double along = deviation > 0 ? Math.Abs(g - (start.Means[j] * intercept)) / deviation : 0;
                left += along * (reach + Reach);
                continue;
            }

            meanLoss -= (l2 / 2 * w * w) + (l1Of * Math.Abs(w));
            if (size > l1Of) shortening = Math.Min(shortening, l1Of / size);
            double soft = Math.Max(size - l1Of, 0);
            penalised += (l2 / 2 * w * w) + (l1Of * Math.Abs(w)) + (l2 == 0 ? 0 : soft * soft / (2 * l2));
        }

        double distance = _penalty.HasL1 && !_penalty.HasL2 ? value - (shortening * (meanLoss - divergence - inner)) : divergence + inner + penalised;
        return Math.Max(distance, 0) + left + DualityGap.RoundingOf(point.AsSpan(0, _count), start.Means, start.Variances, value);
    }

    /// <summary>All that may move, or, of many, those without penalty; and the intercepts.</summary>
    private int[] Parameters(double[] point)
    {
        if (point.Length <= MostParameters) return [.. Enumerable.Range(0, point.Length).Where(i => i >= _count || point[i] != 0 || IsSmooth(i))];
        int[] free = Unpenalised(point);
        return free.Length <= MostParameters ? free : [];
    }

    private int[] Unpenalised(double[] point) => [.. Enumerable.Range(0, point.Length).Where(i => i >= _count || (IsSmooth(i) && _penalty.L2Of(i % _features) == 0))];

    private bool IsSmooth(int parameter) => _penalty.L1Of(parameter % _features) == 0;

    /// <summary>Mean square of a feature about its mean, or about 0 without intercepts.</summary>
    private double SquareOf(int feature) => objective.HasIntercepts ? start.Variances[feature] : start.Variances[feature] + (start.Means[feature] * start.Means[feature]);
}
