namespace SoftmaxCE.Tests;

public class SoftmaxRegressionModelEvaluateTests
{
    private static readonly DataSet Digits = DataSets.Load("digits");
    private static readonly DenseRows<double> Rows = new(Digits.Features, Digits.Columns);
    private static readonly SoftmaxRegressionModel Model = RandomModel();

    [Fact]
    public void Gives_the_scores_of_the_predicted_probabilities()
    {
        ClassificationMetrics expected = new(10);
        double[] probabilities = new double[10];
        float[] weights = [.. Digits.Labels.Select((_, row) => (float)(row % 3))];
        for (int row = 0; row < Digits.Rows; row++)
        {
            Model.PredictProbabilities(Digits.Features.AsSpan(row * 64, 64), probabilities);
            expected.Add<double>(Digits.Labels[row], probabilities, weights[row]);
        }

        ClassificationMetrics actual = Model.Evaluate(Rows, Digits.Labels, weights);
        actual.RowCount.Should().Be(Digits.Rows);
        actual.LogLoss.ShouldBeCloseTo(expected.LogLoss, 1e-12);
        actual.Confusion.ToString().Should().Be(expected.Confusion.ToString());
        actual.BrierScore.ShouldBeCloseTo(expected.BrierScore, 1e-12);
    }

    [Fact]
    public void Names_the_classes_of_the_model()
    {
        SoftmaxRegressionModel named = new([1, -1], [0, 0], ["low", "high"]);
        named.Evaluate(new DenseRows<float>(new float[] { -1, 2 }, 1), [1, 0]).Confusion.PerClass().Select(scores => scores.Name).Should().Equal("low", "high");
    }

    [Fact]
    public void Labels_by_name_are_numbered_as_the_model_does()
    {
        SoftmaxRegressionModel named = new([1, -1, 0], [0, 0, 0], ["low", "high", "mid"]);
        named.EncodeLabels(["mid", "low", "low", "high"]).Should().Equal(2, 0, 0, 1);
        named.EncodeLabels([]).Should().BeEmpty();
        Action unknown = () => named.EncodeLabels(["mid", "Low"]);
        unknown.Should().Throw<ArgumentException>().WithParameterName("names").WithMessage("Row 1 is named \"Low\"*\"low\", \"high\", \"mid\"*");
    }

    [Fact]
    public void Misuse_is_named()
    {
        Refuses<ArgumentException>(() => Model.Evaluate(new DenseRows<float>(new float[3], 3), [0]), "rows");
        Refuses<ArgumentException>(() => Model.Evaluate(Rows, [0]), "labels");
        Refuses<ArgumentOutOfRangeException>(() => Model.Evaluate(new DenseRows<float>(new float[64], 64), [10]), "labels");
        Refuses<ArgumentOutOfRangeException>(() => Model.Evaluate(new DenseRows<float>(new float[64], 64), [1], [-1]), "sampleWeights");
    }

    private static SoftmaxRegressionModel RandomModel()
    {
        Random random = new(4);
        return new SoftmaxRegressionModel([.. Enumerable.Range(0, 640).Select(_ => (random.NextDouble() - 0.5) / 8)], [.. Enumerable.Range(0, 10).Select(_ => random.NextDouble())]);
    }

    private static void Refuses<TException>(Action action, string parameter)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter);
}
