using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Softmax of Half rows on one thread, beside the detour that converts to float first, and beside float itself.</summary>
public class HalfBenchmarks
{
    private Half[] _logits = [];
    private Half[] _destination = [];
    private float[] _converted = [];
    private float[] _floatLogits = [];

    public static IEnumerable<Shape> Shapes => [new(1, 1000), new(1024, 1000), new(256, 32_000), new(100_000, 100), new(100_000, 10)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<Half>(Shape.Values, seed: 7);
        _destination = Logits.Zeros<Half>(Shape.Values);
        _converted = Logits.Zeros<float>(Shape.Values);
        _floatLogits = Logits.Zeros<float>(Shape.Values);
        TensorPrimitives.ConvertToSingle(_logits, _floatLogits);
        foreach (Action contender in new Action[] { ConvertThenTensorPrimitives, Ours })
            Expected.Check(contender, Shape, _logits, _destination, Shape.Classes, (_, row) => Expected.Softmax(row), floor: 0.01);
    }

    [Benchmark(Baseline = true), Traffic(4)]
    public void ConvertThenTensorPrimitives()
    {
        TensorPrimitives.ConvertToSingle(_logits, _converted);
        for (int start = 0; start < _converted.Length; start += Shape.Classes)
            TensorPrimitives.SoftMax<float>(_converted.AsSpan(start, Shape.Classes), _converted.AsSpan(start, Shape.Classes));
        TensorPrimitives.ConvertToHalf(_converted, _destination);
    }

    [Benchmark, Traffic(4)]
    public void Ours() => SoftmaxFunctions.SoftmaxRows<Half>(_logits, Shape.Classes, _destination);

    [Benchmark, Traffic(4)]
    public void OursConvertingFirst()
    {
        TensorPrimitives.ConvertToSingle(_logits, _converted);
        SoftmaxFunctions.SoftmaxRows<float>(_converted, Shape.Classes, _converted);
        TensorPrimitives.ConvertToHalf(_converted, _destination);
    }

    [Benchmark, Traffic(8)]
    public void OursFloat() => SoftmaxFunctions.SoftmaxRows<float>(_floatLogits, Shape.Classes, _converted);
}
