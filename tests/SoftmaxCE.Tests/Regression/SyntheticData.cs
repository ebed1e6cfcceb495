namespace SoftmaxCE.Tests;

/// <summary>Rows drawn from a softmax model with known seed, so that classes overlap.</summary>
internal static class SyntheticData
{
    public static ReferenceData Overlapping(int rows, int features, int classes, int seed, double strength = 1)
    {
        RandomStream random = new(seed);
        double[] x = new double[rows * features], w = new double[classes * features];
        for (int i = 0; i < x.Length; i++) x[i] = Normal(ref random);
        for (int i = 0; i < w.Length; i++) w[i] = strength * Normal(ref random);
        int[] labels = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            double best = double.NegativeInfinity;
            for (int c = 0; c < classes; c++)
            {
                double z = -Math.Log(-Math.Log(random.Uniform()));       // the largest of logits + Gumbel noise is a draw from softmax
                for (int j = 0; j < features; j++) z += w[(c * features) + j] * x[(i * features) + j] / Math.Sqrt(features);
                if (z <= best) continue;
                best = z;
                labels[i] = c;
            }
        }

        for (int c = 0; c < classes; c++) labels[c] = c;                 // no class is missing
        return new ReferenceData(x, labels, features);
    }

    public static double Normal(ref RandomStream random) =>
        Math.Sqrt(-2 * Math.Log(random.Uniform())) * Math.Cos(2 * Math.PI * random.Uniform());

    /// <summary>The objective in plain loops.</summary>
    public static double Objective(ReferenceData data, ReadOnlySpan<double> coefficients, ReadOnlySpan<double> intercepts, double l2, double l1 = 0, double[]? weights = null)
    {
        int classes = intercepts.Length, features = data.FeatureCount;
        double loss = 0, weightSum = 0;
        double[] z = new double[classes];
        for (int i = 0; i < data.Labels.Length; i++)
        {
            for (int c = 0; c < classes; c++)
            {
                z[c] = intercepts[c];
                for (int j = 0; j < features; j++) z[c] += coefficients[(c * features) + j] * data.Features[(i * features) + j];
            }

            double max = z.Max(), weight = weights?[i] ?? 1;
            loss += weight * (Math.Log(z.Sum(v => Math.Exp(v - max))) + max - z[data.Labels[i]]);
            weightSum += weight;
        }

        double squares = 0, sizes = 0;
        foreach (double w in coefficients)
        {
            squares += w * w;
            sizes += Math.Abs(w);
        }

        return (loss / weightSum) + (l2 / 2 * squares) + (l1 * sizes);
    }
}
