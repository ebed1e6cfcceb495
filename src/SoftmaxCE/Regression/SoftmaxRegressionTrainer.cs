using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

/// <summary>Trains softmax regression (multinomial logistic regression): minimises the objective of <see cref="SoftmaxRegressionOptions"/>.</summary>
/// <param name="options">Null for the defaults.</param>
public sealed class SoftmaxRegressionTrainer(SoftmaxRegressionOptions? options = null)
{
    // From here on a Newton step's extra vectors and matrices of sampled curvature cost more than they bring.
    private const long LargeModel = 2_000_000;

    // Sizes up to which a fit without penalty is checked for quasi-complete separation: of the matrix over all coefficients, and rows · size².
    private const double LargestSeparationCheck = 500;
    private const double MostSeparationProducts = 1e9;

    private readonly SoftmaxRegressionOptions _options = Validated(options ?? new SoftmaxRegressionOptions());

    /// <summary>What is minimised and how.</summary>
    public SoftmaxRegressionOptions Options => _options;

    /// <summary>Trains on labels 0, 1, 2, …; there are as many classes as the largest label says, or as <paramref name="start"/> has.</summary>
    /// <param name="rows">Features, all finite; at least one row.</param>
    /// <param name="labels">One label per row. Every class needs a row of positive weight (for gradient descent from <paramref name="start"/>: none does).</param>
    /// <param name="sampleWeights">One weight ≥ 0 per row, not all 0; empty for all 1.</param>
    /// <param name="start">Start from this model instead of 0.</param>
    /// <param name="progress">Is told of the starting point and of every iteration, on the calling thread.</param>
    /// <param name="cancellationToken">Ends training, see <see cref="SoftmaxRegressionOptions.KeepModelWhenCanceled"/>.</param>
    /// <returns>The model; how training ended is in <see cref="SoftmaxRegressionModel.Training"/>.</returns>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite; the message names row and column or class.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public SoftmaxRegressionModel Fit(
        FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default, SoftmaxRegressionModel? start = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Fit(rows, labels, start?.ClassNames, sampleWeights, start, progress, cancellationToken);

    /// <summary>Trains on class names: they are sorted ordinally, labels are their places, and the model keeps them.</summary>
    /// <inheritdoc cref="Fit(FeatureRows, ReadOnlySpan{int}, ReadOnlySpan{float}, SoftmaxRegressionModel?, IProgress{TrainingProgress}?, CancellationToken)"/>
    public SoftmaxRegressionModel Fit(
        FeatureRows rows, IReadOnlyList<string> labels, ReadOnlySpan<float> sampleWeights = default, SoftmaxRegressionModel? start = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Count == 0) throw new ArgumentException("Needs at least one row but is empty.", nameof(labels));
        if (start is not null) return Fit(rows, EncodeAs(start.ClassNames, labels), start.ClassNames, sampleWeights, start, progress, cancellationToken);
        LabelEncoder encoder = new(labels);
        return Fit(rows, encoder.Encode(labels), encoder.ClassNames, sampleWeights, start, progress, cancellationToken);
    }

    private SoftmaxRegressionModel Fit(
        FeatureRows rows, ReadOnlySpan<int> labels, IReadOnlyList<string>? classNames, ReadOnlySpan<float> sampleWeights, SoftmaxRegressionModel? start,
        IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.RowCount == 0) throw new ArgumentException("Needs at least one row but is empty.", nameof(rows));
        Argument.SameLength(rows.RowCount, labels.Length, nameof(labels));
        if (start is not null && start.FeatureCount != rows.FeatureCount)
        {
            throw new ArgumentException($"Has {start.FeatureCount} features, but the rows have {rows.FeatureCount}.", nameof(start));
        }

        int classCount = CountClasses(labels, start);
        double[]? weights = Weights(labels, sampleWeights, classCount);
        Examples examples = new(labels, weights, classCount);
        Solver solver = Choose(rows, classCount);
        if (start is null || solver != Solver.GradientDescent) RequireEveryClass(examples, classNames, nameof(labels));
        cancellationToken.ThrowIfCancellationRequested();

        FitTrace trace = FitTrace.Start(rows, classCount, solver);
        try
        {
            SoftmaxRegressionObjective objective = new(rows, examples, _options);
            TrainingMonitor monitor = new(objective, Settings(solver), progress, cancellationToken) { Trace = trace };
            SoftmaxRegressionModel model = ToModel(Run(solver, objective, monitor, start), objective, rows, monitor, classNames);
            trace.Finish(model.Training!);
            return model;
        }
        catch (Exception exception)
        {
            trace.Fail(exception);
            throw;
        }
    }

    /// <summary>Checks labels and weights for training without a model to start from.</summary>
    internal static Examples ExamplesOf(SoftmaxRegressionOptions options, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights)
    {
        SoftmaxRegressionTrainer trainer = new(options);
        int classCount = trainer.CountClasses(labels, start: null);
        Examples examples = new(labels, trainer.Weights(labels, sampleWeights, classCount), classCount);
        RequireEveryClass(examples, classNames: null, nameof(labels));
        return examples;
    }

    /// <summary>Without any penalty, whether a fit that seems to have converged only follows coefficients to infinity.</summary>
    private bool IsSeparated(SolverResult result, Solver solver, SoftmaxRegressionObjective objective)
    {
        if (_options.L2 > 0 || _options.L1 > 0 || solver == Solver.GradientDescent || result.StopReason is not (StopReason.Tolerance or StopReason.NoFurtherProgress)) return false;
        double size = objective.ClassCount * (objective.FeatureCount + 1.0);
        if (size > LargestSeparationCheck || objective.RowCount * size * size > MostSeparationProducts) return false;
        SeparationProblem problem = new(objective, new StandardFeatures(objective), _options.MaxDegreeOfParallelism);
        double[]? start = problem.HasFullRank ? problem.DirectionOf(result.Point) : null;
        return SeparationSearch.Run(problem, start).Kind is SeparationKind.Complete or SeparationKind.QuasiComplete;
    }

    private SolverResult Run(Solver solver, SoftmaxRegressionObjective objective, TrainingMonitor monitor, SoftmaxRegressionModel? start)
    {
        SolverSettings settings = Settings(solver);
        if (_options.BiasReduction == BiasReduction.Firth)
        {
            FirthObjective penalised = new(objective, _options.MaxDegreeOfParallelism);
            return penalised.ToFullPoint(new ScoringSolver(penalised, settings, monitor).Run(penalised.StartAt(start)));
        }

        SolverStart from = SolverStart.At(objective, _options.L1, start is null ? null : PointOf(start));
        SolverResult result = Run(solver, objective, settings, monitor, from);
        return IsSeparated(result, solver, objective) ? result with { StopReason = StopReason.Separable } : result;
    }

    private SolverResult Run(Solver solver, SoftmaxRegressionObjective objective, SolverSettings settings, TrainingMonitor monitor, SolverStart from) => solver switch
    {
        Solver.GradientDescent => new GradientDescentSolver(objective, _options.GradientDescent, settings, monitor).Run(from),
        Solver.Lbfgs => new LbfgsSolver(objective, settings, monitor).Run(from),
        Solver.ProximalNewton => new ProximalNewtonSolver(objective, _options.L1, settings, monitor).Run(from),
        _ => new NewtonSolver(objective, settings, monitor).Run(from),
    };

    private Solver Choose(FeatureRows rows, int classCount)
    {
        if (_options.Solver != Solver.Auto) return _options.Solver;
        if (_options.L1 > 0) return Solver.ProximalNewton;
        return (long)rows.FeatureCount * classCount > LargeModel ? Solver.Lbfgs : Solver.Newton;
    }

    private SolverSettings Settings(Solver solver)
    {
        int limit = _options.MaxIterations;
        int standard = solver switch { Solver.GradientDescent => _options.GradientDescent.Epochs, Solver.Lbfgs => 5000, _ => 300 };
        int iterations = limit == 0 ? standard : solver == Solver.GradientDescent ? Math.Min(limit, standard) : limit;
        return new SolverSettings(_options.Tolerance, iterations, _options.TimeLimit, _options.KeepModelWhenCanceled, _options.Seed, _options.MaxDegreeOfParallelism);
    }

    private double[] PointOf(SoftmaxRegressionModel start) => _options.FitIntercepts
        ? [.. start.Coefficients.Span, .. start.Intercepts.Span]
        : [.. start.Coefficients.Span];

    private SoftmaxRegressionModel ToModel(
        SolverResult result, SoftmaxRegressionObjective objective, FeatureRows rows, TrainingMonitor monitor, IReadOnlyList<string>? classNames)
    {
        int count = objective.ClassCount * objective.FeatureCount;
        TrainingSummary summary = new()
        {
            StopReason = result.StopReason, Iterations = result.Iterations, PassesOverData = objective.PassesOverData, Objective = result.Objective,
            Gap = result.Gap, Elapsed = monitor.Elapsed, History = monitor.History, Options = _options, RowCount = rows.RowCount,
            FeatureScale = rows is DenseRows scaled ? scaled.Scale : 1, FeatureOffset = rows is DenseRows shifted ? shifted.Offset : 0,
        };
        ReadOnlySpan<double> intercepts = objective.HasIntercepts ? result.Point.AsSpan(count) : new double[objective.ClassCount];
        return new SoftmaxRegressionModel(result.Point.AsSpan(0, count), intercepts, classNames, summary);
    }

    private int CountClasses(ReadOnlySpan<int> labels, SoftmaxRegressionModel? start)
    {
        int largest = 1;
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0) throw new ArgumentOutOfRangeException(nameof(labels), labels[row], $"Row {row} has the negative label {labels[row]}.");
            if (start is not null && labels[row] >= start.ClassCount) Argument.ThrowLabel(row, labels[row], start.ClassCount);
            largest = Math.Max(largest, labels[row]);
        }

        int classCount = start?.ClassCount ?? largest + 1;
        int weightCount = _options.ClassWeights.Length;
        if (weightCount != 0 && weightCount != classCount)
        {
            throw new ArgumentException($"The options have {weightCount} class weights, but there are {classCount} classes.", nameof(labels));
        }

        return classCount;
    }

    private double[]? Weights(ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights, int classCount)
    {
        if (!sampleWeights.IsEmpty) Argument.SameLength(labels.Length, sampleWeights.Length, nameof(sampleWeights));
        ReadOnlySpan<double> classWeights = _options.ClassWeights.Span;
        if (sampleWeights.IsEmpty && classWeights.IsEmpty) return null;
        double[] weights = new double[labels.Length];
        double sum = 0;
        for (int row = 0; row < weights.Length; row++)
        {
            double sample = sampleWeights.IsEmpty ? 1 : sampleWeights[row];
            if (!(sample >= 0 && double.IsFinite(sample)))
            {
                throw new ArgumentOutOfRangeException(nameof(sampleWeights), sample, $"Row {row} has the weight {sample}; weights must be finite and at least 0.");
            }

            weights[row] = sample * (classWeights.IsEmpty ? 1 : classWeights[labels[row]]);
            sum += weights[row];
        }

        if (sum == 0) throw new ArgumentException("All weights are 0.", nameof(sampleWeights));
        return weights;
    }

    /// <summary>Without a row of a class its intercept would fall for ever.</summary>
    private static void RequireEveryClass(Examples examples, IReadOnlyList<string>? classNames, string name)
    {
        int present = examples.Shares.Count(share => share > 0);
        if (present == 1) ThrowOneClass(Array.FindIndex(examples.Shares, share => share > 0), classNames, name);
        for (int c = 0; c < examples.ClassCount; c++)
        {
            if (examples.Shares[c] > 0) continue;
            string className = classNames is null ? "" : $" (\"{classNames[c]}\")";
            throw new ArgumentException($"Class {c}{className} has no row of positive weight, but there are labels up to {examples.ClassCount - 1}.", name);
        }
    }

    [DoesNotReturn]
    private static void ThrowOneClass(int label, IReadOnlyList<string>? classNames, string name) =>
        throw new ArgumentException($"All rows have the same class, {(classNames is null ? label : classNames[label])}; at least two classes are needed.", name);

    private static int[] EncodeAs(IReadOnlyList<string> classNames, IReadOnlyList<string> labels)
    {
        Dictionary<string, int> places = new(StringComparer.Ordinal);
        for (int c = 0; c < classNames.Count; c++) places[classNames[c]] = c;
        int[] encoded = new int[labels.Count];
        for (int row = 0; row < encoded.Length; row++)
        {
            if (!places.TryGetValue(labels[row], out encoded[row]))
            {
                throw new ArgumentException($"Row {row}: \"{labels[row]}\" is not a class of the model to start from.", nameof(labels));
            }
        }

        return encoded;
    }

    private static SoftmaxRegressionOptions Validated(SoftmaxRegressionOptions options)
    {
        options.Validate();
        return options;
    }
}
