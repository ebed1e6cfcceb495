using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>Many rows at once give the bits of each row alone.</summary>
public class SoftmaxRowsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 3)]
    [InlineData(1000, 10)]
    [InlineData(517, 2)]
    [InlineData(517, 8)]
    [InlineData(517, 16)]
    [InlineData(333, 257)]
    [InlineData(3, 70_000)]
    public void Rows_equal_single_calls_bit_for_bit_at_any_thread_count(int rowCount, int classCount)
    {
        float[] logits = new float[rowCount * classCount], expected = new float[logits.Length], rows = new float[logits.Length];
        Random random = new(classCount);
        for (int i = 0; i < logits.Length; i++) logits[i] = (float)(20 * (random.NextDouble() - 0.5));
        for (int i = 0; i < logits.Length; i += 37) logits[i] = i % 2 == 0 ? float.NegativeInfinity : 1e5f;      // masked, and out of the usual reach
        float[] sums = new float[rowCount];
        for (int row = 0; row < rowCount; row++)
        {
            SoftmaxFunctions.Softmax<float>(logits.AsSpan(row * classCount, classCount), expected.AsSpan(row * classCount, classCount));
            sums[row] = SoftmaxFunctions.LogSumExp<float>(logits.AsSpan(row * classCount, classCount));
        }

        foreach (int threads in new[] { 1, 2, 3, -1 })
        {
            SoftmaxFunctions.SoftmaxRows<float>(logits, classCount, rows, threads);
            rows.Should().Equal(expected);
            float[] rowSums = new float[rowCount];
            SoftmaxFunctions.LogSumExpRows<float>(logits, classCount, rowSums, threads);
            rowSums.Should().Equal(sums);
            SoftmaxFunctions.LogSoftmaxRows<float>(logits, classCount, rows, threads);
            for (int i = 1; i < rows.Length; i += 37) MathF.Exp(rows[i]).Should().BeApproximately(expected[i], 1e-5f);
        }
    }

    [Theory]
    [InlineData(70, 1, 4)]
    [InlineData(70, 2, 30)]
    [InlineData(100, 3, 4)]
    [InlineData(100, 8, 30)]
    [InlineData(100, 10, 4)]
    [InlineData(100, 10, 30)]
    [InlineData(100, 16, 100)]
    [InlineData(40, 10, 300)]
    [InlineData(100, 100, 4)]
    [InlineData(100, 100, 100)]
    [InlineData(53, 17, 4)]
    [InlineData(37, 256, 4)]
    [InlineData(40, 33, 300)]
    [InlineData(45, 257, 4)]
    [InlineData(45, 1000, 4)]
    [InlineData(45, 1000, 300)]
    [InlineData(41, 2048, 30)]
    [InlineData(41, 2049, 4)]
    [InlineData(1, 262_144, 4)]
    [InlineData(2, 300_000, 4)]
    public void Batches_of_rows_and_parts_of_a_row_give_the_bits_of_the_row_alone(int rowCount, int classCount, double spread)
    {
        CheckBatches<float>(rowCount, classCount, spread);
        CheckBatches<double>(rowCount, classCount, spread);
    }

    private static void CheckBatches<T>(int rowCount, int classCount, double spread)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = new T[rowCount * classCount], softmax = new T[logits.Length], log = new T[logits.Length], sums = new T[rowCount], rows = new T[logits.Length + 3];
        Random random = new(classCount);
        for (int i = 0; i < logits.Length; i++) logits[i] = T.CreateChecked(2 * spread * (random.NextDouble() - 0.5));
        AddSpecialRows(logits, classCount);
        for (int row = 0; row < rowCount; row++)
        {
            ReadOnlySpan<T> alone = logits.AsSpan(row * classCount, classCount);
            SoftmaxFunctions.Softmax(alone, softmax.AsSpan(row * classCount, classCount));
            SoftmaxFunctions.LogSoftmax(alone, log.AsSpan(row * classCount, classCount));
            sums[row] = SoftmaxFunctions.LogSumExp(alone);
        }

        foreach (int threads in new[] { 1, 2, -1 })
        {
            // Shifted by one element, so that addresses of rows differ from those above; then in place.
            SoftmaxFunctions.SoftmaxRows<T>(logits, classCount, rows.AsSpan(1), threads);
            rows.AsSpan(1, logits.Length).SequenceEqual(softmax).Should().BeTrue("softmax, {0} threads", threads);
            logits.CopyTo(rows, 2);
            SoftmaxFunctions.SoftmaxRows<T>(rows.AsSpan(2, logits.Length), classCount, rows.AsSpan(2, logits.Length), threads);
            rows.AsSpan(2, logits.Length).SequenceEqual(softmax).Should().BeTrue("softmax, {0} threads in place", threads);
            SoftmaxFunctions.LogSoftmaxRows<T>(logits, classCount, rows.AsSpan(1), threads);
            rows.AsSpan(1, logits.Length).SequenceEqual(log).Should().BeTrue("log-softmax, {0} threads", threads);
            logits.CopyTo(rows, 2);
            SoftmaxFunctions.LogSoftmaxRows<T>(rows.AsSpan(2, logits.Length), classCount, rows.AsSpan(2, logits.Length), threads);
            rows.AsSpan(2, logits.Length).SequenceEqual(log).Should().BeTrue("log-softmax, {0} threads in place", threads);
            SoftmaxFunctions.LogSumExpRows<T>(logits, classCount, rows.AsSpan(1), threads);
            rows.AsSpan(1, rowCount).SequenceEqual(sums).Should().BeTrue("log-sum-exp, {0} threads", threads);
        }
    }

    /// <summary>Ties and masked entries among the first rows, a NaN further on, and, apart from it, rows without a finite maximum.</summary>
    private static void AddSpecialRows<T>(T[] logits, int classCount)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rowCount = logits.Length / classCount;
        if (rowCount < 40 || classCount > 2049) return;
        logits.AsSpan(2 * classCount, classCount).Fill(T.One);
        for (int row = 3; row < 7; row++)
        {
            Span<T> values = logits.AsSpan(row * classCount, classCount);
            values[0] = values[classCount - 1];
            values[row % classCount] = T.CreateChecked(12 * row);                 // a confident row
            values[(row + 1) % classCount] = T.NegativeInfinity;
        }

        logits[(17 * classCount) + (classCount / 2)] = T.NaN;
        logits.AsSpan(33 * classCount, classCount).Fill(T.NegativeInfinity);
        logits[(34 * classCount) + (classCount / 2)] = T.PositiveInfinity;
        logits[35 * classCount] = T.PositiveInfinity;
        logits[(36 * classCount) - 1] = T.NaN;
    }
}
