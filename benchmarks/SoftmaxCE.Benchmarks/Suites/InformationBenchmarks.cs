using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Entropy and divergence of logits out of cache, beside plain sums of the same one or two arrays: the share of the read
/// bandwidth they reach. The platform has no counterpart.
/// </summary>
public class InformationBenchmarks
{
    private float[] _logits = [];
    private float[] _others = [];
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
        double entropy = 0, divergence = 0;
        for (int i = 0; i < logP.Length; i++)
        {
            entropy -= Math.Exp(logP[i]) * logP[i];
            divergence += Math.Exp(logP[i]) * (logP[i] - logQ[i]);
        }

        OursEntropy();
        Expected.Check(nameof(OursEntropy), _sum, entropy, tolerance: 1e-5);
        OursKullbackLeibler();
        Expected.Check(nameof(OursKullbackLeibler), _sum, divergence, tolerance: 1e-5);
    }

    [Benchmark(Baseline = true), Traffic(4)]
    public void PlainSum() => _sum = TensorPrimitives.Sum<float>(_logits);

    [Benchmark, Traffic(4)]
    public void OursEntropy() => _sum = InformationMeasures.EntropyFromLogits<float>(_logits);

    [Benchmark, Traffic(8)]
    public void PlainSumOfBoth() => _sum = TensorPrimitives.Sum<float>(_logits) + TensorPrimitives.Sum<float>(_others);

    [Benchmark, Traffic(8)]
    public void OursKullbackLeibler() => _sum = InformationMeasures.KullbackLeiblerFromLogits<float>(_logits, _others);
}
