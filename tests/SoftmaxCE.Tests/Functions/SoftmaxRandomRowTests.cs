using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Rows of every kind and length against double arithmetic.</summary>
public class SoftmaxRandomRowTests
{
    [Fact]
    public void Softmax_stays_within_its_bound() => RandomRow.Gen.Sample(row =>
    {
        float[] probabilities = new float[row.Logits.Length];
        SoftmaxFunctions.Softmax<float>(row.Logits, (float)row.Temperature, probabilities);
        return Worst(probabilities, row.Probabilities) <= SoftmaxKernel.MaxUlpError;
    });

    [Fact]
    public void Log_softmax_and_log_sum_exp_stay_within_theirs() => RandomRow.Gen.Where(row => row.Temperature == 1).Sample(row =>
    {
        float[] logs = new float[row.Logits.Length];
        SoftmaxFunctions.LogSoftmax<float>(row.Logits, logs);
        double logSum = row.LogSum;
        if (Worst(logs, Array.ConvertAll(row.Distances, d => d - logSum)) > SoftmaxKernel.MaxUlpErrorLogSoftmax) return false;
        return RandomRow.UlpDistance(SoftmaxFunctions.LogSumExp<float>(row.Logits), row.Max + logSum, atLeast: 1) <= SoftmaxKernel.MaxUlpErrorLogSumExp;
    });

    /// <summary>The largest distance; what is to be infinite must be.</summary>
    private static double Worst(float[] actual, double[] exact) => actual.Zip(exact, (a, e) =>
        double.IsNegativeInfinity(e) ? (float.IsNegativeInfinity(a) ? 0 : double.PositiveInfinity) : RandomRow.UlpDistance(a, e)).Max();
}
