namespace SoftmaxCE;

/// <summary>A smooth objective with a matrix that stands for its Hessian, as Fisher's scoring needs it.</summary>
internal interface IScoringObjective
{
    /// <summary>Length of a point.</summary>
    int ParameterCount { get; }

    /// <summary>What the tolerance is relative to: the objective's part that is never below 0, at the last point evaluated.</summary>
    double Scale { get; }

    /// <summary>Value and gradient at a point; +∞, with a meaningless gradient, where the arithmetic ends.</summary>
    double Evaluate(ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>x ← M⁻¹ x, M the matrix at the last point evaluated.</summary>
    void Solve(Span<double> x);
}

/// <summary>Fisher's scoring: steps −M⁻¹ g, shortened until the objective falls and its slope along the step has not turned steep.</summary>
internal sealed class ScoringSolver(IScoringObjective objective, SolverSettings settings, TrainingMonitor monitor)
{
    private const int MaxTrials = 40;

    // Armijo's condition, and what rounding may add to the objective.
    private const double EnoughDecrease = 1e-4;
    private const double Rounding = 1e-13;

    // A step beyond the minimum is taken if the slope there is at most this fraction of the slope here; else the secant finds a shorter one.
    private const double SlopeLeft = 0.25;

    public SolverResult Run(double[] start)
    {
        double[] point = [.. start], gradient = new double[point.Length], direction = new double[point.Length];
        double value = objective.Evaluate(point, gradient);
        BestPoint best = new(point, value, double.PositiveInfinity);
        for (int iteration = 0; ; iteration++)
        {
            for (int i = 0; i < point.Length; i++) direction[i] = -gradient[i];
            objective.Solve(direction);
            double decrement = -DoubleVectors.Dot(gradient, direction);
            best.Offer(point, value, decrement);            // the decrement still falls where the objective's digits have run out
            monitor.Record(iteration, value, double.PositiveInfinity);
            StopReason? reason = decrement / 2 <= settings.Tolerance * objective.Scale ? StopReason.Tolerance : monitor.ReasonToStop(iteration, value, double.PositiveInfinity);
            if (reason is null && best.Stalled) reason = StopReason.NoFurtherProgress;
            if (reason == StopReason.Tolerance) return new SolverResult(point, StopReason.Tolerance, iteration, value, double.PositiveInfinity);
            if (reason is not null) return new SolverResult(best.Point, reason.Value, iteration, best.Value, double.PositiveInfinity);
            value = Step(point, direction, value, -decrement, gradient);
        }
    }

    /// <summary>Moves the point along the direction; the gradient becomes that of the new point.</summary>
    private double Step(double[] point, double[] direction, double value, double slope, double[] gradient)
    {
        double[] trial = new double[point.Length];
        double t = 1;
        for (int k = 0; k < MaxTrials; k++)
        {
            for (int i = 0; i < point.Length; i++) trial[i] = Math.FusedMultiplyAdd(t, direction[i], point[i]);
            double next = objective.Evaluate(trial, gradient), end = double.IsFinite(next) ? DoubleVectors.Dot(gradient, direction) : double.PositiveInfinity;
            bool falls = next <= value + (EnoughDecrease * t * slope) + (Rounding * (Math.Abs(value) + objective.Scale));
            if (falls && end <= -SlopeLeft * slope)
            {
                trial.CopyTo(point, 0);
                return next;
            }

            t *= end > 0 && double.IsFinite(end) ? Math.Clamp(slope / (slope - end), 0.1, 0.9) : 0.5;
        }

        return objective.Evaluate(point, gradient);
    }
}
