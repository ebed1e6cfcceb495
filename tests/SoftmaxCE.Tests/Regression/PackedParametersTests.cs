using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>However a row comes to the model, the bits are the same.</summary>
public class PackedParametersTests
{
    private const int RowCount = 53;

    private static readonly Gen<(int Features, int Classes, int Seed)> Shapes = Gen.Select(
        Gen.OneOf(Gen.Int[1, 20], Gen.Int[185, 200], Gen.Int[440, 460], Gen.Int[890, 910]), Gen.Int[2, 12], Gen.Int[0, 1000]);

    [Fact]
    public void One_row_and_many_dense_and_sparse_give_the_same_bits() => Shapes.Sample(shape =>
    {
        (int features, int classes, int seed) = shape;
        Random random = new(seed);
        SoftmaxRegressionModel model = RandomModel(random, features, classes);
        byte[] bytes = new byte[RowCount * features];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = random.Next(12) == 0 ? (byte)random.Next(256) : (byte)0;
        float[] singles = [.. bytes.Select(v => v * 0.25f)];
        double[] doubles = [.. singles.Select(v => (double)v)], logits = new double[classes];
        int[] labels = new int[RowCount];
        float[] probabilities = new float[RowCount * classes], one = new float[classes];
        FeatureRows[] kinds =
        [
            new DenseRows<double>(doubles, features), new DenseRows<float>(singles, features), new DenseRows<byte>(bytes, features, scale: 0.25),
            new DenseRows<Half>(singles.Select(v => (Half)v).ToArray(), features), Sparse(doubles, features, backward: false), Sparse(doubles, features, backward: true),
        ];
        foreach (FeatureRows rows in kinds)
        {
            model.PredictRows(rows, labels);
            model.PredictProbabilityRows(rows, probabilities);
            for (int i = 0; i < RowCount; i++)
            {
                ReadOnlySpan<double> row = doubles.AsSpan(i * features, features);
                model.PredictLogits(row, logits);
                model.PredictProbabilities<float>(singles.AsSpan(i * features, features), one);
                int expected = SoftmaxRegressionModel.FirstMaximum(logits);
                labels[i].Should().Be(expected);
                model.Predict(row).Should().Be(expected);
                model.Predict<float>(singles.AsSpan(i * features, features)).Should().Be(expected);
                probabilities.AsSpan(i * classes, classes).SequenceEqual(one).Should().BeTrue();
            }
        }
    }, iter: 30);

    /// <summary>Classes that differ in the last digits of double: estimates in float must not decide, and with the numbers swapped the other class wins.</summary>
    [Theory, InlineData(1.0, 0.0), InlineData(1.0 / 255, -0.5), InlineData(1e-30, 0.0)]
    public void Labels_of_nearly_equal_classes_follow_the_logits(double scale, double offset) => Gen.Int[0, 1000].Sample(seed =>
    {
        const int Features = 300;
        Random random = new(seed);
        double[] base0 = [.. Enumerable.Range(0, Features).Select(_ => random.NextDouble() - 0.5)];
        double[] higher = [.. base0.Select(w => w * (1 + (random.Next(-3, 4) * 1e-15)))];
        float[] values = [.. Enumerable.Range(0, 5 * Features).Select(_ => (float)random.Next(-255, 256))];
        DenseRows<float> rows = new(values, Features, scale, offset);
        foreach (double[] coefficients in (double[][])[[.. base0, .. higher, .. base0], [.. higher, .. base0, .. higher]])
        {
            SoftmaxRegressionModel model = new(coefficients, [0.1, 0.1, 0.1]);
            int[] labels = new int[5];
            model.PredictRows(rows, labels);
            double[] row = new double[Features], logits = new double[3];
            for (int i = 0; i < 5; i++)
            {
                rows.CopyRow(i, row);
                model.PredictLogits<double>(row, logits);
                labels[i].Should().Be(SoftmaxRegressionModel.FirstMaximum(logits));
                model.Predict<double>(row).Should().Be(labels[i]);
            }
        }
    }, iter: 30);

    [Theory, InlineData(double.NaN), InlineData(double.PositiveInfinity), InlineData(1e300), InlineData(1e-300)]
    public void Labels_of_values_that_floats_do_not_hold_follow_the_logits(double value)
    {
        Random random = new(1);
        SoftmaxRegressionModel model = RandomModel(random, 300, 4);
        double[] row = [.. Enumerable.Repeat(value, 300)], logits = new double[4];
        int[] labels = new int[1];
        model.PredictLogits<double>(row, logits);
        model.PredictRows(new DenseRows<double>(row, 300), labels);
        labels[0].Should().Be(SoftmaxRegressionModel.FirstMaximum(logits));
        model.Predict<double>(row).Should().Be(labels[0]);
    }

    private static SoftmaxRegressionModel RandomModel(Random random, int features, int classes) =>
        new([.. Enumerable.Range(0, features * classes).Select(_ => random.NextDouble() - 0.5)], [.. Enumerable.Range(0, classes).Select(_ => random.NextDouble())]);

    private static SparseRows<double> Sparse(double[] dense, int features, bool backward)
    {
        List<double> values = [];
        List<int> columns = [];
        long[] starts = new long[RowCount + 1];
        for (int i = 0; i < RowCount; i++)
        {
            for (int k = 0; k < features; k++)
            {
                int j = backward ? features - 1 - k : k;
                if (dense[(i * features) + j] == 0) continue;
                values.Add(dense[(i * features) + j]);
                columns.Add(j);
            }

            starts[i + 1] = values.Count;
        }

        return new SparseRows<double>(values.ToArray(), columns.ToArray(), starts, features);
    }
}
