using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Makes a model as sure as it is right by dividing its logits by one number T, fitted on rows that it was not trained on: above 1 the
/// model was too sure, below 1 not sure enough. Predicted classes do not change (Guo, Pleiss, Sun, Weinberger 2017).
/// </summary>
public sealed record TemperatureScaling
{
    /// <summary>The lowest temperature <see cref="Fit"/> gives. It is reached when every label already has the highest logit: then lower is always better.</summary>
    public const double LowestTemperature = 1e-3;

    /// <summary>The highest temperature <see cref="Fit"/> gives. It is reached when the logits say nothing about the labels: then higher is always better.</summary>
    public const double HighestTemperature = 1e3;

    private readonly double _temperature;

    /// <summary>Takes a known temperature.</summary>
    /// <param name="temperature">T, finite and greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="temperature"/> is not finite or not greater than 0.</exception>
    public TemperatureScaling(double temperature)
    {
        Argument.FiniteAndPositive(temperature);
        _temperature = temperature;
    }

    /// <summary>T: logits are divided by it.</summary>
    public double Temperature => _temperature;

    /// <summary>Mean log-loss (nats) of the rows it was fitted on at T = 1; NaN when it was not fitted.</summary>
    public double LogLossBefore { get; private init; } = double.NaN;

    /// <summary>Mean log-loss (nats) of the rows it was fitted on at <see cref="Temperature"/>; NaN when it was not fitted.</summary>
    public double LogLossAfter { get; private init; } = double.NaN;

    /// <summary>Whether the best temperature would be outside of <see cref="LowestTemperature"/> to <see cref="HighestTemperature"/>: the rows do not determine it.</summary>
    public bool IsAtLimit { get; private init; }

    /// <summary>The temperature with the lowest mean log-loss: a convex problem in 1/T, solved by Newton's method to full precision.</summary>
    /// <param name="logits">[rows, classes], row-major; −∞ is allowed except for the label. Rows that the model was not trained on.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0, not all 0; empty: every row weighs 1.</param>
    /// <returns>The fitted temperature; 1 when the logits within each row are equal, so that no temperature matters.</returns>
    /// <exception cref="ArgumentException">The lengths do not belong together, or no row has a weight.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is out of range, a logit is NaN or +∞, the logit of a label is −∞, or a weight is negative or not finite; the message names the row.</exception>
    public static TemperatureScaling Fit<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TemperatureProblem problem = new(CalibrationLogits.Read(logits, labels, sampleWeights), labels, sampleWeights);
        (double inverse, bool isAtLimit) = problem.Solve(1 / HighestTemperature, 1 / LowestTemperature);
        return new TemperatureScaling(1 / inverse)
        {
            LogLossBefore = problem.LogLoss(1),
            LogLossAfter = problem.LogLoss(inverse),
            IsAtLimit = isAtLimit,
        };
    }

    /// <summary>The temperature at which a model has the lowest mean log-loss on rows it was not trained on.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">Rows with as many features as the model has, all finite.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0, not all 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths or the number of features do not fit, or no row has a weight.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label or weight is out of range, or the logits of a row are not finite; the message names the row.</exception>
    public static TemperatureScaling FitModel(SoftmaxRegressionModel model, FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default) =>
        Fit<double>(CalibrationLogits.Of(model, rows, labels), labels, sampleWeights);

    /// <summary>A model whose probabilities are those of <paramref name="model"/> at <see cref="Temperature"/>: coefficients and intercepts are divided by it.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <exception cref="ArgumentException">A coefficient divided by the temperature is not finite.</exception>
    public SoftmaxRegressionModel ApplyTo(SoftmaxRegressionModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new SoftmaxRegressionModel(Divide(model.Coefficients.Span), Divide(model.Intercepts.Span), model.ClassNames, model.Training) { FeatureNames = model.FeatureNames };
    }

    /// <summary>Probabilities of one row at <see cref="Temperature"/>.</summary>
    /// <param name="logits">The logits of one row, at least one.</param>
    /// <param name="destination">Receives one probability per logit; may be <paramref name="logits"/> itself.</param>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is empty, or <paramref name="destination"/> is too short or overlaps it with a shift.</exception>
    public void ToProbabilities<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SoftmaxFunctions.Softmax(logits, T.CreateTruncating(_temperature), destination);

    /// <summary>Probabilities of many rows at <see cref="Temperature"/>.</summary>
    /// <param name="logits">[rows, classes], row-major.</param>
    /// <param name="classCount">Logits per row, at least 1.</param>
    /// <param name="destination">Receives one probability per logit; may be <paramref name="logits"/> itself.</param>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is not a whole number of rows, or <paramref name="destination"/> is too short or overlaps it with a shift.</exception>
    public void ToProbabilityRows<T>(ReadOnlySpan<T> logits, int classCount, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.DividesInto(logits.Length, classCount, nameof(logits));
        Argument.FitsInto(logits.Length, destination.Length);
        Argument.SameStartOrDisjoint(logits, destination);
        for (int start = 0; start < logits.Length; start += classCount)
            ToProbabilities(logits.Slice(start, classCount), destination.Slice(start, classCount));
    }

    private double[] Divide(ReadOnlySpan<double> values)
    {
        double[] divided = new double[values.Length];
        for (int i = 0; i < divided.Length; i++) divided[i] = values[i] / _temperature;
        return divided;
    }
}
