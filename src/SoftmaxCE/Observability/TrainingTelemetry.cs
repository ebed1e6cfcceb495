using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SoftmaxCE;

/// <summary>
/// Names under which training can be watched from outside, by OpenTelemetry, dotnet-counters or any listener of System.Diagnostics. Nothing
/// is measured, kept or allocated while nobody listens; predictions and kernels are never watched.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>name</term><description>what</description></listheader>
/// <item><term>activity <see cref="FitActivity"/></term><description>one call of <see cref="SoftmaxRegressionTrainer"/>.Fit, with tags for rows, features,
/// classes and solver, and at the end stop_reason, iterations, passes, objective and gap; an exception sets its status to error</description></item>
/// <item><term>event <see cref="IterationEvent"/></term><description>of that activity, after the starting point and each iteration, with tags iteration, passes, objective, gap</description></item>
/// <item><term>counter <see cref="Iterations"/></term><description>iterations made; tag solver</description></item>
/// <item><term>counter <see cref="Passes"/></term><description>passes over the data, fractions included; tag solver</description></item>
/// <item><term>counter <see cref="RowsRead"/></term><description>passes times rows; tag solver</description></item>
/// <item><term>histogram <see cref="Duration"/></term><description>seconds per Fit that returned a model; tags solver, stop_reason</description></item>
/// <item><term>histogram <see cref="RelativeGap"/></term><description>gap / objective of the model, where a gap is certified; tags solver, stop_reason</description></item>
/// </list>
/// Tags begin with "softmaxce.". Events and counters come on the thread that called Fit, while it trains.
/// </remarks>
public static class TrainingTelemetry
{
    /// <summary>Name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string SourceName = "SoftmaxCE";

    /// <summary>Activity around one Fit.</summary>
    public const string FitActivity = "SoftmaxCE.Fit";

    /// <summary>Event of the activity after each iteration.</summary>
    public const string IterationEvent = "iteration";

    /// <summary>Counter of iterations.</summary>
    public const string Iterations = "softmaxce.training.iterations";

    /// <summary>Counter of passes over the data.</summary>
    public const string Passes = "softmaxce.training.passes";

    /// <summary>Counter of rows read, each as often as it was read.</summary>
    public const string RowsRead = "softmaxce.training.rows_read";

    /// <summary>Histogram of seconds per Fit.</summary>
    public const string Duration = "softmaxce.training.duration";

    /// <summary>Histogram of the certified gap divided by the objective.</summary>
    public const string RelativeGap = "softmaxce.training.relative_gap";

    // Before the instruments, which are made in the order of their lines.
    private static readonly Meter Instruments = new(SourceName, Version);

    internal static ActivitySource Activities { get; } = new(SourceName, Version);

    internal static Counter<long> IterationCounter { get; } = Instruments.CreateCounter<long>(Iterations, "{iteration}", "Iterations of training.");

    internal static Counter<double> PassCounter { get; } = Instruments.CreateCounter<double>(Passes, "{pass}", "Passes over the data.");

    internal static Counter<long> RowCounter { get; } = Instruments.CreateCounter<long>(RowsRead, "{row}", "Rows read, each as often as it was read.");

    internal static Histogram<double> DurationHistogram { get; } = Instruments.CreateHistogram<double>(Duration, "s", "Time to fit a model.");

    internal static Histogram<double> GapHistogram { get; } = Instruments.CreateHistogram<double>(RelativeGap, "1", "Certified gap of a fitted model, divided by its objective.");

    private static string? Version => typeof(TrainingTelemetry).Assembly.GetName().Version?.ToString(3);
}
