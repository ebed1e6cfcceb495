namespace SoftmaxCE.Tests;

public class SoftmaxRegressionModelTests
{
    private static readonly double[] Coefficients = [1, -2, 0.5, 0, 3, -1, -1, 0.25, 2], Intercepts = [0.1, -0.2, 0];
    private static readonly SoftmaxRegressionModel Model = new(Coefficients, Intercepts, ["a", "b", "c"]);
    private static readonly double[] Row = [0.5, 1.5, -1];

    [Fact]
    public void Logits_and_probabilities_follow_the_formula_in_every_type()
    {
        double[] z = [.. Enumerable.Range(0, 3).Select(c => Intercepts[c] + Row.Select((x, j) => x * Coefficients[(c * 3) + j]).Sum())];
        double[] logits = new double[3], p = new double[3];
        Model.PredictLogits<double>(Row, logits);
        Model.PredictProbabilities<double>(Row, p);
        for (int c = 0; c < 3; c++)
        {
            logits[c].Should().BeApproximately(z[c], 1e-15);
            p[c].Should().BeApproximately(Math.Exp(z[c]) / z.Sum(Math.Exp), 1e-15);
        }

        Model.Predict<double>(Row).Should().Be(Array.IndexOf(z, z.Max()));
        float[] single = new float[3];
        Model.PredictProbabilities<float>(Row.Select(v => (float)v).ToArray(), single);
        for (int c = 0; c < 3; c++) single[c].Should().Be((float)p[c]);
        Half[] half = new Half[3];
        Model.PredictProbabilities<Half>(Row.Select(v => (Half)v).ToArray(), half);
        for (int c = 0; c < 3; c++) half[c].Should().Be((Half)p[c]);
    }

    [Fact]
    public void Rows_are_predicted_as_single_rows_are()
    {
        ReferenceData data = SyntheticData.Overlapping(75, 3, 3, seed: 3);
        int[] labels = new int[75];
        float[] probabilities = new float[225], one = new float[3];
        double[] features = [.. data.Features.Select(v => (double)(float)v)];
        FeatureRows[] kinds = [new DenseRows<double>(features, 3), new DenseRows<float>(features.Select(v => (float)v).ToArray(), 3), (data with { Features = features }).ToSparse()];
        foreach (FeatureRows rows in kinds)
        {
            Model.PredictRows(rows, labels);
            Model.PredictProbabilityRows(rows, probabilities);
            for (int i = 0; i < 75; i++)
            {
                labels[i].Should().Be(Model.Predict<double>(features.AsSpan(i * 3, 3)));
                Model.PredictProbabilities<float>(features.AsSpan(i * 3, 3).ToArray().Select(v => (float)v).ToArray(), one);
                probabilities[(i * 3)..((i + 1) * 3)].Should().Equal(one);
            }
        }
    }

    [Fact]
    public void Predicting_allocates_nothing()
    {
        double[] p = new double[3];
        float[] row = [1, 2, 3];
        DenseRows<double> rows = new(Row, 3);
        int[] label = new int[1];
        for (int i = 0; i < 50; i++) Predict();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Predict();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void Predict()
        {
            Model.PredictProbabilities<double>(Row, p);
            Model.PredictLogits<double>(Row, p);
            Model.Predict<float>(row);
            Model.PredictRows(rows, label);
        }
    }

    [Fact]
    public void Threads_share_a_model()
    {
        double[] expected = new double[3];
        Model.PredictProbabilities<double>(Row, expected);
        Parallel.For(0, 1000, _ =>
        {
            double[] p = new double[3];
            Model.PredictProbabilities<double>(Row, p);
            if (!p.AsSpan().SequenceEqual(expected)) throw new InvalidOperationException("A prediction was disturbed by another thread.");
        });
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Model.Invoking(m => m.Predict<double>(new double[2])).Should().Throw<ArgumentException>().WithMessage("*3*2*").WithParameterName("features");
        Model.Invoking(m => m.PredictLogits<double>(Row, new double[2])).Should().Throw<ArgumentException>().WithParameterName("destination");
        Model.Invoking(m => m.PredictRows(new DenseRows<double>(new double[4], 2), new int[2])).Should().Throw<ArgumentException>().WithMessage("*2 features*3*").WithParameterName("rows");
        Model.Invoking(m => m.PredictRows(new DenseRows<double>(new double[6], 3), new int[1])).Should().Throw<ArgumentException>().WithParameterName("labels");
        Model.Invoking(m => m.PredictProbabilityRows(new DenseRows<double>(new double[6], 3), new float[5])).Should().Throw<ArgumentException>().WithParameterName("destination");
        FluentActions.Invoking(() => new SoftmaxRegressionModel(new double[5], new double[2])).Should().Throw<ArgumentException>().WithParameterName("coefficients");
        FluentActions.Invoking(() => new SoftmaxRegressionModel(new double[4], new double[1])).Should().Throw<ArgumentException>().WithMessage("*2 classes*").WithParameterName("intercepts");
        FluentActions.Invoking(() => new SoftmaxRegressionModel([1, double.NaN], new double[2])).Should().Throw<ArgumentException>().WithMessage("*1*NaN*").WithParameterName("coefficients");
        FluentActions.Invoking(() => new SoftmaxRegressionModel(new double[4], new double[2], ["x"])).Should().Throw<ArgumentException>().WithParameterName("classNames");
    }
}
