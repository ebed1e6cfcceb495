namespace SoftmaxCE;

/// <summary>Which solver minimises an objective, with what limits, and the model that comes out.</summary>
internal static class SolverRun
{
    // From here on a Newton step's extra vectors and matrices of sampled curvature cost more than they bring.
    private const long LargeModel = 2_000_000;

    // Relative to the objective: a bound without penalty that is lower is mostly its allowance for rounding, and does not contradict a decrement.
    private const double Resolution = 1e-10;

    /// <summary>The rule of <see cref="Solver.Auto"/>.</summary>
    public static Solver Choose(SoftmaxRegressionOptions options, int featureCount, int classCount)
    {
        if (options.Solver != Solver.Auto) return options.Solver;
        if (options.L1 > 0) return Solver.ProximalNewton;
        return (long)featureCount * classCount > LargeModel ? Solver.Lbfgs : Solver.Newton;
    }

    public static SolverSettings Settings(SoftmaxRegressionOptions options, Solver solver)
    {
        int limit = options.MaxIterations;
        int standard = solver switch { Solver.GradientDescent => options.GradientDescent.Epochs, Solver.Lbfgs => 5000, _ => 300 };
        int iterations = limit == 0 ? standard : solver == Solver.GradientDescent ? Math.Min(limit, standard) : limit;
        return new SolverSettings(options.Tolerance, iterations, options.TimeLimit, options.KeepModelWhenCanceled, options.Seed, options.MaxDegreeOfParallelism);
    }

    public static SolverResult Run(
        Solver solver, SoftmaxRegressionObjective objective, SoftmaxRegressionOptions options, SolverSettings settings, TrainingMonitor monitor, SolverStart from)
    {
        SolverResult result = solver switch
        {
            Solver.GradientDescent => new GradientDescentSolver(objective, options.GradientDescent, settings, monitor).Run(from),
            Solver.Lbfgs => new LbfgsSolver(objective, settings, monitor).Run(from),
            Solver.ProximalNewton => new ProximalNewtonSolver(objective, options.L1, settings, monitor).Run(from),
            _ => new NewtonSolver(objective, settings, monitor).Run(from),
        };
        return Certified(result, objective, options, settings, monitor, from);
    }

    /// <summary>Where training ended of itself without a gap, or with none below the tolerance, a better bound is worth its price once.</summary>
    private static SolverResult Certified(
        SolverResult result, SoftmaxRegressionObjective objective, SoftmaxRegressionOptions options, SolverSettings settings, TrainingMonitor monitor, SolverStart from)
    {
        bool isCertified = result.Gap <= settings.Tolerance * result.Objective;
        bool isCut = result.StopReason is StopReason.Canceled or StopReason.TimeLimit || (result.StopReason == StopReason.IterationLimit && double.IsFinite(result.Gap));
        if (isCertified || isCut || result.StopReason == StopReason.Separable) return result;
        double[] gradient = new double[result.Point.Length];
        double value = objective.Evaluate(result.Point, gradient, precise: true) + objective.L1Term(result.Point);
        double? bound = new DualStep(objective, options.L1, from, monitor).Bound(result.Point, gradient, value);
        double gap = Math.Min(result.Gap, bound ?? double.PositiveInfinity);

        // A decrement that the bound contradicts is not trusted; but with L1 the bound may be larger than the distance by far.
        bool isContradicted = options.L1 == 0 && bound > Resolution * value;
        StopReason reason = result.StopReason;
        if (gap <= settings.Tolerance * value) reason = StopReason.Tolerance;
        else if (reason == StopReason.Tolerance && isContradicted) reason = StopReason.NoFurtherProgress;
        return result with { Gap = gap, Objective = value, StopReason = reason };
    }

    public static SoftmaxRegressionModel ToModel(
        SolverResult result, SoftmaxRegressionObjective objective, SoftmaxRegressionOptions options, TrainingMonitor monitor, IReadOnlyList<string>? classNames)
    {
        FeatureRows rows = objective.Rows;
        double[] point = rows is KeptColumns kept ? kept.Expand(result.Point, objective.ClassCount) : [.. result.Point];
        if (rows is CentredRows centred)
        {
            centred.MoveIntercepts(point, -1);
            rows = centred.Original;
        }

        TrainingSummary summary = new()
        {
            StopReason = result.StopReason, Iterations = result.Iterations, PassesOverData = monitor.PassesOverData, Objective = result.Objective,
            Gap = result.Gap, Elapsed = monitor.Elapsed, History = [.. monitor.History], Options = options, RowCount = objective.RowCount,
            FeatureScale = rows is DenseRows scaled ? scaled.Scale : 1, FeatureOffset = rows is DenseRows shifted ? shifted.Offset : 0,
        };
        int count = point.Length - (objective.HasIntercepts ? objective.ClassCount : 0);
        ReadOnlySpan<double> intercepts = objective.HasIntercepts ? point.AsSpan(count) : new double[objective.ClassCount];
        return new SoftmaxRegressionModel(point.AsSpan(0, count), intercepts, classNames, summary);
    }
}
