using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Softmax of double rows on one thread.</summary>
public class DoubleBenchmarks
{
    private double[] _logits = [];
    private double[] _destination = [];
    private OnnxOperator<double>? _onnx;

    public static IEnumerable<Shape> Shapes => [new(1, 1000), new(1024, 1000), new(64, 32_000), new(100_000, 100), new(100_000, 10), new(1, 4_000_000)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<double>(Shape.Values, seed: 6);
        _destination = Logits.Zeros<double>(Shape.Values);
        _onnx = OnnxOperator<double>.Softmax(Shape, _logits, _destination);
        foreach (Action contender in new Action[] { OnnxRuntime, TensorPrimitivesSoftMax, Ours })
            Expected.Check(contender, Shape, _logits, _destination, Shape.Classes, (_, row) => Expected.Softmax(row));
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    [Benchmark(Baseline = true), Traffic(16)]
    public void OnnxRuntime() => _onnx!.Run();

    [Benchmark, Traffic(16)]
    public void TensorPrimitivesSoftMax()
    {
        for (int start = 0; start < _logits.Length; start += Shape.Classes)
            TensorPrimitives.SoftMax(_logits.AsSpan(start, Shape.Classes), _destination.AsSpan(start, Shape.Classes));
    }

    [Benchmark, Traffic(16)]
    public void Ours() => SoftmaxFunctions.SoftmaxRows<double>(_logits, Shape.Classes, _destination);
}
