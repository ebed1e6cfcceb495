namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class RegularizationPathTests
{
    private const int Rows = 150, Features = 8, Classes = 3;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 51);
    private static readonly TrainingExamples Examples = TrainingExamples.FromLabels(Data.Rows, Data.Labels);
    private static readonly RegularizationPathOptions Short = new() { PenaltyCount = 12, SmallestFraction = 0.01, FoldCount = 5 };

    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    [InlineData(0.1)]
    public void The_first_penalty_is_the_smallest_that_makes_all_coefficients_0(double mixing)
    {
        RegularizationPath path = RegularizationPath.Fit(Examples, Short with { Mixing = mixing });
        double largest = path.Points[0].Penalty;
        path.Points[0].FeatureCount.Should().Be(0);
        path.Points[0].DevianceRatio.Should().BeApproximately(0, 1e-9);
        RegularizationPath.Fit(Examples, Short with { Mixing = mixing, Penalties = new[] { 0.999 * largest }, Training = new() { Tolerance = 1e-12 } }).Points[0].FeatureCount.Should().Be(1);
        path.Points.Select(p => p.Penalty).Should().BeInDescendingOrder();
        path.Points[^1].Penalty.Should().BeApproximately(0.01 * largest, 1e-12);
        path.Points.Select(p => p.DevianceRatio).Should().BeInAscendingOrder();
        foreach (PathPoint point in path.Points)
        {
            point.L1.Should().Be(point.Penalty * mixing);
            point.L2.Should().Be(point.Penalty * (1 - mixing));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    [InlineData(0)]
    public void Every_point_is_the_optimum_of_its_penalty(double mixing)
    {
        RegularizationPath path = RegularizationPath.Fit(Examples, Short with { Mixing = mixing, Training = new() { Tolerance = 1e-8 } });
        foreach (PathPoint point in path.Points)
        {
            TrainingSummary summary = point.Model.Training!;
            summary.StopReason.Should().Be(StopReason.Tolerance);
            double cold = new SoftmaxRegressionTrainer(new() { L1 = point.L1, L2 = point.L2, Tolerance = 1e-11 }).Fit(Data.Rows, Data.Labels).Training!.Objective;
            summary.Objective.Should().BeApproximately(cold, 1e-8 * cold);
            (summary.Objective - cold).Should().BeLessThanOrEqualTo(summary.Gap + (1e-14 * cold));
            summary.Objective.Should().BeApproximately(SyntheticData.Objective(Data, point.Model.Coefficients.Span, point.Model.Intercepts.Span, point.L2, point.L1), 1e-12);
        }
    }

    [Fact]
    public void A_feature_without_penalty_is_in_every_model()
    {
        double[] factors = [1, 1, 0, 1, 1, 1, 1, 1];
        RegularizationPath path = RegularizationPath.Fit(Examples, Short with { Training = new() { PenaltyFactors = factors, Tolerance = 1e-9 } });
        path.Points[0].FeatureCount.Should().Be(1);
        double[] column = [.. Enumerable.Range(0, Rows).Select(i => Data.Features[(i * Features) + 2])];
        double alone = new SoftmaxRegressionTrainer(new() { L2 = 0, Tolerance = 1e-12 }).Fit(new DenseRows<double>(column, 1), Data.Labels).Training!.Objective;
        path.Points[0].Deviance.Should().BeApproximately(2 * alone, 1e-7);
        RegularizationPath below = RegularizationPath.Fit(Examples, Short with { Penalties = new[] { 0.99 * path.Points[0].Penalty }, Training = new() { PenaltyFactors = factors, Tolerance = 1e-9 } });
        below.Points[0].FeatureCount.Should().Be(2);
    }

    [Fact]
    public void A_fold_is_measured_by_a_model_of_the_other_rows()
    {
        RegularizationPath path = RegularizationPath.CrossValidate(Examples, Short with { PenaltyCount = 3, Training = new() { Tolerance = 1e-11 } });
        for (int fold = 0; fold < 5; fold++)
        {
            int[] train = [.. Enumerable.Range(0, Rows).Where(i => path.Folds![i] != fold)], test = [.. Enumerable.Range(0, Rows).Where(i => path.Folds![i] == fold)];
            PathPoint point = path.Points[2];
            SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L1 = point.L1, L2 = point.L2, Tolerance = 1e-12 })
                .Fit(new DenseRows<double>(FeaturesOf(train), Features), [.. train.Select(i => Data.Labels[i])]);
            ClassificationMetrics metrics = model.Evaluate(new DenseRows<double>(FeaturesOf(test), Features), [.. test.Select(i => Data.Labels[i])]);
            point.Validation!.FoldDeviances[fold].Should().BeApproximately(2 * metrics.LogLoss, 1e-4);
            point.Validation.FoldAccuracies[fold].Should().BeApproximately(metrics.Accuracy, 1e-12);
        }

        static double[] FeaturesOf(int[] rows) => [.. rows.SelectMany(i => Data.Features[(i * Features)..((i + 1) * Features)])];
    }

    [Fact]
    public void Folds_are_alike_in_size_and_classes_and_depend_on_the_seed_alone()
    {
        RegularizationPathOptions options = Short with { PenaltyCount = 1 };
        int[] folds = [.. RegularizationPath.CrossValidate(Examples, options).Folds!];
        for (int fold = 0; fold < 5; fold++)
        {
            folds.Count(f => f == fold).Should().Be(Rows / 5);
            for (int c = 0; c < Classes; c++)
            {
                double share = Data.Labels.Count(y => y == c) / 5.0;
                Enumerable.Range(0, Rows).Count(i => folds[i] == fold && Data.Labels[i] == c).Should().BeInRange((int)share, (int)Math.Ceiling(share));
            }
        }

        RegularizationPath.CrossValidate(Examples, options with { Training = new() { MaxDegreeOfParallelism = 1 } }).Folds.Should().Equal(folds);
        RegularizationPath.CrossValidate(Examples, options with { Training = new() { Seed = 1 } }).Folds.Should().NotEqual(folds);
    }

    [Fact]
    public void The_one_standard_error_rule_takes_the_strongest_penalty_that_is_not_surely_worse()
    {
        RegularizationPath path = RegularizationPath.CrossValidate(Examples, Short);
        double limit = path.Best!.Validation!.Deviance + path.Best.Validation.DevianceError;
        path.Points.Should().OnlyContain(p => p.Validation!.Deviance >= path.Best.Validation.Deviance);
        path.OneStandardError!.Validation!.Deviance.Should().BeLessThanOrEqualTo(limit);
        path.Points.TakeWhile(p => p != path.OneStandardError).Should().OnlyContain(p => p.Validation!.Deviance > limit);
        path.OneStandardError.Penalty.Should().BeGreaterThan(path.Best.Penalty);

        PathValidation validation = path.Points[4].Validation!;
        double mean = validation.FoldDeviances.Average(), variance = validation.FoldDeviances.Average(d => (d - mean) * (d - mean));
        validation.Deviance.Should().BeApproximately(mean, 1e-12);                          // folds of equal weight
        validation.DevianceError.Should().BeApproximately(Math.Sqrt(variance / 4), 1e-12);

        string[] lines = path.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().HaveCount(path.Points.Count + 1);
        lines[0].Should().MatchRegex("^penalty +L1 +L2 +features +deviance ratio +deviance +± error +accuracy +± error$");
        lines.Where(l => l.EndsWith("best", StringComparison.Ordinal)).Should().HaveCount(1);
        lines.Where(l => l.EndsWith("one error", StringComparison.Ordinal)).Should().HaveCount(1);
    }

    [Fact]
    public void Targets_weights_and_progress_go_through()
    {
        double[] targets = [.. Data.Labels.SelectMany(y => Enumerable.Range(0, Classes).Select(c => c == y ? 0.8 : 0.1))];
        List<PathProgress> reports = [];
        TrainingExamples soft = TrainingExamples.FromTargets(Data.Rows, targets, Classes) with { SampleWeights = Enumerable.Range(0, Rows).Select(i => 1f + (i % 2)).ToArray() };
        RegularizationPath path = RegularizationPath.CrossValidate(soft, Short with { PenaltyCount = 4 }, new Immediate(reports.Add));
        reports.Should().HaveCount(4 * 6);
        reports.Select(r => r.Fold).Distinct().Should().Equal(-1, 0, 1, 2, 3, 4);
        path.Points[^1].Deviance.Should().BeGreaterThan(0);
        path.Points[^1].Validation!.Accuracy.Should().BeInRange(0.1, 0.8);
        path.Points[^1].DevianceRatio.Should().BeInRange(0, 1);
    }

    [Fact]
    public void A_path_ends_when_nothing_is_left_to_explain()
    {
        double[] x = [.. Enumerable.Range(0, 40).Select(i => (double)(i / 20))];
        RegularizationPath path = RegularizationPath.Fit(TrainingExamples.FromLabels(new DenseRows<double>(x, 1), Enumerable.Range(0, 40).Select(i => i / 20).ToArray()), new() { SmallestFraction = 1e-8 });
        path.Points.Count.Should().BeLessThan(100);
        path.Points[^1].DevianceRatio.Should().BeGreaterThanOrEqualTo(0.999);
        path.Points[^2].DevianceRatio.Should().BeLessThan(0.999);
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        Refused(new() { Mixing = 1.5 }, "Mixing");
        Refused(new() { PenaltyCount = 0 }, "PenaltyCount");
        Refused(new() { SmallestFraction = 1 }, "SmallestFraction");
        Refused(new() { LargestDevianceRatio = 0 }, "LargestDevianceRatio");
        Refused(new() { FoldCount = 1 }, "FoldCount");
        Refused(new() { Penalties = new double[] { 1, 2 } }, "Penalties");
        Refused(new() { Training = new() { Solver = Solver.GradientDescent } }, "Training");
        Refused(new() { Training = new() { Solver = Solver.Newton } }, "Training");
        Refused(new() { Training = new() { PenaltyFactors = new double[Features] } }, "Training");
        Refused(new() { Folds = new int[3] }, "folds");
        Refused(new() { Folds = new int[Rows] }, "folds");
        Refused(new() { FoldCount = 1000 }, "examples");
        int[] single = [.. Data.Labels.Select((y, i) => i == 0 ? 3 : y)];
        FluentActions.Invoking(() => RegularizationPath.CrossValidate(TrainingExamples.FromLabels(Data.Rows, single))).Should().Throw<ArgumentException>().WithMessage("Class 3*without the rows of fold*two rows*");
        DenseRows<double> constant = new(Enumerable.Repeat(1.0, Rows).ToArray(), 1);
        FluentActions.Invoking(() => RegularizationPath.Fit(TrainingExamples.FromLabels(constant, Data.Labels))).Should().Throw<ArgumentException>().WithMessage("No penalised feature*");
        using CancellationTokenSource source = new();
        FluentActions.Invoking(() => RegularizationPath.Fit(Examples, Short, new Immediate(_ => source.Cancel()), source.Token)).Should().Throw<OperationCanceledException>();

        static void Refused(RegularizationPathOptions options, string name) =>
            FluentActions.Invoking(() => RegularizationPath.CrossValidate(Examples, options)).Should().Throw<ArgumentException>().WithParameterName(name);
    }

    private sealed class Immediate(Action<PathProgress> report) : IProgress<PathProgress>
    {
        public void Report(PathProgress value) => report(value);
    }
}
