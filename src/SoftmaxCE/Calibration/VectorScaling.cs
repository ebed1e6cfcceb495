using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Makes a model as sure as it is right, class by class: logits z become a ∘ z + b, with a scale a[c] and an offset b[c] for each class c
/// fitted on rows that the model was not trained on (Guo, Pleiss, Sun, Weinberger 2017). Mends classes that are predicted too often or too
/// seldom, which <see cref="TemperatureScaling"/> cannot; predicted classes may change, and it needs more rows: some tens per class.
/// </summary>
/// <remarks>A logit of −∞ or +∞ stays what it is. Unlike a temperature, the result depends on what is common to the logits of a row: fit and use it with logits of the same model.</remarks>
public sealed class VectorScaling
{
    private readonly double[] _scales;
    private readonly double[] _offsets;

    /// <summary>Takes known numbers, which are copied.</summary>
    /// <param name="scales">a, one per class, finite.</param>
    /// <param name="offsets">b, one per class, finite.</param>
    /// <exception cref="ArgumentException">There are no classes, not as many offsets as scales, or a number is not finite.</exception>
    public VectorScaling(ReadOnlySpan<double> scales, ReadOnlySpan<double> offsets)
    {
        Argument.NotEmpty(scales);
        Argument.SameLength(scales.Length, offsets.Length, nameof(offsets));
        Argument.Finite(scales);
        Argument.Finite(offsets);
        _scales = scales.ToArray();
        _offsets = offsets.ToArray();
    }

    /// <summary>Number of classes.</summary>
    public int ClassCount => _scales.Length;

    /// <summary>a, one per class.</summary>
    public ReadOnlyMemory<double> Scales => _scales;

    /// <summary>b, one per class.</summary>
    public ReadOnlyMemory<double> Offsets => _offsets;

    /// <summary>Mean log-loss (nats) of the rows it was fitted on, of the logits as they were; NaN when it was not fitted.</summary>
    public double LogLossBefore { get; private init; } = double.NaN;

    /// <summary>Mean log-loss (nats) of the rows it was fitted on, after scaling: never above that of <see cref="TemperatureScaling"/> on the same rows; NaN when it was not fitted.</summary>
    public double LogLossAfter { get; private init; } = double.NaN;

    /// <summary>Whether the rows do not determine the numbers, because some could go on for ever: only without a prior.</summary>
    public bool IsAtLimit { get; private init; }

    /// <summary>
    /// The scales and offsets with the lowest mean log-loss plus prior, Σ s loss / Σ s + priorRows / (2 Σ s) · Σ_c ((a[c] − 1/T)² m[c] + b[c]²), where
    /// s are the sample weights, T is the best temperature and m[c] the mean of z[c]². A convex problem, solved by Newton's method to full precision.
    /// </summary>
    /// <param name="logits">[rows, classes], row-major; −∞ is allowed except for the label. Rows that the model was not trained on.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0, not all 0; empty: every row weighs 1.</param>
    /// <param name="priorRows">
    /// How many rows' worth of weight speaks for temperature scaling; finite and at least 0. With the default of 1 classes with few rows stay near it. With 0 there
    /// is no prior: a class that is never the label would then be ruled out, see <see cref="IsAtLimit"/>.
    /// </param>
    /// <exception cref="ArgumentException">The lengths do not belong together, or no row has a weight.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is out of range, a logit is NaN or +∞, the logit of a label is −∞, or a weight is negative or not finite; the message names the row. Or <paramref name="priorRows"/> is negative or not finite.</exception>
    public static VectorScaling Fit<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default, double priorRows = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.FiniteAndNotNegative(priorRows);
        double[] values = CalibrationLogits.Read(logits, labels, sampleWeights);
        TemperatureScaling temperature = TemperatureScaling.Fit<double>(values, labels, sampleWeights);
        double inverse = 1 / temperature.Temperature;
        VectorProblem problem = new(values, labels, sampleWeights, priorRows, inverse);
        int classCount = problem.ClassCount;
        double[] point = new double[2 * classCount];
        point.AsSpan(0, classCount).Fill(inverse);
        bool found = new VectorSolver(problem).Solve(point);
        if (priorRows == 0) CentreOffsets(point.AsSpan(classCount));
        return new VectorScaling(point.AsSpan(0, classCount), point.AsSpan(classCount))
        {
            LogLossBefore = temperature.LogLossBefore,
            LogLossAfter = problem.LogLoss(point),
            IsAtLimit = !found || (priorRows == 0 && !problem.HasEveryClass),
        };
    }

    /// <summary>The scales and offsets of a model, fitted on rows it was not trained on; as <see cref="Fit"/> does.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">Rows with as many features as the model has, all finite.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0, not all 0; empty: every row weighs 1.</param>
    /// <param name="priorRows">How many rows' worth of weight speaks for temperature scaling.</param>
    /// <exception cref="ArgumentException">The lengths or the number of features do not fit, or no row has a weight.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label or weight is out of range, or the logits of a row are not finite; the message names the row.</exception>
    public static VectorScaling FitModel(
        SoftmaxRegressionModel model, FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default, double priorRows = 1) =>
        Fit<double>(CalibrationLogits.Of(model, rows, labels), labels, sampleWeights, priorRows);

    /// <summary>A model whose logits are those of <paramref name="model"/> after scaling: row c of the coefficients is multiplied by a[c], intercept c becomes a[c] · intercept + b[c].</summary>
    /// <param name="model">A model with as many classes; it is not changed.</param>
    /// <exception cref="ArgumentException">The model has another number of classes, or a scaled coefficient is not finite.</exception>
    public SoftmaxRegressionModel ApplyTo(SoftmaxRegressionModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        EvaluationRows.RequireSameClassCount(ClassCount, model.ClassCount, nameof(model));
        double[] coefficients = model.Coefficients.ToArray(), intercepts = model.Intercepts.ToArray();
        for (int i = 0; i < coefficients.Length; i++) coefficients[i] *= _scales[i / model.FeatureCount];
        Scale<double>(intercepts, _scales, _offsets, intercepts);
        return new SoftmaxRegressionModel(coefficients, intercepts, model.ClassNames, model.Training) { FeatureNames = model.FeatureNames };
    }

    /// <summary>Probabilities softmax(a ∘ z + b) of one row.</summary>
    /// <param name="logits">z, one per class.</param>
    /// <param name="destination">Receives one probability per class; may be <paramref name="logits"/> itself.</param>
    /// <exception cref="ArgumentException">There are not as many logits as classes, or <paramref name="destination"/> is too short or overlaps them with a shift.</exception>
    public void ToProbabilities<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.SameLength(ClassCount, logits.Length, nameof(logits));
        ToProbabilityRows(logits, destination);
    }

    /// <summary>Probabilities softmax(a ∘ z + b) of many rows.</summary>
    /// <param name="logits">[rows, classes], row-major.</param>
    /// <param name="destination">Receives one probability per logit; may be <paramref name="logits"/> itself.</param>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is not a whole number of rows, or <paramref name="destination"/> is too short or overlaps it with a shift.</exception>
    public void ToProbabilityRows<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.DividesInto(logits.Length, ClassCount, nameof(logits));
        Argument.FitsInto(logits.Length, destination.Length);
        Argument.SameStartOrDisjoint(logits, destination);
        for (int start = 0; start < logits.Length; start += ClassCount)
        {
            Span<T> row = destination.Slice(start, ClassCount);
            Scale(logits.Slice(start, ClassCount), _scales, _offsets, row);
            SoftmaxFunctions.Softmax<T>(row, row);
        }
    }

    /// <summary>a ∘ z + b of one row, computed in double; an infinite logit stays what it is.</summary>
    internal static void Scale<T>(ReadOnlySpan<T> logits, ReadOnlySpan<double> scales, ReadOnlySpan<double> offsets, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int c = 0; c < logits.Length; c++)
            destination[c] = T.IsInfinity(logits[c]) ? logits[c] : T.CreateSaturating(Math.FusedMultiplyAdd(double.CreateTruncating(logits[c]), scales[c], offsets[c]));
    }

    // Without a prior nothing says how large what is common to all offsets should be.
    private static void CentreOffsets(Span<double> offsets)
    {
        double mean = 0;
        foreach (double offset in offsets) mean += offset / offsets.Length;
        foreach (ref double offset in offsets) offset -= mean;
    }
}
