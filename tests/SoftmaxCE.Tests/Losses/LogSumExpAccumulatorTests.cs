using CsCheck;

namespace SoftmaxCE.Tests;

public class LogSumExpAccumulatorTests
{
    [Fact]
    public void Any_split_and_order_is_right_to_the_last_bit() => Gen.Select(Gen.Double[-800, 800].Array[1, 1200], Gen.Int[0, 1200], Gen.Int).Sample(
        (values, cut, seed) =>
        {
            Wide exact = WideReference.LogSumExp<double>(values);
            LogSumExpAccumulator whole = new(), first = new(), second = new(), single = new();
            whole.Add<double>(values);
            double[] shuffled = [.. values];
            new Random(seed).Shuffle(shuffled);
            cut = Math.Min(cut, values.Length);
            first.Add<double>(shuffled.AsSpan(0, cut));
            second.Add<double>(shuffled.AsSpan(cut));
            first.Merge(second);
            foreach (double value in shuffled) single.Add(value);
            foreach (LogSumExpAccumulator accumulator in new[] { whole, first, single })
            {
                Ulp.ShouldBeWithin(1, accumulator.LogSumExp, exact, "log-sum-exp", atLeast: 1);
                accumulator.Count.Should().Be(values.Length);
            }
        }, iter: 50);

    [Fact]
    public void It_equals_the_function_over_the_whole()
    {
        float[] values = LossValues.Uniform(70_000, seed: 1);
        LogSumExpAccumulator accumulator = new();
        for (int start = 0; start < values.Length; start += 999) accumulator.Add<float>(values.AsSpan(start, Math.Min(999, values.Length - start)));
        ((float)accumulator.LogSumExp).Should().Be(SoftmaxFunctions.LogSumExp<float>(values));
        accumulator.LogMeanExp.Should().BeApproximately(accumulator.LogSumExp - Math.Log(70_000), 1e-15);
    }

    [Theory]
    [InlineData(double.NegativeInfinity, 3, 3)]
    [InlineData(double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity)]
    [InlineData(double.PositiveInfinity, 3, double.PositiveInfinity)]
    [InlineData(double.NaN, 3, double.NaN)]
    [InlineData(1e300, 3, 1e300)]
    [InlineData(-1e300, -1e301, -1e300)]
    [InlineData(1e14, 3, 1e14)]
    [InlineData(-1e14, -2e300, -1e14)]
    public void Edge_values_are_those_of_the_function(double first, double second, double expected)
    {
        LogSumExpAccumulator together = new(), apart = new(), other = new();
        together.Add<double>([first, second]);
        apart.Add(second);
        other.Add(first);
        apart.Merge(other);
        together.LogSumExp.Should().Be(expected);
        apart.LogSumExp.Should().Be(expected);
        new LogSumExpAccumulator().LogSumExp.Should().Be(double.NegativeInfinity);
    }
}
