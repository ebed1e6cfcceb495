using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Checks that the losses share, beyond those of <see cref="Argument"/>; all are made before anything is written.</summary>
internal static class LossArguments
{
    /// <summary>How many classes each row has.</summary>
    public static int ClassCount(int logitCount, int rowCount, string name)
    {
        if (logitCount % rowCount != 0) ThrowUneven(logitCount, rowCount, name);
        return logitCount / rowCount;
    }

    /// <summary>An output is left out (empty) or has room for <paramref name="needed"/> values, apart from the input or exactly on it.</summary>
    public static Span<T> Output<T>(Span<T> output, int needed, ReadOnlySpan<T> mayShare, [CallerArgumentExpression(nameof(output))] string name = "")
    {
        if (output.IsEmpty) return output;
        Argument.FitsInto(needed, output.Length, name);
        Argument.SameStartOrDisjoint<T>(mayShare, output[..needed], name);
        return output[..needed];
    }

    /// <summary>Weights are left out (empty) or one per row, none of them negative, NaN or infinite.</summary>
    public static void Weights<T>(ReadOnlySpan<T> weights, int count, [CallerArgumentExpression(nameof(weights))] string name = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (weights.IsEmpty) return;
        Argument.SameLength(count, weights.Length, name);
        for (int i = 0; i < weights.Length; i++)
        {
            if (!(weights[i] >= T.Zero && T.IsFinite(weights[i]))) ThrowWeight(i, double.CreateTruncating(weights[i]), name);
        }
    }

    public static void Share(double value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value >= 0 && value <= 1)) ThrowNotShare(value, name);
    }

    public static void Known(LossReduction value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value is not (LossReduction.Mean or LossReduction.Sum)) ThrowUnknown(value, name);
    }

    public static void Known(KullbackLeiblerReduction value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if ((uint)value > (uint)KullbackLeiblerReduction.Sum) ThrowUnknown(value, name);
    }

    /// <summary>No target is negative; NaN passes and makes its row NaN.</summary>
    public static void NotNegative<T>(ReadOnlySpan<T> targets, [CallerArgumentExpression(nameof(targets))] string name = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!(TensorPrimitives.MinNumber(targets) < T.Zero)) return;
        int index = 0;
        while (!(targets[index] < T.Zero)) index++;
        ThrowNegative(index, double.CreateTruncating(targets[index]), name);
    }

    /// <summary>Every value is in [0, 1]; NaN passes.</summary>
    public static void Probabilities<T>(ReadOnlySpan<T> targets, [CallerArgumentExpression(nameof(targets))] string name = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NotNegative(targets, name);
        if (!(TensorPrimitives.MaxNumber(targets) > T.One)) return;
        int index = 0;
        while (!(targets[index] > T.One)) index++;
        ThrowAboveOne(index, double.CreateTruncating(targets[index]), name);
    }

    /// <summary>The sum of the weights of the rows that count, and how many rows carry the ignored label. Throws at a label that is no class.</summary>
    public static double WeightSum<T>(
        ReadOnlySpan<int> labels, int classCount, int? ignoreLabel, ReadOnlySpan<double> classWeights, ReadOnlySpan<T> sampleWeights, out int ignoredCount)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CompensatedSum sum = default;
        int counted = 0;
        bool weighted = !classWeights.IsEmpty || !sampleWeights.IsEmpty;

        // As an unsigned number a negative label is no class, either; which one it is that is wrong the loop finds.
        if (!weighted && ignoreLabel == null && !labels.IsEmpty && TensorPrimitives.Max(MemoryMarshal.Cast<int, uint>(labels)) < (uint)classCount)
        {
            ignoredCount = 0;
            return labels.Length;
        }

        for (int row = 0; row < labels.Length; row++)
        {
            int label = labels[row];
            if (label == ignoreLabel) continue;
            if ((uint)label >= (uint)classCount) Argument.ThrowLabel(row, label, classCount, nameof(labels));
            counted++;
            if (!weighted) continue;
            double weight = classWeights.IsEmpty ? 1 : classWeights[label];
            sum.Add(sampleWeights.IsEmpty ? weight : weight * double.CreateTruncating(sampleWeights[row]));
        }

        ignoredCount = labels.Length - counted;
        return weighted ? sum.Value : counted;
    }

    /// <summary>ε/C · w[c], the share of each class in a smoothed label, and their sum.</summary>
    public static double FillBackground<T>(Span<T> background, double labelSmoothing, ReadOnlySpan<double> classWeights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double share = labelSmoothing / background.Length;
        for (int c = 0; c < background.Length; c++) background[c] = T.CreateTruncating(classWeights.IsEmpty ? share : share * classWeights[c]);
        return Sum<T>(background);
    }

    public static double Sum<T>(ReadOnlySpan<T> weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CompensatedSum sum = default;
        foreach (T weight in weights) sum.Add(double.CreateTruncating(weight));
        return sum.Value;
    }

    [DoesNotReturn]
    private static void ThrowUneven(int logitCount, int rowCount, string name) =>
        throw new ArgumentException($"Has {logitCount} values, which {rowCount} rows cannot share evenly.", name);

    [DoesNotReturn]
    private static void ThrowNotShare(double value, string name) => throw new ArgumentOutOfRangeException(name, value, "Must be in [0, 1].");

    [DoesNotReturn]
    private static void ThrowUnknown<TReduction>(TReduction value, string name)
        where TReduction : struct, Enum =>
        throw new ArgumentOutOfRangeException(name, value, $"Must be one of {string.Join(", ", Enum.GetNames<TReduction>())}.");

    [DoesNotReturn]
    private static void ThrowWeight(int index, double weight, string name) =>
        throw new ArgumentOutOfRangeException(name, weight, $"Weight {index} must be finite and at least 0.");

    [DoesNotReturn]
    private static void ThrowAboveOne(int index, double value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, $"Value {index} is above 1; a probability is at most 1.");

    [DoesNotReturn]
    private static void ThrowNegative(int index, double value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, $"Value {index} is negative; a probability is at least 0.");
}
