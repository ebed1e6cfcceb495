using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Softmax of float rows on one thread, from a row that fits the registers to matrices larger than every cache.</summary>
public class SoftmaxBenchmarks
{
    private float[] _logits = [];
    private float[] _destination = [];
    private OnnxOperator<float>? _onnx;

    public static IEnumerable<Shape> Shapes =>
    [
        new(1, 1000), new(1, 32_000), new(1, 131_072), new(1024, 1000), new(256, 32_000), new(100_000, 100),
        new(100_000, 2), new(100_000, 3), new(100_000, 5), new(100_000, 10), new(100_000, 16),
    ];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 1);
        _destination = Logits.Zeros<float>(Shape.Values);
        _onnx = OnnxOperator<float>.Softmax(Shape, _logits, _destination);
        foreach (Action contender in new Action[] { OnnxRuntime, TensorPrimitivesSoftMax, Ours })
            Expected.Check(contender, Shape, _logits, _destination, Shape.Classes, (_, row) => Expected.Softmax(row));
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    [Benchmark(Baseline = true), Traffic(8)]
    public void OnnxRuntime() => _onnx!.Run();

    /// <summary>Without the shift by the maximum: NaN when a logit passes 88.</summary>
    [Benchmark, Traffic(8)]
    public void TensorPrimitivesSoftMax()
    {
        for (int start = 0; start < _logits.Length; start += Shape.Classes)
            TensorPrimitives.SoftMax(_logits.AsSpan(start, Shape.Classes), _destination.AsSpan(start, Shape.Classes));
    }

    [Benchmark, Traffic(8)]
    public void Ours() => SoftmaxFunctions.SoftmaxRows<float>(_logits, Shape.Classes, _destination);
}
