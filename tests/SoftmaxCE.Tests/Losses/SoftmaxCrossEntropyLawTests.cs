using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Laws of the mathematics, on random rows.</summary>
public class SoftmaxCrossEntropyLawTests
{
    private static readonly SoftmaxCrossEntropyLoss Loss = new();

    private static readonly Gen<double> Logit = Gen.Double[-30, 30];

    /// <summary>A row of logits and its label.</summary>
    private static readonly Gen<(double[] Logits, int Label)> LabelledRow =
        from logits in Logit.Array[2, 200]
        from label in Gen.Int[0, logits.Length - 1]
        select (logits, label);

    [Fact]
    public void The_gradient_sums_to_0() => LabelledRow.Sample(row =>
    {
        double[] gradient = new double[row.Logits.Length];
        foreach (SoftmaxCrossEntropyLoss loss in new[] { Loss, Loss with { LabelSmoothing = 0.3 }, Loss with { FocalGamma = 2, Temperature = 3 } })
        {
            loss.Evaluate<double>(row.Logits, [row.Label], gradient);
            Math.Abs(gradient.Sum()).Should().BeLessThan(1e-15 * row.Logits.Length);
        }
    });

    [Fact]
    public void A_shift_of_all_logits_changes_nothing() =>
        (from row in Gen.Int[-400, 400].Array[2, 100] from label in Gen.Int[0, row.Length - 1] from shift in Gen.Int[-1_000_000, 1_000_000] select (row, label, shift))
        .Sample(t =>
        {
            // Multiples of 1/16 stay exact in float under these shifts, so both results are within the bound of the same value.
            float[] logits = Array.ConvertAll(t.row, v => v / 16f), shifted = Array.ConvertAll(logits, v => v + t.shift);
            float[] gradient = new float[logits.Length], shiftedGradient = new float[logits.Length];
            double loss = Loss.Evaluate<float>(logits, [t.label], gradient).Loss;
            const double Bound = 4 / (double)(1 << 23);
            Loss.Evaluate<float>(shifted, [t.label], shiftedGradient).Loss.Should().BeApproximately(loss, Bound * loss);
            for (int i = 0; i < gradient.Length; i++)
                shiftedGradient[i].Should().BeInRange(gradient[i] - (float)(Bound * Math.Abs(gradient[i])), gradient[i] + (float)(Bound * Math.Abs(gradient[i])));
        });

    [Fact]
    public void Huge_offsets_are_taken_off_first()
    {
        // 1e8 and its neighbour: without the shift both exponentials are infinite, with a wrong one both vanish.
        float[] gradient = new float[3];
        double loss = Loss.Evaluate<float>([1e8f, 1e8f + 8, 1e8f - 8], [1], gradient).Loss;
        loss.Should().BeApproximately(Math.Log(1 + Math.Exp(-8) + Math.Exp(-16)), 1e-10);
        gradient[0].Should().BeApproximately((float)(Math.Exp(-8) / (1 + Math.Exp(-8) + Math.Exp(-16))), 1e-10f);
    }

    [Fact]
    public void Two_classes_are_the_logistic_loss() => Gen.Select(Logit, Logit, Gen.Int[0, 1]).Sample((z0, z1, label) =>
    {
        double[] gradient = new double[2], binary = new double[1];
        double loss = Loss.Evaluate<double>([z0, z1], [label], gradient).Loss;
        new BinaryCrossEntropyLoss().Evaluate<double>([z1 - z0], [label], binary).Loss.Should().BeApproximately(loss, 1e-14 * Math.Max(1, loss));
        binary[0].Should().BeApproximately(gradient[1], 1e-14);
        gradient[0].Should().BeApproximately(-gradient[1], 1e-15);
    });

    [Fact]
    public void The_loss_is_convex_along_a_line() => Gen.Select(LabelledRow, Logit.Array[200], Gen.Double[0, 1]).Sample((row, other, t) =>
    {
        double[] end = other[..row.Logits.Length], between = [.. row.Logits.Zip(end, (a, b) => a + (t * (b - a)))];
        double from = Value(row.Logits), to = Value(end);
        Value(between).Should().BeLessThanOrEqualTo(from + (t * (to - from)) + 1e-12);
        double Value(double[] logits) => Loss.Evaluate<double>(logits, [row.Label]).Loss;
    });

    [Fact]
    public void A_one_hot_target_is_a_label() => LabelledRow.Sample(row =>
    {
        double[] target = new double[row.Logits.Length], gradient = new double[target.Length], expected = new double[target.Length];
        target[row.Label] = 1;
        SoftmaxCrossEntropyLoss loss = Loss with { LabelSmoothing = 0.25, ZLoss = 0.001 };
        double value = loss.Evaluate<double>(row.Logits, [row.Label], expected).Loss;
        loss.Evaluate<double>(row.Logits, target, target.Length, gradient).Loss.Should().BeApproximately(value, 1e-14 * Math.Max(1, value));
        gradient.ShouldBeNear(expected, 1e-14, "gradient");
    });

    /// <summary>∂J/∂A · ∂A/∂Z with ∂J/∂a_y = −1/a_y, through the Jacobian of softmax, is a − y.</summary>
    [Fact]
    public void The_chain_rule_through_the_probabilities_gives_the_gradient() => LabelledRow.Where(r => r.Logits.Length < 40).Sample(row =>
    {
        int count = row.Logits.Length;
        double[] a = new double[count], jacobian = new double[count * count], gradient = new double[count], expected = new double[count];
        SoftmaxFunctions.Softmax<double>(row.Logits, a);
        SoftmaxFunctions.SoftmaxJacobian<double>(a, jacobian);
        Loss.Evaluate<double>(row.Logits, [row.Label], gradient);
        for (int j = 0; j < count; j++) expected[j] = -1 / a[row.Label] * jacobian[(row.Label * count) + j];
        expected.ShouldBeNear(gradient, 1e-14, "chain");
        for (int j = 0; j < count; j++) gradient[j].Should().BeApproximately(a[j] - (j == row.Label ? 1 : 0), 1e-14);
    });

    /// <summary>… · ∂Z/∂W: the residuals of the logits times the features are the gradient of the coefficients.</summary>
    [Fact]
    public void The_chain_rule_through_the_logits_gives_the_gradient_of_the_coefficients() =>
        Gen.Select(Gen.Double[-2, 2].Array[6], Gen.Double[-2, 2].Array[24], Gen.Int[0, 3]).Sample((x, w, label) =>
        {
            double[] logits = new double[4], residuals = new double[4], gradientW = new double[24], gradientX = new double[6];
            for (int c = 0; c < 4; c++) logits[c] = Enumerable.Range(0, 6).Sum(k => w[(c * 6) + k] * x[k]);
            Loss.Evaluate<double>(logits, [label], residuals);
            new LinearCrossEntropyLoss().Evaluate<double>(x, w, [], [label], gradientX, gradientW);
            for (int i = 0; i < 24; i++) gradientW[i].Should().BeApproximately(residuals[i / 6] * x[i % 6], 1e-14);
            for (int k = 0; k < 6; k++) gradientX[k].Should().BeApproximately(Enumerable.Range(0, 4).Sum(c => residuals[c] * w[(c * 6) + k]), 1e-14);
        });

    [Fact]
    public void A_permutation_of_the_classes_permutes_the_gradient() => Gen.Select(LabelledRow, Gen.Int).Sample((row, seed) =>
    {
        int[] order = [.. Enumerable.Range(0, row.Logits.Length)];
        new Random(seed).Shuffle(order);
        double[] permuted = Array.ConvertAll(order, i => row.Logits[i]), gradient = new double[order.Length], permutedGradient = new double[order.Length];
        double loss = Loss.Evaluate<double>(row.Logits, [row.Label], gradient).Loss;
        Loss.Evaluate<double>(permuted, [Array.IndexOf(order, row.Label)], permutedGradient).Loss.Should().BeApproximately(loss, 1e-14 * Math.Max(1, loss));
        permutedGradient.ShouldBeNear(Array.ConvertAll(order, i => gradient[i]), 1e-15, "gradient");
    });
}
