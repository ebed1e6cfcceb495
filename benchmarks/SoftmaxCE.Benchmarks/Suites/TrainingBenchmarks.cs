using System.Globalization;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Softmax regression to a given quality, with all processors. Both trainers minimise the same objective, and one routine in
/// double scores what they reached: time alone says nothing here.
/// </summary>
public class TrainingBenchmarks : IScoredSuite
{
    private const float MlNetDefault = 1e-7f;
    private const float MlNetTight = 1e-10f;
    private const double OursCoarse = 1e-2;      // still better than MlNetDefault reaches
    private const double OursDefault = 1e-6;
    private const double OursTight = 1e-10;

    // ML.NET computes in float and stops by its own rule; ours promises its tolerance.
    private const double AcceptedOfPeers = 0.05;

    private readonly Dictionary<string, (double[] Coefficients, double[] Intercepts)> _models = [];
    private MaximumEntropy? _maximumEntropy;

    public static IEnumerable<TrainingProblem> Problems => TrainingProblem.Available();

    [ParamsSource(nameof(Problems))]
    public TrainingProblem Problem { get; set; } = new("", 0);

    [GlobalSetup]
    public void Setup()
    {
        Problem.Load();
        _maximumEntropy = new MaximumEntropy(Problem.Features(), Problem.Labels, Problem.Classes);
        Check(MaximumEntropyDefault, AcceptedOfPeers);
        Check(MaximumEntropyTight, AcceptedOfPeers);
        Check(OursCoarsely, OursCoarse);
        Check(Ours, OursDefault);
        Check(OursTightly, OursTight);
    }

    [Benchmark(Baseline = true)]
    public void MaximumEntropyDefault() => _models[nameof(MaximumEntropyDefault)] = _maximumEntropy!.Train(Problem.L2, MlNetDefault);

    [Benchmark]
    public void MaximumEntropyTight() => _models[nameof(MaximumEntropyTight)] = _maximumEntropy!.Train(Problem.L2, MlNetTight);

    [Benchmark]
    public void OursCoarsely() => _models[nameof(OursCoarsely)] = Train(OursCoarse);

    [Benchmark]
    public void Ours() => _models[nameof(Ours)] = Train(OursDefault);

    [Benchmark]
    public void OursTightly() => _models[nameof(OursTightly)] = Train(OursTight);

    string IScoredSuite.Score(string method)
    {
        (double objective, double accuracy) = Reached(method);
        return string.Create(
            CultureInfo.InvariantCulture, $"objective {objective:0.0000000000} ({(objective / Problem.Optimum) - 1:0.0e+0} above the optimum), {accuracy:0.00 %} right");
    }

    private void Check(Action contender, double tolerance)
    {
        contender();
        Expected.Check(contender.Method.Name, Reached(contender.Method.Name).Objective, Problem.Optimum, tolerance);
    }

    private (double Objective, double Accuracy) Reached(string method) => Problem.Evaluate(_models[method].Coefficients, _models[method].Intercepts);

    private (double[] Coefficients, double[] Intercepts) Train(double tolerance)
    {
        SoftmaxRegressionTrainer trainer = new(new SoftmaxRegressionOptions { L2 = Problem.L2, Tolerance = tolerance });
        SoftmaxRegressionModel model = trainer.Fit(Problem.Rows, Problem.Labels);
        return (model.Coefficients.ToArray(), model.Intercepts.ToArray());
    }
}
