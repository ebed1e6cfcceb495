namespace SoftmaxCE;

/// <summary>Truncated Newton: conjugate gradients find the step, a search on cached logits its length, and the intercepts are solved for exactly.</summary>
internal sealed class NewtonSolver(IObjective objective, SolverSettings settings, TrainingMonitor monitor)
{
    // Below this relative gap float products are no longer good enough for the gradient; Hessian products stay in float.
    private const double PreciseBelow = 1e-3;

    // The last step aims at this part of the tolerance, to leave room for what its quadratic model does not know.
    private const double PartOfTolerance = 0.5;

    private readonly Penalty _penalty = Penalty.Of(objective);
    private readonly UnpenalisedStop _unpenalised = new(objective, Penalty.Of(objective), settings);

    public SolverResult Run(SolverStart start)
    {
        double[] point = start.Point, gradient = start.Gradient, direction = new double[point.Length], shifts = new double[objective.ClassCount];
        double value = start.Value, gap = start.Gap.At(point, gradient, value), decrement = double.PositiveInfinity;
        bool precise = !_penalty.CoversAll, certified = true;
        SpectralPreconditioner preconditioner = new(objective, start, settings);
        ConjugateGradient conjugateGradient = new(objective, _penalty, preconditioner, monitor);
        BestPoint best = new(point, value, gap);
        double[] origin = point;                // where the preconditioner's Hessian was taken
        bool isOriginCertified = true;
        int first = 0;
        if (start.Resumed is { } state)
        {
            _unpenalised.Restore(state);
            (origin, isOriginCertified) = (state.Vector("origin", point.Length), state.Flag("originCertified"));
            objective.Evaluate(origin, gradient, isOriginCertified);
            preconditioner.Refresh(origin);
            preconditioner.ProductsSinceRefresh = state.Number("products");
            (first, precise, certified) = (state.Count("iteration"), state.Flag("precise"), state.Flag("certified"));
            (decrement, best) = (state.Number("decrement"), BestPoint.From(state, point.Length));
            conjugateGradient.Restore(state);
            value = objective.Evaluate(point, gradient, certified);
            gap = start.Gap.At(point, gradient, value);
        }
        else
        {
            monitor.Record(0, value, gap);
        }

        for (int iteration = first; ; iteration++)
        {
            StopReason? reason = monitor.ReasonToStop(iteration, value, gap) ?? _unpenalised.ReasonToStop(decrement, value, best.Stalled);
            if (reason is null && best.Stalled) reason = StopReason.NoFurtherProgress;
            if (reason is not null && !certified)
            {
                precise = certified = true;         // what is reported is certified in double
                value = objective.Evaluate(point, gradient, precise);
                gap = start.Gap.At(point, gradient, value);
                best = new BestPoint(point, value, gap);
                reason = monitor.ReasonToStop(iteration, value, gap);
            }

            if (reason is not null) return new SolverResult(best.Point, reason.Value, iteration, best.Value, best.Gap);
            if (iteration == 0 && start.IsGiven)
            {
                objective.CentreClasses(point);
                value = objective.Evaluate(point, gradient, precise: true);
            }

            // Without a gap the decrement decides when to stop, which is only as good as the step; and an old Hessian may be why a step failed.
            if (!_penalty.CoversAll || preconditioner.IsDue || !best.IsLast)
            {
                preconditioner.Refresh(point);
                origin = [.. point];
                isOriginCertified = certified;
            }

            conjugateGradient.Solve(gradient, EnoughReduction(value, gap), PartOfTolerance * settings.Tolerance * value, direction);
            decrement = -DoubleVectors.Dot(gradient, direction);
            double step = LineSearch.Find(objective, _penalty, point, direction, value, -decrement);
            _unpenalised.LookAtLine(step);
            objective.SolveIntercepts(step, InterceptAccuracy(settings, start, _penalty, value, gap), shifts);
            DoubleVectors.AddScaled(direction, step, point);
            if (objective.HasIntercepts) DoubleVectors.AddScaled(shifts, 1, point.AsSpan(objective.ClassCount * objective.FeatureCount));
            objective.CentreSmoothParameters(_penalty, point);

            bool wasCertified = certified;
            precise = precise || gap < PreciseBelow * value;
            certified = precise;
            value = objective.Evaluate(point, gradient, precise);
            gap = start.Gap.At(point, gradient, value);
            if (certified == wasCertified) best.Offer(point, value, gap);
            else best = new BestPoint(point, value, gap);       // values in float and in double are not compared
            monitor.Record(iteration + 1, value, gap);
            monitor.Checkpoint(iteration + 1, (best.Point, best.Value, best.Gap), () => conjugateGradient.AddTo(_unpenalised.AddTo(best.AddTo(new SolverState())))
                .Add("point", point).Add("valueAtPoint", value).Add("decrement", decrement).Add("precise", precise).Add("certified", certified)
                .AddFinal("origin", origin).Add("originCertified", isOriginCertified).Add("products", preconditioner.ProductsSinceRefresh));
        }
    }

    /// <summary>The fraction of the gradient that may be left for the gap, which is quadratic in it, to fall below the tolerance.</summary>
    private double EnoughReduction(double value, double gap) => double.IsFinite(gap) && gap > 0 ? 0.3 * Math.Sqrt(settings.Tolerance * value / gap) : 0;

    /// <summary>
    /// What inexact intercepts, of derivative g, add to the gap is a few times g, and (mean · g)² / (2 L2) through each feature: far less than the
    /// tolerance, or than what a step leaves of the gap before it.
    /// </summary>
    public static double InterceptAccuracy(SolverSettings settings, SolverStart start, Penalty penalty, double value, double gap)
    {
        double enough = 0;
        if (penalty.L2 > 0 && penalty.IsUniform && double.IsFinite(gap))
        {
            enough = Math.Min(1e-4 * value, Math.Min(1e-4 * gap, Math.Sqrt(2e-4 * penalty.L2 * gap) / start.LargestMean));
        }

        return Math.Max(Math.Max(1e-3 * settings.Tolerance * value, enough), 1e-16);
    }
}
