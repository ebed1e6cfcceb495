using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>Logits of labelled rows that a calibration is fitted on, checked and in double.</summary>
internal static class CalibrationLogits
{
    /// <param name="logits">[rows, classes], row-major; −∞ is allowed except for the label.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="sampleWeights">One per row, or empty.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together, or no row has a weight.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label, logit or weight is out of range; the message names the row.</exception>
    public static double[] Read<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = EvaluationRows.ClassCountOf(logits.Length, labels.Length, nameof(logits));
        EvaluationRows.RequireLabels(labels, classCount, nameof(labels));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        if (WeightSum(sampleWeights, labels.Length) == 0) throw new ArgumentException("Every row has weight 0.", nameof(sampleWeights));
        double[] values = new double[logits.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int row = i / classCount, column = i % classCount;
            values[i] = double.CreateTruncating(logits[i]);
            bool isAllowed = labels[row] == column ? double.IsFinite(values[i]) : values[i] < double.PositiveInfinity;
            if (!isAllowed) ThrowLogit(row, column, values[i], nameof(logits));
        }

        return values;
    }

    /// <summary>A model's logits of every row.</summary>
    public static double[] Of(SoftmaxRegressionModel model, FeatureRows rows, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(rows);
        Argument.SameLength(rows.RowCount, labels.Length, nameof(labels));
        double[] logits = new double[checked(rows.RowCount * model.ClassCount)];
        double[] features = new double[rows.FeatureCount];
        for (int row = 0; row < rows.RowCount; row++)
        {
            rows.CopyRow(row, features);
            model.PredictLogits<double>(features, logits.AsSpan(row * model.ClassCount, model.ClassCount));
        }

        return logits;
    }

    public static double WeightSum(ReadOnlySpan<float> sampleWeights, int rowCount)
    {
        if (sampleWeights.IsEmpty) return rowCount;
        double sum = 0;
        foreach (float weight in sampleWeights) sum += weight;
        return sum;
    }

    [DoesNotReturn]
    private static void ThrowLogit(int row, int label, double logit, string name) => throw new ArgumentOutOfRangeException(
        name, logit, $"Row {row} has this logit for class {label}; logits must not be NaN or +∞, nor −∞ for the label.");
}
