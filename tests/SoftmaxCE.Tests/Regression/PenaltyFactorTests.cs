namespace SoftmaxCE.Tests;

/// <summary>Laws of penalty factors per feature.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class PenaltyFactorTests
{
    private const int Rows = 150, Features = 5, Classes = 3;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 41);
    private static readonly double[] Factors = [1, 0.25, 4, 0.01, 2];

    public static TheoryData<Solver> Solvers => [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton];

    [Theory, MemberData(nameof(Solvers))]
    public void A_factor_of_L2_is_a_column_divided_by_its_root(Solver solver)
    {
        double[] scaled = [.. Data.Features.Select((x, k) => x / Math.Sqrt(Factors[k % Features]))];
        SoftmaxRegressionOptions options = new() { L2 = 0.05, Solver = solver, Tolerance = 1e-11 };
        SoftmaxRegressionModel factors = Fit(options with { PenaltyFactors = Factors }), columns = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(scaled, Features), Data.Labels);
        factors.Training!.StopReason.Should().Be(StopReason.Tolerance);
        factors.Training.Objective.Should().BeApproximately(columns.Training!.Objective, 1e-11);
        for (int i = 0; i < Classes * Features; i++) factors.Coefficients.Span[i].Should().BeApproximately(columns.Coefficients.Span[i] / Math.Sqrt(Factors[i % Features]), 1e-4);
        Covers(factors.Training, new() { L2 = 0.05, PenaltyFactors = Factors });
    }

    [Fact]
    public void A_factor_of_L1_is_a_column_divided_by_it()
    {
        double[] scaled = [.. Data.Features.Select((x, k) => x / Factors[k % Features])];
        SoftmaxRegressionOptions options = new() { L1 = 0.02, L2 = 0, Tolerance = 1e-11 };
        SoftmaxRegressionModel factors = Fit(options with { PenaltyFactors = Factors }), columns = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(scaled, Features), Data.Labels);
        factors.Training!.StopReason.Should().Be(StopReason.Tolerance);
        factors.Training.Objective.Should().BeApproximately(columns.Training!.Objective, 1e-10);
        for (int i = 0; i < Classes * Features; i++) (factors.Coefficients.Span[i] == 0).Should().Be(columns.Coefficients.Span[i] == 0);
        Covers(factors.Training, new() { L1 = 0.02, L2 = 0, PenaltyFactors = Factors });
    }

    [Fact]
    public void Elastic_net_with_factors_is_certified_and_optimal()
    {
        SoftmaxRegressionOptions options = new() { L1 = 0.01, L2 = 0.02, PenaltyFactors = Factors, Tolerance = 1e-9 };
        SoftmaxRegressionModel model = Fit(options);
        double penalty = Enumerable.Range(0, Classes * Features).Sum(i => Factors[i % Features] * ((0.01 * Math.Abs(model.Coefficients.Span[i])) + (0.01 * Math.Pow(model.Coefficients.Span[i], 2))));
        model.Training!.Objective.Should().BeApproximately(SyntheticData.Objective(Data, model.Coefficients.Span, model.Intercepts.Span, 0) + penalty, 1e-13);
        Covers(model.Training, options);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Factors_of_1_change_no_bit_and_of_0_remove_the_penalty(Solver solver)
    {
        SoftmaxRegressionOptions options = new() { L2 = 0.01, Solver = solver, Tolerance = 1e-9 };
        Fit(options with { PenaltyFactors = new double[] { 1, 1, 1, 1, 1 } }).Coefficients.ToArray().Should().Equal(Fit(options).Coefficients.ToArray());
        SoftmaxRegressionModel none = Fit(options with { PenaltyFactors = new double[5] }), free = Fit(options with { L2 = 0 });
        none.Training!.Objective.Should().BeApproximately(free.Training!.Objective, 1e-9);
        none.Training.Gap.Should().BeLessThanOrEqualTo(1e-9 * none.Training.Objective);
        none.Training.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_feature_without_penalty_is_fitted_to_its_gradient_0(Solver solver)
    {
        double[] factors = [1, 0, 1, 0, 1];
        SoftmaxRegressionOptions options = new() { L2 = 0.5, Solver = solver, Tolerance = 1e-10, PenaltyFactors = factors };
        SoftmaxRegressionModel model = Fit(options), nearly = Fit(options with { PenaltyFactors = new double[] { 1, 1e-9, 1, 1e-9, 1 } });
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
        model.Training.Objective.Should().BeApproximately(nearly.Training!.Objective, 1e-8);
        nearly.Training.StopReason.Should().Be(StopReason.Tolerance);
        double[] gradient = Gradient(model);
        foreach (int c in Enumerable.Range(0, Classes))
        {
            Math.Abs(gradient[(c * Features) + 1]).Should().BeLessThan(1e-5);
            Math.Abs(gradient[(c * Features) + 3]).Should().BeLessThan(1e-5);
        }
    }

    [Fact]
    public void A_feature_without_penalty_stays_when_L1_takes_the_others()
    {
        SoftmaxRegressionModel model = Fit(new() { L1 = 10, L2 = 0, Tolerance = 1e-10, PenaltyFactors = new double[] { 1, 0, 1, 1, 1 } });
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
        double[] column = [.. Enumerable.Range(0, Rows).Select(i => Data.Features[(i * Features) + 1])];
        SoftmaxRegressionModel alone = new SoftmaxRegressionTrainer(new() { L2 = 0, Tolerance = 1e-12 }).Fit(new DenseRows<double>(column, 1), Data.Labels);
        model.Training.Objective.Should().BeApproximately(alone.Training!.Objective, 1e-9);
        for (int i = 0; i < Classes * Features; i++) (model.Coefficients.Span[i] == 0).Should().Be(i % Features != 1);
    }

    [Fact]
    public void Gradient_descent_knows_factors()
    {
        SoftmaxRegressionOptions options = new() { L2 = 0.5, PenaltyFactors = Factors, Tolerance = 1e-8 };
        double optimum = Fit(options).Training!.Objective;
        foreach (double momentum in (double[])[0, 0.5])
        {
            SoftmaxRegressionModel batches = Fit(options with { Solver = Solver.GradientDescent, GradientDescent = new() { Step = 0.1, StepDecay = 0.01, BatchSize = 15, Epochs = 200, Momentum = momentum, Average = true } });
            batches.Training!.Objective.Should().BeApproximately(optimum, 1e-4);
        }
    }

    [Fact]
    public void Factors_without_meaning_are_refused()
    {
        FluentActions.Invoking(() => Fit(new() { PenaltyFactors = new double[] { 1, 2 } })).Should().Throw<ArgumentException>().WithMessage("*2 penalty factors*5 features*").WithParameterName("rows");
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer(new() { PenaltyFactors = new double[] { 1, -2 } })).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Factor 1 is -2*").WithParameterName("PenaltyFactors");
    }

    private static void Covers(TrainingSummary summary, SoftmaxRegressionOptions options)
    {
        double best = Fit(options with { Tolerance = 1e-13 }).Training!.Objective;
        foreach (TrainingProgress state in summary.History) (state.Objective - best).Should().BeLessThanOrEqualTo(state.Gap + (1e-14 * best));
    }

    /// <summary>Gradient of the mean loss in the coefficients.</summary>
    private static double[] Gradient(SoftmaxRegressionModel model)
    {
        double[] gradient = new double[Classes * Features], p = new double[Classes];
        for (int i = 0; i < Rows; i++)
        {
            ReadOnlySpan<double> x = Data.Features.AsSpan(i * Features, Features);
            model.PredictProbabilities(x, p);
            for (int k = 0; k < gradient.Length; k++) gradient[k] += (p[k / Features] - (Data.Labels[i] == k / Features ? 1 : 0)) * x[k % Features] / Rows;
        }

        return gradient;
    }

    private static SoftmaxRegressionModel Fit(SoftmaxRegressionOptions options) => new SoftmaxRegressionTrainer(options).Fit(Data.Rows, Data.Labels);
}
