using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Mean cross-entropy of labels with its gradient for the logits, float, one thread. No .NET package has this function, so the
/// peers are what a user composes today: OnnxRuntime's log-softmax or TensorPrimitives row by row, then the gradient from it.
/// </summary>
public class CrossEntropyBenchmarks
{
    private static readonly SoftmaxCrossEntropyLoss Loss = new();

    private float[] _logits = [];
    private float[] _gradient = [];
    private int[] _labels = [];
    private OnnxOperator<float>? _onnx;
    private double _loss;

    public static IEnumerable<Shape> Shapes => [new(256, 32_000), new(2048, 32_000), new(1024, 1000), new(65_536, 1000), new(100_000, 100), new(100_000, 10)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 11);
        _gradient = Logits.Zeros<float>(Shape.Values);
        _labels = Logits.Labels(Shape, seed: 12);
        _onnx = OnnxOperator<float>.LogSoftmax(Shape, _logits, _gradient);
        double expected = _labels.Select((label, row) => Expected.LogSumExp<float>(Row(row)) - Row(row)[label]).Average();
        foreach (Action contender in new Action[] { OnnxRuntimeComposed, TensorPrimitivesComposed, Ours })
        {
            Expected.Check(contender, Shape, _logits, _gradient, Shape.Classes, ExpectedGradient, floor: 1.0 / Shape.Rows);
            Expected.Check(contender.Method.Name, _loss, expected, tolerance: 1e-4);
        }

        OursLossAlone();
        Expected.Check(nameof(OursLossAlone), _loss, expected, tolerance: 1e-6);
    }

    [GlobalCleanup]
    public void Cleanup() => _onnx?.Dispose();

    [Benchmark(Baseline = true), Traffic(8)]
    public void OnnxRuntimeComposed()
    {
        _onnx!.Run();
        double loss = 0;
        for (int row = 0; row < _labels.Length; row++)
        {
            Span<float> gradient = GradientRow(row);
            loss -= gradient[_labels[row]];
            TensorPrimitives.Exp(gradient, gradient);
            FinishRow(gradient, _labels[row]);
        }

        _loss = loss / _labels.Length;
    }

    [Benchmark, Traffic(8)]
    public void TensorPrimitivesComposed()
    {
        double loss = 0;
        for (int row = 0; row < _labels.Length; row++)
        {
            Span<float> gradient = GradientRow(row);
            ReadOnlySpan<float> logits = Row(row);
            float max = TensorPrimitives.Max(logits);
            TensorPrimitives.Subtract(logits, max, gradient);
            float distance = gradient[_labels[row]];
            TensorPrimitives.Exp(gradient, gradient);
            float sum = TensorPrimitives.Sum<float>(gradient);
            loss += Math.Log(sum) - distance;
            TensorPrimitives.Multiply(gradient, 1 / sum, gradient);
            FinishRow(gradient, _labels[row]);
        }

        _loss = loss / _labels.Length;
    }

    [Benchmark, Traffic(8)]
    public void Ours() => _loss = Loss.Evaluate<float>(_logits, _labels, _gradient).Loss;

    /// <summary>Not a peer of the loss but its limit where the logits are out of cache: they are read once, at the bandwidth of a plain sum.</summary>
    [Benchmark, Traffic(4)]
    public void PlainSum() => _loss = TensorPrimitives.Sum<float>(_logits);

    [Benchmark, Traffic(4)]
    public void OursLossAlone() => _loss = Loss.Evaluate<float>(_logits, _labels).Loss;

    private ReadOnlySpan<float> Row(int row) => _logits.AsSpan(row * Shape.Classes, Shape.Classes);

    private Span<float> GradientRow(int row) => _gradient.AsSpan(row * Shape.Classes, Shape.Classes);

    // (softmax - one) / rows, in place.
    private void FinishRow(Span<float> softmax, int label)
    {
        softmax[label] -= 1;
        TensorPrimitives.Multiply(softmax, 1f / Shape.Rows, softmax);
    }

    private double[] ExpectedGradient(int row, ReadOnlySpan<float> logits)
    {
        double[] gradient = Expected.Softmax(logits);
        gradient[_labels[row]] -= 1;
        for (int i = 0; i < gradient.Length; i++) gradient[i] /= Shape.Rows;
        return gradient;
    }
}
