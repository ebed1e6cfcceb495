namespace SoftmaxCE;

/// <summary>Minimises one objective for falling penalties, each from the optimum of the one before.</summary>
internal sealed class PathSolver
{
    private readonly SoftmaxRegressionObjective _objective;
    private readonly RegularizationPathOptions _options;
    private readonly NullModel _nullModel;
    private readonly Penalty _factors;
    private readonly double[] _scratch;
    private readonly CancellationToken _cancellationToken;
    private double[] _point;

    public PathSolver(FeatureRows rows, Examples examples, RegularizationPathOptions options, CancellationToken cancellationToken)
    {
        _options = options;
        _cancellationToken = cancellationToken;
        _objective = new SoftmaxRegressionObjective(options.Training.FitIntercepts ? CentredRows.Of(rows) : rows, examples, options.Training with { L1 = 0, L2 = 0 });
        _nullModel = NullModel.Of(_objective);
        _factors = new Penalty(1, 1, options.Training.PenaltyFactors.Span, rows.FeatureCount);
        _scratch = new double[_nullModel.Point.Length];
        _point = [.. _nullModel.Point];
        if (!_factors.CoversAll) FitUnpenalised();
    }

    /// <summary>Mean loss of the model without features.</summary>
    public double NullLoss => _nullModel.Value;

    /// <summary>The smallest λ at which every penalised coefficient is 0, from the gradient at the model of the others.</summary>
    public double LargestPenalty()
    {
        double[] gradient = _scratch;
        _objective.SetPenalty(0, 0);
        _objective.Evaluate(_point, gradient, precise: true);
        double largest = 0;
        for (int i = 0; i < _objective.ClassCount * _objective.FeatureCount; i++)
        {
            int feature = i % _objective.FeatureCount;
            double factor = _factors.FactorOf(feature);
            bool constant = _objective.HasIntercepts && _nullModel.Variances[feature] == 0;       // the intercepts leave it rounding
            if (factor > 0 && !constant) largest = Math.Max(largest, Math.Abs(gradient[i]) / factor);
        }

        return largest / Math.Max(_options.Mixing, RegularizationPathOptions.LeastMixing);
    }

    /// <summary>The optimum for λ.</summary>
    /// <param name="penalty">λ.</param>
    /// <param name="classNames">Names for the model's classes.</param>
    public SoftmaxRegressionModel Next(double penalty, IReadOnlyList<string>? classNames)
    {
        double l1 = penalty * _options.Mixing, l2 = penalty * (1 - _options.Mixing);
        SolverResult result = Solve(l1, l2, out TrainingMonitor monitor);
        return SolverRun.ToModel(result, _objective, _options.Training with { L1 = l1, L2 = l2 }, monitor, classNames);
    }

    /// <summary>Sums over a fold at the last optimum.</summary>
    public HeldOutSums HeldOut(ReadOnlySpan<int> folds, int fold, double[]? weights)
    {
        _objective.Evaluate(_point, _scratch, precise: true);
        return _objective.HeldOut(folds, fold, weights);
    }

    /// <summary>Features without penalty have their part in every model of the path, also in the first, where all others are 0.</summary>
    private void FitUnpenalised() => Solve(double.MaxValue / 1e10, 0, out _);

    private SolverResult Solve(double l1, double l2, out TrainingMonitor monitor)
    {
        SoftmaxRegressionOptions options = _options.Training with { L1 = l1, L2 = l2, KeepModelWhenCanceled = false };
        Solver solver = l1 > 0 ? Solver.ProximalNewton : SolverRun.Choose(options, _objective.FeatureCount, _objective.ClassCount);
        SolverSettings settings = SolverRun.Settings(options, solver);
        _objective.SetPenalty(l1, l2);
        monitor = new TrainingMonitor(_objective, settings, progress: null, _cancellationToken);
        SolverResult result = SolverRun.Run(solver, _objective, options, settings, monitor, SolverStart.At(_objective, l1, _nullModel, [.. _point]));
        _point = result.Point;
        return result;
    }
}
