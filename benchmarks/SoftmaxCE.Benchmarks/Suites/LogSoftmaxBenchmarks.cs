using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Log-softmax of float rows on one thread.</summary>
public class LogSoftmaxBenchmarks
{
    private float[] _logits = [];
    private float[] _destination = [];
    private OnnxOperator<float>? _onnx;

    public static IEnumerable<Shape> Shapes => SoftmaxBenchmarks.Shapes;

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 2);
        _destination = Logits.Zeros<float>(Shape.Values);
        _onnx = OnnxOperator<float>.LogSoftmax(Shape, _logits, _destination);
        foreach (Action contender in new Action[] { OnnxRuntime, Ours })
            Expected.Check(contender, Shape, _logits, _destination, Shape.Classes, (_, row) => Expected.LogSoftmax(row), floor: 1);
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    [Benchmark(Baseline = true), Traffic(8)]
    public void OnnxRuntime() => _onnx!.Run();

    [Benchmark, Traffic(8)]
    public void Ours() => SoftmaxFunctions.LogSoftmaxRows<float>(_logits, Shape.Classes, _destination);
}
