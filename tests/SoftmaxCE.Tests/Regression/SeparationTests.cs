namespace SoftmaxCE.Tests;

/// <summary>Without penalty there may be no optimum; then, and only then, training says so.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class SeparationTests
{
    public static TheoryData<Solver, double> Solvers
    {
        get
        {
            TheoryData<Solver, double> cases = [];
            foreach (Solver solver in (Solver[])[Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton])
            {
                foreach (double tolerance in (double[])[1e-4, 1e-6, 1e-12]) cases.Add(solver, tolerance);
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_feature_that_occurs_in_one_class_alone_has_no_best_coefficient(Solver solver, double tolerance)
    {
        // x₁ = 1 only in class 0; x₀ overlaps.
        ReferenceData data = SyntheticData.Overlapping(rows: 120, features: 2, classes: 3, seed: 5);
        double[] features = [.. data.Features];
        for (int i = 0; i < 120; i++) features[(2 * i) + 1] = data.Labels[i] == 0 && i % 4 == 0 ? 1 : 0;
        TrainingSummary summary = Fit(features, 2, data.Labels, solver, tolerance).Training!;
        summary.StopReason.Should().Be(StopReason.Separable);

        // A row of each other class that speaks against it, and there is an optimum; of one of them is not enough.
        features[(2 * Array.IndexOf(data.Labels, 1)) + 1] = 1;
        Fit(features, 2, data.Labels, solver, tolerance).Training!.StopReason.Should().Be(StopReason.Separable);
        features[(2 * Array.IndexOf(data.Labels, 2)) + 1] = 1;
        Fit(features, 2, data.Labels, solver, tolerance).Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_class_apart_is_enough(Solver solver, double tolerance)
    {
        ReferenceData data = SyntheticData.Overlapping(rows: 120, features: 2, classes: 3, seed: 6);
        double[] features = [.. data.Features];
        for (int i = 0; i < 120; i++) if (data.Labels[i] == 2) features[2 * i] += 10;
        Fit(features, 2, data.Labels, solver, tolerance).Training!.StopReason.Should().Be(StopReason.Separable);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Classes_that_touch_are_separated_all_but_for_the_place_where_they_do(Solver solver, double tolerance)
    {
        double[] x = [0, 1, 2, 3, 3, 4, 5, 6];
        Fit(x, 1, [0, 0, 0, 0, 1, 1, 1, 1], solver, tolerance).Training!.StopReason.Should().Be(StopReason.Separable);
        Fit([0, 1, 2, 3.1, 3, 4, 5, 6], 1, [0, 0, 0, 0, 1, 1, 1, 1], solver, tolerance).Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_row_of_small_weight_in_the_way_makes_coefficients_large_but_finite(Solver solver, double tolerance)
    {
        double[] x = [0, 1, 2, 3, 4, 5, 6, 6.5];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0, Solver = solver, Tolerance = tolerance })
            .Fit(new DenseRows<double>(x, 1), [0, 0, 0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1, 1e-4f]);
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
        double best = new SoftmaxRegressionTrainer(new() { L2 = 0, Tolerance = 1e-14 }).Fit(new DenseRows<double>(x, 1), [0, 0, 0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1, 1e-4f]).Training!.Objective;
        (model.Training.Objective - best).Should().BeLessThan(2 * tolerance * best);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_row_far_out_is_no_separation(Solver solver, double tolerance)
    {
        double[] x = [0, 1, 2, 3, 2.5, 4, 5, 1e4];
        TrainingSummary summary = Fit(x, 1, [0, 0, 0, 0, 1, 1, 1, 1], solver, tolerance).Training!;
        summary.StopReason.Should().Be(StopReason.Tolerance);
        summary.Objective.Should().BeApproximately(Fit([0, 1, 2, 3, 2.5, 4, 5, 50], 1, [0, 0, 0, 0, 1, 1, 1, 1], Solver.Newton, 1e-12).Training!.Objective, 0.01);
    }

    [Fact]
    public void Soft_rows_can_leave_no_optimum_too()
    {
        // Class 2 has its own feature; the targets of the other rows are split between 0 and 1.
        double[] x = [0, 0, 0, 0, 1, 1], targets = [0.5, 0.5, 0, 0.2, 0.8, 0, 0.9, 0.1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0 }).Fit<double>(new DenseRows<double>(x, 1), targets, 3);
        model.Training!.StopReason.Should().Be(StopReason.Separable);
    }

    [Fact]
    public void A_feature_without_penalty_can_separate_beside_others_that_have_one()
    {
        ReferenceData data = SyntheticData.Overlapping(rows: 120, features: 2, classes: 2, seed: 7);
        double[] features = [.. data.Features];
        for (int i = 0; i < 120; i++) features[(2 * i) + 1] = data.Labels[i] == 0 && i % 4 == 0 ? 1 : 0;
        SoftmaxRegressionOptions options = new() { L2 = 0.1, PenaltyFactors = new double[] { 1, 0 } };
        new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(features, 2), data.Labels).Training!.StopReason.Should().Be(StopReason.Separable);
        new SoftmaxRegressionTrainer(options with { PenaltyFactors = new double[] { 0, 1 } }).Fit(new DenseRows<double>(features, 2), data.Labels).Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    private static SoftmaxRegressionModel Fit(double[] features, int featureCount, int[] labels, Solver solver, double tolerance) =>
        new SoftmaxRegressionTrainer(new() { L2 = 0, Solver = solver, Tolerance = tolerance }).Fit(new DenseRows<double>(features, featureCount), labels);
}
