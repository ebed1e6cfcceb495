using System.Diagnostics;

namespace SoftmaxCE;

/// <summary>What a solver was asked for, besides the objective.</summary>
/// <param name="Tolerance">Stop when gap ≤ Tolerance · objective.</param>
/// <param name="MaxIterations">Most iterations.</param>
/// <param name="TimeLimit">Most time.</param>
/// <param name="KeepModelWhenCanceled">Whether canceling ends training instead of throwing.</param>
/// <param name="Seed">For everything random.</param>
/// <param name="MaxDegreeOfParallelism">Most threads.</param>
internal sealed record SolverSettings(double Tolerance, int MaxIterations, TimeSpan? TimeLimit, bool KeepModelWhenCanceled, int Seed, int MaxDegreeOfParallelism);

/// <summary>Where a solver ended.</summary>
internal readonly record struct SolverResult(double[] Point, StopReason StopReason, int Iterations, double Objective, double Gap);

/// <summary>Keeps the history of a training run, reports progress, and knows the limits.</summary>
/// <param name="objective">Counts the passes over the data.</param>
/// <param name="settings">The limits.</param>
/// <param name="progress">Is told of every iteration.</param>
/// <param name="cancellationToken">Asks to end.</param>
/// <param name="earlier">What went before, when training goes on from a checkpoint.</param>
/// <param name="checkpoint">Takes the state of the solver after an iteration.</param>
internal sealed class TrainingMonitor(
    IObjective objective, SolverSettings settings, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken,
    TrainingSummary? earlier = null, Action<SolverResult, SolverState>? checkpoint = null)
{
    private readonly List<TrainingProgress> _history = earlier is null ? [] : [.. earlier.History];
    private bool _leftEarly;
    private readonly long _start = Stopwatch.GetTimestamp();

    public IReadOnlyList<TrainingProgress> History => _history;

    /// <summary>Who else is told of every iteration.</summary>
    public FitTrace Trace { get; init; }

    public TimeSpan Elapsed => (earlier?.Elapsed ?? TimeSpan.Zero) + InThisRun;

    public double PassesOverData => (earlier?.PassesOverData ?? 0) + objective.PassesOverData;

    private TimeSpan InThisRun => Stopwatch.GetElapsedTime(_start);

    /// <summary>Whether to leave an inner loop early; throws where canceling shall throw.</summary>
    public bool MustStop
    {
        get
        {
            if (!settings.KeepModelWhenCanceled) cancellationToken.ThrowIfCancellationRequested();
            bool must = cancellationToken.IsCancellationRequested || InThisRun >= settings.TimeLimit;
            _leftEarly |= must;
            return must;
        }
    }

    /// <summary>Notes the state after an iteration (0: the start) and reports it.</summary>
    public void Record(int iteration, double value, double gap)
    {
        TrainingProgress state = new(iteration, PassesOverData, value, gap, Elapsed);
        Trace.Iteration(state, _history.Count == 0 ? 0 : _history[^1].PassesOverData);
        _history.Add(state);
        progress?.Report(state);
    }

    /// <summary>Offers the state after an iteration to whoever keeps checkpoints; it is made only if there is somebody.</summary>
    /// <param name="iteration">Iterations made.</param>
    /// <param name="best">The best point so far, its objective and gap.</param>
    /// <param name="capture">Makes the state.</param>
    public void Checkpoint(int iteration, (double[] Point, double Value, double Gap) best, Func<SolverState> capture)
    {
        if (checkpoint is null || _leftEarly) return;       // an iteration cut short is not one that an uninterrupted run makes
        checkpoint(new SolverResult(best.Point, StopReason.IterationLimit, iteration, best.Value, best.Gap), capture().Add("iteration", iteration));
    }

    /// <summary>The reason to end after an iteration, if there is one.</summary>
    public StopReason? ReasonToStop(int iteration, double value, double gap)
    {
        if (gap <= settings.Tolerance * value) return StopReason.Tolerance;
        if (!settings.KeepModelWhenCanceled) cancellationToken.ThrowIfCancellationRequested();
        if (cancellationToken.IsCancellationRequested) return StopReason.Canceled;
        if (InThisRun >= settings.TimeLimit) return StopReason.TimeLimit;
        return iteration >= settings.MaxIterations ? StopReason.IterationLimit : null;
    }
}
