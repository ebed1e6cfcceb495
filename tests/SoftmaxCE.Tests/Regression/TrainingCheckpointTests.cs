namespace SoftmaxCE.Tests;

/// <summary>Interrupted and resumed is the same as uninterrupted.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class TrainingCheckpointTests
{
    private const int Classes = 4;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 300, features: 12, classes: Classes, seed: 81);
    private static readonly TrainingExamples Examples = TrainingExamples.FromLabels(Data.Rows, Data.Labels);
    private static readonly TrainingExamples Singles = TrainingExamples.FromLabels(new DenseRows<float>(Data.Features.Select(x => (float)x).ToArray(), 12), Data.Labels);

    public static TheoryData<string, SoftmaxRegressionOptions> Kinds => new()
    {
        { "Newton", new() { L2 = 1e-4, Tolerance = 1e-12, Solver = Solver.Newton } },
        { "Newton without penalty", new() { L2 = 0, Tolerance = 1e-12, Solver = Solver.Newton } },
        { "L-BFGS", new() { L2 = 1e-4, Tolerance = 1e-11, Solver = Solver.Lbfgs } },
        { "L1", new() { L1 = 0.002, L2 = 0, Tolerance = 1e-11 } },
        { "elastic net with factors", new() { L1 = 0.002, L2 = 0.001, Tolerance = 1e-11, PenaltyFactors = new double[] { 1, 2, 3, 0, 1, 1, 1, 1, 1, 1, 1, 1 } } },
        { "descent", new() { L2 = 0.01, Solver = Solver.GradientDescent, GradientDescent = new() { Epochs = 9, Momentum = 0.9, Average = true } } },
        { "Nesterov", new() { L2 = 0.01, Solver = Solver.GradientDescent, GradientDescent = new() { Epochs = 9, Momentum = 0.9, Rule = DescentRule.Nesterov, StepDecay = 0.1 } } },
        { "Adam", new() { L2 = 0.01, Solver = Solver.GradientDescent, Seed = 3, GradientDescent = new() { Epochs = 9, Momentum = 0.9, Rule = DescentRule.Adam, Step = 0.01 } } },
        { "full batch", new() { L2 = 0.01, Solver = Solver.GradientDescent, GradientDescent = new() { Epochs = 9, Momentum = 0.9, BatchSize = 0 } } },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void Resumed_from_any_iteration_training_ends_with_the_same_bits(string kind, SoftmaxRegressionOptions options)
    {
        foreach (TrainingExamples examples in (TrainingExamples[])[Examples, Singles])
        {
            ResumesFromAnyIteration(kind, options, examples);
        }
    }

    /// <summary>So many coefficients that the preconditioner is not the Hessian, and learns from one system for the next.</summary>
    [Fact]
    public void So_does_it_with_what_earlier_systems_have_taught()
    {
        ReferenceData data = SyntheticData.Overlapping(rows: 400, features: 120, classes: 8, seed: 82);
        ResumesFromAnyIteration("Newton", new() { L2 = 1e-4, Tolerance = 1e-10, Solver = Solver.Newton }, TrainingExamples.FromLabels(data.Rows, data.Labels));
    }

    private static void ResumesFromAnyIteration(string kind, SoftmaxRegressionOptions options, TrainingExamples examples)
    {
        List<TrainingCheckpoint> checkpoints = [];
        SoftmaxRegressionTrainer trainer = new(options);
        SoftmaxRegressionModel whole = trainer.Fit(examples, checkpoints: new Immediate<TrainingCheckpoint>(checkpoints.Add));
        checkpoints.Select(c => c.Iteration).Should().Equal(Enumerable.Range(1, whole.Training!.Iterations).Select(i => (long)i), kind);
        foreach (TrainingCheckpoint checkpoint in checkpoints)
        {
            SoftmaxRegressionModel resumed = trainer.Resume(examples, Reloaded(checkpoint));
            Same(resumed, whole, $"{kind} from iteration {checkpoint.Iteration}");
            resumed.Training!.History.Select(h => (h.Iteration, h.Objective, h.Gap)).Should().Equal(whole.Training.History.Select(h => (h.Iteration, h.Objective, h.Gap)));
            resumed.Training.PassesOverData.Should().BeGreaterThan(whole.Training.PassesOverData, "starting again reads the data");
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_canceled_run_resumed_is_the_uninterrupted_one(string kind, SoftmaxRegressionOptions options)
    {
        using CancellationTokenSource source = new();
        TrainingCheckpoint? last = null;
        SoftmaxRegressionTrainer trainer = new(options with { KeepModelWhenCanceled = true });
        Immediate<TrainingProgress> cancelAtTwo = new(p => { if (p.Iteration == 2) source.Cancel(); });
        SoftmaxRegressionModel canceled = trainer.Fit(Examples, null, cancelAtTwo, new Immediate<TrainingCheckpoint>(c => last = c), source.Token);
        canceled.Training!.StopReason.Should().Be(StopReason.Canceled, kind);
        last!.Iteration.Should().Be(2);
        last.Model.Coefficients.ToArray().Should().Equal(canceled.Coefficients.ToArray(), "the checkpoint has the best model so far");
        last.Model.Training!.History.Should().HaveCount(3);
        Same(trainer.Resume(Examples, last), trainer.Fit(Examples), kind);
    }

    [Fact]
    public void An_iteration_cut_short_makes_no_checkpoint()
    {
        // Canceled some time after the first checkpoint, within an iteration almost surely: batches of one row go on for milliseconds.
        using CancellationTokenSource source = new();
        List<long> iterations = [];
        SoftmaxRegressionTrainer trainer = new(new()
        {
            L2 = 1e-4,
            Tolerance = 1e-12,
            KeepModelWhenCanceled = true,
            Solver = Solver.GradientDescent,
            GradientDescent = new() { BatchSize = 1, Epochs = int.MaxValue },
        });
        Immediate<TrainingCheckpoint> cancel = new(c =>
        {
            iterations.Add(c.Iteration);
            if (c.Iteration == 1) source.CancelAfter(TimeSpan.FromMilliseconds(2));
        });
        TrainingSummary summary = trainer.Fit(Examples, null, null, cancel, source.Token).Training!;
        summary.StopReason.Should().Be(StopReason.Canceled);
        iterations.Should().Equal(Enumerable.Range(1, iterations.Count).Select(i => (long)i));
        iterations.Count.Should().BeLessThanOrEqualTo(summary.Iterations);
    }

    [Fact]
    public void A_checkpoint_file_holds_the_model_too()
    {
        using TemporaryFolder folder = new();
        TrainingCheckpoint checkpoint = Checkpoints(new() { L2 = 0.01 })[0];
        string path = Path.Combine(folder.Path, "checkpoint.safetensors");
        checkpoint.Save(path);
        SoftmaxRegressionModel.Load(path).Coefficients.ToArray().Should().Equal(checkpoint.Model.Coefficients.ToArray());
        TrainingCheckpoint loaded = TrainingCheckpoint.Load(path);
        loaded.Solver.Should().Be(Solver.Newton);
        loaded.Iteration.Should().Be(1);
        loaded.Model.Training!.History.Should().Equal(checkpoint.Model.Training!.History);
        FluentActions.Invoking(() => TrainingCheckpoint.Load(new MemoryStream(Saved(checkpoint.Model)))).Should().Throw<InvalidDataException>().WithMessage("*no checkpoint*");

        byte[] file = File.ReadAllBytes(path);
        for (int at = file.Length - 1; at > 0; at -= 997)
        {
            byte[] damaged = [.. file];
            damaged[at] ^= 0x10;
            FluentActions.Invoking(() => TrainingCheckpoint.Load(new MemoryStream(damaged))).Should().Throw<InvalidDataException>("byte {0} is damaged", at);
        }
    }

    [Fact]
    public void Other_options_or_examples_are_refused_by_name()
    {
        SoftmaxRegressionOptions options = new() { L2 = 0.01 };
        TrainingCheckpoint checkpoint = Checkpoints(options)[1];
        Refused(options with { L2 = 0.02 }, Examples, "*L2 = 0.01*now 0.02*");
        Refused(options with { FitIntercepts = false }, Examples, "*FitIntercepts = 1*now 0*");
        Refused(options with { Seed = 4 }, Examples, "*Seed = 0*now 4*");
        Refused(options with { Solver = Solver.Lbfgs }, Examples, "*by Newton*ask for Lbfgs*");
        Refused(options with { PenaltyFactors = Enumerable.Repeat(2.0, 12).ToArray() }, Examples, "*penalty factors*");
        Refused(options, TrainingExamples.FromLabels(Data.Rows, Enumerable.Reverse(Data.Labels).ToArray()), "*objective*not those it was made on*");
        Refused(options, TrainingExamples.FromLabels(new DenseRows<double>(Data.Features.AsMemory(0, 1200), 12), Data.Labels.AsMemory(0, 100)), "*RowCount = 300*now 100*");
        FluentActions.Invoking(() => new StreamTrainer(checkpoint, options)).Should().Throw<ArgumentException>().WithMessage("*not of a stream*");
        new SoftmaxRegressionTrainer(options with { Tolerance = 1e-9, MaxIterations = 50 }).Resume(Examples, checkpoint).Training!.Gap.Should().BeLessThan(1e-9);

        void Refused(SoftmaxRegressionOptions other, TrainingExamples examples, string message) =>
            FluentActions.Invoking(() => new SoftmaxRegressionTrainer(other).Resume(examples, checkpoint)).Should().Throw<ArgumentException>().WithMessage(message).WithParameterName("checkpoint");
    }

    private static List<TrainingCheckpoint> Checkpoints(SoftmaxRegressionOptions options)
    {
        List<TrainingCheckpoint> checkpoints = [];
        new SoftmaxRegressionTrainer(options).Fit(Examples, checkpoints: new Immediate<TrainingCheckpoint>(checkpoints.Add));
        return checkpoints;
    }

    private static TrainingCheckpoint Reloaded(TrainingCheckpoint checkpoint)
    {
        using MemoryStream file = new();
        checkpoint.Save(file);
        file.Position = 0;
        return TrainingCheckpoint.Load(file);
    }

    private static byte[] Saved(SoftmaxRegressionModel model)
    {
        using MemoryStream file = new();
        model.Save(file);
        return file.ToArray();
    }

    private static void Same(SoftmaxRegressionModel actual, SoftmaxRegressionModel expected, string because)
    {
        actual.Coefficients.ToArray().Should().Equal(expected.Coefficients.ToArray(), because);
        actual.Intercepts.ToArray().Should().Equal(expected.Intercepts.ToArray(), because);
        actual.Training!.StopReason.Should().Be(expected.Training!.StopReason, because);
        actual.Training.Iterations.Should().Be(expected.Training.Iterations, because);
        actual.Training.Objective.Should().Be(expected.Training.Objective, because);
        actual.Training.Gap.Should().Be(expected.Training.Gap, because);
    }

    private sealed class Immediate<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
