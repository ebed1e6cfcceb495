using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Mean cross-entropy of labels with its gradient, float: ours in the place of the logits; beside it the forward and backward pass of current LibTorch, and of
/// the PyTorch of an installed Python.
/// </summary>
public class PyTorchBenchmarks : IScoredSuite, ISelectiveSuite
{
    private float[] _logits = [];
    private int[] _labels = [];
    private SoftmaxCrossEntropyLoss _loss = new();
    private PyTorch? _pyTorch;
    private LibTorch? _libTorch;

    public static IEnumerable<Shape> Shapes => [new(256, 32_000), new(1024, 1000), new(100_000, 100), new(100_000, 10)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    bool ISelectiveSuite.Includes(string method) => method switch
    {
        nameof(PyTorchBothPasses) => PyTorch.IsAvailable,
        nameof(LibTorchBothPasses) => TorchTensor.IsAvailable,
        _ => true,
    };

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 11);
        _labels = Logits.Labels(Shape, seed: 12);
        _loss = new() { MaxDegreeOfParallelism = Threads };
        double expected = _labels.Select((label, row) => Expected.LogSumExp<float>(_logits.AsSpan(row * Shape.Classes, Shape.Classes)) - _logits[(row * Shape.Classes) + label]).Average();
        if (TorchTensor.IsAvailable)
        {
            _libTorch = new(Threads, _labels, TorchTensor.Of(_logits, Shape.Rows, Shape.Classes));
            Expected.Check(nameof(LibTorchBothPasses), _libTorch.CrossEntropy(), expected, tolerance: 1e-4);
        }

        Expected.Check(nameof(OursInPlace), _loss.Evaluate<float>(_logits, _labels, _logits).Loss, expected, tolerance: 1e-6);
        if (PyTorch.IsAvailable) _pyTorch = new(Shape, Threads);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _pyTorch?.Dispose();
        _libTorch?.Dispose();
    }

    [Benchmark(Baseline = true), Traffic(8)]
    public void PyTorchBothPasses() => _pyTorch!.Run();

    [Benchmark, Traffic(8)]
    public void LibTorchBothPasses() => _libTorch!.CrossEntropy();

    /// <summary>From the second call on the logits are what the first left, which takes as long.</summary>
    [Benchmark, Traffic(8)]
    public void OursInPlace() => _loss.Evaluate<float>(_logits, _labels, _logits);

    string IScoredSuite.Score(string method) => method switch
    {
        nameof(PyTorchBothPasses) => _pyTorch!.Version,
        nameof(LibTorchBothPasses) => TorchTensor.Version,
        _ => "in place",
    };
}
