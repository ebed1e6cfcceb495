namespace SoftmaxCE.Tests;

/// <summary>Comparisons that the loss tests share.</summary>
internal static class LossValues
{
    /// <summary>Every value within <paramref name="tolerance"/> · max(1, |expected|) of the expected one; NaN and infinities equal.</summary>
    public static void ShouldBeNear(this double[] actual, double[] expected, double tolerance, string what)
    {
        actual.Should().HaveSameCount(expected, what);
        for (int i = 0; i < expected.Length; i++)
        {
            if (double.IsFinite(expected[i])) actual[i].Should().BeApproximately(expected[i], tolerance * Math.Max(1, Math.Abs(expected[i])), "{0} {1}", what, i);
            else actual[i].Should().Be(expected[i], "{0} {1}", what, i);
        }
    }

    public static LossReduction ReductionOf(string name) => name == "mean" ? LossReduction.Mean : LossReduction.Sum;

    /// <summary>Values from a normal distribution with this deviation, the same for the same seed.</summary>
    public static double[] Normal(int count, double deviation, int seed)
    {
        Random random = new(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = deviation * radius * Math.Cos(2 * Math.PI * random.NextDouble());
        }

        return values;
    }

    /// <summary>Values in [−10, 10) that are the same on every platform to the last bit.</summary>
    public static float[] Uniform(int count, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (random.NextSingle() * 20) - 10;
        return values;
    }

    public static int[] Labels(int count, int classCount, int seed)
    {
        Random random = new(seed);
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) labels[i] = random.Next(classCount);
        return labels;
    }

    /// <summary>Rows of positive numbers that sum to about 1.</summary>
    public static double[] Distributions(int rows, int classCount, int seed)
    {
        Random random = new(seed);
        double[] values = new double[rows * classCount];
        for (int row = 0; row < rows; row++)
        {
            double sum = 0;
            for (int c = 0; c < classCount; c++) sum += values[(row * classCount) + c] = -Math.Log(1 - random.NextDouble());
            for (int c = 0; c < classCount; c++) values[(row * classCount) + c] /= sum;
        }

        return values;
    }

    public static float[] ToFloats(this double[] values) => Array.ConvertAll(values, v => (float)v);
}
