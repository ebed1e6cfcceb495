using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Softmax of a float matrix down its columns (axis 0) beside the same size along its rows.</summary>
public class AxisBenchmarks
{
    private float[] _logits = [];
    private float[] _destination = [];
    private OnnxOperator<float>? _onnx;

    public static IEnumerable<Shape> Shapes => [new(1000, 1024), new(10, 100_000), new(4096, 4096)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 8);
        _destination = Logits.Zeros<float>(Shape.Values);
        _onnx = OnnxOperator<float>.SoftmaxOfColumns(Shape, _logits, _destination);
        OnnxRuntime();
        float[] expected = [.. _destination];
        Array.Clear(_destination);
        Ours();
        for (int i = 0; i < expected.Length; i += 101)
            Expected.Check(nameof(Ours), _destination[i], expected[i], tolerance: 1e-4, row: i / Shape.Classes, column: i % Shape.Classes);
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    [Benchmark(Baseline = true), Traffic(8)]
    public void OnnxRuntime() => _onnx!.Run();

    [Benchmark, Traffic(8)]
    public void Ours() => AlongAxis(0);

    /// <summary>Not a peer but the goal: our own time for the same size along the rows.</summary>
    [Benchmark, Traffic(8)]
    public void LastAxis() => AlongAxis(1);

    private void AlongAxis(int axis)
    {
        ReadOnlySpan<nint> lengths = [Shape.Rows, Shape.Classes];
        SoftmaxFunctions.Softmax(new ReadOnlyTensorSpan<float>(_logits, lengths), axis, new TensorSpan<float>(_destination, lengths));
    }
}
