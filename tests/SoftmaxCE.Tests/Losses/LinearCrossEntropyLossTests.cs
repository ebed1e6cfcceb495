namespace SoftmaxCE.Tests;

public class LinearCrossEntropyLossTests
{
    private const double Tolerance = 1e-12;

    [Theory, MemberData(nameof(References.LinearCrossEntropyCases), MemberType = typeof(References))]
    public void Equals_PyTorch(LinearCrossEntropyCase expected)
    {
        LinearCrossEntropyLoss loss = new()
        {
            IgnoreLabel = expected.IgnoreLabel,
            LabelSmoothing = expected.LabelSmoothing,
            Reduction = LossValues.ReductionOf(expected.Reduction),
        };
        double[] gradientX = new double[expected.X.Length], gradientW = new double[expected.Coefficients.Length], gradientB = new double[expected.Classes];
        LossResult result = loss.Evaluate<double>(
            expected.X, expected.Coefficients, expected.Intercepts, expected.Labels, gradientX, gradientW, gradientB);
        result.Loss.Should().BeApproximately(expected.Loss[0], Tolerance * Math.Max(1, expected.Loss[0]));
        gradientX.ShouldBeNear(expected.GradientX, Tolerance, "features");
        gradientW.ShouldBeNear(expected.GradientCoefficients, Tolerance, "coefficients");
        gradientB.ShouldBeNear(expected.GradientIntercepts, Tolerance, "intercepts");
    }

    /// <summary>Several blocks of rows, several slices of classes and tiles with a tail, against the logits written out.</summary>
    [Theory]
    [InlineData(1, 1, 2, 0.0)]
    [InlineData(3, 5, 1, 0.1)]
    [InlineData(70, 33, 200, 0.0)]
    [InlineData(600, 17, 1000, 0.1)]
    [InlineData(1100, 130, 65, 0.0)]
    public void Equals_the_loss_of_the_logits_written_out(int rows, int features, int classes, double smoothing)
    {
        double[] x = LossValues.Normal(rows * features, 1, 1), w = LossValues.Normal(classes * features, 0.5, 2), b = LossValues.Normal(classes, 1, 3);
        double[] sampleWeights = Array.ConvertAll(LossValues.Normal(rows, 1, 4), Math.Abs), classWeights = Array.ConvertAll(LossValues.Normal(classes, 1, 5), Math.Abs);
        int[] labels = LossValues.Labels(rows, classes, 6);
        if (rows > 2) labels[1] = -7;
        double[] logits = new double[rows * classes];
        for (int row = 0; row < rows; row++)
        {
            for (int c = 0; c < classes; c++)
            {
                double sum = b[c];
                for (int k = 0; k < features; k++) sum += x[(row * features) + k] * w[(c * features) + k];
                logits[(row * classes) + c] = sum;
            }
        }

        double[] residuals = new double[logits.Length];
        LossResult expected = new SoftmaxCrossEntropyLoss
        {
            IgnoreLabel = -7,
            LabelSmoothing = smoothing,
            ClassWeights = classWeights,
            Temperature = 1.5,
            ZLoss = 0.01,
        }.Evaluate<double>(logits, labels, residuals, sampleWeights: sampleWeights);

        double[] gradientX = new double[x.Length], gradientW = new double[w.Length], gradientB = new double[classes];
        LinearCrossEntropyLoss loss = new() { IgnoreLabel = -7, LabelSmoothing = smoothing, ClassWeights = classWeights, Temperature = 1.5, ZLoss = 0.01 };
        LossResult result = loss.Evaluate<double>(x, w, b, labels, gradientX, gradientW, gradientB, sampleWeights);

        result.Loss.Should().BeApproximately(expected.Loss, 1e-12 * Math.Abs(expected.Loss));
        (result with { Loss = 0 }).Should().Be(expected with { Loss = 0 });
        double[] expectedX = new double[x.Length], expectedW = new double[w.Length], expectedB = new double[classes];
        for (int row = 0; row < rows; row++)
        {
            for (int c = 0; c < classes; c++)
            {
                double residual = residuals[(row * classes) + c];
                expectedB[c] += residual;
                for (int k = 0; k < features; k++)
                {
                    expectedX[(row * features) + k] += residual * w[(c * features) + k];
                    expectedW[(c * features) + k] += residual * x[(row * features) + k];
                }
            }
        }

        gradientX.ShouldBeNear(expectedX, 1e-13, "features");
        gradientW.ShouldBeNear(expectedW, 1e-13, "coefficients");
        gradientB.ShouldBeNear(expectedB, 1e-13, "intercepts");
    }

    /// <summary>Float against double, several slices: threads and the choice of gradients do not change a bit, nor does the vector width.</summary>
    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(0.1, 0.5)]
    public void Threads_widths_and_wanted_gradients_do_not_change_a_bit(double smoothing, double temperature)
    {
        const int Rows = 75, Features = 21, Classes = 700;
        float[] x = LossValues.Uniform(Rows * Features, 1), w = LossValues.Uniform(Classes * Features, 2), b = LossValues.Uniform(Classes, 3);
        for (int i = 0; i < w.Length; i++) w[i] /= 16;
        int[] labels = LossValues.Labels(Rows, Classes, 4);
        LinearCrossEntropyLoss loss = new() { LabelSmoothing = smoothing, Temperature = temperature };
        float[] gradientX = new float[x.Length], gradientW = new float[w.Length], gradientB = new float[Classes];
        LossResult result = loss.Evaluate<float>(x, w, b, labels, gradientX, gradientW, gradientB);
        foreach (int threads in new[] { 1, 2, 3 })
        {
            LinearCrossEntropyLoss parallel = loss with { MaxDegreeOfParallelism = threads };
            float[] againX = [.. x], againW = new float[w.Length], againB = new float[Classes];
            parallel.Evaluate<float>(againX, w, b, labels, againX, againW, againB).Should().Be(result, "the features' gradient may overwrite the features");
            againX.AsSpan().SequenceEqual(gradientX).Should().BeTrue();
            againW.AsSpan().SequenceEqual(gradientW).Should().BeTrue();
            againB.AsSpan().SequenceEqual(gradientB).Should().BeTrue();
            parallel.Evaluate<float>(x, w, b, labels).Should().Be(result);
            Array.Clear(againW);
            parallel.Evaluate<float>(x, w, b, labels, coefficientGradient: againW).Should().Be(result);
            againW.AsSpan().SequenceEqual(gradientW).Should().BeTrue();
        }

        double[] exactX = new double[x.Length], exactW = new double[w.Length], exactB = new double[Classes];
        double exact = loss.Evaluate<double>(Wide(x), Wide(w), Wide(b), labels, exactX, exactW, exactB).Loss;
        result.Loss.Should().BeApproximately(exact, 1e-5 * exact);
        Wide(gradientX).ShouldBeNear(exactX, 1e-5, "features");
        Wide(gradientW).ShouldBeNear(exactW, 1e-5, "coefficients");
        Wide(gradientB).ShouldBeNear(exactB, 1e-5, "intercepts");
        new BitHash().Add(result.Loss).Add(gradientX).Add(gradientW).Add(gradientB).Add(exact).Add(exactW).Value
            .Should().Be(smoothing == 0 ? PlainBits : SmoothedBits, "the bits of a result are part of the contract");

        static double[] Wide(float[] values) => Array.ConvertAll(values, v => (double)v);
    }

    private const ulong PlainBits = 10709975778152324876;
    private const ulong SmoothedBits = 6987552058421370270;

    [Fact]
    public void Rows_that_do_not_count_spoil_nothing()
    {
        double[] x = LossValues.Normal(4 * 3, 1, 1), w = LossValues.Normal(5 * 3, 1, 2), gradientX = new double[12], gradientW = new double[15];
        LinearCrossEntropyLoss loss = new() { IgnoreLabel = -1 };
        LossResult expected = loss.Evaluate<double>(x, w, [], [0, -1, 4, -1], default, gradientW);
        double[] spoiled = [.. x], spoiledW = new double[15];
        spoiled[4] = double.NaN;
        spoiled[9] = double.PositiveInfinity;
        loss.Evaluate<double>(spoiled, w, [], [0, -1, 4, 2], gradientX, spoiledW, default, [1, 1, 1, 0]).Loss.Should().Be(expected.Loss);
        spoiledW.Should().Equal(gradientW);
        gradientX.Skip(3).Take(3).Concat(gradientX.Skip(9)).Should().OnlyContain(g => g == 0);
    }

    [Fact]
    public void Confident_rows_keep_their_digits()
    {
        // Logits 60, 0, 0: the loss is ln(1 + 2 e^-60), where p - 1 is 0 in float.
        float[] x = [1], w = [60, 0, 0], gradientX = new float[1], gradientW = new float[3];
        double loss = new LinearCrossEntropyLoss().Evaluate<float>(x, w, [], [0], gradientX, gradientW).Loss;
        double expected = 2 * Math.Exp(-60);
        loss.Should().BeApproximately(expected, 1e-6 * expected);
        gradientW[0].Should().BeApproximately((float)-expected, (float)(1e-6 * expected));
        gradientX[0].Should().BeApproximately((float)(-60 * expected), (float)(1e-4 * expected));
    }

    [Fact]
    public void A_masked_class_has_no_part()
    {
        double[] x = LossValues.Normal(6, 1, 1), w = LossValues.Normal(9, 1, 2), gradientW = new double[9], gradientB = new double[3];
        LossResult masked = new LinearCrossEntropyLoss().Evaluate<double>(x, w, [0, double.NegativeInfinity, 0], [0, 2], default, gradientW, gradientB);
        double[] fewer = [.. w[..3], .. w[6..]];
        masked.Loss.Should().BeApproximately(new LinearCrossEntropyLoss().Evaluate<double>(x, fewer, [], [0, 1]).Loss, 1e-15);
        gradientB[1].Should().Be(0);
        gradientW[3..6].Should().OnlyContain(g => g == 0);
    }

    [Fact]
    public void Half_computes_in_float()
    {
        Half[] x = Array.ConvertAll(LossValues.Normal(12, 1, 1), v => (Half)v), w = Array.ConvertAll(LossValues.Normal(20, 1, 2), v => (Half)v);
        Half[] gradient = new Half[20];
        float[] expected = new float[20];
        LossResult result = new LinearCrossEntropyLoss().Evaluate<Half>(x, w, [], [0, 4, 2], default, gradient);
        result.Should().Be(new LinearCrossEntropyLoss().Evaluate<float>(
            Array.ConvertAll(x, v => (float)v), Array.ConvertAll(w, v => (float)v), [], [0, 4, 2], default, expected));
        gradient.Should().Equal(Array.ConvertAll(expected, v => (Half)v));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused_before_anything_is_written()
    {
        double[] gradient = [7, 7, 7, 7, 7, 7];
        LinearCrossEntropyLoss loss = new();
        Refuses("labels", () => loss.Evaluate<double>([1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [], [0, 3], default, gradient));
        Refuses("labels", () => loss.Evaluate<double>([1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [], []));
        Refuses("features", () => loss.Evaluate<double>([1, 2, 3], [1, 2, 3, 4, 5, 6], [], [0, 1], default, gradient));
        Refuses("coefficients", () => loss.Evaluate<double>([1, 2, 3, 4], [1, 2, 3], [], [0, 1]));
        Refuses("intercepts", () => loss.Evaluate<double>([1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [1, 2], [0, 1]));
        Refuses("coefficientGradient", () => loss.Evaluate<double>([1, 2, 3, 4], gradient, [], [0, 1], default, gradient));
        Refuses("interceptGradient", () => loss.Evaluate<double>([1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [], [0, 1], default, gradient, gradient.AsSpan(0, 3)));
        Refuses("sampleWeights", () => loss.Evaluate<double>([1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [], [0, 1], sampleWeights: [1]));
        gradient.Should().OnlyContain(g => g == 7);
    }

    private static void Refuses(string parameter, Action act) => act.Should().Throw<ArgumentException>().WithParameterName(parameter);
}
