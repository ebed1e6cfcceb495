namespace SoftmaxCE;

public sealed unsafe partial class SoftmaxRegressionModel
{
    /// <summary>Measures the model on rows with known labels, from probabilities in double.</summary>
    /// <param name="rows">Rows with as many features as the model has.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths or the number of features do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label or weight is out of range, or a row has features that are not finite; the message names the row.</exception>
    public ClassificationMetrics Evaluate(FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default)
    {
        CheckRows(rows);
        Argument.SameLength(rows.RowCount, labels.Length, nameof(labels));
        EvaluationRows.RequireLabels(labels, ClassCount, nameof(labels));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        ClassificationMetrics metrics = new(ClassNames);
        using Room room = new(RoomFor(Math.Min(BlockRows, rows.RowCount)), default);
        fixed (double* start = room.Values)
        {
            for (int first = 0; first < rows.RowCount; first += BlockRows)
            {
                int length = Math.Min(BlockRows, rows.RowCount - first);
                double* logits = LogitsOfRows(rows, first, length, PackedParameters.Aligned(start));
                ToProbabilities(logits, length);
                ReadOnlySpan<double> probabilities = new(logits, length * ClassCount);
                metrics.AddRows(probabilities, labels.Slice(first, length), sampleWeights.IsEmpty ? default : sampleWeights.Slice(first, length));
            }
        }

        return metrics;
    }

    /// <summary>The labels of class names as this model numbers them, for rows whose file names the classes.</summary>
    /// <param name="names">One class name per row.</param>
    /// <exception cref="ArgumentException">A name is not one of <see cref="ClassNames"/>; the message gives its row.</exception>
    public int[] EncodeLabels(IReadOnlyList<string> names) => LabelEncoder.EncodeAs(ClassNames, names, nameof(names));
}
