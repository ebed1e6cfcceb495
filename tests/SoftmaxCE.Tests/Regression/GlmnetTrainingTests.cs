using System.Text.Json;

namespace SoftmaxCE.Tests;

/// <summary>Penalty factors, offsets, targets and paths against glmnet.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class GlmnetTrainingTests
{
    private static JsonElement[] Cases { get; } =
        [.. File.ReadAllLines(References.PathOf("glmnet_training.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];

    public static TheoryData<int> Fits => [.. Enumerable.Range(0, Cases.Length).Where(i => Cases[i].GetProperty("case").GetString() != "path")];

    public static TheoryData<int> Paths => [.. Enumerable.Range(0, Cases.Length).Where(i => Cases[i].GetProperty("case").GetString() == "path")];

    [Theory, MemberData(nameof(Fits))]
    public void The_objective_is_never_above_that_of_glmnet(int index)
    {
        JsonElement item = Cases[index];
        string kind = item.GetProperty("case").GetString()!;
        ReferenceData data = ReferenceData.Load(item.GetProperty("data").GetString()!);
        int rows = data.Labels.Length, classes = data.ClassCount;
        TrainingExamples examples = TrainingExamples.FromLabels(data.Rows, data.Labels);
        if (kind == "offset") examples = examples with { OffsetLogits = Enumerable.Range(0, rows * classes).Select(k => Math.Sin((k / classes) + (2 * (k % classes)))).ToArray() };
        if (kind == "targets") examples = TrainingExamples.FromTargets(data.Rows, Targets(data), classes);
        double[] factors = Numbers(item, "factors");
        SoftmaxRegressionOptions options = new()
        {
            L1 = item.GetProperty("l1").GetDouble(), L2 = item.GetProperty("l2").GetDouble(), PenaltyFactors = factors, Tolerance = 1e-10,
        };
        TrainingSummary summary = new SoftmaxRegressionTrainer(options).Fit(examples).Training!;
        double glmnet = item.GetProperty("objective").GetDouble();
        summary.StopReason.Should().Be(StopReason.Tolerance);
        summary.Objective.Should().BeInRange(glmnet - 1e-4, glmnet + 1e-9);
        (summary.Objective - summary.Gap).Should().BeLessThanOrEqualTo(glmnet);
    }

    [Theory, MemberData(nameof(Paths))]
    public void A_cross_validated_path_is_that_of_glmnet(int index)
    {
        JsonElement item = Cases[index];
        ReferenceData data = ReferenceData.Load(item.GetProperty("data").GetString()!);
        TrainingExamples examples = TrainingExamples.FromLabels(data.Rows, data.Labels);
        RegularizationPathOptions options = new()
        {
            Mixing = item.GetProperty("mixing").GetDouble(), Penalties = Numbers(item, "penalties"), Folds = Enumerable.Range(0, data.Labels.Length).Select(i => i % 5).ToArray(),
            Training = new() { Tolerance = 1e-9 },
        };
        RegularizationPath path = RegularizationPath.CrossValidate(examples, options);
        path.NullDeviance.Should().BeApproximately(item.GetProperty("nullDeviance").GetDouble(), 1e-9);
        double[] deviance = Numbers(item, "deviance"), error = Numbers(item, "error"), ratio = Numbers(item, "ratio");
        for (int i = 0; i < deviance.Length; i++)
        {
            path.Points[i].DevianceRatio.Should().BeApproximately(ratio[i], 2e-4);
            path.Points[i].Validation!.Deviance.Should().BeApproximately(deviance[i], 2e-3 * deviance[i]);
            path.Points[i].Validation!.DevianceError.Should().BeApproximately(error[i], 0.02 * error[i]);
        }

        path.Best!.Penalty.Should().BeApproximately(item.GetProperty("best").GetDouble(), 1e-12);
        path.OneStandardError!.Penalty.Should().BeApproximately(item.GetProperty("oneError").GetDouble(), 1e-12);
        RegularizationPath grid = RegularizationPath.Fit(examples, options with { Penalties = default, PenaltyCount = 1 });
        grid.Points[0].Penalty.Should().BeApproximately(item.GetProperty("largest").GetDouble(), 1e-9 * grid.Points[0].Penalty);
    }

    /// <summary>As make_glmnet_training.R makes them.</summary>
    private static double[] Targets(ReferenceData data)
    {
        int classes = data.ClassCount;
        double[] targets = new double[data.Labels.Length * classes];
        for (int i = 0; i < data.Labels.Length; i++)
        {
            double sum = 0;
            for (int c = 0; c < classes; c++) sum += targets[(i * classes) + c] = 1 + (((7 * i) + (3 * c)) % 5) + (data.Labels[i] == c ? 4 : 0);
            for (int c = 0; c < classes; c++) targets[(i * classes) + c] /= sum;
        }

        return targets;
    }

    private static double[] Numbers(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
}
