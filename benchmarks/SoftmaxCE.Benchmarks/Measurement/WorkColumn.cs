using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace SoftmaxCE.Benchmarks;

/// <summary>A column computed from the mean time and the size of the work.</summary>
internal sealed class WorkColumn(string name, string legend, Func<BenchmarkCase, double, double?> compute, string format) : IColumn
{
    public static WorkColumn NanosecondsPerValue { get; } = new("ns/value", "Mean time by the number of values", Work.NanosecondsPerValue, "0.000");

    public static WorkColumn GigabytesPerSecond { get; } = new("GB/s", "Inputs and outputs, each counted once, by the mean time", Work.GigabytesPerSecond, "0.00");

    public string Id => nameof(WorkColumn) + "." + name;

    public string ColumnName => name;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => legend;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        double? mean = summary[benchmarkCase]?.ResultStatistics?.Mean;
        double? value = mean is { } nanoseconds ? compute(benchmarkCase, nanoseconds) : null;
        return value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
    }

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
}
