using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Order;

namespace SoftmaxCE.Benchmarks;

/// <summary>Ratio to the suite's baseline, ns per value, GB/s and allocations beside the mean.</summary>
internal static class SuiteConfig
{
    public static IConfig Create() => DefaultConfig.Instance
        .AddJob(Job.Default.WithWarmupCount(6).WithIterationCount(15).AsDefault())
        .AddColumn(WorkColumn.NanosecondsPerValue, WorkColumn.GigabytesPerSecond)
        .AddDiagnoser(new MemoryDiagnoser(new MemoryDiagnoserConfig(displayGenColumns: false)))
        .HideColumns(Column.Error, Column.RatioSD, Column.AllocRatio)
        .WithOrderer(new DefaultOrderer(SummaryOrderPolicy.Declared));
}
