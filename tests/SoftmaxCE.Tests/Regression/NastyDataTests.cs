namespace SoftmaxCE.Tests;

/// <summary>Every solver on data that people should not have but do: scales from 1e-8 to 1e8, columns constant, double or nearly so, few rows, weights of any size.</summary>
public class NastyDataTests
{
    private const int Problems = 60;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Problems)];

    [Theory, MemberData(nameof(Seeds))]
    public void Every_solver_ends_with_a_finite_model_and_a_gap_that_covers_the_distance(int seed)
    {
        RandomStream random = new(seed);
        int classes = 2 + random.Below(4), features = 1 + random.Below(12), rows = classes + random.Below(30);
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i < classes ? i : random.Below(classes))];
        double[] x = Columns(random, labels, features);
        float[] weights = random.Below(3) > 0 ? [] : [.. labels.Select(_ => (float)Math.Pow(10, random.Below(9) - 4))];
        double l2 = Penalty(random), l1 = random.Below(2) == 0 ? 0 : Penalty(random);
        List<TrainingSummary> summaries = [];
        foreach (Solver solver in l1 > 0 ? (Solver[])[Solver.ProximalNewton] : [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton])
        {
            SoftmaxRegressionTrainer trainer = new(new() { Solver = solver, L1 = l1, L2 = l2, Tolerance = 1e-8, MaxIterations = 100 });
            SoftmaxRegressionModel model = trainer.Fit(new DenseRows<double>(x, features), labels, weights);
            model.Coefficients.ToArray().Should().OnlyContain(w => double.IsFinite(w));
            model.Intercepts.ToArray().Should().OnlyContain(b => double.IsFinite(b));
            double.IsFinite(model.Training!.Objective).Should().BeTrue();
            model.Training.Gap.Should().BeGreaterThanOrEqualTo(0);
            summaries.Add(model.Training);
        }

        double lowest = summaries.Min(summary => summary.Objective);
        summaries.Should().OnlyContain(summary => summary.Objective - lowest <= summary.Gap + (1e-9 * Math.Abs(lowest)));
    }

    /// <summary>The sums over the classes of what has no penalty are 0, though nothing in the objective holds them there.</summary>
    [Theory, InlineData(Solver.Newton), InlineData(Solver.Lbfgs), InlineData(Solver.ProximalNewton)]
    public void Nothing_common_to_all_classes_grows_without_penalty(Solver solver)
    {
        ReferenceData data = SyntheticData.Overlapping(200, 3, 4, seed: 1);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0, Solver = solver }).Fit(data.Rows, data.Labels);
        model.Intercepts.ToArray().Sum().Should().BeApproximately(0, 1e-14);
        for (int j = 0; j < 3; j++) Enumerable.Range(0, 4).Sum(c => model.Coefficients.Span[(c * 3) + j]).Should().BeApproximately(0, 1e-14);
    }

    /// <summary>The quadratic model used to be made of raw features, where a column of mean 1e8 and deviation 1e6 looks like the intercept: 300 steps were not enough.</summary>
    [Fact]
    public void Proximal_newton_needs_few_steps_for_columns_far_from_0()
    {
        RandomStream random = new(5);
        int[] labels = [.. Enumerable.Range(0, 60).Select(i => i % 3)];
        double[] x = [.. labels.SelectMany(label => (double[])[1e8 + (1e6 * (label + (3 * random.Uniform()))), -1e7 + (1e6 * random.Uniform()), random.Uniform()])];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L1 = 1e-3, Tolerance = 1e-9 }).Fit(new DenseRows<double>(x, 3), labels);
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
        model.Training.Iterations.Should().BeLessThan(20);
    }

    /// <summary>10⁸ + u is u with another intercept; products with 10⁸ lost eight digits, and squares all.</summary>
    [Theory, InlineData(Solver.Newton), InlineData(Solver.Lbfgs), InlineData(Solver.ProximalNewton)]
    public void A_column_far_from_0_is_fitted_like_the_same_column_near_it(Solver solver)
    {
        RandomStream random = new(6);
        int[] labels = [.. Enumerable.Range(0, 60).Select(i => i % 3)];
        double[] near = [.. labels.SelectMany(label => (double[])[Eighths(label + (3 * random.Uniform())), Eighths(random.Uniform()), random.Uniform()])];
        double[] far = [.. near.Select((v, i) => i % 3 == 0 ? 1e8 + v : i % 3 == 1 ? v - 1e7 : v)];
        SoftmaxRegressionOptions options = new() { L2 = 1e-6, Solver = solver, Tolerance = 1e-10 };
        SoftmaxRegressionModel nearModel = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(near, 3), labels);
        SoftmaxRegressionModel farModel = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(far, 3), labels);
        farModel.Training!.StopReason.Should().Be(StopReason.Tolerance);
        farModel.Training.Objective.Should().BeApproximately(nearModel.Training!.Objective, 1e-10);
        double[] p = new double[3], q = new double[3];
        nearModel.PredictProbabilities(near.AsSpan(0, 3), p);
        farModel.PredictProbabilities(far.AsSpan(0, 3), q);
        for (int c = 0; c < 3; c++) q[c].Should().BeApproximately(p[c], 1e-5);
        SoftmaxRegressionModel again = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(far, 3), labels, start: farModel);
        again.Training!.Iterations.Should().BeLessThanOrEqualTo(3);
    }

    /// <summary>Two columns that one row makes nearly alike: with L1 the sweeps of the quadratic model changed signs for ever, and 300 steps were not enough.</summary>
    [Fact]
    public void Columns_that_one_row_makes_alike_do_not_stall_the_quadratic_model()
    {
        RandomStream random = new(3);
        int[] labels = [.. Enumerable.Range(0, 23).Select(_ => random.Below(2))];
        double[] x = [.. Enumerable.Range(0, 46).Select(i => i / 2 == 7 ? 1e7 : random.Uniform())];
        TrainingSummary summary = new SoftmaxRegressionTrainer(new() { L1 = 1, L2 = 1e-4, Tolerance = 1e-8 }).Fit(new DenseRows<double>(x, 2), labels).Training!;
        summary.StopReason.Should().Be(StopReason.Tolerance);
        summary.Iterations.Should().BeLessThan(100);
    }

    /// <summary>A row far out, once told apart, leaves its column 10⁻¹⁴ of the curvature that it began with, which was taken for rounding.</summary>
    [Theory, InlineData(Solver.Newton), InlineData(Solver.Lbfgs), InlineData(Solver.ProximalNewton)]
    public void A_row_far_out_does_not_hide_its_columns(Solver solver)
    {
        RandomStream random = new(9);
        int[] labels = [.. Enumerable.Range(0, 40).Select(i => i % 3)];
        double[] x = [.. Enumerable.Range(0, 120).Select(i => i / 3 == 5 && i % 3 < 2 ? 1e7 : random.Uniform())];
        TrainingSummary summary = new SoftmaxRegressionTrainer(new() { L2 = 1e-8, Solver = solver, Tolerance = 1e-7 }).Fit(new DenseRows<double>(x, 3), labels).Training!;
        summary.StopReason.Should().Be(StopReason.Tolerance);
    }

    /// <summary>Paths down to no penalty at all, and cross-validation, on the same kind of data.</summary>
    [Theory, InlineData(0.0), InlineData(0.5), InlineData(1.0)]
    public void Paths_and_cross_validation_end_with_finite_models(double mixing)
    {
        for (int seed = 100; seed < 108; seed++)
        {
            RandomStream random = new(seed);
            int[] labels = [.. Enumerable.Range(0, 30).Select(i => i % 3)];
            double[] x = Columns(random, labels, 6);
            RegularizationPathOptions options = new() { Mixing = mixing, PenaltyCount = 6, Training = new() { Tolerance = 1e-7 } };
            RegularizationPath path = RegularizationPath.CrossValidate(TrainingExamples.FromLabels(new DenseRows<double>(x, 6), labels), options);
            path.Points.Should().OnlyContain(point => double.IsFinite(point.Model.Training!.Objective) && point.Model.Training.Gap >= 0);
            path.Points.SelectMany(point => point.Model.Coefficients.ToArray()).Should().OnlyContain(w => double.IsFinite(w));
        }
    }

    private static double Eighths(double value) => Math.Round(value * 8) / 8;

    private static double Penalty(RandomStream random) => ((double[])[0, 0, 1e-8, 1e-4, 1e-2, 1, 100])[random.Below(7)];

    private static double[] Columns(RandomStream random, int[] labels, int features)
    {
        double[] x = new double[labels.Length * features];
        for (int j = 0; j < features; j++)
        {
            double scale = Math.Pow(10, random.Below(17) - 8);
            int kind = random.Below(7), odd = random.Below(labels.Length);
            for (int i = 0; i < labels.Length; i++)
            {
                x[(i * features) + j] = kind switch
                {
                    0 => scale,
                    1 => j == 0 ? 0 : 2 * x[(i * features) + j - 1],
                    2 => labels[i] == 0 ? scale : 0,
                    3 => i == odd ? 1e7 : random.Uniform(),
                    4 => scale * (labels[i] + (0.5 * random.Uniform())),
                    5 => scale * (100 + random.Uniform()),
                    _ => scale * random.Uniform(),
                };
            }
        }

        return x;
    }
}
