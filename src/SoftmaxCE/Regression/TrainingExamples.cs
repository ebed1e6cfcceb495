namespace SoftmaxCE;

/// <summary>What a model is trained on: rows of features, for each row its class or a distribution over the classes, and, if wanted, weights and offset logits.</summary>
/// <remarks>Holds on to the caller's memory, which must not change while a trainer reads it. What does not fit is found when training starts.</remarks>
public sealed record TrainingExamples
{
    private TrainingExamples(FeatureRows rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Rows = rows;
    }

    /// <summary>The features.</summary>
    public FeatureRows Rows { get; }

    /// <summary>One class per row, 0, 1, 2, …; empty when there are <see cref="Targets"/>.</summary>
    public ReadOnlyMemory<int> Labels { get; private init; }

    /// <summary>One distribution over the classes per row, [rows, classes] row-major; empty when there are <see cref="Labels"/>.</summary>
    public ReadOnlyMemory<double> Targets { get; private init; }

    /// <summary>Number of classes; 0 when the largest label says it.</summary>
    public int ClassCount { get; private init; }

    /// <summary>One name per class; null names them "0", "1", ….</summary>
    /// <exception cref="ArgumentException">Not as many names as there are classes.</exception>
    public IReadOnlyList<string>? ClassNames
    {
        get;
        init
        {
            if (value is not null && ClassCount != 0) Argument.SameLength(ClassCount, value.Count, nameof(ClassNames));
            field = value is null ? null : [.. value];
            if (value is not null) ClassCount = value.Count;
        }
    }

    /// <summary>One weight ≥ 0 per row, not all 0; empty for all 1.</summary>
    public ReadOnlyMemory<float> SampleWeights { get; init; }

    /// <summary>Known parts of the logits, [rows, classes] row-major, finite: the model is fitted to logits W x + b + offset. Empty for none.</summary>
    /// <remarks>
    /// As the offset of a generalised linear model, it has no coefficient and no penalty: an earlier model's logits, or the logarithms of
    /// exposures or of priors. A value common to all classes of a row changes nothing. The model predicts W x + b, without offset.
    /// </remarks>
    public ReadOnlyMemory<double> OffsetLogits { get; init; }

    /// <summary>Rows with a label each.</summary>
    /// <param name="rows">Features.</param>
    /// <param name="labels">One per row, from 0 on.</param>
    /// <param name="classCount">Number of classes, where the labels may lack the last ones; 0 takes the largest label + 1.</param>
    public static TrainingExamples FromLabels(FeatureRows rows, ReadOnlyMemory<int> labels, int classCount = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(classCount);
        return new TrainingExamples(rows) { Labels = labels, ClassCount = classCount };
    }

    /// <summary>Rows with the name of a class each.</summary>
    /// <param name="rows">Features.</param>
    /// <param name="names">One per row.</param>
    /// <param name="classNames">The names in the order of their labels; null sorts the names that occur.</param>
    /// <exception cref="ArgumentException">There is no name, or one that is not in <paramref name="classNames"/>; the message gives its row.</exception>
    public static TrainingExamples FromNames(FeatureRows rows, IReadOnlyList<string> names, IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count == 0) throw new ArgumentException("Needs at least one row but is empty.", nameof(names));
        if (classNames is not null) return new TrainingExamples(rows) { Labels = LabelEncoder.EncodeAs(classNames, names, nameof(names)), ClassNames = classNames };
        LabelEncoder encoder = new(names);
        return new TrainingExamples(rows) { Labels = encoder.Encode(names), ClassNames = encoder.ClassNames };
    }

    /// <summary>Rows with a distribution over the classes each ("soft labels"): the loss of a row is its cross-entropy Σ t (−ln p).</summary>
    /// <remarks>
    /// A row with targets t counts exactly as one row for each class c, with label c and the sample weight times t[c]; a one-hot row is a
    /// row with that label, to the last bit.
    /// </remarks>
    /// <param name="rows">Features.</param>
    /// <param name="targets">[rows, classes] row-major, entries ≥ 0; each row sums to 1 within 0.001, and is taken as given.</param>
    /// <param name="classCount">Number of classes, at least 2.</param>
    /// <exception cref="ArgumentException">The length is not rows times classes.</exception>
    public static TrainingExamples FromTargets(FeatureRows rows, ReadOnlyMemory<double> targets, int classCount)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(classCount, 2);
        if ((long)rows.RowCount * classCount != targets.Length)
        {
            throw new ArgumentException($"Needs {rows.RowCount} rows of {classCount} values but has {targets.Length} values.", nameof(targets));
        }

        return new TrainingExamples(rows) { Targets = targets, ClassCount = classCount };
    }
}
