using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Losses and gradients of rows of every kind and length, under weights of every size, against double arithmetic.</summary>
public class SoftmaxCrossEntropyRandomRowTests
{
    [Fact]
    public void Labels_stay_within_the_bound() => Gen.Select(RandomRow.Gen, Gen.Double[-25, 0]).Sample((row, exponent) =>
    {
        float weight = (float)Math.Pow(10, exponent);
        float[] gradient = new float[row.Logits.Length], losses = new float[1];
        SoftmaxCrossEntropyLoss loss = new() { Temperature = row.Temperature, Reduction = LossReduction.Sum };
        loss.Evaluate<float>(row.Logits, [row.Label], gradient, losses, [weight]);

        double others = row.Probabilities.Where((_, c) => c != row.Label).Sum(), scale = weight / row.Temperature;
        double[] expected = Array.ConvertAll(row.Probabilities, p => p * scale);
        expected[row.Label] = -others * scale;
        double worst = gradient.Zip(expected, (g, e) => RandomRow.UlpDistance(g, e)).Max();
        return Math.Max(worst, RandomRow.UlpDistance(losses[0], weight * (row.LogSum - row.Distances[row.Label]))) <= CrossEntropyKernel<float>.MaxUlpError;
    });

    /// <summary>p (1 + ...) − share cancels, so the measure is what is subtracted from what.</summary>
    [Fact]
    public void Smoothed_labels_are_right_to_what_cancels() => RandomRow.Gen.Where(row => row.Logits.All(float.IsFinite)).Sample(row =>
    {
        const double Smoothing = 0.1;
        float[] gradient = new float[row.Logits.Length];
        SoftmaxCrossEntropyLoss loss = new() { Temperature = row.Temperature, LabelSmoothing = Smoothing, Reduction = LossReduction.Sum };
        double value = loss.Evaluate<float>(row.Logits, [row.Label], gradient).Loss, logSum = row.LogSum, expected = 0, worst = 0;
        for (int c = 0; c < gradient.Length; c++)
        {
            double p = row.Probabilities[c], share = (Smoothing / gradient.Length) + (c == row.Label ? 1 - Smoothing : 0);
            expected += share * (logSum - row.Distances[c]);
            worst = Math.Max(worst, Math.Abs((gradient[c] * row.Temperature) - (p - share)) / (p + share));
        }

        return worst < 3e-7 && Math.Abs(value - expected) <= 3e-7 * expected;
    });
}
