using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A softmax regression: logits z = W x + b, probabilities softmax(z). Immutable; any number of threads may predict at once, and nothing is allocated.</summary>
/// <remarks>
/// A row has the same logits and label to the last bit however it comes: alone or among others, dense or sparse, as float or double. The coefficients are held
/// twice, as given and as the kernels want them, and rounded to float where that finds labels faster.
/// </remarks>
public sealed unsafe partial class SoftmaxRegressionModel
{
    private readonly double[] _coefficients;
    private readonly double[] _intercepts;
    private readonly PackedParameters _packed;

    /// <summary>A model from its parameters, which are copied.</summary>
    /// <param name="coefficients">W, [classes, features] row-major, finite.</param>
    /// <param name="intercepts">b, one per class, finite; at least two.</param>
    /// <param name="classNames">One per class; null names the classes "0", "1", ….</param>
    /// <param name="training">How the model was trained, if it was.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or a value is not finite.</exception>
    public SoftmaxRegressionModel(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> intercepts, IReadOnlyList<string>? classNames = null, TrainingSummary? training = null)
    {
        ClassCount = intercepts.Length;
        if (ClassCount < 2) throw new ArgumentException($"Needs at least 2 classes but has {ClassCount} intercepts.", nameof(intercepts));
        Argument.NotEmpty(coefficients);
        Argument.DividesInto(coefficients.Length, ClassCount, nameof(coefficients));
        if (classNames is not null) Argument.SameLength(ClassCount, classNames.Count, nameof(classNames));
        Argument.Finite(coefficients);
        Argument.Finite(intercepts);
        FeatureCount = coefficients.Length / ClassCount;
        _coefficients = coefficients.ToArray();
        _intercepts = intercepts.ToArray();
        _packed = new PackedParameters(coefficients, intercepts);
        string[] names = new string[ClassCount];
        for (int c = 0; c < names.Length; c++) names[c] = classNames?[c] ?? c.ToString(CultureInfo.InvariantCulture);
        ClassNames = names;
        Training = training;
    }

    /// <summary>Number of classes.</summary>
    public int ClassCount { get; }

    /// <summary>Number of features.</summary>
    public int FeatureCount { get; }

    /// <summary>W, [classes, features] row-major.</summary>
    public ReadOnlyMemory<double> Coefficients => _coefficients;

    /// <summary>b, one per class.</summary>
    public ReadOnlyMemory<double> Intercepts => _intercepts;

    /// <summary>One name per class; "0", "1", … when trained with numeric labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How the model was trained; null for a model made from parameters.</summary>
    public TrainingSummary? Training { get; }

    /// <summary>The class with the largest logit, the first of equals.</summary>
    /// <param name="features">One row, as the model was trained on it (scale and offset of the rows applied).</param>
    /// <exception cref="ArgumentException">Not as many features as the model has.</exception>
    [SkipLocalsInit]
    public int Predict<T>(ReadOnlySpan<T> features)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.SameLength(FeatureCount, features.Length, nameof(features));
        using Room room = new(RoomFor(1), stackalloc double[Room.OnStack]);
        fixed (double* start = room.Values) return LabelOfRow(features, PackedParameters.Aligned(start));
    }

    /// <summary>Logits W x + b, computed in double.</summary>
    /// <param name="features">One row.</param>
    /// <param name="destination">Room for one value per class.</param>
    /// <exception cref="ArgumentException">Not as many features as the model has, or too little room.</exception>
    [SkipLocalsInit]
    public void PredictLogits<T>(ReadOnlySpan<T> features, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.FitsInto(ClassCount, destination.Length);
        Argument.SameLength(FeatureCount, features.Length, nameof(features));
        using Room room = new(RoomFor(1), stackalloc double[Room.OnStack]);
        fixed (double* start = room.Values)
        {
            double* logits = LogitsOfRow(features, PackedParameters.Aligned(start));
            for (int c = 0; c < ClassCount; c++) destination[c] = T.CreateSaturating(logits[c]);
        }
    }

    /// <summary>Probabilities softmax(W x + b), computed in double.</summary>
    /// <param name="features">One row.</param>
    /// <param name="destination">Room for one value per class.</param>
    /// <exception cref="ArgumentException">Not as many features as the model has, or too little room.</exception>
    [SkipLocalsInit]
    public void PredictProbabilities<T>(ReadOnlySpan<T> features, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.FitsInto(ClassCount, destination.Length);
        Argument.SameLength(FeatureCount, features.Length, nameof(features));
        using Room room = new(RoomFor(1), stackalloc double[Room.OnStack]);
        fixed (double* start = room.Values)
        {
            double* logits = LogitsOfRow(features, PackedParameters.Aligned(start));
            ToProbabilities(logits, 1);
            for (int c = 0; c < ClassCount; c++) destination[c] = T.CreateSaturating(logits[c]);
        }
    }

    /// <summary>The class of every row.</summary>
    /// <param name="rows">Rows with as many features as the model has.</param>
    /// <param name="labels">Room for one label per row.</param>
    /// <exception cref="ArgumentException">The number of features differs, or too little room.</exception>
    public void PredictRows(FeatureRows rows, Span<int> labels)
    {
        CheckRows(rows);
        Argument.FitsInto(rows.RowCount, labels.Length, nameof(labels));
        using Room room = new(RoomFor(Math.Min(BlockRows, rows.RowCount)), default);
        fixed (double* start = room.Values)
        {
            for (int first = 0; first < rows.RowCount; first += BlockRows)
            {
                Span<int> ofBlock = labels.Slice(first, Math.Min(BlockRows, rows.RowCount - first));
                LabelsOfRows(rows, first, ofBlock, PackedParameters.Aligned(start));
            }
        }
    }

    /// <summary>The probabilities of every row.</summary>
    /// <param name="rows">Rows with as many features as the model has.</param>
    /// <param name="destination">Room for [rows, classes].</param>
    /// <exception cref="ArgumentException">The number of features differs, or too little room.</exception>
    public void PredictProbabilityRows(FeatureRows rows, Span<float> destination)
    {
        CheckRows(rows);
        Argument.FitsInto((long)rows.RowCount * ClassCount, destination.Length);
        using Room room = new(RoomFor(Math.Min(BlockRows, rows.RowCount)), default);
        fixed (double* start = room.Values)
        {
            for (int first = 0; first < rows.RowCount; first += BlockRows)
            {
                int length = Math.Min(BlockRows, rows.RowCount - first);
                double* logits = LogitsOfRows(rows, first, length, PackedParameters.Aligned(start));
                ToProbabilities(logits, length);
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<double>(logits, length * ClassCount), destination[(first * ClassCount)..]);
            }
        }
    }

    private void CheckRows(FeatureRows rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.FeatureCount != FeatureCount) throw new ArgumentException($"Has {rows.FeatureCount} features, but the model has {FeatureCount}.", nameof(rows));
    }

    internal static int FirstMaximum(ReadOnlySpan<double> logits)
    {
        int best = 0;
        for (int c = 1; c < logits.Length; c++)
        {
            if (logits[c] > logits[best]) best = c;
        }

        return best;
    }
}
