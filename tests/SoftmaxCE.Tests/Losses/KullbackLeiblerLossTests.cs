namespace SoftmaxCE.Tests;

public class KullbackLeiblerLossTests
{
    private const double Tolerance = 1e-12;

    [Theory, MemberData(nameof(References.KullbackLeiblerCases), MemberType = typeof(References))]
    public void Equals_PyTorch(KullbackLeiblerCase expected)
    {
        bool elements = expected.Reduction == "none";
        KullbackLeiblerLoss loss = new()
        {
            Reduction = expected.Reduction switch
            {
                "mean" => KullbackLeiblerReduction.MeanOverElements,
                "batchmean" => KullbackLeiblerReduction.MeanOverRows,
                _ => KullbackLeiblerReduction.Sum,
            },
        };
        int classes = elements ? 1 : expected.Classes;
        double[] gradient = new double[expected.P.Length], losses = new double[expected.P.Length / classes];
        LossResult result = loss.Evaluate<double>(expected.P, expected.LogQ, classes, gradient, losses);
        (elements ? losses : [result.Loss]).ShouldBeNear(expected.Loss, Tolerance, "loss");
        gradient.ShouldBeNear(expected.Gradient, Tolerance, "gradient");
    }

    /// <summary>Three ways to say the same: the value agrees, and the chain rule leads from one gradient to the next.</summary>
    [Fact]
    public void Probabilities_logits_and_log_probabilities_agree()
    {
        const int Rows = 9, Classes = 21;
        double[] logitsP = LossValues.Normal(Rows * Classes, 2, 1), logitsQ = LossValues.Normal(Rows * Classes, 2, 2);
        double[] p = new double[logitsP.Length], q = new double[logitsQ.Length], logQ = new double[logitsQ.Length];
        SoftmaxFunctions.SoftmaxRows<double>(logitsP, Classes, p);
        SoftmaxFunctions.SoftmaxRows<double>(logitsQ, Classes, q);
        SoftmaxFunctions.LogSoftmaxRows<double>(logitsQ, Classes, logQ);
        KullbackLeiblerLoss loss = new();
        double[] forLogits = new double[q.Length], forProbabilities = new double[q.Length], forLogs = new double[q.Length];
        double[] rows = new double[Rows];
        LossResult ofLogits = loss.EvaluateLogits<double>(logitsP, logitsQ, Classes, forLogits, rows);
        LossResult ofProbabilities = loss.EvaluateProbabilities<double>(p, q, Classes, forProbabilities);
        LossResult ofLogs = loss.Evaluate<double>(p, logQ, Classes, forLogs);

        ofProbabilities.Loss.Should().BeApproximately(ofLogits.Loss, 1e-14);
        ofLogs.Loss.Should().BeApproximately(ofLogits.Loss, 1e-14);
        ofLogs.CorrectCount.Should().Be(ofLogits.CorrectCount).And.Be(ofProbabilities.CorrectCount);
        double[] back = new double[Classes];
        for (int row = 0; row < Rows; row++)
        {
            Span<double> rowQ = q.AsSpan(row * Classes, Classes);
            rows[row].Should().BeApproximately(InformationMeasures.KullbackLeibler<double>(p.AsSpan(row * Classes, Classes), rowQ), 1e-14);
            SoftmaxFunctions.SoftmaxBackward<double>(rowQ, forProbabilities.AsSpan(row * Classes, Classes), back);
            back.ShouldBeNear(forLogits[(row * Classes)..((row + 1) * Classes)], 1e-15, "through the softmax");
            for (int c = 0; c < Classes; c++) forLogs[(row * Classes) + c].Should().BeApproximately(forProbabilities[(row * Classes) + c] * rowQ[c], 1e-15);
        }
    }

    [Fact]
    public void Digits_survive_where_the_distributions_are_close()
    {
        float[] logitsP = [0.3f, -1.2f, 2f, 0.7f], logitsQ = [0.3f, -1.2f + 1e-6f, 2f, 0.7f - 2e-6f];
        float[] rows = new float[1];
        new KullbackLeiblerLoss().EvaluateLogits<float>(logitsP, logitsQ, 4, rowLosses: rows);
        Wide exact = WideReference.KullbackLeiblerFromLogits<float>(logitsP, logitsQ);
        rows[0].Should().BePositive();
        Ulp.Distance(rows[0], exact).Should().BeLessThanOrEqualTo(1);
    }

    [Fact]
    public void Zeros_follow_the_convention()
    {
        double[] p = [0, 0.5, 0.5], q = [0, 1, 0], gradient = new double[3];
        KullbackLeiblerLoss loss = new();
        loss.EvaluateProbabilities<double>(p, q, 3, gradient).Loss.Should().Be(double.PositiveInfinity);
        gradient.Should().Equal(0, -0.5, double.NegativeInfinity);
        loss.EvaluateProbabilities<double>([0, 1], [0.5, 0.5], 2).Loss.Should().BeApproximately(Math.Log(2), 1e-16);
        loss.Evaluate<double>([0, 1], [double.NegativeInfinity, 0], 2).Loss.Should().Be(0);
    }

    [Fact]
    public void A_negative_probability_is_refused_before_anything_is_written()
    {
        double[] gradient = [7, 7, 7, 7];
        Action act = () => new KullbackLeiblerLoss().Evaluate<double>([0.5, 0.5, 0.5, -0.5], [0, 0, 0, 0], 2, gradient);
        act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("p").WithMessage("Value 3 is negative*");
        gradient.Should().OnlyContain(v => v == 7);
    }
}
