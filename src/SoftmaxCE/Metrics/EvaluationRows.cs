using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>Checks of labelled rows under evaluation. Each check reads everything before the caller adds anything.</summary>
internal static class EvaluationRows
{
    /// <summary>
    /// How far the sum of a row may be from 1. Half-precision rows of 1,000 classes stay below 6e-4; a row of logits or of
    /// independent sigmoids does not.
    /// </summary>
    public const double LargestSumError = 1e-3;

    public static void RequireLabels(ReadOnlySpan<int> labels, int classCount, string name)
    {
        for (int row = 0; row < labels.Length; row++)
            if ((uint)labels[row] >= (uint)classCount) Argument.ThrowLabel(row, labels[row], classCount, name);
    }

    public static void RequireWeights(ReadOnlySpan<float> sampleWeights, int rowCount)
    {
        if (sampleWeights.IsEmpty) return;
        Argument.SameLength(rowCount, sampleWeights.Length, nameof(sampleWeights));
        for (int row = 0; row < sampleWeights.Length; row++)
            if (!(sampleWeights[row] >= 0 && float.IsFinite(sampleWeights[row]))) ThrowWeight(row, sampleWeights[row], nameof(sampleWeights));
    }

    /// <summary>Every entry at least 0 and the sum 1 up to <see cref="LargestSumError"/>, for each row of <paramref name="classCount"/> entries.</summary>
    public static void RequireProbabilities<T>(ReadOnlySpan<T> probabilities, int classCount, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int start = 0; start < probabilities.Length; start += classCount)
        {
            double sum = 0;
            for (int i = start; i < start + classCount; i++)
            {
                double p = double.CreateTruncating(probabilities[i]);
                if (!(p >= 0)) ThrowProbability(start / classCount, i - start, p, name);
                sum += p;
            }

            if (!(Math.Abs(sum - 1) <= LargestSumError)) ThrowSum(start / classCount, sum, name);
        }
    }

    public static void RequireNoNaN<T>(ReadOnlySpan<T> scores, int classCount, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < scores.Length; i++)
            if (T.IsNaN(scores[i])) ThrowNaN(i / classCount, i % classCount, name);
    }

    /// <summary>Every confidence 0 to 1, up to the rounding a probability may carry.</summary>
    public static void RequireConfidences<T>(ReadOnlySpan<T> confidences, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int row = 0; row < confidences.Length; row++)
        {
            double confidence = double.CreateTruncating(confidences[row]);
            if (!(confidence >= 0 && confidence <= 1 + LargestSumError)) ThrowConfidence(row, confidence, name);
        }
    }

    /// <summary>Checks rows whose class count follows from the lengths, and returns that count.</summary>
    public static int RequireRows<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<int> labels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = ClassCountOf(probabilities.Length, labels.Length, nameof(probabilities));
        RequireLabels(labels, classCount, nameof(labels));
        RequireProbabilities(probabilities, classCount, nameof(probabilities));
        return classCount;
    }

    public static int ClassCountOf(int length, int rowCount, string name)
    {
        if (rowCount == 0 || length == 0 || length % rowCount != 0) ThrowNotRows(length, rowCount, name);
        return length / rowCount;
    }

    public static void RequireLength(long expected, int actual, string name)
    {
        if (actual != expected) ThrowLength(expected, actual, name);
    }

    /// <summary>The class of the highest probability, the first of them on a tie.</summary>
    public static int Predict<T>(ReadOnlySpan<T> probabilities)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int best = 0;
        for (int i = 1; i < probabilities.Length; i++)
            if (probabilities[i] > probabilities[best]) best = i;
        return best;
    }

    public static void RequireSameClassCount(int expected, int actual, string name)
    {
        if (actual != expected) ThrowClassCount(expected, actual, name);
    }

    [DoesNotReturn]
    public static void ThrowClass(int label, int classCount, string name) =>
        throw new ArgumentOutOfRangeException(name, label, $"There are {classCount} classes: a class is 0 to {classCount - 1}.");

    [DoesNotReturn]
    private static void ThrowWeight(int row, float weight, string name) =>
        throw new ArgumentOutOfRangeException(name, weight, $"Row {row} has this weight; a weight must be finite and at least 0.");

    [DoesNotReturn]
    private static void ThrowProbability(int row, int column, double value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, $"Row {row} has this value for class {column}, which must be at least 0 and not NaN.");

    [DoesNotReturn]
    private static void ThrowNaN(int row, int column, string name) =>
        throw new ArgumentOutOfRangeException(name, double.NaN, $"Row {row} has this score for class {column}; a score must not be NaN.");

    [DoesNotReturn]
    private static void ThrowSum(int row, double sum, string name) => throw new ArgumentOutOfRangeException(
        name, sum, $"Row {row} has this sum; the probabilities of a row must sum to 1 within {LargestSumError} (logits must go through Softmax first).");

    [DoesNotReturn]
    private static void ThrowConfidence(int row, double confidence, string name) =>
        throw new ArgumentOutOfRangeException(name, confidence, $"Row {row} has this confidence, which must be 0 to 1.");

    [DoesNotReturn]
    private static void ThrowNotRows(int length, int rowCount, string name) =>
        throw new ArgumentException($"Has {length} values for {rowCount} labels; needs at least one row and as many values for each.", name);

    [DoesNotReturn]
    private static void ThrowLength(long expected, int actual, string name) => throw new ArgumentException($"Needs {expected} values but has {actual}.", name);

    [DoesNotReturn]
    private static void ThrowClassCount(int expected, int actual, string name) =>
        throw new ArgumentException($"Needs {expected} classes but has {actual}.", name);
}
