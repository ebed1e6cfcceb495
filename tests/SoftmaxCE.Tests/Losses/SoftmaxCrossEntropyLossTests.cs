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
            Reduction = LossValues.ReductionOf(expected.Reduction),
        };
        double[] gradient = new double[expected.Logits.Length], rowLosses = new double[expected.Rows];
        LossResult result = expected.Probabilities is null
            ? loss.Evaluate<double>(expected.Logits, expected.Labels, gradient, rowLosses)
            : loss.Evaluate<double>(expected.Logits, expected.Probabilities, expected.Classes, gradient, rowLosses);

        double[] losses = expected.Reduction == "none" ? rowLosses : [result.Loss];
        losses.ShouldBeNear(expected.Loss, Tolerance, "loss");
        gradient.ShouldBeNear(expected.Gradient, Tolerance, "gradient");
        result.RowCount.Should().Be(expected.Rows);
    }
}
