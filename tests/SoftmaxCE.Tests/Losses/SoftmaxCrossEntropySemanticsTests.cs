namespace SoftmaxCE.Tests;

/// <summary>Edge values, errors and counts as the documentation states them.</summary>
public class SoftmaxCrossEntropySemanticsTests
{
    private const double Minus = double.NegativeInfinity, Plus = double.PositiveInfinity;

    private static readonly SoftmaxCrossEntropyLoss Loss = new();

    [Theory]
    [InlineData(3)]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(5000)]
    public void A_masked_logit_has_gradient_0(int classes)
    {
        double[] logits = LossValues.Normal(classes, 1, seed: 1), gradient = new double[classes];
        logits[1] = Minus;
        LossResult result = Loss.Evaluate<double>(logits, [0], gradient);
        double[] others = [.. logits.Where((_, c) => c != 1)], expected = new double[classes - 1];
        result.Loss.Should().BeApproximately(Loss.Evaluate<double>(others, [0], expected).Loss, 1e-15);
        gradient[1].Should().Be(0);
        gradient.Where((_, c) => c != 1).ToArray().ShouldBeNear(expected, 1e-15, "gradient");

        Loss.Evaluate<double>(logits, [1], gradient).Loss.Should().Be(Plus, "the label is masked");
        gradient[1].Should().Be(0);
        SoftmaxCrossEntropyLoss smoothed = new() { LabelSmoothing = 0.1 };
        smoothed.Evaluate<double>(logits, [0], gradient).Loss.Should().Be(Plus, "smoothing gives the masked class a share");
        gradient[1].Should().Be(0);

        double[] targets = new double[classes];
        targets[0] = 1;
        Loss.Evaluate<double>(logits, targets, classes, gradient).Loss.Should().BeApproximately(result.Loss, 1e-15, "0 · ln 0 = 0");
        gradient[1].Should().Be(0);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(300)]
    public void Finite_logits_that_are_infinitely_far_apart_cost_nothing_where_there_is_no_target(int classes)
    {
        float[] logits = new float[classes], targets = new float[classes], gradient = new float[classes];
        logits[7] = float.MaxValue;
        logits[3] = float.MinValue;
        targets[7] = 1;
        Loss.Evaluate<float>(logits, targets, classes, gradient).Loss.Should().Be(0);
        gradient.Should().OnlyContain(g => g == 0);
    }

    [Theory]
    [InlineData(3, double.NaN)]
    [InlineData(3, Plus)]
    [InlineData(60, double.NaN)]
    [InlineData(60, Plus)]
    [InlineData(300, double.NaN)]
    [InlineData(300, Plus)]
    [InlineData(9000, double.NaN)]
    [InlineData(9000, Plus)]
    public void Nan_and_infinity_make_their_row_nan_and_no_other(int classes, double special)
    {
        float[] logits = LossValues.Normal(3 * classes, 1, seed: 2).ToFloats(), gradient = new float[logits.Length], losses = new float[3];
        logits[classes + 2] = (float)special;
        foreach (int label in new[] { 0, 2 })
        {
            Loss.Evaluate<float>(logits, [0, label, 1], gradient, losses).Loss.Should().Be(double.NaN);
            losses.Select(float.IsNaN).Should().Equal(false, true, false);
            gradient.Select((g, i) => float.IsNaN(g) == (i / classes == 1)).Should().OnlyContain(v => v);
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(5000)]
    public void A_row_of_nothing_but_masked_logits_is_nan(int classes)
    {
        double[] logits = new double[classes], gradient = new double[classes];
        Array.Fill(logits, Minus);
        Loss.Evaluate<double>(logits, [1], gradient).Loss.Should().Be(double.NaN);
        gradient.Should().OnlyContain(g => double.IsNaN(g));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(5000)]
    public void A_row_of_weight_0_adds_nothing_whatever_it_holds(int classes)
    {
        double[] logits = LossValues.Normal(3 * classes, 1, seed: 3), gradient = new double[logits.Length], losses = new double[3];
        logits[classes] = double.NaN;
        int[] labels = [1, 2, 3];
        LossResult weighted = Loss.Evaluate<double>(logits, labels, gradient, losses, [1, 0, 1]);
        LossResult ignored = (Loss with { IgnoreLabel = 2 }).Evaluate<double>(logits, labels);
        weighted.Loss.Should().Be(ignored.Loss);
        weighted.WeightSum.Should().Be(2);
        losses[1].Should().Be(0);
        gradient.Skip(classes).Take(classes).Should().OnlyContain(g => g == 0);
        double[] classWeights = new double[classes];
        Array.Fill(classWeights, 1);
        classWeights[2] = 0;
        (Loss with { ClassWeights = classWeights }).Evaluate<double>(logits, labels, gradient).Loss.Should().Be(ignored.Loss);
        gradient.Skip(classes).Take(classes).Should().OnlyContain(g => g == 0);
    }

    [Fact]
    public void The_mean_of_nothing_is_nan_and_says_why()
    {
        double[] gradient = [7, 7, 7, 7];
        LossResult result = (Loss with { IgnoreLabel = -100 }).Evaluate<double>([1, 2, 3, 4], [-100, -100], gradient);
        result.Should().Be(new LossResult(double.NaN, 0, 2, 2, 0));
        gradient.Should().OnlyContain(g => g == 0);
        (Loss with { IgnoreLabel = -100, Reduction = LossReduction.Sum }).Evaluate<double>([1, 2, 3, 4], [-100, -100]).Loss.Should().Be(0);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(9000)]
    public void The_first_of_equal_logits_counts_as_the_answer(int classes)
    {
        float[] logits = new float[4 * classes];
        logits[(3 * classes) + 2] = 1;
        Loss.Evaluate<float>(logits, [0, 1, 0, 2]).CorrectCount.Should().Be(3);
        float[] targets = new float[4 * classes];
        foreach ((int row, int label) in new[] { (0, 0), (1, 1), (2, 0), (3, 2) }) targets[(row * classes) + label] = 1;
        Loss.Evaluate<float>(logits, targets, classes).CorrectCount.Should().Be(3);
    }

    [Fact]
    public void A_wrong_label_is_named_before_anything_is_written()
    {
        double[] gradient = [7, 7, 7, 7, 7, 7], losses = [7, 7];
        foreach (int label in new[] { -1, 3 })
        {
            Action act = () => Loss.Evaluate<double>([1, 2, 3, 4, 5, 6], [0, label], gradient, losses);
            act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("labels")
                .WithMessage($"Row 1 has label {label}, but there are 3 classes*").Which.ActualValue.Should().Be(label);
        }

        gradient.Concat(losses).Should().OnlyContain(v => v == 7);
    }

    [Fact]
    public void A_negative_target_is_named_before_anything_is_written()
    {
        double[] gradient = [7, 7, 7, 7];
        Action act = () => Loss.Evaluate<double>([1, 2, 3, 4], [0.5, 0.5, 1.5, -0.5], 2, gradient);
        act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("targets").WithMessage("Value 3 is negative*");
        gradient.Should().OnlyContain(v => v == 7);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        double[] memory = new double[12];
        Refuses("labels", () => Loss.Evaluate<double>(memory, ReadOnlySpan<int>.Empty));
        Refuses("logits", () => Loss.Evaluate<double>([], [0]));
        Refuses("logits", () => Loss.Evaluate<double>(memory.AsSpan(0, 5), [0, 1]));
        Refuses("gradient", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), [0, 1], memory.AsSpan(6, 5)));
        Refuses("gradient", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), [0, 1], memory.AsSpan(1, 6)));
        Refuses("rowLosses", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), [0, 1], default, memory.AsSpan(0, 2)));
        Refuses("rowLosses", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), [0, 1], default, memory.AsSpan(11, 1)));
        Refuses("sampleWeights", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), [0, 1], default, default, [1]));
        Refuses("targets", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), memory.AsSpan(0, 5), 3));
        Refuses("gradient", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), memory.AsSpan(6, 6), 3, memory.AsSpan(6, 6)));
        Refuses("classCount", () => Loss.Evaluate<double>(memory.AsSpan(0, 6), memory.AsSpan(6, 6), 0));
        Refuses("ClassWeights", () => (Loss with { ClassWeights = new double[2] }).Evaluate<double>(memory.AsSpan(0, 6), [0, 1]));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        RefusesOption("LabelSmoothing", Loss with { LabelSmoothing = 1.1 });
        RefusesOption("LabelSmoothing", Loss with { LabelSmoothing = double.NaN });
        RefusesOption("Temperature", Loss with { Temperature = 0 });
        RefusesOption("ZLoss", Loss with { ZLoss = -1 });
        RefusesOption("FocalGamma", Loss with { FocalGamma = double.PositiveInfinity });
        RefusesOption("Reduction", Loss with { Reduction = (LossReduction)2 });
        RefusesOption("ClassWeights", Loss with { ClassWeights = new double[] { 1, -1 } });
        Action act = () => Loss.Evaluate<double>([1, 2], [0], default, default, [-1]);
        act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("sampleWeights").WithMessage("Weight 0 must be finite*");
    }

    private static void Refuses(string parameter, Action act) => act.Should().Throw<ArgumentException>().WithParameterName(parameter);

    private static void RefusesOption(string option, SoftmaxCrossEntropyLoss loss)
    {
        Action act = () => loss.Evaluate<double>([1, 2], [0]);
        act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName(option);
    }
}
