using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Rows of every kind and length against double arithmetic.</summary>
public class SoftmaxRandomRowTests
{
    [Fact]
    public void Softmax_stays_within_its_bound() => RandomRow.Gen.Sample(row => WorstOfSoftmax(row) <= SoftmaxKernel.MaxUlpError);

    /// <summary>Many large exponentials first, then many small ones, of which a sum in float loses what does not show one at a time.</summary>
    [Theory]
    [InlineData(266875)]
    [InlineData(253560)]
    [InlineData(25958)]
    [InlineData(25466)]
    [InlineData(109612)]
    [InlineData(118423)]
    public void Small_exponentials_behind_large_ones_are_not_lost(int seed) => WorstOfSoftmax(RandomRow.Of(seed)).Should().BeLessThan(1.9);

    [Fact]
    public void Log_softmax_and_log_sum_exp_stay_within_theirs() => RandomRow.Gen.Where(row => row.Temperature == 1).Sample(row =>
    {
        float[] logs = new float[row.Logits.Length];
        SoftmaxFunctions.LogSoftmax<float>(row.Logits, logs);
        double logSum = row.LogSum;
        if (Worst(logs, Array.ConvertAll(row.Distances, d => d - logSum)) > SoftmaxKernel.MaxUlpErrorLogSoftmax) return false;
        return RandomRow.UlpDistance(SoftmaxFunctions.LogSumExp<float>(row.Logits), row.Max + logSum, atLeast: 1) <= SoftmaxKernel.MaxUlpErrorLogSumExp;
    });

    private static double WorstOfSoftmax(RandomRow row)
    {
        float[] probabilities = new float[row.Logits.Length];
        SoftmaxFunctions.Softmax<float>(row.Logits, (float)row.Temperature, probabilities);
        return Worst(probabilities, row.Probabilities);
    }

    /// <summary>The largest distance; what is to be infinite must be.</summary>
    private static double Worst(float[] actual, double[] exact) => actual.Zip(exact, (a, e) =>
        double.IsNegativeInfinity(e) ? (float.IsNegativeInfinity(a) ? 0 : double.PositiveInfinity) : RandomRow.UlpDistance(a, e)).Max();
}
