using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Laws of training on distributions over the classes.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class SoftLabelTests
{
    private const int Rows = 60, Features = 4, Classes = 3;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 21);

    public static TheoryData<Solver> Solvers => [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton, Solver.GradientDescent];

    [Theory, MemberData(nameof(Solvers))]
    public void One_hot_targets_are_labels_to_the_last_bit(Solver solver)
    {
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Solver = solver, GradientDescent = new() { Epochs = 3 } });
        SoftmaxRegressionModel hard = trainer.Fit(Data.Rows, Data.Labels), soft = trainer.Fit<double>(Data.Rows, OneHot(), Classes);
        soft.Coefficients.ToArray().Should().Equal(hard.Coefficients.ToArray());
        soft.Intercepts.ToArray().Should().Equal(hard.Intercepts.ToArray());
        soft.Training!.Gap.Should().Be(hard.Training!.Gap);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_target_counts_as_one_weighted_row_per_class(Solver solver) => Gen.Int[0, 1000].Sample(seed =>
    {
        double[] targets = Targets(seed), classWeights = [1, 0.5, 2];
        float[] weights = [.. Enumerable.Range(0, Rows).Select(i => (i % 4) / 2f)];
        SoftmaxRegressionOptions options = new() { L2 = 0.02, Solver = solver, Tolerance = 1e-11, ClassWeights = classWeights, GradientDescent = new() { BatchSize = 0, Step = 1, Epochs = 30 } };
        SoftmaxRegressionModel soft = new SoftmaxRegressionTrainer(options).Fit<double>(Data.Rows, targets, Classes, weights);

        int[] row = [.. Enumerable.Range(0, Rows * Classes).Select(k => k / Classes)], label = [.. Enumerable.Range(0, Rows * Classes).Select(k => k % Classes)];
        double[] features = [.. row.SelectMany(i => Data.Features[(i * Features)..((i + 1) * Features)])];
        float[] split = [.. row.Select((i, k) => weights[i] * (float)targets[k])];
        SoftmaxRegressionModel hard = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<double>(features, Features), label, split);

        // Weights are floats: targets that are multiples of 1/64 lose nothing.
        soft.Training!.Objective.Should().BeApproximately(hard.Training!.Objective, 1e-10);
        for (int i = 0; i < Classes * Features; i++) soft.Coefficients.Span[i].Should().BeApproximately(hard.Coefficients.Span[i], 1e-4);
    }, iter: 3, threads: 1);

    [Fact]
    public void The_objective_is_that_of_plain_loops_and_the_gap_covers_the_distance()
    {
        double[] targets = Targets(5);
        foreach ((double l1, double l2) in ((double, double)[])[(0, 1e-3), (0.01, 0), (0.01, 0.01)])
        {
            SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L1 = l1, L2 = l2, Tolerance = 1e-7 }).Fit<double>(Data.Rows, targets, Classes);
            double best = new SoftmaxRegressionTrainer(new() { L1 = l1, L2 = l2, Tolerance = 1e-12 }).Fit<double>(Data.Rows, targets, Classes).Training!.Objective;
            model.Training!.StopReason.Should().Be(StopReason.Tolerance);
            model.Training.Objective.Should().BeApproximately(Objective(model, targets, l1, l2), 1e-13);
            foreach (TrainingProgress state in model.Training.History) (state.Objective - best).Should().BeLessThanOrEqualTo(state.Gap + (1e-14 * best));
        }
    }

    [Fact]
    public void Targets_of_a_softmax_model_give_it_back()
    {
        SoftmaxRegressionModel truth = new([1, -1, 0.5, 0, 0, 2, -0.5, 1, -1, -1, 0, -1], [0.3, -0.1, -0.2]);
        double[] targets = new double[Rows * Classes];
        for (int i = 0; i < Rows; i++) truth.PredictProbabilities<double>(Data.Features.AsSpan(i * Features, Features), targets.AsSpan(i * Classes, Classes));
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0, Tolerance = 1e-14 }).Fit<double>(Data.Rows, targets, Classes);
        for (int i = 0; i < targets.Length; i++)
        {
            double[] p = new double[Classes];
            model.PredictProbabilities<double>(Data.Features.AsSpan(i / Classes * Features, Features), p);
            p[i % Classes].Should().BeApproximately(targets[i], 1e-7);
        }
    }

    [Fact]
    public void Soft_rows_are_never_separable()
    {
        double[] x = [0, 1, 2, 10, 11, 12], targets = [0.9, 0.1, 0.9, 0.1, 1, 0, 0, 1, 0.1, 0.9, 0, 1];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0 }).Fit<double>(new DenseRows<double>(x, 1), targets, 2);
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Fact]
    public void Float_targets_and_an_earlier_model_are_taken()
    {
        double[] targets = Targets(6);
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Tolerance = 1e-9 });
        SoftmaxRegressionModel model = trainer.Fit<double>(Data.Rows, targets, Classes), single = trainer.Fit<float>(Data.Rows, [.. targets.Select(t => (float)t)], Classes);
        single.Training!.Objective.Should().Be(model.Training!.Objective);
        trainer.Fit(Data.Rows, targets, Classes, start: model).Training!.Iterations.Should().Be(0);
        TrainingExamples named = TrainingExamples.FromTargets(Data.Rows, targets, Classes) with { ClassNames = ["x", "y", "z"] };
        trainer.Fit(named).ClassNames.Should().Equal("x", "y", "z");
    }

    [Fact]
    public void Bad_targets_are_refused_by_row()
    {
        SoftmaxRegressionTrainer trainer = new();
        DenseRows<double> rows = new(new double[] { 1, 2, 3 }, 1);
        trainer.Invoking(t => t.Fit<double>(rows, [1, 0, 0, 1], 2)).Should().Throw<ArgumentException>().WithMessage("*3 rows of 2*4 values*").WithParameterName("targets");
        trainer.Invoking(t => t.Fit<double>(rows, [1, 0, 0, 1, -0.5, 1.5], 2)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 2*-0.5*class 0*").WithParameterName("targets");
        trainer.Invoking(t => t.Fit<double>(rows, [1, 0, 0, double.NaN, 1, 0], 2)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 1*NaN*class 1*");
        trainer.Invoking(t => t.Fit<double>(rows, [1, 0, 0.5, 0.6, 1, 0], 2)).Should().Throw<ArgumentException>().WithMessage("Row 1*1.1*sum to 1*").WithParameterName("targets");
        trainer.Invoking(t => t.Fit<double>(rows, [1, 0, 1, 0, 1, 0], 2)).Should().Throw<ArgumentException>().WithMessage("*same class, 0*").WithParameterName("targets");
        trainer.Invoking(t => t.Fit<double>(rows, [1, 1, 1], 1)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("classCount");
        FluentActions.Invoking(() => TrainingExamples.FromTargets(rows, new double[6], 2) with { ClassNames = ["one"] }).Should().Throw<ArgumentException>().WithParameterName("ClassNames");
    }

    private static double[] OneHot() => [.. Data.Labels.SelectMany(y => Enumerable.Range(0, Classes).Select(c => c == y ? 1.0 : 0.0))];

    /// <summary>Multiples of 1/64, some rows one-hot, some with a 0.</summary>
    private static double[] Targets(int seed)
    {
        RandomStream random = new(seed);
        double[] targets = OneHot();
        for (int i = 0; i < Rows; i++)
        {
            if (i % 5 == 0) continue;
            int first = random.Below(65), second = i % 5 == 1 ? 64 - first : random.Below(65 - first);
            (targets[i * Classes], targets[(i * Classes) + 1], targets[(i * Classes) + 2]) = (first / 64.0, second / 64.0, (64 - first - second) / 64.0);
        }

        return targets;
    }

    private static double Objective(SoftmaxRegressionModel model, double[] targets, double l1, double l2)
    {
        double loss = 0;
        double[] z = new double[Classes];
        for (int i = 0; i < Rows; i++)
        {
            model.PredictLogits<double>(Data.Features.AsSpan(i * Features, Features), z);
            double lse = Math.Log(z.Sum(Math.Exp));
            for (int c = 0; c < Classes; c++) loss += targets[(i * Classes) + c] * (lse - z[c]) / Rows;
        }

        double[] w = model.Coefficients.ToArray();
        return loss + (l2 / 2 * w.Sum(v => v * v)) + (l1 * w.Sum(Math.Abs));
    }
}
