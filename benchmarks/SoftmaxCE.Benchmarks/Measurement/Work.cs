using System.Reflection;
using BenchmarkDotNet.Running;

namespace SoftmaxCE.Benchmarks;

/// <summary>How many values one call of a benchmark works on and how many bytes they are, read from its parameters and its attribute.</summary>
internal static class Work
{
    /// <summary>Our own methods are named so; every other one is a peer.</summary>
    private const string OwnName = "Ours";

    public static bool IsOwn(string method) => method.StartsWith(OwnName, StringComparison.Ordinal);

    /// <summary>Values per call; null for work that is not counted in values.</summary>
    public static long? Values(BenchmarkCase benchmark) =>
        benchmark.Parameters.Items.Select(item => item.Value).OfType<Shape>().Select(shape => (long?)shape.Values).FirstOrDefault();

    public static double? NanosecondsPerValue(BenchmarkCase benchmark, double nanoseconds) => nanoseconds / Values(benchmark);

    public static double? GigabytesPerSecond(BenchmarkCase benchmark, double nanoseconds) =>
        BytesPerValue(benchmark) * (double?)Values(benchmark) / nanoseconds;

    public static int? BytesPerValue(BenchmarkCase benchmark) =>
        benchmark.Descriptor.WorkloadMethod.GetCustomAttribute<TrafficAttribute>()?.BytesPerValue;
}
