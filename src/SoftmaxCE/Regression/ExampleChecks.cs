using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

/// <summary>Turns what the caller gave into <see cref="Examples"/>, and says what is wrong with it.</summary>
internal static class ExampleChecks
{
    /// <summary>Checks all, and combines sample weights, class weights and targets to a weight and a label or distribution per row.</summary>
    /// <param name="given">What the caller gave.</param>
    /// <param name="classWeights">One per class, or empty.</param>
    /// <param name="start">A model whose classes and features count, or null.</param>
    public static Examples Build(TrainingExamples given, ReadOnlySpan<double> classWeights, SoftmaxRegressionModel? start)
    {
        if (start is not null && start.FeatureCount != given.Rows.FeatureCount)
        {
            throw new ArgumentException($"Has {start.FeatureCount} features, but the rows have {given.Rows.FeatureCount}.", nameof(start));
        }

        if (start is not null && given.ClassCount != 0 && given.ClassCount != start.ClassCount)
        {
            throw new ArgumentException($"Has {start.ClassCount} classes, but the examples have {given.ClassCount}.", nameof(start));
        }

        return Build(given, classWeights, start?.ClassCount ?? given.ClassCount);
    }

    /// <summary>The same for a batch, whose features and classes are known.</summary>
    public static Examples Build(TrainingExamples batch, ReadOnlySpan<double> classWeights, int featureCount, int classCount)
    {
        if (batch.Rows.FeatureCount != featureCount) throw new ArgumentException($"Needs {featureCount} features but has {batch.Rows.FeatureCount}.", nameof(batch));
        if (batch.ClassCount != 0 && batch.ClassCount != classCount) throw new ArgumentException($"Needs {classCount} classes but has {batch.ClassCount}.", nameof(batch));
        return Build(batch, classWeights, classCount);
    }

    /// <summary>Refuses NaN and infinities.</summary>
    public static void RequireFinite(FeatureRows rows, string name)
    {
        double[] row = new double[rows.FeatureCount];
        for (int i = 0; i < rows.RowCount; i++)
        {
            rows.CopyRow(i, row);
            if (DoubleVectors.AllFinite(row)) continue;
            int column = Array.FindIndex(row, value => !double.IsFinite(value));
            throw new ArgumentException($"Row {i} has the value {row[column]} in column {column}; features must be finite.", name);
        }
    }

    private static Examples Build(TrainingExamples given, ReadOnlySpan<double> classWeights, int knownClassCount)
    {
        int rowCount = given.Rows.RowCount;
        if (rowCount == 0) ThrowNoRow("rows");
        bool hasTargets = !given.Targets.IsEmpty;
        if (!hasTargets) Argument.SameLength(rowCount, given.Labels.Length, "labels");
        int classCount = CountClasses(given, classWeights.Length, knownClassCount);
        ReadOnlySpan<float> sampleWeights = given.SampleWeights.Span;
        if (!sampleWeights.IsEmpty) Argument.SameLength(rowCount, sampleWeights.Length, nameof(sampleWeights));
        CheckOffsets(given.OffsetLogits.Span, rowCount, classCount);

        double[]? targets = null;
        double[] weights = new double[rowCount];
        int[] labels = hasTargets ? LabelsOf(given.Targets.Span, classCount, classWeights, weights, out targets) : given.Labels.ToArray();
        bool allOne = true;
        double sum = 0;
        for (int row = 0; row < rowCount; row++)
        {
            double sample = sampleWeights.IsEmpty ? 1 : sampleWeights[row];
            if (!(sample >= 0 && double.IsFinite(sample))) ThrowWeight(row, sample, nameof(sampleWeights));
            double own = hasTargets ? weights[row] : classWeights.IsEmpty ? 1 : classWeights[labels[row]];
            weights[row] = sample * own;
            allOne &= weights[row] == 1;
            sum += weights[row];
        }

        if (sum == 0) ThrowAllZero(nameof(sampleWeights));
        bool weighted = !sampleWeights.IsEmpty || !classWeights.IsEmpty || !allOne;
        return new Examples(labels, weighted ? weights : null, classCount, targets, given.OffsetLogits.Span);
    }

    public static void RequireFactors(int factorCount, int featureCount, string name)
    {
        if (factorCount == 0 || factorCount == featureCount) return;
        throw new ArgumentException($"The options have {factorCount} penalty factors, but there are {featureCount} features.", name);
    }

    /// <summary>Without a row of a class its intercept would fall for ever.</summary>
    public static void RequireEveryClass(Examples examples, IReadOnlyList<string>? classNames, string name, string where = "")
    {
        int present = examples.Shares.Count(share => share > 0);
        if (present == 1) ThrowOneClass(Array.FindIndex(examples.Shares, share => share > 0), classNames, name);
        for (int c = 0; c < examples.ClassCount; c++)
        {
            if (examples.Shares[c] > 0) continue;
            string className = classNames is null ? "" : $" (\"{classNames[c]}\")";
            string message = $"Class {c}{className} has no row of positive weight, but there are labels up to {examples.ClassCount - 1}.";
            throw new ArgumentException(where.Length == 0 ? message : $"{message} That is {where}so it needs at least two rows, in different folds.", name);
        }
    }

    private static int CountClasses(TrainingExamples given, int classWeightCount, int known)
    {
        ReadOnlySpan<int> labels = given.Labels.Span;
        int largest = 1;
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0) ThrowNegativeLabel(row, labels[row], nameof(labels));
            if (known != 0 && labels[row] >= known) Argument.ThrowLabel(row, labels[row], known);
            largest = Math.Max(largest, labels[row]);
        }

        int classCount = known != 0 ? known : largest + 1;
        if (classWeightCount != 0 && classWeightCount != classCount) ThrowClassWeights(classWeightCount, classCount, given.Targets.IsEmpty ? nameof(labels) : "targets");
        return classCount;
    }

    /// <summary>Each row of targets becomes a weight, its sum, and a label if only one entry is not 0, else a distribution.</summary>
    private static int[] LabelsOf(ReadOnlySpan<double> targets, int classCount, ReadOnlySpan<double> classWeights, Span<double> weights, out double[]? distributions)
    {
        distributions = null;
        int[] labels = new int[weights.Length];
        for (int row = 0; row < labels.Length; row++)
        {
            ReadOnlySpan<double> target = targets.Slice(row * classCount, classCount);
            double sum = 0, mass = 0;
            int entries = 0;
            for (int c = 0; c < classCount; c++)
            {
                if (!(target[c] >= 0 && double.IsFinite(target[c]))) ThrowTarget(row, c, target[c], nameof(targets));
                sum += target[c];
                mass += target[c] * (classWeights.IsEmpty ? 1 : classWeights[c]);
                if (target[c] == 0) continue;
                labels[row] = c;
                entries++;
            }

            if (!(Math.Abs(sum - 1) <= EvaluationRows.LargestSumError)) ThrowSum(row, sum, nameof(targets));
            weights[row] = mass;
            if (entries == 1) continue;
            labels[row] = -1;
            distributions ??= new double[targets.Length];
            for (int c = 0; c < classCount; c++) distributions[(row * classCount) + c] = target[c] * (classWeights.IsEmpty ? 1 : classWeights[c]) / mass;
        }

        return labels;
    }

    private static void CheckOffsets(ReadOnlySpan<double> offsetLogits, int rowCount, int classCount)
    {
        if (offsetLogits.IsEmpty) return;
        if ((long)rowCount * classCount != offsetLogits.Length)
        {
            throw new ArgumentException($"Needs {rowCount} rows of {classCount} values but has {offsetLogits.Length} values.", nameof(offsetLogits));
        }

        for (int i = 0; i < offsetLogits.Length; i++)
        {
            if (double.IsFinite(offsetLogits[i])) continue;
            throw new ArgumentOutOfRangeException(
                nameof(offsetLogits), offsetLogits[i], $"Row {i / classCount} has the offset {offsetLogits[i]} for class {i % classCount}; offsets must be finite.");
        }
    }

    [DoesNotReturn]
    private static void ThrowTarget(int row, int label, double value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, $"Row {row} has the target {value} for class {label}; targets must be finite and at least 0.");

    [DoesNotReturn]
    private static void ThrowSum(int row, double sum, string name) =>
        throw new ArgumentException($"Row {row} has targets that sum to {sum}; they must sum to 1 within {EvaluationRows.LargestSumError}.", name);

    [DoesNotReturn]
    private static void ThrowNoRow(string name) => throw new ArgumentException("Needs at least one row but is empty.", name);

    [DoesNotReturn]
    private static void ThrowWeight(int row, double weight, string name) =>
        throw new ArgumentOutOfRangeException(name, weight, $"Row {row} has the weight {weight}; weights must be finite and at least 0.");

    [DoesNotReturn]
    private static void ThrowAllZero(string name) => throw new ArgumentException("All weights are 0.", name);

    [DoesNotReturn]
    private static void ThrowNegativeLabel(int row, int label, string name) =>
        throw new ArgumentOutOfRangeException(name, label, $"Row {row} has the negative label {label}.");

    [DoesNotReturn]
    private static void ThrowClassWeights(int weightCount, int classCount, string name) =>
        throw new ArgumentException($"The options have {weightCount} class weights, but there are {classCount} classes.", name);

    [DoesNotReturn]
    private static void ThrowOneClass(int label, IReadOnlyList<string>? classNames, string name) =>
        throw new ArgumentException($"All rows have the same class, {(classNames is null ? label : classNames[label])}; at least two classes are needed.", name);
}
