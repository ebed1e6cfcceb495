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
}
