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
}
