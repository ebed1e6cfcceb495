using System.Text.Json;
using Xunit.Abstractions;

namespace SoftmaxCE.Tests;

public class ElasticNetTests(ITestOutputHelper output)
{
    public static TheoryData<string, double, double, double> Cases
    {
        get
        {
            TheoryData<string, double, double, double> cases = [];
            foreach (string line in File.ReadAllLines(References.PathOf("elastic_net.jsonl")))
            {
                using JsonDocument item = JsonDocument.Parse(line);
                JsonElement root = item.RootElement;
                cases.Add(root.GetProperty("data").GetString()!, root.GetProperty("l1").GetDouble(), root.GetProperty("l2").GetDouble(), root.GetProperty("objective").GetDouble());
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_objective_is_never_above_that_of_glmnet(string name, double l1, double l2, double glmnet)
    {
        ReferenceData data = ReferenceData.Load(name);
        SoftmaxRegressionOptions options = new() { L1 = l1, L2 = l2, Tolerance = 1e-9 };
        TrainingSummary summary = new SoftmaxRegressionTrainer(options).Fit(data.Rows, data.Labels).Training!;
        output.WriteLine($"{name} {l1} {l2}: {summary.StopReason} {summary.Iterations} iterations, {summary.PassesOverData} passes, {summary.Elapsed.TotalMilliseconds:F1} ms");
        output.WriteLine($"objective {summary.Objective:R} glmnet {glmnet:R} difference {summary.Objective - glmnet:E2} gap {summary.Gap:E2}");
        foreach (TrainingProgress p in summary.History) output.WriteLine($"  {p.Iteration} {p.PassesOverData:F1} {p.Objective:R} {p.Gap:E2} {p.Elapsed.TotalMilliseconds:F1}");
        summary.StopReason.Should().Be(StopReason.Tolerance);
        summary.Objective.Should().BeLessThanOrEqualTo(glmnet + 1e-9);
        (summary.Objective - summary.Gap).Should().BeLessThanOrEqualTo(glmnet);
    }
}
