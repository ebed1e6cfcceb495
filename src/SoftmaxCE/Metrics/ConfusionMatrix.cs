using System.Globalization;

namespace SoftmaxCE;

/// <summary>
/// Counts rows by true and predicted class, and derives the scores that need nothing but these counts. Streaming: rows are added
/// one at a time or in batches and matrices merge; adding does not allocate (above 2048 classes, where only the pairs that occur
/// are kept, a pair that occurs for the first time does). Not safe for concurrent use: give each thread its own and merge.
/// </summary>
/// <remarks>Scores follow scikit-learn, sample weights included. Without rows every score is NaN.</remarks>
public sealed partial class ConfusionMatrix
{
    private readonly PairCounts _pairs;
    private readonly double[] _labelTotals;
    private readonly double[] _predictedTotals;
    private double _correct;

    /// <summary>Creates an empty matrix for classes known by number.</summary>
    /// <param name="classCount">Number of classes, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="classCount"/> is below 1.</exception>
    public ConfusionMatrix(int classCount)
        : this(NumbersAsNames(classCount))
    {
    }

    /// <summary>Creates an empty matrix for named classes.</summary>
    /// <param name="classNames">One name per class, in the order of the labels; used in the printed tables.</param>
    /// <exception cref="ArgumentException"><paramref name="classNames"/> is empty.</exception>
    public ConfusionMatrix(IReadOnlyList<string> classNames)
    {
        ArgumentNullException.ThrowIfNull(classNames);
        if (classNames.Count == 0) throw new ArgumentException("Needs at least one class but is empty.", nameof(classNames));
        ClassNames = [.. classNames];
        _pairs = new PairCounts(ClassCount);
        _labelTotals = new double[ClassCount];
        _predictedTotals = new double[ClassCount];
    }

    /// <summary>Number of classes C: labels and predictions are 0 to C − 1.</summary>
    public int ClassCount => ClassNames.Count;

    /// <summary>One name per class, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Number of rows added, whatever their weight.</summary>
    public long RowCount { get; private set; }

    /// <summary>Weight of all rows: their number when no sample weights are given.</summary>
    public double WeightSum { get; private set; }

    /// <summary>Weight of the rows of one true class that are predicted to be in another (or the same) class.</summary>
    /// <param name="label">The true class.</param>
    /// <param name="predicted">The predicted class.</param>
    /// <exception cref="ArgumentOutOfRangeException">A class is not in 0 to <see cref="ClassCount"/> − 1.</exception>
    public double this[int label, int predicted]
    {
        get
        {
            RequireClass(label, nameof(label));
            RequireClass(predicted, nameof(predicted));
            return _pairs[label, predicted];
        }
    }

    /// <summary>Adds one row.</summary>
    /// <param name="label">The true class.</param>
    /// <param name="predicted">The predicted class.</param>
    /// <param name="weight">The row's sample weight: finite and at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A class is not in 0 to <see cref="ClassCount"/> − 1, or the weight is negative or not finite.</exception>
    public void Add(int label, int predicted, double weight = 1)
    {
        RequireClass(label, nameof(label));
        RequireClass(predicted, nameof(predicted));
        Argument.FiniteAndNotNegative(weight);
        AddChecked(label, predicted, weight);
    }

    /// <summary>Adds many rows. When an argument is refused, nothing is added.</summary>
    /// <param name="labels">The true classes.</param>
    /// <param name="predicted">The predicted classes, as many as labels.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A class is not in 0 to <see cref="ClassCount"/> − 1, or a weight is negative or not finite; the message names the row.</exception>
    public void AddRows(ReadOnlySpan<int> labels, ReadOnlySpan<int> predicted, ReadOnlySpan<float> sampleWeights = default)
    {
        Argument.SameLength(labels.Length, predicted.Length, nameof(predicted));
        EvaluationRows.RequireLabels(labels, ClassCount, nameof(labels));
        EvaluationRows.RequireLabels(predicted, ClassCount, nameof(predicted));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        for (int row = 0; row < labels.Length; row++)
            AddChecked(labels[row], predicted[row], sampleWeights.IsEmpty ? 1 : sampleWeights[row]);
    }

    /// <summary>Adds all rows of another matrix.</summary>
    /// <param name="other">A matrix with as many classes; it is not changed.</param>
    /// <exception cref="ArgumentException">The other matrix has another number of classes.</exception>
    public void Merge(ConfusionMatrix other)
    {
        ArgumentNullException.ThrowIfNull(other);
        EvaluationRows.RequireSameClassCount(ClassCount, other.ClassCount, nameof(other));
        ConfusedPair[] pairs = [.. other._pairs.Present()];
        foreach (ConfusedPair pair in pairs)
            AddWeight(pair.Label, pair.Predicted, pair.Weight);
        RowCount += other.RowCount;
    }

    /// <summary>The most frequent mistakes, heaviest first; pairs of equal weight in the order of their labels.</summary>
    /// <param name="count">How many at most; fewer come back when fewer pairs were ever confused.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public IReadOnlyList<ConfusedPair> MostConfusedPairs(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return [.. _pairs.Present()
            .Where(pair => pair.Label != pair.Predicted)
            .OrderByDescending(pair => pair.Weight).ThenBy(pair => pair.Label).ThenBy(pair => pair.Predicted)
            .Take(count)];
    }

    internal static string[] NumbersAsNames(int classCount)
    {
        Argument.Positive(classCount);
        return [.. Enumerable.Range(0, classCount).Select(label => label.ToString(CultureInfo.InvariantCulture))];
    }

    internal double LabelWeight(int label) => _labelTotals[label];

    internal void AddChecked(int label, int predicted, double weight)
    {
        RowCount++;
        if (weight > 0) AddWeight(label, predicted, weight);
    }

    private void AddWeight(int label, int predicted, double weight)
    {
        _pairs.Add(label, predicted, weight);
        _labelTotals[label] += weight;
        _predictedTotals[predicted] += weight;
        if (label == predicted) _correct += weight;
        WeightSum += weight;
    }

    private void RequireClass(int label, string name)
    {
        if ((uint)label >= (uint)ClassCount) EvaluationRows.ThrowClass(label, ClassCount, name);
    }
}
