using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Mean cross-entropy of labels with its gradient, float: ours in the place of the logits, PyTorch's forward and backward pass beside it.</summary>
public class PyTorchBenchmarks : IScoredSuite, ISelectiveSuite
{
    private float[] _logits = [];
    private int[] _labels = [];
    private SoftmaxCrossEntropyLoss _loss = new();
    private PyTorch? _pyTorch;

    public static IEnumerable<Shape> Shapes => [new(256, 32_000), new(1024, 1000), new(100_000, 100), new(100_000, 10)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    bool ISelectiveSuite.Includes(string method) => method != nameof(PyTorchBothPasses) || PyTorch.IsAvailable;

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 11);
        _labels = Logits.Labels(Shape, seed: 12);
        _loss = new() { MaxDegreeOfParallelism = Threads };
        double expected = _labels.Select((label, row) => Expected.LogSumExp<float>(_logits.AsSpan(row * Shape.Classes, Shape.Classes)) - _logits[(row * Shape.Classes) + label]).Average();
        Expected.Check(nameof(OursInPlace), _loss.Evaluate<float>(_logits, _labels, _logits).Loss, expected, tolerance: 1e-6);
        if (PyTorch.IsAvailable) _pyTorch = PyTorch.CrossEntropy(Shape, Threads);
    }

    [GlobalCleanup]
    public void Cleanup() => _pyTorch?.Dispose();

    [Benchmark(Baseline = true), Traffic(8)]
    public void PyTorchBothPasses() => _pyTorch!.Run();

    /// <summary>From the second call on the logits are what the first left, which takes as long.</summary>
    [Benchmark, Traffic(8)]
    public void OursInPlace() => _loss.Evaluate<float>(_logits, _labels, _logits);

    string IScoredSuite.Score(string method) => method == nameof(PyTorchBothPasses) ? _pyTorch!.Version : "in place";
}
