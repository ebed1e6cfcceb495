using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SoftmaxCE.Tests;

/// <summary>Other tests train at the same time on other threads; what is told of here is told on this one.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class TrainingTelemetryTests
{
    private static readonly DataSet Iris = DataSets.Load("iris");
    private static readonly DenseRows<double> Rows = new(Iris.Features, Iris.Columns);

    private readonly int _thread = Environment.CurrentManagedThreadId;

    [Fact]
    public void An_activity_tells_of_the_fit_and_of_each_iteration()
    {
        List<Activity> activities = [];
        using ActivityListener listener = Listen(activities);
        TrainingSummary training = new SoftmaxRegressionTrainer().Fit(Rows, Iris.Labels).Training!;

        Activity fit = activities.Should().ContainSingle().Subject;
        fit.OperationName.Should().Be("SoftmaxCE.Fit");
        fit.Status.Should().Be(ActivityStatusCode.Unset);
        fit.TagObjects.Should().BeEquivalentTo(new Dictionary<string, object?>
        {
            ["softmaxce.rows"] = 150, ["softmaxce.features"] = 4, ["softmaxce.classes"] = 3, ["softmaxce.solver"] = "Newton", ["softmaxce.stop_reason"] = "Tolerance",
            ["softmaxce.iterations"] = training.Iterations, ["softmaxce.passes"] = training.PassesOverData, ["softmaxce.objective"] = training.Objective, ["softmaxce.gap"] = training.Gap,
        });
        fit.Events.Select(told => told.Name).Should().OnlyContain(name => name == TrainingTelemetry.IterationEvent);
        fit.Events.Select(told => told.Tags.ToDictionary()).Select(tags => (tags["softmaxce.iteration"], tags["softmaxce.passes"], tags["softmaxce.objective"], tags["softmaxce.gap"]))
            .Should().Equal(training.History.Select(state => ((object?)state.Iteration, (object?)state.PassesOverData, (object?)state.Objective, (object?)state.Gap)));
    }

    [Fact]
    public void A_fit_that_fails_has_an_error()
    {
        List<Activity> activities = [];
        using ActivityListener listener = Listen(activities);
        using CancellationTokenSource cancel = new();
        Action fit = () => new SoftmaxRegressionTrainer().Fit(Rows, Iris.Labels, progress: new Canceling(cancel), cancellationToken: cancel.Token);
        fit.Should().Throw<OperationCanceledException>();
        Activity failed = activities.Should().ContainSingle().Subject;
        failed.Status.Should().Be(ActivityStatusCode.Error);
        failed.StatusDescription.Should().NotBeNullOrEmpty();
        failed.Events.Should().NotBeEmpty();
    }

    [Fact]
    public void Instruments_add_up_to_the_summary()
    {
        List<(string Instrument, double Value, string Tags)> told = [];
        using MeterListener listener = new() { InstrumentPublished = (instrument, self) => { if (instrument.Meter.Name == TrainingTelemetry.SourceName) self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        TrainingSummary training = new SoftmaxRegressionTrainer(new SoftmaxRegressionOptions { Solver = Solver.Lbfgs }).Fit(Rows, Iris.Labels).Training!;

        Of(TrainingTelemetry.Iterations).Sum(entry => entry.Value).Should().Be(training.Iterations);
        Of(TrainingTelemetry.Passes).Sum(entry => entry.Value).ShouldBeCloseTo(training.History[^1].PassesOverData, 1e-12);
        Of(TrainingTelemetry.RowsRead).Sum(entry => entry.Value).Should().BeApproximately(training.History[^1].PassesOverData * Iris.Labels.Length, 0.5);
        Of(TrainingTelemetry.Duration).Should().Equal((TrainingTelemetry.Duration, training.Elapsed.TotalSeconds, "softmaxce.solver=Lbfgs softmaxce.stop_reason=Tolerance"));
        Of(TrainingTelemetry.RelativeGap).Should().Equal((TrainingTelemetry.RelativeGap, training.Gap / training.Objective, "softmaxce.solver=Lbfgs softmaxce.stop_reason=Tolerance"));
        Of(TrainingTelemetry.Iterations).Should().OnlyContain(entry => entry.Tags == "softmaxce.solver=Lbfgs");
        told.Count.Should().Be(told.Count(entry => entry.Instrument.StartsWith("softmaxce.training.", StringComparison.Ordinal)));

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (Environment.CurrentManagedThreadId == _thread) told.Add((instrument.Name, value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
        }

        IEnumerable<(string Instrument, double Value, string Tags)> Of(string name) => told.Where(entry => entry.Instrument == name);
    }

    [Fact]
    public void Nothing_is_allocated_while_nobody_listens()
    {
        TrainingProgress progress = new(3, 4.5, 0.1, 1e-7, TimeSpan.Zero);
        TrainingSummary summary = new SoftmaxRegressionTrainer().Fit(Rows, Iris.Labels).Training!;
        TellOfOneFit(progress, summary);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) TellOfOneFit(progress, summary);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Fact]
    public void An_activity_that_only_carries_identity_gets_no_events()
    {
        List<Activity> activities = [];
        using ActivityListener listener = Listen(activities, ActivitySamplingResult.PropagationData);
        new SoftmaxRegressionTrainer().Fit(Rows, Iris.Labels);
        activities.Should().ContainSingle().Which.Events.Should().BeEmpty();
    }

    private static void TellOfOneFit(TrainingProgress progress, TrainingSummary summary)
    {
        FitTrace trace = FitTrace.Start(Rows, 3, Solver.Newton);
        trace.Iteration(progress, 1);
        trace.Finish(summary);
    }

    private ActivityListener Listen(List<Activity> activities, ActivitySamplingResult detail = ActivitySamplingResult.AllData)
    {
        ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == TrainingTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => detail,
            ActivityStopped = activity => { if (Environment.CurrentManagedThreadId == _thread) activities.Add(activity); },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class Canceling(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => source.Cancel();
    }
}
