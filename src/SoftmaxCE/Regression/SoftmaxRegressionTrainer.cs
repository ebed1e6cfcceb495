using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>Trains softmax regression (multinomial logistic regression): minimises the objective of <see cref="SoftmaxRegressionOptions"/>.</summary>
/// <param name="options">Null for the defaults.</param>
public sealed class SoftmaxRegressionTrainer(SoftmaxRegressionOptions? options = null)
{
    // Sizes up to which a fit without penalty is checked for separation: of the matrix over all coefficients, and rows · size².
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
        Fit(TrainingExamples.FromLabels(rows, labels.ToArray()) with { SampleWeights = sampleWeights.ToArray() }, start, progress, cancellationToken: cancellationToken);

    /// <summary>Trains on class names: they are sorted ordinally, labels are their places, and the model keeps them.</summary>
    /// <inheritdoc cref="Fit(FeatureRows, ReadOnlySpan{int}, ReadOnlySpan{float}, SoftmaxRegressionModel?, IProgress{TrainingProgress}?, CancellationToken)"/>
    public SoftmaxRegressionModel Fit(
        FeatureRows rows, IReadOnlyList<string> labels, ReadOnlySpan<float> sampleWeights = default, SoftmaxRegressionModel? start = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Count == 0) throw new ArgumentException("Needs at least one row but is empty.", nameof(labels));
        TrainingExamples examples = TrainingExamples.FromNames(rows, labels, start?.ClassNames);
        return Fit(examples with { SampleWeights = sampleWeights.ToArray() }, start, progress, cancellationToken: cancellationToken);
    }

    /// <summary>Trains on target distributions ("soft labels"), see <see cref="TrainingExamples.FromTargets"/>.</summary>
    /// <typeparam name="T">float, double or another IEEE type.</typeparam>
    /// <param name="rows">Features, all finite; at least one row.</param>
    /// <param name="targets">[rows, classes] row-major, entries ≥ 0, each row with sum 1.</param>
    /// <param name="classCount">Number of classes, at least 2.</param>
    /// <param name="sampleWeights">One weight ≥ 0 per row, not all 0; empty for all 1.</param>
    /// <param name="start">Start from this model instead of 0.</param>
    /// <param name="progress">Is told of the starting point and of every iteration, on the calling thread.</param>
    /// <param name="cancellationToken">Ends training, see <see cref="SoftmaxRegressionOptions.KeepModelWhenCanceled"/>.</param>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite; the message names row and column or class.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public SoftmaxRegressionModel Fit<T>(
        FeatureRows rows, ReadOnlySpan<T> targets, int classCount, ReadOnlySpan<float> sampleWeights = default, SoftmaxRegressionModel? start = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] widened = new double[targets.Length];
        TensorPrimitives.ConvertTruncating(targets, widened);
        return Fit(TrainingExamples.FromTargets(rows, widened, classCount) with { SampleWeights = sampleWeights.ToArray() }, start, progress, cancellationToken: cancellationToken);
    }

    /// <summary>Trains on examples that may have target distributions, weights and offset logits.</summary>
    /// <param name="examples">Rows with labels or targets.</param>
    /// <param name="start">Start from this model instead of 0; its classes are meant by labels and targets, and its names are kept.</param>
    /// <param name="progress">Is told of the starting point and of every iteration, on the calling thread.</param>
    /// <param name="checkpoints">Gets a checkpoint after every iteration, on the calling thread; each copies some vectors of the model's size.</param>
    /// <param name="cancellationToken">Ends training, see <see cref="SoftmaxRegressionOptions.KeepModelWhenCanceled"/>.</param>
    /// <returns>The model; how training ended is in <see cref="SoftmaxRegressionModel.Training"/>.</returns>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite; the message names row and column or class.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public SoftmaxRegressionModel Fit(
        TrainingExamples examples, SoftmaxRegressionModel? start = null, IProgress<TrainingProgress>? progress = null,
        IProgress<TrainingCheckpoint>? checkpoints = null, CancellationToken cancellationToken = default)
    {
        (SoftmaxRegressionObjective objective, Solver solver) = Prepare(examples, start);
        if (_options.BiasReduction == BiasReduction.Firth)
        {
            if (checkpoints is not null) throw new ArgumentException("Firth's fit makes no checkpoints.", nameof(checkpoints));
            if (!objective.Examples.HasLabelsAlone) throw new ArgumentException("Firth's fit takes labels, and neither targets nor offset logits.", nameof(examples));
        }

        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<string>? classNames = start?.ClassNames ?? examples.ClassNames;
        return Traced(examples.Rows, objective.ClassCount, solver, trace =>
        {
            TrainingMonitor monitor = Monitor(objective, solver, classNames, earlier: null, progress, checkpoints, trace, cancellationToken);
            if (_options.BiasReduction == BiasReduction.Firth)
            {
                FirthObjective penalised = new(objective, _options.MaxDegreeOfParallelism);
                SolverResult scored = new ScoringSolver(penalised, SolverRun.Settings(_options, solver), monitor).Run(penalised.StartAt(start));
                return SolverRun.ToModel(penalised.ToFullPoint(scored), objective, _options, monitor, classNames);
            }

            SolverStart from = SolverStart.At(objective, _options.L1, NullModel.Of(objective), start is null ? null : PointOf(start, objective.Rows));
            return Finish(objective, solver, monitor, classNames, from);
        });
    }

    /// <summary>Goes on with training that was interrupted: the model is that of an uninterrupted run, to the last bit.</summary>
    /// <remarks>With another tolerance or other limits it goes on too, but may make other steps. The history goes on from the checkpoint's; a time limit counts anew.</remarks>
    /// <param name="examples">The same examples.</param>
    /// <param name="checkpoint">Made by a trainer with the same objective, solver, seed and settings of gradient descent.</param>
    /// <param name="progress">Is told of every further iteration, on the calling thread.</param>
    /// <param name="checkpoints">Gets a checkpoint after every iteration.</param>
    /// <param name="cancellationToken">Ends training, see <see cref="SoftmaxRegressionOptions.KeepModelWhenCanceled"/>.</param>
    /// <exception cref="ArgumentException">The checkpoint was made with other options or on other examples.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public SoftmaxRegressionModel Resume(
        TrainingExamples examples, TrainingCheckpoint checkpoint, IProgress<TrainingProgress>? progress = null,
        IProgress<TrainingCheckpoint>? checkpoints = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        (SoftmaxRegressionObjective objective, Solver solver) = Prepare(examples, checkpoint.Model);
        CheckpointSettings.Require(checkpoint, _options, solver, objective.RowCount);
        cancellationToken.ThrowIfCancellationRequested();
        return Traced(examples.Rows, objective.ClassCount, solver, trace =>
        {
            IReadOnlyList<string> classNames = checkpoint.Model.ClassNames;
            TrainingMonitor monitor = Monitor(objective, solver, classNames, checkpoint.Model.Training, progress, checkpoints, trace, cancellationToken);
            SolverStart from = SolverStart.From(objective, _options.L1, NullModel.Of(objective), checkpoint.State);
            CheckpointSettings.RequireSameData(checkpoint, from.Value + objective.L1Term(from.Point));
            return Finish(objective, solver, monitor, classNames, from);
        });
    }

    private SoftmaxRegressionModel Finish(
        SoftmaxRegressionObjective objective, Solver solver, TrainingMonitor monitor, IReadOnlyList<string>? classNames, SolverStart from)
    {
        SolverResult result = SolverRun.Run(solver, objective, _options, SolverRun.Settings(_options, solver), monitor, from);
        if (IsSeparated(result, solver, objective)) result = result with { StopReason = StopReason.Separable };
        return SolverRun.ToModel(result, objective, _options, monitor, classNames);
    }

    /// <summary>Without any penalty, whether a fit that seems to have converged only follows coefficients to infinity.</summary>
    private bool IsSeparated(SolverResult result, Solver solver, SoftmaxRegressionObjective objective)
    {
        if (_options.L2 > 0 || _options.L1 > 0 || solver == Solver.GradientDescent || result.StopReason is not (StopReason.Tolerance or StopReason.NoFurtherProgress)) return false;
        double size = objective.ClassCount * (objective.FeatureCount + 1.0);
        if (!objective.Examples.HasLabelsAlone || size > LargestSeparationCheck || objective.RowCount * size * size > MostSeparationProducts) return false;
        SeparationProblem problem = new(objective, new StandardFeatures(objective), _options.MaxDegreeOfParallelism);
        double[]? start = problem.HasFullRank ? problem.DirectionOf(result.Point) : null;
        return SeparationSearch.Run(problem, start).Kind is SeparationKind.Complete or SeparationKind.QuasiComplete;
    }

    private static SoftmaxRegressionModel Traced(FeatureRows rows, int classCount, Solver solver, Func<FitTrace, SoftmaxRegressionModel> train)
    {
        FitTrace trace = FitTrace.Start(rows, classCount, solver);
        try
        {
            SoftmaxRegressionModel model = train(trace);
            trace.Finish(model.Training!);
            return model;
        }
        catch (Exception exception)
        {
            trace.Fail(exception);
            throw;
        }
    }

    private (SoftmaxRegressionObjective Objective, Solver Solver) Prepare(TrainingExamples examples, SoftmaxRegressionModel? start)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ExampleChecks.RequireFactors(_options.PenaltyFactors.Length, examples.Rows.FeatureCount, "rows");
        Examples built = ExampleChecks.Build(examples, _options.ClassWeights.Span, start);
        Solver solver = SolverRun.Choose(_options, examples.Rows.FeatureCount, built.ClassCount);
        if (start is null || solver != Solver.GradientDescent)
        {
            ExampleChecks.RequireEveryClass(built, start?.ClassNames ?? examples.ClassNames, examples.Targets.IsEmpty ? "labels" : "targets");
        }

        // Gradient descent is exactly what it says on the features as they are.
        bool mayCentre = _options.FitIntercepts && solver != Solver.GradientDescent && _options.BiasReduction == BiasReduction.None;
        FeatureRows rows = mayCentre ? CentredRows.Of(examples.Rows) : examples.Rows;
        if (solver != Solver.ProximalNewton) return (new SoftmaxRegressionObjective(rows, built, _options), solver);
        ReadOnlyMemory<double> factors = _options.PenaltyFactors;
        if (KeptColumns.Of(rows, built.WeightArray, new Penalty(_options.L1, _options.L2, factors.Span, rows.FeatureCount)) is { } kept)
        {
            rows = kept;
            if (!factors.IsEmpty) factors = kept.Select(factors.Span, 1);
        }

        return (new SoftmaxRegressionObjective(rows, built, _options with { PenaltyFactors = factors }), solver);
    }

    private TrainingMonitor Monitor(
        SoftmaxRegressionObjective objective, Solver solver, IReadOnlyList<string>? classNames, TrainingSummary? earlier, IProgress<TrainingProgress>? progress,
        IProgress<TrainingCheckpoint>? checkpoints, FitTrace trace, CancellationToken cancellationToken)
    {
        TrainingMonitor? monitor = null;
        Action<SolverResult, SolverState>? keep = checkpoints is null ? null : (result, state) => checkpoints.Report(new TrainingCheckpoint(
            SolverRun.ToModel(result, objective, _options, monitor!, classNames), solver, CheckpointSettings.AddTo(state, _options, solver, objective.RowCount)));
        return monitor = new TrainingMonitor(objective, SolverRun.Settings(_options, solver), progress, cancellationToken, earlier, keep) { Trace = trace };
    }

    private double[] PointOf(SoftmaxRegressionModel start, FeatureRows rows)
    {
        double[] point = _options.FitIntercepts ? [.. start.Coefficients.Span, .. start.Intercepts.Span] : [.. start.Coefficients.Span];
        if (rows is CentredRows centred) centred.MoveIntercepts(point, 1);
        return rows is KeptColumns kept ? kept.Select(point, start.ClassCount) : point;
    }

    private static SoftmaxRegressionOptions Validated(SoftmaxRegressionOptions options)
    {
        options.Validate();
        return options;
    }
}
