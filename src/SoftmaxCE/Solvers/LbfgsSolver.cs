namespace SoftmaxCE;

/// <summary>Limited-memory BFGS (Nocedal, Wright, algorithm 7.5), whose initial matrix is the spectral preconditioner made at the starting point.</summary>
internal sealed class LbfgsSolver(IObjective objective, SolverSettings settings, TrainingMonitor monitor)
{
    // Pairs of steps and gradient changes that are kept.
    private const int Memory = 10;

    // A fit that takes more steps is one whose curvature pairs and a preconditioner of long ago do not describe: Newton's steps finish it.
    private const int LastOfPairs = 1000;

    // Below this relative gap float products are no longer good enough for the gradient.
    private const double PreciseBelow = 1e-3;

    private readonly Penalty _penalty = Penalty.Of(objective);
    private readonly UnpenalisedStop _unpenalised = new(objective, Penalty.Of(objective), settings);
    private readonly CurvaturePairs _pairs = new(Memory);

    public SolverResult Run(SolverStart start)
    {
        double[] point = start.Point, gradient = start.Gradient, direction = new double[point.Length], shifts = new double[objective.ClassCount];
        double value = start.Value, gap = start.Gap.At(point, gradient, value), decrement = double.PositiveInfinity;
        bool precise = !_penalty.CoversAll, certified = true;
        SpectralPreconditioner preconditioner = new(objective, start, settings);
        double[] origin = start.Resumed is null ? [.. point] : start.Resumed.Vector("origin", point.Length);
        BestPoint best = new(point, value, gap);
        bool isNewton = false;      // the decrement, or the standstill, of an approximate Hessian is not trusted: when training would end by it, steps become Newton's
        int first = 0;
        if (start.Resumed is { } state)
        {
            objective.Evaluate(origin, gradient, precise: true);
            preconditioner.Refresh(origin);
            (first, precise, certified) = (state.Count("iteration"), state.Flag("precise"), state.Flag("certified"));
            (decrement, isNewton, best) = (state.Number("decrement"), state.Flag("newton"), BestPoint.From(state, point.Length));
            _pairs.Restore(state, point.Length);
            _unpenalised.Restore(state);
            value = objective.Evaluate(point, gradient, certified);
            gap = start.Gap.At(point, gradient, value);
        }
        else
        {
            preconditioner.Refresh(point);
            monitor.Record(0, value, gap);
        }

        for (int iteration = first; ; iteration++)
        {
            StopReason? reason = monitor.ReasonToStop(iteration, value, gap) ?? _unpenalised.ReasonToStop(decrement, value, best.Stalled);
            if (reason is null && best.Stalled) reason = StopReason.NoFurtherProgress;
            bool isDecrement = reason == StopReason.Tolerance && double.IsPositiveInfinity(gap);
            if (!isNewton && (isDecrement || reason == StopReason.NoFurtherProgress || (reason is null && iteration >= LastOfPairs)))
            {
                isNewton = true;
                reason = null;
                best.Retry();
            }

            if (reason is not null && !certified)
            {
                precise = certified = true;
                value = objective.Evaluate(point, gradient, precise);
                gap = start.Gap.At(point, gradient, value);
                best = new BestPoint(point, value, gap);
                reason = monitor.ReasonToStop(iteration, value, gap);
                _pairs.Clear();
            }

            if (reason is not null) return new SolverResult(best.Point, reason.Value, iteration, best.Value, best.Gap);
            if (iteration == 0 && start.IsGiven)
            {
                objective.CentreClasses(point);
                value = objective.Evaluate(point, gradient, precise: true);
            }

            if (isNewton)
            {
                preconditioner.Refresh(point);
                origin = [.. point];
                new ConjugateGradient(objective, _penalty, preconditioner, monitor).Solve(gradient, enough: 0, enoughGap: 0, direction);
            }
            else
            {
                _pairs.Apply(preconditioner, followsCurvature: true, gradient, direction);
                for (int i = 0; i < direction.Length; i++) direction[i] = -direction[i];
                objective.StartLine(direction);
            }

            decrement = -DoubleVectors.Dot(gradient, direction);
            double step = LineSearch.Find(objective, _penalty, point, direction, value, -decrement);
            _unpenalised.LookAtLine(step);
            objective.SolveIntercepts(step, NewtonSolver.InterceptAccuracy(settings, start, _penalty, value, gap), shifts);
            double[] before = [.. point], gradientBefore = [.. gradient];
            DoubleVectors.AddScaled(direction, step, point);
            if (objective.HasIntercepts) DoubleVectors.AddScaled(shifts, 1, point.AsSpan(objective.ClassCount * objective.FeatureCount));
            objective.CentreSmoothParameters(_penalty, point);

            bool wasCertified = certified;
            precise = precise || gap < PreciseBelow * value;
            certified = precise;
            value = objective.Evaluate(point, gradient, precise);
            gap = start.Gap.At(point, gradient, value);
            if (certified == wasCertified) Remember(before, gradientBefore, point, gradient);
            if (certified == wasCertified) best.Offer(point, value, gap);
            else best = new BestPoint(point, value, gap);       // values in float and in double are not compared
            monitor.Record(iteration + 1, value, gap);
            monitor.Checkpoint(iteration + 1, (best.Point, best.Value, best.Gap), () => _pairs.AddTo(_unpenalised.AddTo(best.AddTo(new SolverState())))
                .Add("point", point).Add("valueAtPoint", value).Add("newton", isNewton).AddFinal("origin", origin).Add("decrement", decrement).Add("precise", precise).Add("certified", certified));
        }
    }

    private void Remember(double[] before, double[] gradientBefore, double[] point, double[] gradient)
    {
        for (int i = 0; i < point.Length; i++)
        {
            before[i] = point[i] - before[i];
            gradientBefore[i] = gradient[i] - gradientBefore[i];
        }

        double curvature = DoubleVectors.Dot(before, gradientBefore);
        if (!(curvature > 1e-16 * DoubleVectors.Norm(before) * DoubleVectors.Norm(gradientBefore))) return;
        _pairs.Add(before, gradientBefore, curvature);
    }
}
