using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>One token drawn from the logits of a vocabulary, float, beside the softmax of the same row: what a draw that sorts or exponentiates everything begins with.</summary>
public class SamplingBenchmarks
{
    private const int K = 50;
    private const double P = 0.9;
    private const int CheckedDraws = 100;

    private float[] _logits = [];
    private float[] _probabilities = [];
    private ulong _seed;
    private long _drawn;

    public static IEnumerable<Shape> Shapes => [new(1, 32_000), new(1, 131_072)];

    [ParamsSource(nameof(Shapes))]
    public Shape Shape { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Logits.Normal<float>(Shape.Values, seed: 31);
        _probabilities = Logits.Zeros<float>(Shape.Values);
        float[] sorted = [.. _logits.OrderDescending()];
        double[] masses = Expected.Softmax<float>(sorted);
        double reached = 0;
        int nucleus = 0;
        while (reached < P) reached += masses[nucleus++];
        Check(new() { TopK = K }, sorted[K - 1]);
        Check(new() { TopP = P }, sorted[nucleus - 1]);
    }

    /// <summary>Not a peer but the measure: one softmax of the row.</summary>
    [Benchmark(Baseline = true)]
    public void SoftmaxOfTheRow() => SoftmaxFunctions.Softmax<float>(_logits, _probabilities);

    [Benchmark]
    public void OursTopK() => _drawn += new LogitSampler { TopK = K }.Sample<float>(_logits, _seed++);

    [Benchmark]
    public void OursTopP() => _drawn += new LogitSampler { TopP = P }.Sample<float>(_logits, _seed++);

    [Benchmark]
    public void OursTopKAndTopP() => _drawn += new LogitSampler { TopK = K, TopP = P, Temperature = 0.8 }.Sample<float>(_logits, _seed++);

    [Benchmark]
    public void OursMinP() => _drawn += new LogitSampler { MinP = 0.05 }.Sample<float>(_logits, _seed++);

    [Benchmark]
    public void OursUnrestricted() => _drawn += new LogitSampler().Sample<float>(_logits, _seed++);

    private void Check(LogitSampler sampler, float smallest)
    {
        HashSet<int> drawn = [.. Enumerable.Range(0, CheckedDraws).Select(seed => sampler.Sample<float>(_logits, (ulong)seed))];
        if (drawn.Count < 2 || drawn.Any(c => _logits[c] < smallest)) throw new InvalidOperationException($"{sampler} draws what it should not, or always the same.");
    }
}
