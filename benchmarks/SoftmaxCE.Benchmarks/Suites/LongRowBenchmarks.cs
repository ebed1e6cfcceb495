using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>One row far larger than the caches, with one thread and with two. OnnxRuntime shares out whole rows, so its second thread rests.</summary>
public class LongRowBenchmarks
{
    private const int TwoThreads = 2;

    // Their float sums of so many values lose digits.
    private const double LongSumsOfPeers = 0.02;

    private float[] _logits = [];
    private float[] _destination = [];
    private OnnxOperator<float>? _onnx;
    private OnnxOperator<float>? _onnxTwoThreads;

    public static IEnumerable<Shape> Shapes => [new(1, 4_000_000), new(1, 64_000_000)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 5);
        _destination = Logits.Zeros<float>(Shape.Values);
        _onnx = OnnxOperator<float>.Softmax(Shape, _logits, _destination);
        _onnxTwoThreads = OnnxOperator<float>.Softmax(Shape, _logits, _destination, TwoThreads);
        double[] expected = Expected.Softmax<float>(_logits);
        foreach (Action contender in new Action[] { OnnxRuntime, OnnxRuntimeTwoThreads, TensorPrimitivesSoftMax, Ours, OursTwoThreads })
            Expected.Check(contender, Shape, _logits, _destination, Shape.Classes, (_, _) => expected, peerTolerance: LongSumsOfPeers);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _onnx?.Dispose();
        _onnxTwoThreads?.Dispose();
    }

    [Benchmark(Baseline = true), Traffic(8)]
    public void OnnxRuntime() => _onnx!.Run();

    [Benchmark, Traffic(8)]
    public void OnnxRuntimeTwoThreads() => _onnxTwoThreads!.Run();

    [Benchmark, Traffic(8)]
    public void TensorPrimitivesSoftMax() => TensorPrimitives.SoftMax<float>(_logits, _destination);

    [Benchmark, Traffic(8)]
    public void Ours() => SoftmaxFunctions.SoftmaxRows<float>(_logits, Shape.Classes, _destination);

    [Benchmark, Traffic(8)]
    public void OursTwoThreads() => SoftmaxFunctions.SoftmaxRows<float>(_logits, Shape.Classes, _destination, TwoThreads);
}
