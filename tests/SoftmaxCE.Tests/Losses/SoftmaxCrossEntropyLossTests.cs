namespace SoftmaxCE.Tests;

/// <summary>Values and gradients against PyTorch, and the promises of the documentation.</summary>
public class SoftmaxCrossEntropyLossTests
{
    private const double Tolerance = 1e-12;

    [Theory, MemberData(nameof(References.CrossEntropyCases), MemberType = typeof(References))]
    public void Equals_PyTorch(CrossEntropyCase expected)
    {
        SoftmaxCrossEntropyLoss loss = new()
        {
            ClassWeights = expected.ClassWeights ?? [],
            IgnoreLabel = expected.IgnoreLabel,
            LabelSmoothing = expected.LabelSmoothing,
            Reduction = expected.Reduction == "mean" ? LossReduction.Mean : LossReduction.Sum,
        };
        double[] gradient = new double[expected.Logits.Length], rowLosses = new double[expected.Rows];
        LossResult result = expected.Probabilities is null
            ? loss.Evaluate<double>(expected.Logits, expected.Labels, gradient, rowLosses)
            : loss.Evaluate<double>(expected.Logits, expected.Probabilities, expected.Classes, gradient, rowLosses);

        double[] losses = expected.Reduction == "none" ? rowLosses : [result.Loss];
        ShouldBeNear(losses, expected.Loss);
        ShouldBeNear(gradient, expected.Gradient);
        result.RowCount.Should().Be(expected.Rows);
    }

    private static void ShouldBeNear(double[] actual, double[] expected)
    {
        actual.Should().HaveSameCount(expected);
        for (int i = 0; i < expected.Length; i++)
        {
            // PyTorch rounds 1 - p to 0 where a row is confident; there its values are compared to within the rounding of 1.
            actual[i].Should().BeApproximately(expected[i], Tolerance * Math.Max(1, Math.Abs(expected[i])), "value {0}", i);
        }
    }
}
