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
internal sealed class TrainingMonitor(IObjective objective, SolverSettings settings, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
{
    private readonly List<TrainingProgress> _history = [];
    private readonly long _start = Stopwatch.GetTimestamp();

    public IReadOnlyList<TrainingProgress> History => _history;

    /// <summary>Who else is told of every iteration.</summary>
    public FitTrace Trace { get; init; }

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Whether to leave an inner loop early; throws where canceling shall throw.</summary>
    public bool MustStop
    {
        get
        {
            if (!settings.KeepModelWhenCanceled) cancellationToken.ThrowIfCancellationRequested();
            return cancellationToken.IsCancellationRequested || Elapsed >= settings.TimeLimit;
        }
    }

    /// <summary>Notes the state after an iteration (0: the start) and reports it.</summary>
    public void Record(int iteration, double value, double gap)
    {
        TrainingProgress state = new(iteration, objective.PassesOverData, value, gap, Elapsed);
        Trace.Iteration(state, _history.Count == 0 ? 0 : _history[^1].PassesOverData);
        _history.Add(state);
        progress?.Report(state);
    }

    /// <summary>The reason to end after an iteration, if there is one.</summary>
    public StopReason? ReasonToStop(int iteration, double value, double gap)
    {
        if (gap <= settings.Tolerance * value) return StopReason.Tolerance;
        if (!settings.KeepModelWhenCanceled) cancellationToken.ThrowIfCancellationRequested();
        if (cancellationToken.IsCancellationRequested) return StopReason.Canceled;
        if (Elapsed >= settings.TimeLimit) return StopReason.TimeLimit;
        return iteration >= settings.MaxIterations ? StopReason.IterationLimit : null;
    }
}
