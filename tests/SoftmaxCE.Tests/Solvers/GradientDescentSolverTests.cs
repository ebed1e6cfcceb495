namespace SoftmaxCE.Tests;

public class GradientDescentSolverTests
{
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 50, features: 3, classes: 4, seed: 1);

    [Fact]
    public void One_row_at_a_time_is_the_textbook_rule()
    {
        const double Step = 0.1;
        double[] w = new double[4 * 3], b = Priors();
        for (int epoch = 0; epoch < 3; epoch++)
        {
            for (int i = 0; i < 50; i++)
            {
                // W ← W + η x (y − a)ᵀ
                double[] x = Row(i), e = Residual(w, b, i);
                for (int c = 0; c < 4; c++)
                {
                    for (int j = 0; j < 3; j++) w[(c * 3) + j] += Step * x[j] * e[c];
                    b[c] += Step * e[c];
                }
            }
        }

        SoftmaxRegressionModel model = Fit(new() { Step = Step, BatchSize = 1, Epochs = 3, Shuffle = false }, l2: 0);
        Same(model, w, b, 1e-14);
        model.Training!.StopReason.Should().Be(StopReason.IterationLimit);
        model.Training.Iterations.Should().Be(3);
    }

    [Fact]
    public void Batches_with_momentum_and_penalty_follow_their_formula()
    {
        const double Step = 0.05, Momentum = 0.8, L2 = 0.1;
        double[] w = new double[12], b = Priors(), vw = new double[12], vb = new double[4];
        for (int first = 0; first < 50; first += 16)
        {
            int count = Math.Min(16, 50 - first);
            double[] gw = [.. w.Select(v => L2 * v)], gb = new double[4];
            for (int i = first; i < first + count; i++)
            {
                double[] x = Row(i), e = Residual(w, b, i);
                for (int c = 0; c < 4; c++)
                {
                    for (int j = 0; j < 3; j++) gw[(c * 3) + j] -= x[j] * e[c] / count;
                    gb[c] -= e[c] / count;
                }
            }

            for (int i = 0; i < 12; i++) w[i] += vw[i] = (Momentum * vw[i]) - (Step * gw[i]);
            for (int c = 0; c < 4; c++) b[c] += vb[c] = (Momentum * vb[c]) - (Step * gb[c]);
        }

        Same(Fit(new() { Step = Step, BatchSize = 16, Epochs = 1, Shuffle = false, Momentum = Momentum }, L2), w, b, 1e-14);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.7)]
    public void A_batch_of_all_rows_takes_the_full_gradient(double momentum)
    {
        SoftmaxRegressionModel all = Fit(new() { Step = 0.3, BatchSize = 0, Epochs = 20, Momentum = momentum }, 0.01);
        SoftmaxRegressionModel large = Fit(new() { Step = 0.3, BatchSize = 5000, Epochs = 20, Momentum = momentum }, 0.01);
        all.Coefficients.ToArray().Should().Equal(large.Coefficients.ToArray());
        all.Training!.History.Select(h => h.Objective).Should().BeInDescendingOrder();
    }

    [Fact]
    public void Full_batches_reach_the_optimum_and_say_so()
    {
        SoftmaxRegressionOptions options = new() { L2 = 0.1, Solver = Solver.GradientDescent, Tolerance = 1e-8, GradientDescent = new() { Step = 1, BatchSize = 0, Epochs = 2000 } };
        TrainingSummary descent = new SoftmaxRegressionTrainer(options).Fit(Data.Rows, Data.Labels).Training!;
        TrainingSummary newton = new SoftmaxRegressionTrainer(new() { L2 = 0.1, Tolerance = 1e-12 }).Fit(Data.Rows, Data.Labels).Training!;
        descent.StopReason.Should().Be(StopReason.Tolerance);
        descent.Objective.Should().BeApproximately(newton.Objective, descent.Gap + 1e-15);
        foreach (TrainingProgress state in descent.History) state.Gap.Should().BeGreaterThanOrEqualTo(state.Objective - newton.Objective);
    }

    [Fact]
    public void Shuffling_depends_on_the_seed_alone()
    {
        SoftmaxRegressionModel first = Shuffled(7), again = Shuffled(7), other = Shuffled(8);
        again.Coefficients.ToArray().Should().Equal(first.Coefficients.ToArray());
        other.Coefficients.ToArray().Should().NotEqual(first.Coefficients.ToArray());

        static SoftmaxRegressionModel Shuffled(int seed) =>
            new SoftmaxRegressionTrainer(new() { Seed = seed, Solver = Solver.GradientDescent, GradientDescent = new() { Epochs = 2, BatchSize = 8 } }).Fit(Data.Rows, Data.Labels);
    }

    [Fact]
    public void The_average_lies_nearer_to_the_optimum_than_the_last_of_noisy_iterates()
    {
        SoftmaxRegressionModel last = Fit(new() { Step = 0.5, BatchSize = 1, Epochs = 30 }, 0.1), mean = Fit(new() { Step = 0.5, BatchSize = 1, Epochs = 30, Average = true }, 0.1);
        mean.Training!.Objective.Should().BeLessThan(last.Training!.Objective);
    }

    [Fact]
    public void Training_goes_on_from_an_earlier_model_also_when_a_batch_lacks_classes()
    {
        GradientDescentOptions batch = new() { Step = 0.1, BatchSize = 1, Epochs = 1, Shuffle = false };
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0, Solver = Solver.GradientDescent, GradientDescent = batch });
        SoftmaxRegressionModel whole = trainer.Fit(Data.Rows, Data.Labels), start = new(new double[12], Priors());
        foreach (int i in Enumerable.Range(0, 50)) start = trainer.Fit(new DenseRows<double>(Row(i), 3), [Data.Labels[i]], start: start);
        Same(start, whole.Coefficients.ToArray(), whole.Intercepts.ToArray(), 1e-13);
    }

    [Fact]
    public void A_step_that_is_too_long_ends_with_the_last_finite_model()
    {
        ReferenceData wide = Data with { Features = [.. Data.Features.Select(v => v * 1e160)] };
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 1, Solver = Solver.GradientDescent, GradientDescent = new() { Step = 1e10, BatchSize = 0 } })
            .Fit(Data.Rows, Data.Labels);
        model.Coefficients.ToArray().Should().OnlyContain(w => double.IsFinite(w));
        double.IsFinite(model.Training!.Objective).Should().BeTrue();
        model.Training.StopReason.Should().Be(StopReason.NoFurtherProgress);
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer().Fit(wide.Rows, Data.Labels)).Should().Throw<ArgumentException>().WithMessage("*overflow*");
    }

    private static SoftmaxRegressionModel Fit(GradientDescentOptions options, double l2) =>
        new SoftmaxRegressionTrainer(new() { L2 = l2, Solver = Solver.GradientDescent, Tolerance = 1e-15, GradientDescent = options }).Fit(Data.Rows, Data.Labels);

    private static double[] Row(int i) => Data.Features[(i * 3)..((i + 1) * 3)];

    /// <summary>y − a of a row.</summary>
    private static double[] Residual(double[] w, double[] b, int row)
    {
        double[] x = Row(row), z = new double[4];
        for (int c = 0; c < 4; c++) z[c] = b[c] + x.Select((v, j) => v * w[(c * 3) + j]).Sum();
        double total = z.Sum(Math.Exp);
        return [.. z.Select((v, c) => (c == Data.Labels[row] ? 1 : 0) - (Math.Exp(v) / total))];
    }

    /// <summary>Where training starts: the logarithms of the class shares, centred.</summary>
    private static double[] Priors()
    {
        double[] logs = [.. Enumerable.Range(0, 4).Select(c => Math.Log(Data.Labels.Count(y => y == c) / 50.0))];
        return [.. logs.Select(v => v - logs.Average())];
    }

    private static void Same(SoftmaxRegressionModel model, double[] w, double[] b, double tolerance)
    {
        for (int i = 0; i < w.Length; i++) model.Coefficients.Span[i].Should().BeApproximately(w[i], tolerance);
        for (int c = 0; c < b.Length; c++) model.Intercepts.Span[c].Should().BeApproximately(b[c], tolerance);
    }
}
