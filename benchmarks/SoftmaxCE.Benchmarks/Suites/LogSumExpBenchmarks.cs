using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Log-sum-exp of float rows on one thread. It reads each logit once, so out of cache the plain sum of the same memory is the
/// fastest that anything can be: the share of the read bandwidth is the ratio to it.
/// </summary>
public class LogSumExpBenchmarks
{
    private float[] _logits = [];
    private float[] _destination = [];
    private OnnxOperator<float>? _onnx;
    private float _sum;

    public static IEnumerable<Shape> Shapes =>
        [new(1, 1000), new(1, 32_000), new(1024, 1000), new(256, 32_000), new(100_000, 100), new(100_000, 10), new(1, 64_000_000)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 3);
        _destination = Logits.Zeros<float>(Shape.Rows);
        _onnx = OnnxOperator<float>.LogSumExp(Shape, _logits, _destination);
        foreach (Action contender in new Action[] { OnnxRuntime, Ours })
            Expected.Check(contender, Shape, _logits, _destination, 1, (_, row) => [Expected.LogSumExp(row)], floor: 1, peerTolerance: 0.01);
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    /// <summary>Not a peer but the limit: the read bandwidth of one thread.</summary>
    [Benchmark(Baseline = true), Traffic(4)]
    public void PlainSum() => _sum += TensorPrimitives.Sum<float>(_logits);

    [Benchmark, Traffic(4)]
    public void OnnxRuntime() => _onnx!.Run();

    [Benchmark, Traffic(4)]
    public void Ours() => SoftmaxFunctions.LogSumExpRows<float>(_logits, Shape.Classes, _destination);
}
