#!/usr/bin/env dotnet
// A live display of training, fed by what the library tells every listener of System.Diagnostics (OpenTelemetry, dotnet-counters, ...): one
// line that is redrawn in a terminal, plain lines when the output goes to a file. Trains on 20,000 made-up rows of 200 features, 10 classes.
// Run: dotnet run samples/live_progress.cs
#:project ../src/SoftmaxCE

using System.Diagnostics;
using System.Diagnostics.Metrics;
using SoftmaxCE;

const int RowCount = 20_000, FeatureCount = 200, ClassCount = 10;
(DenseRows<float> rows, int[] labels) = MadeUpRows();
Console.WriteLine($"Training on {RowCount:N0} rows of {FeatureCount} features, {ClassCount} classes.");

TrainingSummary training;
using (LiveDisplay display = new())
    training = new SoftmaxRegressionTrainer(new SoftmaxRegressionOptions { L2 = 1e-3, Tolerance = 1e-8 }).Fit(rows, labels).Training!;

Console.WriteLine($"{training.StopReason} after {training.Iterations} iterations: objective {training.Objective:0.000000}, certified gap {training.Gap:0.0e+0}.");
return training.Converged ? 0 : 1;

static (DenseRows<float> Rows, int[] Labels) MadeUpRows()
{
    Random random = new(7);
    float[] centres = [.. Enumerable.Range(0, ClassCount * FeatureCount).Select(_ => (float)(random.NextDouble() - 0.5))];
    float[] features = new float[RowCount * FeatureCount];
    int[] labels = new int[RowCount];
    for (int row = 0; row < RowCount; row++)
    {
        labels[row] = random.Next(ClassCount);
        for (int j = 0; j < FeatureCount; j++)
            features[(row * FeatureCount) + j] = centres[(labels[row] * FeatureCount) + j] + (float)(4 * (random.NextDouble() + random.NextDouble() - 1));
    }

    return (new DenseRows<float>(features, FeatureCount), labels);
}

/// <summary>Listens to the activity and the counters named SoftmaxCE for as long as it lives.</summary>
internal sealed class LiveDisplay : IDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _rowsRead;

    public LiveDisplay()
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == TrainingTelemetry.RowsRead) listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((_, rows, _, _) =>
        {
            _rowsRead += rows;
            Show();                                               // told after each iteration, just after the activity's event
        });
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TrainingTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = _ => Console.Write(Console.IsOutputRedirected ? "" : "\n"),
        };
        ActivitySource.AddActivityListener(_activities);
    }

    public void Dispose()
    {
        _activities.Dispose();
        _meters.Dispose();
    }

    private void Show()
    {
        if (Activity.Current is not { } fit) return;
        Dictionary<string, object?> state = fit.Events.Last().Tags.ToDictionary();
        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        string line = $"{seconds,5:0.0} s  iteration {state["softmaxce.iteration"],2}  {state["softmaxce.passes"],6:0.0} passes  {_rowsRead / seconds / 1e6,6:0.00} million rows/s  "
            + $"objective {state["softmaxce.objective"]:0.000000}  gap {state["softmaxce.gap"]:0.0e+0}";
        if (Console.IsOutputRedirected) Console.WriteLine(line);
        else Console.Write($"\r{line}  ");
    }
}
