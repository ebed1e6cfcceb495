using CsCheck;

namespace SoftmaxCE.Tests;

public class LossAccumulatorTests
{
    /// <summary>Batches cut anywhere and merged in any order give the bits of one batch.</summary>
    [Fact]
    public void Any_split_gives_the_same_bits() => Gen.Select(Gen.Double[0, 50].Array[1, 300], Gen.Int[0, 300], Gen.Int).Sample((losses, cut, seed) =>
    {
        LossAccumulator whole = new(), first = new(), second = new();
        whole.Add<double>(losses);
        double[] shuffled = [.. losses];
        new Random(seed).Shuffle(shuffled);
        cut = Math.Min(cut, losses.Length);
        first.Add<double>(shuffled.AsSpan(0, cut));
        second.Add<double>(shuffled.AsSpan(cut));
        second.Merge(first);
        second.MeanLoss.Should().Be(whole.MeanLoss);
        second.Perplexity.Should().Be(whole.Perplexity);
        second.RowCount.Should().Be(losses.Length);
        Ulp.Distance(whole.LossSum, WideReference.Sum(WideReference.Values<double>(losses))).Should().BeLessThanOrEqualTo(0.5);
    });

    [Fact]
    public void Results_of_batches_add_up_to_the_result_of_all()
    {
        const int Rows = 50, Classes = 12, Batch = 7;
        double[] logits = LossValues.Normal(Rows * Classes, 3, seed: 1);
        int[] labels = LossValues.Labels(Rows, Classes, seed: 2);
        labels[10] = -1;
        double[] classWeights = [.. Enumerable.Range(1, Classes).Select(c => c / 4.0)];
        foreach (LossReduction reduction in new[] { LossReduction.Mean, LossReduction.Sum })
        {
            SoftmaxCrossEntropyLoss loss = new() { ClassWeights = classWeights, IgnoreLabel = -1, Reduction = reduction };
            LossAccumulator accumulator = new();
            for (int row = 0; row < Rows; row += Batch)
            {
                int count = Math.Min(Batch, Rows - row);
                accumulator.Add(loss.Evaluate<double>(logits.AsSpan(row * Classes, count * Classes), labels.AsSpan(row, count)), reduction);
            }

            LossResult all = (loss with { Reduction = LossReduction.Mean }).Evaluate<double>(logits, labels);
            accumulator.MeanLoss.Should().BeApproximately(all.Loss, 1e-14);
            accumulator.Bits.Should().BeApproximately(all.Loss / Math.Log(2), 1e-14);
            accumulator.WeightSum.Should().BeApproximately(all.WeightSum, 1e-12);
            (accumulator.RowCount, accumulator.IgnoredCount, accumulator.CorrectCount).Should().Be((Rows, 1, all.CorrectCount));
            accumulator.Accuracy.Should().Be(all.CorrectCount / 49.0);
        }
    }

    [Fact]
    public void Batches_of_nothing_change_nothing()
    {
        LossAccumulator accumulator = new();
        double.IsNaN(accumulator.MeanLoss).Should().BeTrue();
        accumulator.Add(new LossResult(2, 4, 4, 0, 1));
        accumulator.Add(new LossResult(double.NaN, 0, 3, 3, 0));
        accumulator.MeanLoss.Should().Be(2);
        accumulator.Perplexity.Should().BeApproximately(Math.Exp(2), 1e-15);
        accumulator.RowCount.Should().Be(7);
    }

    [Fact]
    public void Sums_are_exact_over_the_whole_range()
    {
        ExactSum sum = new();
        double[] values = [1e308, 1e308, double.Epsilon, -1e308, -1e308, 3, -1e-300, 1e-300, -3];
        foreach (double value in values) sum.Add(value);
        sum.Value.Should().Be(double.Epsilon);
        sum.Add(-2 * double.Epsilon);
        sum.Value.Should().Be(-double.Epsilon);
        sum.Add(-7.25);
        sum.Value.Should().Be(-7.25);
        sum.Add(double.NegativeInfinity);
        sum.Value.Should().Be(double.NegativeInfinity);
        sum.Add(double.PositiveInfinity);
        double.IsNaN(sum.Value).Should().BeTrue();
    }

    [Fact]
    public void Sums_are_rounded_to_the_nearest_double() => Gen.Double[-1e20, 1e20].Select(Representable).Array[1, 60].Sample(values =>
    {
        ExactSum sum = new();
        foreach (double value in values) sum.Add(value);
        sum.Value.Should().Be((double)WideReference.Sum(WideReference.Values<double>(values)));
    });

    /// <summary>The reference has 160 bits: next to 1e20 it would round off smaller values, and then decide a tie wrongly.</summary>
    private static double Representable(double value) => Math.Abs(value) < 1e-8 ? 0 : value;
}
