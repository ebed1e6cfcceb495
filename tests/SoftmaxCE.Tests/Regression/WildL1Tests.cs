namespace SoftmaxCE.Tests;

/// <summary>Tiny problems with columns of wildly different scale and origin, constant, duplicate, nearly collinear and mostly zero ones, and an L1 penalty.</summary>
public class WildL1Tests
{
    /// <summary>The seeds of a search whose fits once ended uncertified, or with the certificate of another point.</summary>
    [Theory]
    [InlineData(30), InlineData(153), InlineData(155), InlineData(163), InlineData(259), InlineData(281), InlineData(375), InlineData(486), InlineData(593)]
    public void Fits_reach_the_tolerance_and_certify_it(int seed)
    {
        (double[] features, int[] labels, float[] weights, SoftmaxRegressionOptions options) = Problem(seed);
        DenseRows<double> rows = new(features, features.Length / labels.Length);
        TrainingSummary fit = new SoftmaxRegressionTrainer(options).Fit(rows, labels, weights).Training!;
        fit.StopReason.Should().Be(StopReason.Tolerance);
        fit.Gap.Should().BeLessThanOrEqualTo(options.Tolerance * fit.Objective);
    }

    private static (double[] Features, int[] Labels, float[] Weights, SoftmaxRegressionOptions Options) Problem(int seed)
    {
        Random random = new(seed);
        int classes = random.Next(2, 6), rowCount = random.Next(classes, 31), columns = random.Next(1, 21);
        int[] labels = new int[rowCount];
        for (int i = 0; i < rowCount; i++) labels[i] = i < classes ? i : random.Next(classes);
        double[] features = new double[rowCount * columns];
        for (int j = 0; j < columns; j++)
        {
            int kind = random.Next(8), other = 0;
            double scale = Math.Pow(10, random.Next(-6, 7));
            if (j > 0) other = random.Next(j);
            for (int i = 0; i < rowCount; i++)
            {
                double copied = features[(i * columns) + other];
                features[(i * columns) + j] = kind switch
                {
                    0 or 6 or 7 => random.NextDouble() * scale,
                    1 => 1e8 + random.NextDouble(),
                    2 => (1e3 * scale) + (random.NextDouble() * scale),
                    3 => scale,
                    4 when j > 0 => copied,
                    5 when j > 0 => (copied * 3) + (1e-3 * scale * random.NextDouble()),
                    _ => random.Next(3) == 0 ? scale * random.NextDouble() : 0,
                };
            }
        }

        SoftmaxRegressionOptions options = new() { FitIntercepts = random.Next(3) > 0, L1 = Math.Pow(10, -random.Next(1, 6)), MaxDegreeOfParallelism = 1 };
        options = options with { L2 = random.Next(2) == 0 ? 0 : Math.Pow(10, -random.Next(1, 8)) };
        if (random.Next(4) == 0)
        {
            double[] factors = new double[columns];
            for (int j = 0; j < columns; j++) factors[j] = random.Next(5) == 0 ? 0 : 0.1 + (random.NextDouble() * 2);
            options = options with { PenaltyFactors = factors };
        }

        float[] weights = [];
        if (random.Next(4) == 0)
        {
            weights = new float[rowCount];
            for (int i = 0; i < rowCount; i++) weights[i] = (float)(random.NextDouble() + .01);
        }

        return (features, labels, weights, options);
    }
}
