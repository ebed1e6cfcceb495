using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>One call on one short row: what a call costs before the work begins.</summary>
public class SingleRowBenchmarks
{
    private const int Calls = 64;

    private float[] _logits = [];
    private float[] _destination = [];
    private OnnxOperator<float>? _onnx;

    public static IEnumerable<Shape> Shapes => [new(1, 10), new(1, 128), new(1, 1000)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 4);
        _destination = Logits.Zeros<float>(Shape.Values);
        _onnx = OnnxOperator<float>.Softmax(Shape, _logits, _destination);
        foreach (Action contender in new Action[] { OnnxRuntime, TensorPrimitivesSoftMax, Ours })
            Expected.Check(contender, Shape, _logits, _destination, Shape.Classes, (_, row) => Expected.Softmax(row));
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    [Benchmark(OperationsPerInvoke = Calls), Traffic(8)]
    public void OnnxRuntime()
    {
        for (int i = 0; i < Calls; i++) _onnx!.Run();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls), Traffic(8)]
    public void TensorPrimitivesSoftMax()
    {
        float[] logits = _logits, destination = _destination;
        for (int i = 0; i < Calls; i++) TensorPrimitives.SoftMax<float>(logits, destination);
    }

    [Benchmark(OperationsPerInvoke = Calls), Traffic(8)]
    public void Ours()
    {
        float[] logits = _logits, destination = _destination;
        for (int i = 0; i < Calls; i++) SoftmaxFunctions.Softmax<float>(logits, destination);
    }
}
