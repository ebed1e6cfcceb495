using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Entropy, cross-entropy and divergences of logits and of probabilities out of cache, beside plain sums of the same one or two arrays: the share of
/// the read bandwidth they reach. The platform has no counterpart.
/// </summary>
public class InformationBenchmarks
{
    private float[] _logits = [];
    private float[] _others = [];
    private float[] _probabilities = [];
    private float[] _otherProbabilities = [];
    private float _sum;

    public static IEnumerable<Shape> Shapes => [new(1, 32_000), new(1, 64_000_000)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 9);
        _others = Logits.Normal<float>(Shape.Values, seed: 10);
        double[] logP = Expected.LogSoftmax<float>(_logits), logQ = Expected.LogSoftmax<float>(_others);
        _probabilities = Array.ConvertAll(logQ, log => (float)Math.Exp(log));
        _otherProbabilities = Array.ConvertAll(logP, log => (float)Math.Exp(log));
        double entropy = 0, entropyOfQ = 0, crossEntropy = 0, reverse = 0, divergence = 0, jensenShannon = 0;
        for (int i = 0; i < logP.Length; i++)
        {
            entropy -= Math.Exp(logP[i]) * logP[i];
            entropyOfQ -= Math.Exp(logQ[i]) * logQ[i];
            crossEntropy -= _probabilities[i] * logP[i];
            reverse += Math.Exp(logQ[i]) * (logQ[i] - logP[i]);
            divergence += Math.Exp(logP[i]) * (logP[i] - logQ[i]);
            double p = Math.Exp(logP[i]), q = Math.Exp(logQ[i]), logOfMean = Math.Log((p + q) / 2);
            jensenShannon += ((p * (logP[i] - logOfMean)) + (q * (logQ[i] - logOfMean))) / 2;
        }

        OursEntropy();
        Expected.Check(nameof(OursEntropy), _sum, entropy, tolerance: 1e-5);
        OursCrossEntropy();
        Expected.Check(nameof(OursCrossEntropy), _sum, crossEntropy, tolerance: 1e-5);
        OursKullbackLeibler();
        Expected.Check(nameof(OursKullbackLeibler), _sum, divergence, tolerance: 1e-5);
        OursJensenShannon();
        Expected.Check(nameof(OursJensenShannon), _sum, jensenShannon, tolerance: 1e-5);
        OursEntropyOfProbabilities();
        Expected.Check(nameof(OursEntropyOfProbabilities), _sum, entropyOfQ, tolerance: 1e-5);
        OursCrossEntropyOfProbabilities();
        Expected.Check(nameof(OursCrossEntropyOfProbabilities), _sum, crossEntropy, tolerance: 1e-5);
        OursKullbackLeiblerOfProbabilities();
        Expected.Check(nameof(OursKullbackLeiblerOfProbabilities), _sum, reverse, tolerance: 1e-5);
        OursJensenShannonOfProbabilities();
        Expected.Check(nameof(OursJensenShannonOfProbabilities), _sum, jensenShannon, tolerance: 1e-5);
    }

    [Benchmark(Baseline = true), Traffic(4)]
    public void PlainSum() => _sum = TensorPrimitives.Sum<float>(_logits);

    [Benchmark, Traffic(4)]
    public void OursEntropy() => _sum = InformationMeasures.EntropyFromLogits<float>(_logits);

    [Benchmark, Traffic(8)]
    public void PlainSumOfBoth() => _sum = TensorPrimitives.Sum<float>(_logits) + TensorPrimitives.Sum<float>(_others);

    [Benchmark, Traffic(8)]
    public void OursKullbackLeibler() => _sum = InformationMeasures.KullbackLeiblerFromLogits<float>(_logits, _others);

    [Benchmark, Traffic(8)]
    public void OursCrossEntropy() => _sum = InformationMeasures.CrossEntropyFromLogits<float>(_probabilities, _logits);

    [Benchmark, Traffic(8)]
    public void OursJensenShannon() => _sum = InformationMeasures.JensenShannonFromLogits<float>(_logits, _others);

    [Benchmark, Traffic(4)]
    public void OursEntropyOfProbabilities() => _sum = InformationMeasures.Entropy<float>(_probabilities);

    [Benchmark, Traffic(8)]
    public void OursCrossEntropyOfProbabilities() => _sum = InformationMeasures.CrossEntropy<float>(_probabilities, _otherProbabilities);

    [Benchmark, Traffic(8)]
    public void OursKullbackLeiblerOfProbabilities() => _sum = InformationMeasures.KullbackLeibler<float>(_probabilities, _otherProbabilities);

    [Benchmark, Traffic(8)]
    public void OursJensenShannonOfProbabilities() => _sum = InformationMeasures.JensenShannon<float>(_probabilities, _otherProbabilities);
}
