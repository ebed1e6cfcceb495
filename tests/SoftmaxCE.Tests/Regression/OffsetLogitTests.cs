namespace SoftmaxCE.Tests;

/// <summary>Laws of known parts of the logits.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class OffsetLogitTests
{
    private const int Rows = 150, Features = 4, Classes = 3;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 31);

    public static TheoryData<Solver> Solvers => [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton];

    [Theory, MemberData(nameof(Solvers))]
    public void Offsets_enter_the_objective_and_the_gap_covers_the_distance(Solver solver)
    {
        double[] offsets = Random(1, spread: 6);
        foreach ((double l1, double l2) in ((double, double)[])[(0, 1e-3), (0.01, 0), (0.01, 0.01)])
        {
            if (l1 > 0 && solver != Solver.ProximalNewton) continue;
            SoftmaxRegressionModel model = Fit(new() { L1 = l1, L2 = l2, Solver = solver, Tolerance = 1e-7 }, offsets);
            double best = Fit(new() { L1 = l1, L2 = l2, Tolerance = 1e-12 }, offsets).Training!.Objective;
            model.Training!.StopReason.Should().Be(StopReason.Tolerance, string.Join("\n", model.Training.History));
            model.Training.Objective.Should().BeApproximately(Objective(model, offsets, l1, l2), 1e-13);
            foreach (TrainingProgress state in model.Training.History) (state.Objective - best).Should().BeLessThanOrEqualTo(state.Gap + (1e-14 * best));
        }
    }

    [Theory, MemberData(nameof(Solvers))]
    public void An_offset_of_each_class_goes_into_its_intercept(Solver solver)
    {
        double[] perClass = [1, -2, 0.5], offsets = [.. Enumerable.Range(0, Rows * Classes).Select(k => perClass[k % Classes])];
        SoftmaxRegressionOptions options = new() { L2 = 0.01, Solver = solver, Tolerance = 1e-12 };
        SoftmaxRegressionModel plain = Fit(options, []), shifted = Fit(options, offsets);
        shifted.Training!.Objective.Should().BeApproximately(plain.Training!.Objective, 1e-12);
        for (int i = 0; i < Classes * Features; i++) shifted.Coefficients.Span[i].Should().BeApproximately(plain.Coefficients.Span[i], 1e-5);
        double difference = shifted.Intercepts.Span[0] - plain.Intercepts.Span[0] + 1;
        for (int c = 1; c < Classes; c++) (shifted.Intercepts.Span[c] - plain.Intercepts.Span[c] + perClass[c]).Should().BeApproximately(difference, 1e-5);
    }

    [Fact]
    public void An_offset_common_to_the_classes_of_a_row_changes_nothing()
    {
        double[] offsets = [.. Enumerable.Range(0, Rows * Classes).Select(k => (double)(k / Classes % 7))];
        SoftmaxRegressionOptions options = new() { L2 = 0.01, Tolerance = 1e-12 };
        Fit(options, offsets).Training!.Objective.Should().BeApproximately(Fit(options, []).Training!.Objective, 1e-13);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void The_logits_of_a_model_as_offset_leave_only_the_rest_to_fit(Solver solver)
    {
        // Without penalty: W with offset A x is W without, minus A.
        double[] a = [.. Enumerable.Range(0, Classes * Features).Select(i => Math.Sin(i))], offsets = new double[Rows * Classes];
        for (int k = 0; k < offsets.Length; k++)
        {
            for (int j = 0; j < Features; j++) offsets[k] += a[(k % Classes * Features) + j] * Data.Features[(k / Classes * Features) + j];
        }

        SoftmaxRegressionOptions options = new() { L2 = 0, Solver = solver, Tolerance = 1e-12 };
        SoftmaxRegressionModel plain = Fit(options, []), rest = Fit(options, offsets);
        rest.Training!.Objective.Should().BeApproximately(plain.Training!.Objective, 1e-11);
        for (int j = 0; j < Features; j++)
        {
            double Difference(SoftmaxRegressionModel model, int c) => model.Coefficients.Span[(c * Features) + j] - model.Coefficients.Span[j];
            for (int c = 1; c < Classes; c++) (Difference(rest, c) + a[(c * Features) + j] - a[j]).Should().BeApproximately(Difference(plain, c), 1e-4);
        }
    }

    [Fact]
    public void Without_intercepts_and_in_batches_offsets_count_too()
    {
        double[] offsets = Random(2, spread: 2);
        SoftmaxRegressionOptions options = new() { L2 = 0.1, FitIntercepts = false, Tolerance = 1e-9 };
        SoftmaxRegressionModel newton = Fit(options, offsets);
        newton.Training!.StopReason.Should().Be(StopReason.Tolerance);
        newton.Training.Objective.Should().BeApproximately(Objective(newton, offsets, 0, 0.1), 1e-13);
        SoftmaxRegressionModel descent = Fit(options with { Solver = Solver.GradientDescent, GradientDescent = new() { BatchSize = 10, Step = 0.1, StepDecay = 0.01, Epochs = 200, Average = true } }, offsets);
        descent.Training!.Objective.Should().BeApproximately(newton.Training.Objective, 1e-5);
    }

    [Fact]
    public void A_bad_offset_is_named()
    {
        FluentActions.Invoking(() => Fit(new(), new double[5])).Should().Throw<ArgumentException>().WithMessage("*150 rows of 3*5 values*").WithParameterName("offsetLogits");
        double[] offsets = new double[Rows * Classes];
        offsets[(4 * Classes) + 1] = double.NegativeInfinity;
        FluentActions.Invoking(() => Fit(new(), offsets)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 4*class 1*").WithParameterName("offsetLogits");
    }

    private static SoftmaxRegressionModel Fit(SoftmaxRegressionOptions options, double[] offsets) =>
        new SoftmaxRegressionTrainer(options).Fit(TrainingExamples.FromLabels(Data.Rows, Data.Labels) with { OffsetLogits = offsets });

    private static double[] Random(int seed, double spread)
    {
        RandomStream random = new(seed);
        double[] offsets = new double[Rows * Classes];
        for (int i = 0; i < offsets.Length; i++) offsets[i] = spread * (random.Uniform() - 0.5);
        return offsets;
    }

    private static double Objective(SoftmaxRegressionModel model, double[] offsets, double l1, double l2)
    {
        double loss = 0;
        double[] z = new double[Classes];
        for (int i = 0; i < Rows; i++)
        {
            model.PredictLogits<double>(Data.Features.AsSpan(i * Features, Features), z);
            for (int c = 0; c < Classes; c++) z[c] += offsets[(i * Classes) + c];
            loss += (Math.Log(z.Sum(Math.Exp)) - z[Data.Labels[i]]) / Rows;
        }

        double[] w = model.Coefficients.ToArray();
        return loss + (l2 / 2 * w.Sum(v => v * v)) + (l1 * w.Sum(Math.Abs));
    }
}
