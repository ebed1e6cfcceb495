using System.Runtime.CompilerServices;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class StreamTrainerTests
{
    private const int Rows = 240, Features = 4, Classes = 3;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 71);
    private static readonly SoftmaxRegressionOptions Options = new() { L2 = 0.05, GradientDescent = new() { BatchSize = 8, Step = 0.5, StepDecay = 0.01, StepPower = 0.75, Average = true } };

    public static TheoryData<DescentRule> Rules => [DescentRule.Momentum, DescentRule.Nesterov, DescentRule.Adam];

    [Theory, MemberData(nameof(Rules))]
    public void A_stream_over_the_data_comes_to_the_optimum_of_all_of_it(DescentRule rule)
    {
        SoftmaxRegressionOptions options = Options with { GradientDescent = Options.GradientDescent with { Rule = rule, Momentum = rule == DescentRule.Momentum ? 0 : 0.5, Step = rule == DescentRule.Adam ? 0.1 : 0.5 } };
        float[] weights = [.. Enumerable.Range(0, Rows).Select(i => 1f + (i % 3))];
        StreamTrainer stream = new(Features, Classes, options);
        for (int epoch = 0; epoch < 150; epoch++) stream.PartialFit(Batches(Data, 40, weights));
        SoftmaxRegressionModel best = new SoftmaxRegressionTrainer(new() { L2 = 0.05, Tolerance = 1e-12 }).Fit(Data.Rows, Data.Labels, weights), learned = stream.ToModel();
        double objective = SyntheticData.Objective(Data, learned.Coefficients.Span, learned.Intercepts.Span, 0.05, weights: [.. weights.Select(w => (double)w)]);
        objective.Should().BeApproximately(best.Training!.Objective, 1e-4);
        stream.RowCount.Should().Be(150 * Rows);
        stream.UpdateCount.Should().Be(150 * Rows / 8);
        stream.WeightSum.Should().Be(150 * 2 * Rows);
    }

    [Fact]
    public void In_order_a_stream_makes_the_steps_of_gradient_descent()
    {
        GradientDescentOptions descent = new() { BatchSize = 8, Step = 0.1, Shuffle = false, Momentum = 0.5, Epochs = 1 };
        SoftmaxRegressionModel start = new(new double[Classes * Features], new double[Classes]);
        SoftmaxRegressionModel trained = new SoftmaxRegressionTrainer(new() { L2 = 0.05, Solver = Solver.GradientDescent, GradientDescent = descent }).Fit(Data.Rows, Data.Labels, start: start);
        StreamTrainer stream = new(start, new() { L2 = 0.05, GradientDescent = descent });
        stream.PartialFit(Batches(Data, 80));
        for (int i = 0; i < Classes * Features; i++) stream.ToModel().Coefficients.Span[i].Should().BeApproximately(trained.Coefficients.Span[i], 1e-13);
    }

    [Theory, MemberData(nameof(Rules))]
    public void A_stream_resumed_from_a_file_goes_on_to_the_same_bits(DescentRule rule)
    {
        SoftmaxRegressionOptions options = Options with { Seed = 5, GradientDescent = Options.GradientDescent with { Rule = rule, Momentum = 0.9 } };
        TrainingExamples[] batches = [.. Batches(Data, 30)];
        StreamTrainer whole = new(Features, Classes, options), first = new(Features, Classes, options);
        whole.PartialFit(batches);
        first.PartialFit(batches[..3]);
        using MemoryStream file = new();
        first.ToCheckpoint().Save(file);
        file.Position = 0;
        StreamTrainer second = new(TrainingCheckpoint.Load(file), options);
        second.UpdateCount.Should().Be(first.UpdateCount);
        second.PartialFit(batches[3..]);
        second.ToModel().Coefficients.ToArray().Should().Equal(whole.ToModel().Coefficients.ToArray());
        second.ToModel().Intercepts.ToArray().Should().Equal(whole.ToModel().Intercepts.ToArray());
        second.MeanLoss.Should().Be(whole.MeanLoss);
        second.RowCount.Should().Be(whole.RowCount);
        second.WeightSum.Should().Be(whole.WeightSum);
    }

    [Fact]
    public async Task Asynchronous_batches_teach_the_same()
    {
        StreamTrainer one = new(Features, Classes, Options), other = new(Features, Classes, Options);
        one.PartialFit(Batches(Data, 24));
        await other.PartialFitAsync(Delayed(Batches(Data, 24)));
        other.ToModel().Coefficients.ToArray().Should().Equal(one.ToModel().Coefficients.ToArray());
    }

    [Fact]
    public async Task Canceling_keeps_what_was_learned()
    {
        using CancellationTokenSource source = new();
        StreamTrainer stream = new(Features, Classes, Options), reference = new(Features, Classes, Options);
        int given = 0;
        IEnumerable<TrainingExamples> CancelAfterThree()
        {
            foreach (TrainingExamples batch in Batches(Data, 24))
            {
                if (++given == 4) source.Cancel();
                yield return batch;
            }
        }

        FluentActions.Invoking(() => stream.PartialFit(CancelAfterThree(), source.Token)).Should().Throw<OperationCanceledException>();
        await FluentActions.Awaiting(() => stream.PartialFitAsync(Delayed(Batches(Data, 24)), source.Token)).Should().ThrowAsync<OperationCanceledException>();
        reference.PartialFit(Batches(Data, 24).Take(3));
        stream.ToModel().Coefficients.ToArray().Should().Equal(reference.ToModel().Coefficients.ToArray());
        stream.RowCount.Should().Be(72);
    }

    [Fact]
    public void The_mean_loss_is_that_of_rows_not_yet_learned()
    {
        StreamTrainer stream = new(Features, Classes, Options);
        stream.MeanLoss.Should().Be(double.NaN);
        stream.PartialFit(new DenseRows<double>(Data.Features.AsMemory(0, 8 * Features), Features), Data.Labels.AsSpan(0, 8));
        stream.MeanLoss.Should().BeApproximately(Math.Log(3), 1e-15);
        stream.PartialFit(Batches(Data, 24));
        stream.MeanLoss.Should().BeLessThan(Math.Log(3));
    }

    [Fact]
    public void Sparse_rows_targets_offsets_and_factors_are_learned_from_too()
    {
        ReferenceData positive = Data with { Features = [.. Data.Features.Select(x => Math.Max(x, 0))] };
        double[] factors = [1, 0.1, 3, 0], targets = [.. Data.Labels.SelectMany(y => Enumerable.Range(0, Classes).Select(c => c == y ? 0.8 : 0.1))];
        double[] offsets = [.. Enumerable.Range(0, Rows * Classes).Select(k => Math.Sin(k))];
        TrainingExamples examples = TrainingExamples.FromTargets(positive.ToSparse(), targets, Classes) with { OffsetLogits = offsets };
        StreamTrainer stream = new(Features, ["a", "b", "c"], Options with { PenaltyFactors = factors });
        for (int epoch = 0; epoch < 300; epoch++) stream.PartialFit(examples);
        SoftmaxRegressionModel best = new SoftmaxRegressionTrainer(new() { L2 = 0.05, PenaltyFactors = factors, Tolerance = 1e-12 }).Fit(examples), learned = stream.ToModel();
        learned.ClassNames.Should().Equal("a", "b", "c");
        for (int i = 0; i < Classes * Features; i++) learned.Coefficients.Span[i].Should().BeApproximately(best.Coefficients.Span[i], 0.03);
    }

    [Fact]
    public void Bad_batches_are_refused_before_anything_is_learned()
    {
        StreamTrainer stream = new(2, 2, new() { GradientDescent = new() { Step = 1e200 } });
        DenseRows<double> rows = new(new double[] { 1, 2, 3, double.NaN }, 2);
        stream.Invoking(s => s.PartialFit(rows, [0, 1])).Should().Throw<ArgumentException>().WithMessage("Row 1*NaN*column 1*").WithParameterName("batch");
        stream.Invoking(s => s.PartialFit(new DenseRows<double>(new double[4], 2), [0, 2])).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Row 1*label 2*");
        stream.Invoking(s => s.PartialFit(new DenseRows<double>(new double[3], 3), [0])).Should().Throw<ArgumentException>().WithMessage("*2 features*3*").WithParameterName("batch");
        stream.Invoking(s => s.PartialFit(new DenseRows<double>(new double[] { 1e150, 1, 2, 1e150 }, 2), [0, 1])).Should().Throw<ArithmeticException>().WithMessage("*step*1E+200*");
        stream.RowCount.Should().Be(0);
        stream.ToModel().Coefficients.ToArray().Should().OnlyContain(w => w == 0);

        FluentActions.Invoking(() => new StreamTrainer(0, 2)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("featureCount");
        FluentActions.Invoking(() => new StreamTrainer(2, 1)).Should().Throw<ArgumentException>().WithParameterName("classNames");
        FluentActions.Invoking(() => new StreamTrainer(2, 2, new() { L1 = 1 })).Should().Throw<ArgumentException>().WithParameterName("options");
        FluentActions.Invoking(() => new StreamTrainer(2, 2, new() { Solver = Solver.Newton })).Should().Throw<ArgumentException>().WithParameterName("options");
        FluentActions.Invoking(() => new StreamTrainer(2, 2, new() { PenaltyFactors = new double[3] })).Should().Throw<ArgumentException>().WithParameterName("options");
        FluentActions.Invoking(() => new StreamTrainer(2, 2, new() { ClassWeights = new double[] { 1, 2, 3 } })).Should().Throw<ArgumentException>().WithParameterName("options");
        TrainingCheckpoint checkpoint = stream.ToCheckpoint();
        FluentActions.Invoking(() => new StreamTrainer(checkpoint, new() { L2 = 7, GradientDescent = new() { Step = 1e200 } })).Should().Throw<ArgumentException>().WithMessage("*L2 = 0.0001*now 7*").WithParameterName("checkpoint");
    }

    private static IEnumerable<TrainingExamples> Batches(ReferenceData data, int size, float[]? weights = null)
    {
        for (int first = 0; first < Rows; first += size)
        {
            DenseRows<double> rows = new(data.Features.AsMemory(first * Features, size * Features), Features);
            yield return TrainingExamples.FromLabels(rows, data.Labels.AsMemory(first, size)) with { SampleWeights = weights.AsMemory(weights is null ? 0 : first, weights is null ? 0 : size) };
        }
    }

    private static async IAsyncEnumerable<TrainingExamples> Delayed(IEnumerable<TrainingExamples> batches, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (TrainingExamples batch in batches)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return batch;
        }
    }
}
