namespace SoftmaxCE.Tests;

/// <summary>The full product of the options against the documented formula in wide arithmetic, values and gradients.</summary>
public class SoftmaxCrossEntropyOptionsTests
{
    private const int Rows = 5, Classes = 4, Ignored = 2;
    private const double Tolerance = 1e-13;

    private static readonly double[] Logits = LossValues.Normal(Rows * Classes, 3, seed: 11);
    private static readonly double[] Targets = LossValues.Distributions(Rows, Classes, seed: 12);
    private static readonly double[] Weights = [0.5, 2, 0, 1.25];
    private static readonly double[] SampleWeights = [1, 0.25, 3, 0, 2];
    private static readonly int[] Labels = [0, 3, Ignored, 1, 0];

    public static IEnumerable<object[]> Formulas =>
        from targets in new[] { false, true }
        from weighted in new[] { false, true }
        from smoothing in new[] { 0, 0.1, 1 }
        from temperature in new[] { 1, 0.75, 3 }
        from zLoss in new[] { 0, 0.01 }
        from gamma in new[] { 0, 0.5, 2 }
        select new object[] { targets, weighted, smoothing, temperature, zLoss, gamma };

    [Theory, MemberData(nameof(Formulas))]
    public void Every_combination_follows_the_formula(bool targets, bool weighted, double smoothing, double temperature, double zLoss, double gamma)
    {
        WideLoss formula = new(temperature, zLoss, gamma);
        double[] classWeights = weighted ? Weights : [1, 1, 1, 1];
        double[][] target = new double[Rows][];
        Wide[] losses = new Wide[Rows];
        Wide[][] gradients = new Wide[Rows][];
        for (int row = 0; row < Rows; row++)
        {
            int label = Labels[row];
            double own = 1 - smoothing, share = smoothing / Classes;
            target[row] = [.. Enumerable.Range(0, Classes).Select(c => targets
                ? classWeights[c] * ((own * Targets[(row * Classes) + c]) + share)
                : classWeights[c] * ((c == label ? own : 0) + share))];
            Wide[] logits = WideReference.Values<double>(Logits.AsSpan(row * Classes, Classes));
            double weight = targets ? 1 : classWeights[label];
            losses[row] = formula.Of(logits, target[row], weight);
            gradients[row] = formula.GradientOf(logits, target[row], weight);
        }

        foreach (bool ignoring in targets ? [false] : new[] { false, true })
            foreach (bool sampled in new[] { false, true })
                foreach (LossReduction reduction in new[] { LossReduction.Mean, LossReduction.Sum })
                {
                    SoftmaxCrossEntropyLoss loss = new()
                    {
                        ClassWeights = weighted ? Weights : [],
                        IgnoreLabel = ignoring ? Ignored : null,
                        LabelSmoothing = smoothing,
                        Temperature = temperature,
                        ZLoss = zLoss,
                        FocalGamma = gamma,
                        Reduction = reduction,
                    };
                    double[] sampleWeights = sampled ? SampleWeights : [];
                    double[] rowWeights = [.. Enumerable.Range(0, Rows).Select(row => ignoring && Labels[row] == Ignored ? 0 : sampled ? SampleWeights[row] : 1)];
                    double weightSum = Enumerable.Range(0, Rows).Sum(row => rowWeights[row] * (targets ? 1 : classWeights[Labels[row]]));
                    double scale = reduction == LossReduction.Mean ? 1 / weightSum : 1;
                    double[] gradient = new double[Logits.Length], rowLosses = new double[Rows];
                    LossResult result = targets
                        ? loss.Evaluate<double>(Logits, Targets, Classes, gradient, rowLosses, sampleWeights)
                        : loss.Evaluate<double>(Logits, Labels, gradient, rowLosses, sampleWeights);

                    rowLosses.ShouldBeNear([.. losses.Select((v, row) => rowWeights[row] * (double)v)], Tolerance, "row loss");
                    double sum = losses.Select((v, row) => rowWeights[row] * (double)v).Sum();
                    result.Loss.Should().BeApproximately(sum * scale, Tolerance * Math.Max(1, sum));
                    gradient.ShouldBeNear([.. gradients.SelectMany((row, i) => row.Select(v => scale * rowWeights[i] * (double)v))], Tolerance, "gradient");
                    result.WeightSum.Should().BeApproximately(weightSum, Tolerance);
                    result.IgnoredCount.Should().Be(ignoring ? 1 : 0);

                    // The loss alone, without anything else asked for, has the same bits.
                    LossResult alone = targets
                        ? loss.Evaluate<double>(Logits, Targets, Classes, sampleWeights: sampleWeights)
                        : loss.Evaluate<double>(Logits, Labels, sampleWeights: sampleWeights);
                    alone.Should().Be(result);
                }
    }
}
