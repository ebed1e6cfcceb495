using System.Globalization;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// The last layer of a language model, features × coefficientsᵀ + intercepts, with its loss and all three gradients, float; and the memory that is
/// needed beyond inputs and gradients. The logits alone, which LibTorch stores, are 268 MB.
/// </summary>
public class LinearCrossEntropyBenchmarks : IScoredSuite, ISelectiveSuite
{
    private const int Features = 256;
    private const int CheckedRows = 3;

    private float[] _features = [];
    private float[] _coefficients = [];
    private float[] _intercepts = [];
    private float[] _featureGradient = [];
    private float[] _coefficientGradient = [];
    private float[] _interceptGradient = [];
    private int[] _labels = [];
    private LinearCrossEntropyLoss _loss = new();
    private LibTorch? _libTorch;

    public static IEnumerable<Shape> Shapes => [new(512, 131_072)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    bool ISelectiveSuite.Includes(string method) => method != nameof(LibTorchBothPasses) || TorchTensor.IsAvailable;

    [GlobalSetup]
    public void Setup()
    {
        const float CoefficientScale = 0.0125f;        // so that the logits have a deviation of about 3
        long coefficients = (long)Shape.Classes * Features;
        _features = Logits.Normal<float>((long)Shape.Rows * Features, seed: 21);
        _coefficients = Logits.Normal<float>(coefficients, seed: 22);
        for (int i = 0; i < _coefficients.Length; i++) _coefficients[i] *= CoefficientScale;
        _intercepts = Logits.Normal<float>(Shape.Classes, seed: 23);
        _labels = Logits.Labels(Shape, seed: 24);
        _featureGradient = Logits.Zeros<float>(_features.Length);
        _coefficientGradient = Logits.Zeros<float>(coefficients);
        _interceptGradient = Logits.Zeros<float>(Shape.Classes);
        _loss = new() { MaxDegreeOfParallelism = Threads };
        CheckRows();
        double loss = Evaluate().Loss;
        if (!TorchTensor.IsAvailable) return;
        _libTorch = new(
            Threads, _labels, TorchTensor.Of(_features, Shape.Rows, Features), TorchTensor.Of(_coefficients, Shape.Classes, Features), TorchTensor.Of(_intercepts, Shape.Classes));
        Expected.Check(nameof(LibTorchBothPasses), _libTorch.LinearCrossEntropy(), loss, tolerance: 1e-4);
    }

    [GlobalCleanup]
    public void Cleanup() => _libTorch?.Dispose();

    [Benchmark(Baseline = true)]
    public void LibTorchBothPasses() => _libTorch!.LinearCrossEntropy();

    [Benchmark]
    public void Ours() => Evaluate();

    [Benchmark, Traffic(0)]
    public void OursLossAlone() => _loss.Evaluate<float>(_features, _coefficients, _intercepts, _labels);

    string IScoredSuite.Score(string method)
    {
        bool torch = method == nameof(LibTorchBothPasses);
        double? megabytes = PeakMemory.Megabytes(torch ? LibTorchBothPasses : method == nameof(Ours) ? Ours : OursLossAlone);
        if (torch) return string.Create(CultureInfo.InvariantCulture, $"{TorchTensor.Version}, {megabytes:0} MB beyond inputs, gradients among them");
        return string.Create(CultureInfo.InvariantCulture, $"{megabytes:0.0} MB beyond inputs and gradients");
    }

    private LossResult Evaluate() => _loss.Evaluate<float>(_features, _coefficients, _intercepts, _labels, _featureGradient, _coefficientGradient, _interceptGradient);

    /// <summary>Loss and gradient of the features of a few rows in plain double arithmetic: all rows would take minutes.</summary>
    private void CheckRows()
    {
        ReadOnlySpan<float> features = _features.AsSpan(0, CheckedRows * Features);
        double loss = _loss.Evaluate<float>(features, _coefficients, _intercepts, _labels.AsSpan(0, CheckedRows), _featureGradient.AsSpan(0, features.Length)).Loss, expected = 0;
        double[] logits = new double[Shape.Classes], gradient = new double[Features];
        for (int row = 0; row < CheckedRows; row++)
        {
            for (int c = 0; c < logits.Length; c++)
            {
                logits[c] = _intercepts[c];
                for (int k = 0; k < Features; k++) logits[c] += (double)features[(row * Features) + k] * _coefficients[(c * Features) + k];
            }

            double logSumExp = Expected.LogSumExp<double>(logits);
            expected += (logSumExp - logits[_labels[row]]) / CheckedRows;
            Array.Clear(gradient);
            for (int c = 0; c < logits.Length; c++)
            {
                double residual = (Math.Exp(logits[c] - logSumExp) - (c == _labels[row] ? 1 : 0)) / CheckedRows;
                for (int k = 0; k < Features; k++) gradient[k] += residual * _coefficients[(c * Features) + k];
            }

            for (int k = 0; k < Features; k++) Expected.Check(nameof(Ours), _featureGradient[(row * Features) + k], gradient[k], tolerance: 1e-5, floor: 0.1, row, k);
        }

        Expected.Check(nameof(Ours), loss, expected, tolerance: 1e-5);
    }
}
