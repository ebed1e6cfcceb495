namespace SoftmaxCE.Tests;

/// <summary>Limits, canceling, progress and errors.</summary>
public class TrainingContractTests
{
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 200, features: 6, classes: 4, seed: 11);

    public static TheoryData<Solver> Solvers => [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton, Solver.GradientDescent];

    [Theory, MemberData(nameof(Solvers))]
    public void Progress_is_reported_on_the_calling_thread_and_kept_as_history(Solver solver)
    {
        List<(TrainingProgress State, int Thread)> reports = [];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { Solver = solver, MaxIterations = 3, Tolerance = 1e-15 })
            .Fit(Data.Rows, Data.Labels, progress: new Immediate(p => reports.Add((p, Environment.CurrentManagedThreadId))));
        reports.Select(r => r.State).Should().Equal(model.Training!.History);
        reports.Should().OnlyContain(r => r.Thread == Environment.CurrentManagedThreadId);
        reports.Select(r => r.State.Iteration).Should().Equal(0, 1, 2, 3);
        reports.Select(r => r.State.PassesOverData).Should().BeInAscendingOrder();
        model.Training.StopReason.Should().Be(StopReason.IterationLimit);
        model.Training.Converged.Should().BeFalse();
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Canceling_throws_or_keeps_the_model_so_far(Solver solver)
    {
        using CancellationTokenSource source = new();
        Immediate cancelAtTwo = new(p => { if (p.Iteration == 2) source.Cancel(); });
        SoftmaxRegressionOptions options = new() { Solver = solver, Tolerance = 1e-15 };
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer(options).Fit(Data.Rows, Data.Labels, progress: cancelAtTwo, cancellationToken: source.Token))
            .Should().Throw<OperationCanceledException>();

        using CancellationTokenSource second = new();
        Immediate cancelAgain = new(p => { if (p.Iteration == 2) second.Cancel(); });
        SoftmaxRegressionModel kept = new SoftmaxRegressionTrainer(options with { KeepModelWhenCanceled = true })
            .Fit(Data.Rows, Data.Labels, progress: cancelAgain, cancellationToken: second.Token);
        SoftmaxRegressionModel limited = new SoftmaxRegressionTrainer(options with { MaxIterations = 2 }).Fit(Data.Rows, Data.Labels);
        kept.Training!.StopReason.Should().Be(StopReason.Canceled);
        kept.Coefficients.ToArray().Should().Equal(limited.Coefficients.ToArray());
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_time_limit_ends_training_after_an_iteration(Solver solver)
    {
        TrainingSummary summary = new SoftmaxRegressionTrainer(new() { Solver = solver, Tolerance = 1e-15, TimeLimit = TimeSpan.FromTicks(1) }).Fit(Data.Rows, Data.Labels).Training!;
        summary.StopReason.Should().Be(StopReason.TimeLimit);
        summary.Iterations.Should().Be(0);
    }

    [Fact]
    public void A_tolerance_below_the_arithmetic_ends_without_further_progress()
    {
        TrainingSummary summary = new SoftmaxRegressionTrainer(new() { L2 = 1e-3, Tolerance = 1e-300 }).Fit(Data.Rows, Data.Labels).Training!;
        summary.StopReason.Should().Be(StopReason.NoFurtherProgress);
        summary.Gap.Should().BeLessThan(1e-12 * summary.Objective);
    }

    [Fact]
    public void Features_that_are_not_finite_are_named()
    {
        double[] features = [.. Data.Features];
        features[(17 * 6) + 4] = double.NaN;
        FluentActions.Invoking(() => Fit(new DenseRows<double>(features, 6), Data.Labels)).Should().Throw<ArgumentException>().WithMessage("Row 17*column 4*").WithParameterName("rows");
        float[] singles = [.. Data.Features.Select(v => (float)v)];
        singles[5] = float.NegativeInfinity;
        FluentActions.Invoking(() => Fit(new DenseRows<float>(singles, 6), Data.Labels)).Should().Throw<ArgumentException>().WithMessage("Row 0*column 5*");
        SparseRows<double> sparse = new(new double[] { 1, double.NaN, 1 }, new[] { 0, 1, 0 }, new long[] { 0, 1, 2, 3 }, 2);
        FluentActions.Invoking(() => Fit(sparse, [0, 1, 0])).Should().Throw<ArgumentException>().WithMessage("Row 1*column 1*");
    }

    [Fact]
    public void Labels_are_checked()
    {
        DenseRows<double> rows = new(new double[] { 1, 2, 3, 4 }, 1);
        FluentActions.Invoking(() => Fit(rows, [0, 1, 0])).Should().Throw<ArgumentException>().WithMessage("*4*3*").WithParameterName("labels");
        FluentActions.Invoking(() => Fit(rows, [0, 1, -1, 0])).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 2*-1*").WithParameterName("labels");
        FluentActions.Invoking(() => Fit(rows, [0, 1, 3, 0])).Should().Throw<ArgumentException>().WithMessage("Class 2*").WithParameterName("labels");
        FluentActions.Invoking(() => Fit(rows, [1, 1, 1, 1])).Should().Throw<ArgumentException>().WithMessage("*same class, 1*").WithParameterName("labels");
        FluentActions.Invoking(() => Fit(rows, [0, 0, 0, 0])).Should().Throw<ArgumentException>().WithMessage("*same class, 0*");
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer().Fit(rows, ["x", "x", "x", "x"])).Should().Throw<ArgumentException>().WithMessage("*same class, x*");
        FluentActions.Invoking(() => Fit(new DenseRows<double>(Array.Empty<double>(), 1), [])).Should().Throw<ArgumentException>().WithMessage("*empty*").WithParameterName("rows");
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer(new() { ClassWeights = new double[] { 1, 2, 3 } }).Fit(rows, [0, 1, 0, 1])).Should().Throw<ArgumentException>().WithMessage("*3 class weights*2 classes*");
    }

    [Fact]
    public void Weights_are_checked()
    {
        DenseRows<double> rows = new(new double[] { 1, 2, 3, 4 }, 1);
        SoftmaxRegressionTrainer trainer = new();
        trainer.Invoking(t => t.Fit(rows, [0, 1, 0, 1], [1, 1, 1])).Should().Throw<ArgumentException>().WithParameterName("sampleWeights");
        trainer.Invoking(t => t.Fit(rows, [0, 1, 0, 1], [1, -1, 1, 1])).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 1*").WithParameterName("sampleWeights");
        trainer.Invoking(t => t.Fit(rows, [0, 1, 0, 1], [1, 1, 1, float.NaN])).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 3*");
        trainer.Invoking(t => t.Fit(rows, [0, 1, 0, 1], [0, 0, 0, 0])).Should().Throw<ArgumentException>().WithMessage("*All weights are 0*");
        trainer.Invoking(t => t.Fit(rows, [0, 1, 0, 1], [1, 0, 1, 0])).Should().Throw<ArgumentException>().WithMessage("*same class*");
    }

    [Fact]
    public void A_start_that_does_not_fit_is_refused()
    {
        SoftmaxRegressionModel start = new(new double[6], new double[2]);
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer().Fit(new DenseRows<double>(new double[4], 2), [0, 1], start: start)).Should().Throw<ArgumentException>().WithMessage("*3 features*2*").WithParameterName("start");
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer().Fit(new DenseRows<double>(new double[6], 3), [0, 2], start: start)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 1*");
    }

    public static TheoryData<SoftmaxRegressionOptions, string> BadOptions => new()
    {
        { new() { L2 = -1 }, "L2" }, { new() { L2 = double.NaN }, "L2" }, { new() { L1 = -1 }, "L1" }, { new() { Tolerance = 0 }, "Tolerance" },
        { new() { MaxIterations = -1 }, "MaxIterations" }, { new() { TimeLimit = TimeSpan.Zero }, "TimeLimit" }, { new() { MaxDegreeOfParallelism = 0 }, "MaxDegreeOfParallelism" },
        { new() { ClassWeights = new double[] { 1, 0 } }, "ClassWeights" }, { new() { Solver = (Solver)9 }, "Solver" }, { new() { L1 = 1, Solver = Solver.Newton }, "Solver" },
        { new() { GradientDescent = new() { Step = 0 } }, "Step" }, { new() { GradientDescent = new() { BatchSize = -1 } }, "BatchSize" },
        { new() { GradientDescent = new() { Epochs = 0 } }, "Epochs" }, { new() { GradientDescent = new() { Momentum = 1 } }, "Momentum" },
    };

    [Theory, MemberData(nameof(BadOptions))]
    public void Options_without_meaning_are_refused_by_name(SoftmaxRegressionOptions options, string name) =>
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer(options)).Should().Throw<ArgumentException>().WithParameterName(name);

    private static SoftmaxRegressionModel Fit(FeatureRows rows, int[] labels) => new SoftmaxRegressionTrainer().Fit(rows, labels);

    private sealed class Immediate(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    /// <summary>Beyond the rows: the logits of the point, of the line and of the last product, and matrices of a size that is bounded. L-BFGS has no products.</summary>
    [Theory]
    [InlineData(Solver.Newton, 100, 3)]
    [InlineData(Solver.Lbfgs, 60, 2)]
    public void Memory_is_that_of_few_tables_of_logits(Solver solver, int classes, int tables)
    {
        const long CoupledMatrix = 8 * 800 * 800;
        ReferenceData data = SyntheticData.Overlapping(rows: 20_000, features: 10, classes, seed: 3);
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 1e-3, Tolerance = 1e-6, Solver = solver, MaxIterations = 4, MaxDegreeOfParallelism = 1 });
        long before = GC.GetAllocatedBytesForCurrentThread();
        trainer.Fit(data.Rows, data.Labels);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan((tables * 8L * 20_000 * classes) + (3 * CoupledMatrix));
    }
}
