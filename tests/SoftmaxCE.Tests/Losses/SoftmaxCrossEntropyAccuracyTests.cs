using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>Relative accuracy where p is 1 in floating point: the losses that plain arithmetic returns as 0.</summary>
public class SoftmaxCrossEntropyAccuracyTests
{
    public static IEnumerable<object[]> FloatMargins => from margin in new[] { 0.5, 2, 3, 6, 20, 50, 85 } from classes in new[] { 2, 10, 49, 100, 256, 3000, 9000 } select new object[] { margin, classes };

    public static IEnumerable<object[]> DoubleMargins => from margin in new[] { 0.5, 6, 20, 50, 85, 300, 690 } from classes in new[] { 2, 10, 25, 100, 128, 700, 5000 } select new object[] { margin, classes };

    public static IEnumerable<object[]> LabelShares => from share in new[] { 1e-4, 0.5, 0.78, 0.81, 0.93, 0.95 } from classes in new[] { 130, 257, 700, 2048, 4001 } select new object[] { share, classes };

    [Theory, MemberData(nameof(FloatMargins))]
    public void Confident_rows_keep_their_digits_in_float(double margin, int classes) => CheckConfident<float>(margin, classes);

    [Theory, MemberData(nameof(DoubleMargins))]
    public void Confident_rows_keep_their_digits_in_double(double margin, int classes) => CheckConfident<double>(margin, classes);

    [Theory]
    [InlineData(3, 1.0)]
    [InlineData(40, 5.0)]
    [InlineData(100, 3.0)]
    [InlineData(200, 12.0)]
    [InlineData(1000, 12.0)]
    [InlineData(10_000, 5.0)]
    public void Ordinary_rows_are_within_the_bound(int classes, double deviation)
    {
        float[] logits = LossValues.Normal(classes, deviation, seed: classes).ToFloats();
        for (int label = 0; label < classes; label += 1 + (classes / 10)) Check<float>(logits, label);
    }

    /// <summary>Below and above the share from which the others are added up without the label; the loss is the same without a gradient and in place.</summary>
    [Theory, MemberData(nameof(LabelShares))]
    public void Any_share_of_the_label_keeps_the_digits(double share, int classes)
    {
        CheckShare<float>(share, classes);
        CheckShare<double>(share, classes);
    }

    /// <summary>The label in the part with the maximum, in one far below, and both parts without it.</summary>
    [Theory]
    [InlineData(5000)]
    [InlineData(100)]
    [InlineData(9500)]
    public void Parts_of_long_rows_that_are_far_apart_keep_their_digits(int label)
    {
        double[] logits = LossValues.Normal(10_000, 1, seed: label);
        for (int i = 0; i < 4096; i++) logits[i] -= 60;
        for (int i = 8192; i < logits.Length; i++) logits[i] += 20;
        Check<float>(logits.As<float>(), label);
        Check<double>(logits, label);
    }

    /// <summary>The factor between exponentials and gradient may be smaller than any float where the gradient is not.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(5000)]
    public void Small_weights_do_not_cost_digits(int classes)
    {
        float[] logits = LossValues.Normal(classes, 1, seed: classes).ToFloats();
        foreach (float weight in new[] { 1e-10f, 1e-20f, 1e-30f })
        {
            float[] gradient = new float[classes], withZLoss = new float[classes];
            SoftmaxCrossEntropyLoss loss = new() { Reduction = LossReduction.Sum };
            loss.Evaluate<float>(logits, [1], gradient, sampleWeights: [weight]);
            (loss with { ZLoss = 1e-30 }).Evaluate<float>(logits, [1], withZLoss, sampleWeights: [weight]);
            Wide[] expected = WideReference.Softmax<float>(logits);
            expected[1] = -WideReference.Sum(expected.Where((_, c) => c != 1));
            expected = Array.ConvertAll(expected, e => e * weight);
            Ulp.ShouldBeWithin(CrossEntropyKernel<float>.MaxUlpError, gradient, expected, "gradient");
            Ulp.ShouldBeWithin(CrossEntropyKernel<float>.MaxUlpError, withZLoss, expected, "gradient");
        }
    }

    /// <summary>A label whose class has no weight of its own is pushed down like any other class, however improbable.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(300)]
    public void Smoothing_keeps_the_digits_of_an_improbable_label_without_weight(int classes)
    {
        float[] logits = LossValues.Normal(classes, 1, seed: classes).ToFloats(), gradient = new float[classes];
        double[] weights = new double[classes];
        Array.Fill(weights, 1.0);
        weights[2] = 0;
        logits[0] = 50;
        SoftmaxCrossEntropyLoss loss = new() { LabelSmoothing = 0.5, ClassWeights = weights, Reduction = LossReduction.Sum };
        loss.Evaluate<float>(logits, [2], gradient);
        Wide expected = WideReference.Softmax<float>(logits)[2] * (0.5 * (classes - 1) / classes);
        Ulp.ShouldBeWithin(CrossEntropyKernel<float>.MaxUlpError, gradient[2], expected, "gradient");
    }

    /// <summary>Moving one logit uphill by its gradient, however small: plain float arithmetic stands still at p = 1.</summary>
    [Fact]
    public void Descent_goes_on_where_plain_float_arithmetic_stops()
    {
        float[] logits = [0, 0, 0], gradient = new float[3];
        float plain = 0;
        SoftmaxCrossEntropyLoss loss = new();
        float last = float.PositiveInfinity;
        for (int step = 0; step < 160; step++)
        {
            loss.Evaluate<float>(logits, [0], gradient);
            logits[0] -= gradient[0] / MathF.Abs(gradient[0]) * 0.5f;
            float now = -gradient[0];
            now.Should().BePositive().And.BeLessThan(last, "step {0} still goes downhill", step);
            last = now;

            float e = MathF.Exp(-plain), p = 1 / (1 + (2 * e)), plainGradient = p - 1;
            if (plainGradient != 0) plain += 0.5f;
        }

        logits[0].Should().Be(80);
        plain.Should().BeLessThan(20, "there plain arithmetic has p = 1 and nothing left to follow");
        loss.Evaluate<float>(logits, [0]).Loss.Should().BeApproximately(2 * Math.Exp(-80), 1e-40);
    }

    [Fact]
    public void Confident_soft_targets_keep_their_digits()
    {
        float[] logits = [-1, 40, 2, -30], targets = [0, 1, 0, 0], gradient = new float[4], rowLosses = new float[1];
        new SoftmaxCrossEntropyLoss().Evaluate<float>(logits, targets, 4, gradient, rowLosses);
        CheckRow<float>(logits, 1, gradient, rowLosses[0]);
    }

    [Theory]
    [InlineData(50f)]
    [InlineData(-50f)]
    [InlineData(85f)]
    public void Binary_losses_keep_their_digits(float logit)
    {
        float target = logit > 0 ? 1 : 0;
        float[] gradient = new float[1], losses = new float[1];
        new BinaryCrossEntropyLoss().Evaluate<float>([logit], [target], gradient, losses);
        Wide exact = -WideReference.LogSigmoid(MathF.Abs(logit));
        Ulp.Distance(losses[0], exact).Should().BeLessThanOrEqualTo(CrossEntropyKernel<float>.MaxUlpError);
        Wide slope = WideReference.Sigmoid(-MathF.Abs(logit));
        Ulp.Distance(gradient[0], logit > 0 ? -slope : slope).Should().BeLessThanOrEqualTo(CrossEntropyKernel<float>.MaxUlpError);
    }

    private static void CheckConfident<T>(double margin, int classes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = LossValues.Normal(classes, 0.25, seed: classes).As<T>();
        int label = classes / 2;
        logits[label] = T.CreateTruncating(0.7 + margin);
        Check<T>(logits, label);
    }

    private static void CheckShare<T>(double share, int classes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Three rows, because what is done to one waits for the next.
        double[] logits = LossValues.Normal(3 * classes, 2, seed: classes);
        int[] labels = [0, classes / 3, classes - 1];
        for (int row = 0; row < labels.Length; row++)
        {
            Span<double> values = logits.AsSpan(row * classes, classes);
            values[labels[row]] = double.NegativeInfinity;
            values[labels[row]] = SoftmaxFunctions.LogSumExp<double>(values) + Math.Log(share / (1 - share));
        }

        T[] typed = logits.As<T>(), gradient = new T[typed.Length], rowLosses = new T[3];
        SoftmaxCrossEntropyLoss loss = new() { Reduction = LossReduction.Sum };
        LossResult result = loss.Evaluate<T>(typed, labels, gradient, rowLosses);
        loss.Evaluate<T>(typed, labels).Should().Be(result);
        for (int row = 0; row < labels.Length; row++)
            CheckRow<T>(typed.AsSpan(row * classes, classes).ToArray(), labels[row], gradient.AsSpan(row * classes, classes).ToArray(), rowLosses[row]);
        loss.Evaluate<T>(typed, labels, typed).Should().Be(result);
        typed.Should().Equal(gradient);
    }

    private static void Check<T>(T[] logits, int label)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] gradient = new T[logits.Length], rowLosses = new T[1];
        new SoftmaxCrossEntropyLoss().Evaluate<T>(logits, [label], gradient, rowLosses);
        CheckRow<T>(logits, label, gradient, rowLosses[0]);
    }

    private static void CheckRow<T>(T[] logits, int label, T[] gradient, T loss)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Ulp.ShouldBeWithin(CrossEntropyKernel<T>.MaxUlpError, loss, WideReference.CrossEntropyOfLabel<T>(logits, label), "loss");
        Wide[] expected = WideReference.Softmax<T>(logits);
        expected[label] = -WideReference.Sum(expected.Where((_, c) => c != label));
        Ulp.ShouldBeWithin(CrossEntropyKernel<T>.MaxUlpError, gradient, expected, "gradient");
    }
}
