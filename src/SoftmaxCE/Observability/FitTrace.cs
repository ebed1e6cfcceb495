using System.Diagnostics;

namespace SoftmaxCE;

/// <summary>Tells listeners of <see cref="TrainingTelemetry"/> about one Fit. Without listeners every method returns at once.</summary>
/// <param name="activity">The activity around the Fit; null when nobody listens to activities.</param>
/// <param name="solver">The solver that runs.</param>
/// <param name="rowCount">Rows trained on.</param>
internal readonly struct FitTrace(Activity? activity, Solver solver, int rowCount)
{
    private const string Prefix = "softmaxce.";
    private const string SolverTag = Prefix + "solver";
    private const string StopReasonTag = Prefix + "stop_reason";

    public static FitTrace Start(FeatureRows rows, int classCount, Solver solver)
    {
        Activity? activity = TrainingTelemetry.Activities.StartActivity(TrainingTelemetry.FitActivity);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(Prefix + "rows", rows.RowCount).SetTag(Prefix + "features", rows.FeatureCount)
                .SetTag(Prefix + "classes", classCount).SetTag(SolverTag, solver.ToString());
        }

        return new FitTrace(activity, solver, rows.RowCount);
    }

    /// <summary>After the starting point and after each iteration: the event first, so that a listener to the counters can look at it.</summary>
    /// <param name="progress">The state.</param>
    /// <param name="passesBefore">Passes over the data at the last call; 0 at first.</param>
    public void Iteration(TrainingProgress progress, double passesBefore)
    {
        if (activity is { IsAllDataRequested: true })
        {
            activity.AddEvent(new ActivityEvent(TrainingTelemetry.IterationEvent, tags: new ActivityTagsCollection
            {
                { Prefix + "iteration", progress.Iteration }, { Prefix + "passes", progress.PassesOverData },
                { Prefix + "objective", progress.Objective }, { Prefix + "gap", progress.Gap },
            }));
        }

        if (TrainingTelemetry.IterationCounter.Enabled && progress.Iteration > 0) TrainingTelemetry.IterationCounter.Add(1, Tag(SolverTag, solver.ToString()));
        if (TrainingTelemetry.PassCounter.Enabled) TrainingTelemetry.PassCounter.Add(progress.PassesOverData - passesBefore, Tag(SolverTag, solver.ToString()));
        if (TrainingTelemetry.RowCounter.Enabled)
            TrainingTelemetry.RowCounter.Add(RowsIn(progress.PassesOverData) - RowsIn(passesBefore), Tag(SolverTag, solver.ToString()));
    }

    /// <summary>When a model is made.</summary>
    public void Finish(TrainingSummary summary)
    {
        if (TrainingTelemetry.DurationHistogram.Enabled)
            TrainingTelemetry.DurationHistogram.Record(summary.Elapsed.TotalSeconds, Tag(SolverTag, solver.ToString()), Tag(StopReasonTag, summary.StopReason.ToString()));
        if (TrainingTelemetry.GapHistogram.Enabled && double.IsFinite(summary.Gap))
            TrainingTelemetry.GapHistogram.Record(summary.Gap / summary.Objective, Tag(SolverTag, solver.ToString()), Tag(StopReasonTag, summary.StopReason.ToString()));
        activity?.SetTag(StopReasonTag, summary.StopReason.ToString()).SetTag(Prefix + "iterations", summary.Iterations)
            .SetTag(Prefix + "passes", summary.PassesOverData).SetTag(Prefix + "objective", summary.Objective).SetTag(Prefix + "gap", summary.Gap)
            .Dispose();
    }

    /// <summary>When training ends without a model.</summary>
    public void Fail(Exception exception) => activity?.SetStatus(ActivityStatusCode.Error, exception.Message).Dispose();

    private long RowsIn(double passes) => (long)Math.Round(passes * rowCount);

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
