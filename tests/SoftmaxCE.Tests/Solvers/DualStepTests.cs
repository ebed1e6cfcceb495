namespace SoftmaxCE.Tests;

/// <summary>The gap of fits that have none by the gradient alone: with columns, or all of them, without penalty.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class DualStepTests
{
    private const int Rows = 200, Features = 6, Classes = 4;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 12);

    public static TheoryData<double, double, double[]> Penalties => new()
    {
        { 0, 0, [] },
        { 0.1, 0, [1, 0, 1, 1, 0, 2] },
        { 0, 0.01, [1, 0, 1, 1, 1, 2] },
        { 0.05, 0.02, [0, 0, 1, 1, 0.5, 1] },
    };

    [Theory, MemberData(nameof(Penalties))]
    public void The_gap_is_finite_covers_the_distance_and_goes_to_0(double l2, double l1, double[] factors)
    {
        SoftmaxRegressionOptions options = new() { L2 = l2, L1 = l1, PenaltyFactors = factors };
        double optimum = Fit(options with { Tolerance = 1e-13 }).Objective;
        foreach (double tolerance in (double[])[1e-3, 1e-6, 1e-9, 1e-11])
        {
            foreach (Solver solver in l1 > 0 ? (Solver[])[Solver.ProximalNewton] : [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton])
            {
                TrainingSummary summary = Fit(options with { Tolerance = tolerance, Solver = solver });
                summary.StopReason.Should().Be(StopReason.Tolerance);
                summary.Gap.Should().BeLessThanOrEqualTo(l1 == 0 ? tolerance * summary.Objective : double.MaxValue);
                (summary.Objective - optimum).Should().BeLessThanOrEqualTo(summary.Gap + (1e-15 * optimum));
            }
        }
    }

    [Theory, MemberData(nameof(Penalties))]
    public void A_fit_cut_short_covers_the_distance_too(double l2, double l1, double[] factors)
    {
        SoftmaxRegressionOptions options = new() { L2 = l2, L1 = l1, PenaltyFactors = factors };
        double optimum = Fit(options with { Tolerance = 1e-13 }).Objective;
        for (int iterations = 1; iterations < 8; iterations++)
        {
            TrainingSummary summary = Fit(options with { Tolerance = 1e-15, MaxIterations = iterations });
            (summary.Objective - optimum).Should().BeLessThanOrEqualTo(summary.Gap);
        }
    }

    [Fact]
    public void Rows_of_floats_are_certified()
    {
        float[] x = [.. Data.Features.Select(v => (float)v)];
        SoftmaxRegressionOptions options = new() { L2 = 0.1, PenaltyFactors = new double[] { 1, 0, 1, 1, 0, 2 }, Tolerance = 1e-8 };
        TrainingSummary floats = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<float>(x, Features), Data.Labels).Training!;
        double optimum = new SoftmaxRegressionTrainer(options with { Tolerance = 1e-13 }).Fit(new DenseRows<double>(x.Select(v => (double)v).ToArray(), Features), Data.Labels).Training!.Objective;
        floats.StopReason.Should().Be(StopReason.Tolerance);
        floats.Gap.Should().BeInRange(floats.Objective - optimum, 1e-8 * optimum);
    }

    /// <summary>Data without an optimum must not get a certificate of one.</summary>
    [Fact]
    public void Separated_classes_have_no_small_gap()
    {
        double[] x = [0, 1, 2, 10, 11, 12];
        TrainingSummary summary = new SoftmaxRegressionTrainer(new() { L2 = 0, MaxIterations = 3 }).Fit(new DenseRows<double>(x, 1), [0, 0, 0, 1, 1, 1]).Training!;
        summary.Gap.Should().BeGreaterThanOrEqualTo(summary.Objective);
    }

    private static TrainingSummary Fit(SoftmaxRegressionOptions options) => new SoftmaxRegressionTrainer(options).Fit(Data.Rows, Data.Labels).Training!;
}
