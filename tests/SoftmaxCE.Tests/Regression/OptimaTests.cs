using Xunit.Abstractions;

namespace SoftmaxCE.Tests;

/// <summary>The optimum on raw features, as exact Newton in NumPy found it, is reached and certified.</summary>
public class OptimaTests(ITestOutputHelper output)
{
    public const double RelativeAccuracy = 1e-9;

    public static TheoryData<string, double, double> Small => ReferenceData.Optima(name => name is not ("letter" or "fashion-mnist"));

    public static TheoryData<string, double, double> Large => ReferenceData.Optima(name => name == "letter");

    [Theory, MemberData(nameof(Small))]
    public void Newton_reaches_the_optimum_of_raw_features(string name, double l2, double optimum) => Reaches(Solver.Newton, 1e-10, name, l2, optimum);

    [Theory, MemberData(nameof(Large)), Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
    public void Newton_reaches_the_optimum_of_letter(string name, double l2, double optimum) => Reaches(Solver.Newton, 1e-10, name, l2, optimum);

    private void Reaches(Solver solver, double tolerance, string name, double l2, double optimum)
    {
        ReferenceData data = ReferenceData.Load(name);
        SoftmaxRegressionOptions options = new() { L2 = l2, Solver = solver, Tolerance = tolerance };
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(options).Fit(data.Rows, data.Labels);
        TrainingSummary summary = model.Training!;
        output.WriteLine($"{name} {l2}: {summary.StopReason} {summary.Iterations} iterations, {summary.PassesOverData} passes, {summary.Elapsed.TotalMilliseconds:F1} ms");
        output.WriteLine($"objective {summary.Objective:R} optimum {optimum:R} error {(summary.Objective - optimum) / optimum:E2} gap {summary.Gap:E2}");
        foreach (TrainingProgress p in summary.History) output.WriteLine($"  {p.Iteration} {p.PassesOverData:F1} {p.Objective:R} {p.Gap:E2}");
        summary.StopReason.Should().Be(StopReason.Tolerance);
        summary.Objective.Should().BeApproximately(optimum, RelativeAccuracy * optimum);
        (summary.Objective - optimum).Should().BeLessThanOrEqualTo(summary.Gap);
    }
}
