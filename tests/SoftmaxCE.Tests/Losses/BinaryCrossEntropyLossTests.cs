namespace SoftmaxCE.Tests;

public class BinaryCrossEntropyLossTests
{
    private const double Tolerance = 1e-12;

    [Theory, MemberData(nameof(References.BinaryCrossEntropyCases), MemberType = typeof(References))]
    public void Equals_PyTorch(BinaryCrossEntropyCase expected)
    {
        BinaryCrossEntropyLoss loss = new() { PositiveWeights = expected.PositiveWeights ?? [], Reduction = LossValues.ReductionOf(expected.Reduction) };
        double[] gradient = new double[expected.Logits.Length], losses = new double[expected.Logits.Length];
        LossResult result = loss.Evaluate<double>(expected.Logits, expected.Targets, gradient, losses, expected.Weights ?? []);
        (expected.Reduction == "none" ? losses : [result.Loss]).ShouldBeNear(expected.Loss, Tolerance, "loss");
        gradient.ShouldBeNear(expected.Gradient, Tolerance, "gradient");
    }

    /// <summary>Many blocks, a period of the positive weights that no vector divides, in place and on several threads.</summary>
    [Theory]
    [InlineData(1, 40_000)]
    [InlineData(3, 20_000)]
    [InlineData(17, 2_000)]
    public void Positive_weights_repeat_by_column_and_threads_do_not_change_a_bit(int columns, int rows)
    {
        int count = columns * rows;
        float[] logits = LossValues.Uniform(count, 1), targets = Array.ConvertAll(LossValues.Uniform(count, 2), v => (v + 10) / 20);
        double[] positive = [.. Enumerable.Range(1, columns).Select(c => c / 2.0)];
        BinaryCrossEntropyLoss loss = new() { PositiveWeight = 1.5, PositiveWeights = positive };
        float[] expected = new float[count];
        LossResult result = loss.Evaluate<float>(logits, targets, expected);
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            double x = logits[i], t = targets[i], p = 1 / (1 + Math.Exp(-x)), weight = 1.5 * positive[i % columns];
            sum += (weight * t * Math.Log(1 + Math.Exp(-x))) + ((1 - t) * Math.Log(1 + Math.Exp(x)));
            expected[i].Should().BeApproximately((float)((((1 - t) * p) - (weight * t * (1 - p))) / count), 2e-6f / count * (float)Math.Max(1, weight));
        }

        result.Loss.Should().BeApproximately(sum / count, 1e-6 * sum / count);
        loss = loss with { MaxDegreeOfParallelism = 3 };
        loss.Evaluate<float>(logits, targets, logits).Should().Be(result);
        logits.AsSpan().SequenceEqual(expected).Should().BeTrue();
    }

    [Theory]
    [InlineData(double.PositiveInfinity, 1, 0, 0)]
    [InlineData(double.NegativeInfinity, 0, 0, 0)]
    [InlineData(double.PositiveInfinity, 0, double.PositiveInfinity, 1)]
    [InlineData(double.NegativeInfinity, 1, double.PositiveInfinity, -1)]
    [InlineData(double.NaN, 1, double.NaN, double.NaN)]
    public void Edge_values(double logit, double target, double loss, double slope)
    {
        double[] gradient = new double[1];
        new BinaryCrossEntropyLoss().Evaluate<double>([logit], [target], gradient).Loss.Should().Be(loss);
        gradient[0].Should().Be(slope);
        new BinaryCrossEntropyLoss().Evaluate<double>([logit], [target], gradient, weights: [0]).Loss.Should().Be(0);
        gradient[0].Should().Be(0);
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused_before_anything_is_written()
    {
        double[] gradient = [7, 7];
        Refuses("targets", () => new BinaryCrossEntropyLoss().Evaluate<double>([1, 2], [0, 1.5], gradient));
        Refuses("targets", () => new BinaryCrossEntropyLoss().Evaluate<double>([1, 2], [0, -0.5], gradient));
        Refuses("targets", () => new BinaryCrossEntropyLoss().Evaluate<double>([1, 2], [0], gradient));
        Refuses("weights", () => new BinaryCrossEntropyLoss().Evaluate<double>([1, 2], [0, 1], gradient, weights: [1, -1]));
        Refuses("PositiveWeights", () => new BinaryCrossEntropyLoss { PositiveWeights = new double[3] }.Evaluate<double>([1, 2], [0, 1], gradient));
        gradient.Should().OnlyContain(g => g == 7);
    }

    private static void Refuses(string parameter, Action act) => act.Should().Throw<ArgumentException>().WithParameterName(parameter);
}
