using System.Numerics.Tensors;

namespace SoftmaxCE.Tests;

public class TensorRowsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(-1)]
    [InlineData(-3)]
    public void Every_line_along_the_axis_is_what_it_is_as_a_row(int axis)
    {
        nint[] lengths = [5, 37, 18];
        float[] values = Values(5 * 37 * 18), results = new float[values.Length], logs = new float[values.Length];
        SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, lengths), axis, new TensorSpan<float>(results, lengths));
        SoftmaxFunctions.LogSoftmax<float>(new ReadOnlyTensorSpan<float>(values, lengths), axis, new TensorSpan<float>(logs, lengths));
        CheckLines(values, results, lengths, (axis + 3) % 3, SoftmaxFunctions.Softmax);
        CheckLines(values, logs, lengths, (axis + 3) % 3, SoftmaxFunctions.LogSoftmax);
    }

    [Fact]
    public void Works_in_place_and_on_strided_parts_of_a_tensor()
    {
        // The middle columns of a 6 × 10 matrix: rows of 4, 10 apart.
        double[] values = Array.ConvertAll(Values(60), x => (double)x), inPlace = [.. values];
        TensorSpan<double> all = new(inPlace, [6, 10]);
        TensorSpan<double> part = all[0..6, 3..7];
        SoftmaxFunctions.Softmax<double>(part, 1, part);
        for (int row = 0; row < 6; row++)
        {
            double[] expected = new double[4];
            SoftmaxFunctions.Softmax<double>(values.AsSpan((row * 10) + 3, 4), expected);
            inPlace.AsSpan((row * 10) + 3, 4).ToArray().Should().Equal(expected);
            inPlace.AsSpan(row * 10, 3).ToArray().Should().Equal(values.AsSpan(row * 10, 3).ToArray(), "what lies beside the part stays");
        }

        double[] columns = [.. values];
        TensorSpan<double> transposedPart = new TensorSpan<double>(columns, [6, 10])[1..5, 2..9];
        SoftmaxFunctions.Softmax<double>(transposedPart, 0, transposedPart);
        double[] line = [values[12], values[22], values[32], values[42]];
        SoftmaxFunctions.Softmax<double>(line, line);
        new[] { columns[12], columns[22], columns[32], columns[42] }.Should().Equal(line);
        columns[2].Should().Be(values[2]);
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(16, 17)]
    [InlineData(100, 5)]
    [InlineData(33, 300)]
    [InlineData(5000, 20)]
    [InlineData(10, 1100)]
    [InlineData(300, 1000)]
    public void Columns_of_a_matrix_stay_within_the_bound_whatever_they_hold(int rows, int columns)
    {
        float[] values = Values(rows * columns), results = new float[values.Length], logs = new float[values.Length];
        for (int c = 0; c < columns; c += 3) values[(rows - 1) * columns + c] = c % 2 == 0 ? float.NegativeInfinity : 3e38f;
        if (columns > 4) values[4] = float.NaN;
        SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, [rows, columns]), 0, new TensorSpan<float>(results, [rows, columns]));
        SoftmaxFunctions.LogSoftmax<float>(new ReadOnlyTensorSpan<float>(values, [rows, columns]), 0, new TensorSpan<float>(logs, [rows, columns]));
        for (int c = 0; c < columns; c += Math.Max(1, columns / 7))
        {
            float[] line = [.. Enumerable.Range(0, rows).Select(r => values[(r * columns) + c])], expected = new float[rows], expectedLogs = new float[rows];
            SoftmaxFunctions.Softmax<float>(line, expected);
            SoftmaxFunctions.LogSoftmax<float>(line, expectedLogs);
            for (int r = 0; r < rows; r++)
            {
                int at = (r * columns) + c;
                if (!float.IsFinite(expectedLogs[r])) logs[at].Should().Be(expectedLogs[r]);
                else logs[at].Should().BeApproximately(expectedLogs[r], 2.4e-7f * -expectedLogs[r]);
                if (float.IsNaN(expected[r])) results[(r * columns) + c].Should().Be(float.NaN);
                else results[(r * columns) + c].Should().BeApproximately(expected[r], 2.4e-7f * expected[r]);
            }
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(70)]
    public void Log_softmax_of_confident_columns_keeps_its_digits(int rows)
    {
        double[] values = Array.ConvertAll(Values(rows * 20), x => (double)x), results = new double[values.Length];
        for (int c = 0; c < 20; c++) values[((rows / 2) * 20) + c] = 15 + (2 * c);
        SoftmaxFunctions.LogSoftmax<double>(new ReadOnlyTensorSpan<double>(values, [rows, 20]), 0, new TensorSpan<double>(results, [rows, 20]));
        for (int c = 0; c < 20; c++)
        {
            double[] line = [.. Enumerable.Range(0, rows).Select(r => values[(r * 20) + c])];
            Ulp.ShouldBeWithin(4, [.. Enumerable.Range(0, rows).Select(r => results[(r * 20) + c])], WideReference.LogSoftmax<double>(line), $"column {c}");
        }
    }

    [Fact]
    public void One_dimension_and_lengths_of_one_are_rows()
    {
        float[] values = Values(9), result = new float[9], expected = new float[9];
        SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, [9]), 0, new TensorSpan<float>(result, [9]));
        SoftmaxFunctions.Softmax<float>(values, expected);
        result.Should().Equal(expected);
        SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, [3, 1, 3]), 1, new TensorSpan<float>(result, [3, 1, 3]));
        result.Should().OnlyContain(p => p == 1);
    }

    [Fact]
    public void Bad_arguments_name_the_parameter()
    {
        float[] values = Values(12), other = new float[12];
        Fails<ArgumentOutOfRangeException>(() => SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, [3, 4]), 2, new TensorSpan<float>(other, [3, 4])), "axis", "-2 to 1");
        Fails<ArgumentOutOfRangeException>(() => SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, [3, 4]), -3, new TensorSpan<float>(other, [3, 4])), "axis", "-2 to 1");
        Fails<ArgumentException>(() => SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, [3, 4]), 0, new TensorSpan<float>(other, [4, 3])), "destination", "[3, 4] but has [4, 3]");
        Fails<ArgumentException>(() => SoftmaxFunctions.Softmax<float>(new ReadOnlyTensorSpan<float>(values, 0, [2, 4], []), 0, new TensorSpan<float>(values, 2, [2, 4], [])), "destination", "Overlaps");
        Fails<ArgumentException>(() => SoftmaxFunctions.Softmax<float>(default, 0, default), "axis", "0 axes");
        values.Should().Equal(Values(12));
    }

    private delegate void RowFunction(ReadOnlySpan<float> logits, Span<float> destination);

    private static void CheckLines(float[] values, float[] results, nint[] lengths, int axis, RowFunction function)
    {
        int step = (int)lengths[(axis + 1)..].Aggregate((nint)1, (a, b) => a * b), length = (int)lengths[axis];
        float[] line = new float[length];
        for (int outer = 0; outer < values.Length; outer += step * length)
        {
            for (int inner = 0; inner < step; inner++)
            {
                for (int i = 0; i < length; i++) line[i] = values[outer + inner + (i * step)];
                function(line, line);
                for (int i = 0; i < length; i++) results[outer + inner + (i * step)].Should().BeApproximately(line[i], 2.4e-7f * Math.Abs(line[i]));
            }
        }
    }

    private static float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => ((i * 7919) % 1009 / 50f) - 10)];

    private static void Fails<TException>(Action action, string parameter, string message)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter).WithMessage($"*{message}*");
}
