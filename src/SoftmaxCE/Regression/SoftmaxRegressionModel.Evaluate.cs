using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

public sealed partial class SoftmaxRegressionModel
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
        using Room room = new(this, BlockRows, BlockRows);
        for (int first = 0; first < rows.RowCount; first += BlockRows)
        {
            int length = Math.Min(BlockRows, rows.RowCount - first);
            LogitsOfRows(rows, first, length, room);
            ToProbabilities(room.Logits, length);
            ReadOnlySpan<double> probabilities = room.Logits[..(length * ClassCount)];
            metrics.AddRows(probabilities, labels.Slice(first, length), sampleWeights.IsEmpty ? default : sampleWeights.Slice(first, length));
        }

        return metrics;
    }

    /// <summary>The labels of class names as this model numbers them, for rows whose file names the classes.</summary>
    /// <param name="names">One class name per row.</param>
    /// <exception cref="ArgumentException">A name is not one of <see cref="ClassNames"/>; the message gives its row.</exception>
    public int[] EncodeLabels(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        Dictionary<string, int> labelOf = new(StringComparer.Ordinal);
        for (int label = 0; label < ClassCount; label++) labelOf.TryAdd(ClassNames[label], label);
        int[] labels = new int[names.Count];
        for (int row = 0; row < labels.Length; row++)
            if (names[row] is null || !labelOf.TryGetValue(names[row], out labels[row])) ThrowUnknownName(row, names[row], nameof(names));
        return labels;
    }

    [DoesNotReturn]
    private void ThrowUnknownName(int row, string? name, string parameter)
    {
        string known = string.Join(", ", ClassNames.Take(10).Select(known => $"\"{known}\"")) + (ClassCount > 10 ? ", …" : "");
        throw new ArgumentException($"Row {row} is named \"{name}\", which is not one of the {ClassCount} classes of the model: {known}.", parameter);
    }
}
