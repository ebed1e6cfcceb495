namespace SoftmaxCE;

/// <summary>
/// Proximal Newton for F(W, b) + L1 ‖W‖₁ (Lee, Sun, Saunders 2014): each step minimises the quadratic model of F plus the L1 term over an
/// active set, with the Hessian that couples all classes; a search on cached logits finds its length.
/// </summary>
/// <remarks>Minimising class by class with the others held, as coordinate descent packages do, need not converge when rows are fewer than columns.</remarks>
internal sealed class ProximalNewtonSolver(IObjective objective, double l1, SolverSettings settings, TrainingMonitor monitor)
{
    // The model of the active set holds a square matrix; a larger set is worked on in parts, most violated first.
    private const int MaxActive = 2500;

    // Of the coefficients that want to leave 0 most return to it, so at most as many enter as there are already, and at least this many.
    private const int LeastNewcomers = 200;

    private readonly Penalty _penalty = Penalty.Of(objective, l1);
    private readonly UnpenalisedStop _unpenalised = new(objective, Penalty.Of(objective, l1), settings);
    private readonly int _count = objective.ClassCount * objective.FeatureCount;
    private bool _isActiveSetWhole;

    public SolverResult Run(SolverStart start)
    {
        double[] point = start.Point, gradient = start.Gradient, direction = new double[point.Length], shifts = new double[objective.ClassCount];
        double value = start.Value + L1Term(point, direction, 0), gap = start.Gap.At(point, gradient, value), decrement = double.PositiveInfinity;
        BestPoint best = new(point, value, gap);
        int first = 0;
        if (start.Resumed is { } state)
        {
            _unpenalised.Restore(state);
            (first, decrement, best) = (state.Count("iteration"), state.Number("decrement"), BestPoint.From(state, point.Length));
        }
        else
        {
            monitor.Record(0, value, gap);
        }

        for (int iteration = first; ; iteration++)
        {
            StopReason? reason = monitor.ReasonToStop(iteration, value, gap);
            reason ??= _unpenalised.ReasonToStop(decrement, value, best.Stalled);
            if (reason is null && best.Stalled) reason = StopReason.NoFurtherProgress;
            if (reason is not null) return new SolverResult(best.Point, reason.Value, iteration, best.Value, best.Gap);

            int[] active = ActiveSet(point, gradient);
            QuadraticModel model = new(objective, active, start, _penalty, point, gradient);
            double[] change = model.Minimize(ModelAccuracy(value, gap), monitor);
            Array.Clear(direction);
            for (int a = 0; a < active.Length; a++) direction[active[a]] = model.IsZero(a) ? -point[active[a]] : change[a];

            objective.StartLine(direction);
            double promised = DoubleVectors.Dot(gradient, direction) + L1Term(point, direction, 1) - L1Term(point, direction, 0);
            decrement = _isActiveSetWhole ? -promised : double.PositiveInfinity;
            double step = StepLength(point, direction, promised);
            _unpenalised.LookAtLine(step);
            objective.SolveIntercepts(step, NewtonSolver.InterceptAccuracy(settings, start, _penalty, value, gap), shifts);
            MoveTo(point, direction, step, shifts);
            value = objective.Evaluate(point, gradient, precise: true) + L1Term(point, direction, 0);
            gap = start.Gap.At(point, gradient, value);
            best.Offer(point, value, gap);
            monitor.Record(iteration + 1, value, gap);
            monitor.Checkpoint(iteration + 1, (best.Point, best.Value, best.Gap), () => _unpenalised.AddTo(best.AddTo(new SolverState())).Add("point", point).Add("valueAtPoint", value).Add("decrement", decrement));
        }
    }

    /// <summary>Far from the optimum the model soon changes; near it the step must be good for the convergence to be quadratic.</summary>
    private static double ModelAccuracy(double value, double gap) => double.IsFinite(gap) ? Math.Clamp(0.1 * gap / value, 1e-10, 1e-2) : 1e-6;

    /// <summary>Coefficients that are not 0 or want to leave it, and the intercepts.</summary>
    private int[] ActiveSet(double[] point, double[] gradient)
    {
        List<int> active = [], newcomers = [];
        for (int i = 0; i < _count; i++)
        {
            if (point[i] != 0) active.Add(i);
            else if (Math.Abs(gradient[i]) > L1Of(i)) newcomers.Add(i);
        }

        int wanted = active.Count + newcomers.Count;
        KeepMostViolated(newcomers, Math.Max(LeastNewcomers, active.Count), point, gradient);
        active.AddRange(newcomers);
        KeepMostViolated(active, MaxActive, point, gradient);
        _isActiveSetWhole = active.Count == wanted;
        active.Sort();
        for (int i = _count; i < point.Length; i++) active.Add(i);
        return [.. active];
    }

    private void KeepMostViolated(List<int> parameters, int most, double[] point, double[] gradient)
    {
        if (parameters.Count <= most) return;
        parameters.Sort((a, b) => Violation(point, gradient, b).CompareTo(Violation(point, gradient, a)) is var order and not 0 ? order : a.CompareTo(b));
        parameters.RemoveRange(most, parameters.Count - most);
    }

    /// <summary>Length of the smallest subgradient in one coefficient.</summary>
    private double Violation(double[] point, double[] gradient, int i) => point[i] switch
    {
        > 0 => Math.Abs(gradient[i] + L1Of(i)),
        < 0 => Math.Abs(gradient[i] - L1Of(i)),
        _ => Math.Max(Math.Abs(gradient[i]) - L1Of(i), 0),
    };

    private double L1Of(int parameter) => _penalty.L1Of(parameter % objective.FeatureCount);

    /// <summary>Halves the step until the objective has fallen by a fraction of what the model promised (Armijo's rule for composite functions).</summary>
    private double StepLength(double[] point, double[] direction, double promised)
    {
        double across = _penalty.L2Product(point.AsSpan(0, _count), direction.AsSpan(0, _count));
        double along = _penalty.L2Product(direction.AsSpan(0, _count), direction.AsSpan(0, _count));
        double termAtZero = L1Term(point, direction, 0);
        double before = objective.EvaluateLine(0).Value + termAtZero;
        for (double step = 1; step > 1e-10; step /= 2)
        {
            double after = objective.EvaluateLine(step).Value + (step * across) + (step * step / 2 * along) + L1Term(point, direction, step);
            if (after <= before + (1e-4 * step * promised) + (1e-15 * before)) return step;
        }

        return 0;
    }

    private double L1Term(double[] point, double[] direction, double step) => _penalty.L1Term(point.AsSpan(0, _count), direction.AsSpan(0, _count), step);

    private void MoveTo(double[] point, double[] direction, double step, double[] shifts)
    {
        // At step 1 a coefficient that the model put to 0 must be 0, whatever rounding says.
        for (int i = 0; i < point.Length; i++) point[i] = step == 1 && direction[i] == -point[i] ? 0 : point[i] + (step * direction[i]);
        if (objective.HasIntercepts) DoubleVectors.AddScaled(shifts, 1, point.AsSpan(_count));
        objective.CentreSmoothParameters(_penalty, point);
    }
}
