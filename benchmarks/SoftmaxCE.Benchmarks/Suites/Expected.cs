using System.Globalization;
using System.Numerics;

namespace SoftmaxCE.Benchmarks;

/// <summary>Plain double-precision formulas, and the check that a contender computes them: a fast wrong answer is no result.</summary>
internal static class Expected
{
    // Enough rows to notice a wrong stride or tail; all of them would take longer than the measurement.
    private const int CheckedRows = 64;

    private const double PeerAllowance = 200;

    public static double LogSumExp<T>(ReadOnlySpan<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (T value in row) max = Math.Max(max, double.CreateChecked(value));
        foreach (T value in row) sum += Math.Exp(double.CreateChecked(value) - max);
        return max + Math.Log(sum);
    }

    public static double[] LogSoftmax<T>(ReadOnlySpan<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double logSumExp = LogSumExp(row);
        return Array.ConvertAll(row.ToArray(), value => double.CreateChecked(value) - logSumExp);
    }

    public static double[] Softmax<T>(ReadOnlySpan<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Array.ConvertAll(LogSoftmax(row), Math.Exp);

    /// <summary>
    /// Runs the contender on cleared output and compares rows spread over the whole of it with a reference per row. The error is
    /// relative to the value, or to <paramref name="floor"/> where the value is smaller. Peers are not held to our accuracy.
    /// </summary>
    public static void Check<T>(
        Action contender, Shape shape, T[] logits, T[] output, int outputsPerRow, Func<int, ReadOnlySpan<T>, double[]> expectedRow, double floor = 0,
        double? peerTolerance = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        string name = contender.Method.Name;
        double tolerance = Work.IsOwn(name) ? OwnTolerance<T>() : peerTolerance ?? OwnTolerance<T>() * PeerAllowance;
        Array.Clear(output);
        contender();
        for (int k = 0; k < Math.Min(shape.Rows, CheckedRows); k++)
        {
            int row = (int)((long)k * (shape.Rows - 1) / Math.Max(1, Math.Min(shape.Rows, CheckedRows) - 1));
            double[] expected = expectedRow(row, logits.AsSpan(row * shape.Classes, shape.Classes));
            ReadOnlySpan<T> actual = output.AsSpan(row * outputsPerRow, outputsPerRow);
            for (int i = 0; i < outputsPerRow; i++) Check(name, double.CreateChecked(actual[i]), expected[i], tolerance, floor, row, i);
        }
    }

    public static void Check(string contender, double actual, double expected, double tolerance, double floor = 0, int row = 0, int column = 0)
    {
        if (!(Math.Abs(actual - expected) <= tolerance * Math.Max(floor, Math.Abs(expected))))
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"{contender}: row {row}, column {column} is {actual:R} and should be {expected:R}."));
        }
    }

    // A few ulp, and what the plain double formula above is good to.
    private static double OwnTolerance<T>() => typeof(T) == typeof(double) ? 1e-13 : typeof(T) == typeof(float) ? 1e-6 : 4e-3;
}
