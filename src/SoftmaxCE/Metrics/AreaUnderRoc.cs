using System.Numerics;

namespace SoftmaxCE;

/// <summary>Areas under the ROC curves of a model with several classes.</summary>
/// <param name="PerClass">One area per class, NaN for a class without positive or without negative rows.</param>
/// <param name="Macro">Unweighted mean over the areas that are not NaN.</param>
/// <param name="Weighted">Mean over the areas that are not NaN, each weighted with its share of the labels.</param>
public sealed record AreasUnderRoc(IReadOnlyList<double> PerClass, double Macro, double Weighted);

/// <summary>
/// Area under the ROC curve: the probability that a row of the class gets a higher score than a row outside it, ties counting half.
/// The scores of all rows have to be kept and sorted, so this stands apart from the streaming <see cref="ClassificationMetrics"/>.
/// Only the order of scores matters: probabilities and logits do equally within one class.
/// </summary>
/// <remarks>Values are those of scikit-learn's roc_auc_score, which refuses sample weights for pairs and classes that do not occur; here both are defined.</remarks>
public static class AreaUnderRoc
{
    /// <summary>The area for one class against everything else.</summary>
    /// <param name="scores">Score of each row, higher for more likely; ±∞ allowed.</param>
    /// <param name="positive">Whether the row is in the class, one per score.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <returns>0 to 1, 0.5 by chance; NaN without positive or without negative weight.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A score is NaN, or a weight is negative or not finite.</exception>
    public static double Binary<T>(ReadOnlySpan<T> scores, ReadOnlySpan<bool> positive, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.SameLength(scores.Length, positive.Length, nameof(positive));
        EvaluationRows.RequireNoNaN(scores, 1, nameof(scores));
        EvaluationRows.RequireWeights(sampleWeights, scores.Length);
        RankedRows rows = new(scores.Length);
        for (int row = 0; row < scores.Length; row++)
            rows.Add(double.CreateTruncating(scores[row]), positive[row], WeightOf(sampleWeights, row));
        return rows.Area();
    }

    /// <summary>Each class against all others together.</summary>
    /// <param name="scores">[rows, classes], row-major.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is out of range, a score is NaN, or a weight is negative or not finite; the message names the row.</exception>
    public static AreasUnderRoc OneVersusRest<T>(ReadOnlySpan<T> scores, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = RequireRows(scores, labels, sampleWeights);
        double[] areas = new double[classCount];
        WeightedMean macro = new();
        WeightedMean weighted = new();
        double[] shares = LabelWeights(labels, sampleWeights, classCount);
        RankedRows rows = new(labels.Length);
        for (int label = 0; label < classCount; label++)
        {
            rows.Clear();
            for (int row = 0; row < labels.Length; row++)
                rows.Add(double.CreateTruncating(scores[(row * classCount) + label]), labels[row] == label, WeightOf(sampleWeights, row));
            areas[label] = rows.Area();
            macro.Add(areas[label], 1);
            weighted.Add(areas[label], shares[label]);
        }

        return new AreasUnderRoc(areas, macro.Value, weighted.Value);
    }

    /// <summary>
    /// Each class against each other class, on the rows of the two (Hand and Till 2001): insensitive to how frequent classes are. The
    /// area of a pair is the mean of its two directions; the area of a class is the mean over its pairs.
    /// </summary>
    /// <param name="scores">[rows, classes], row-major.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <returns>Macro: the mean over pairs. Weighted: over pairs, each weighted with the share of its rows.</returns>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is out of range, a score is NaN, or a weight is negative or not finite; the message names the row.</exception>
    public static AreasUnderRoc OneVersusOne<T>(ReadOnlySpan<T> scores, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = RequireRows(scores, labels, sampleWeights);
        WeightedMean[] perClass = new WeightedMean[classCount];
        WeightedMean macro = new();
        WeightedMean weighted = new();
        double[] shares = LabelWeights(labels, sampleWeights, classCount);
        RankedRows rows = new(labels.Length);
        for (int first = 0; first < classCount; first++)
        {
            for (int second = first + 1; second < classCount; second++)
            {
                double area = (PairArea(rows, scores, labels, sampleWeights, first, second) + PairArea(rows, scores, labels, sampleWeights, second, first)) / 2;
                macro.Add(area, 1);
                weighted.Add(area, shares[first] + shares[second]);
                perClass[first].Add(area, 1);
                perClass[second].Add(area, 1);
            }
        }

        return new AreasUnderRoc([.. perClass.Select(mean => mean.Value)], macro.Value, weighted.Value);
    }

    private static double PairArea<T>(RankedRows rows, ReadOnlySpan<T> scores, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights, int positive, int negative)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = scores.Length / labels.Length;
        rows.Clear();
        for (int row = 0; row < labels.Length; row++)
            if (labels[row] == positive || labels[row] == negative)
                rows.Add(double.CreateTruncating(scores[(row * classCount) + positive]), labels[row] == positive, WeightOf(sampleWeights, row));
        return rows.Area();
    }

    private static int RequireRows<T>(ReadOnlySpan<T> scores, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = EvaluationRows.ClassCountOf(scores.Length, labels.Length, nameof(scores));
        EvaluationRows.RequireLabels(labels, classCount, nameof(labels));
        EvaluationRows.RequireNoNaN(scores, classCount, nameof(scores));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        return classCount;
    }

    private static double[] LabelWeights(ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights, int classCount)
    {
        double[] weights = new double[classCount];
        for (int row = 0; row < labels.Length; row++) weights[labels[row]] += WeightOf(sampleWeights, row);
        return weights;
    }

    private static double WeightOf(ReadOnlySpan<float> sampleWeights, int row) => sampleWeights.IsEmpty ? 1 : sampleWeights[row];

    /// <summary>A mean over the values that are defined.</summary>
    private struct WeightedMean
    {
        private double _total;
        private double _weight;

        public readonly double Value => _total / _weight;

        public void Add(double value, double weight)
        {
            if (double.IsNaN(value)) return;
            _total += weight * value;
            _weight += weight;
        }
    }
}
