namespace SoftmaxCE;

/// <summary>The model at one penalty of a path.</summary>
public sealed record PathPoint
{
    /// <summary>λ.</summary>
    public required double Penalty { get; init; }

    /// <summary>λ · Mixing.</summary>
    public required double L1 { get; init; }

    /// <summary>λ · (1 − Mixing).</summary>
    public required double L2 { get; init; }

    /// <summary>Trained on all rows; how it ended is in its summary.</summary>
    public required SoftmaxRegressionModel Model { get; init; }

    /// <summary>Features with a coefficient that is not 0, for some class.</summary>
    public required int FeatureCount { get; init; }

    /// <summary>Mean deviance 2 Σ t ln(t / p) of the training rows; twice the mean loss when rows have labels.</summary>
    public required double Deviance { get; init; }

    /// <summary>1 − deviance / deviance of the model without features: 0 explains nothing, 1 everything.</summary>
    public required double DevianceRatio { get; init; }

    /// <summary>What cross-validation found, if it was done.</summary>
    public PathValidation? Validation { get; init; }
}

/// <summary>How models of one penalty did on the rows that they were not trained on.</summary>
/// <remarks>Means over the folds are weighted by the folds' weights; a standard error is √(weighted variance over the folds / (folds − 1)), as in glmnet.</remarks>
public sealed record PathValidation
{
    /// <summary>Mean deviance over the folds.</summary>
    public required double Deviance { get; init; }

    /// <summary>Standard error of <see cref="Deviance"/>.</summary>
    public required double DevianceError { get; init; }

    /// <summary>Share of rows predicted right; with targets, the mean target of the predicted class.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Standard error of <see cref="Accuracy"/>.</summary>
    public required double AccuracyError { get; init; }

    /// <summary>Deviance in each fold.</summary>
    public required IReadOnlyList<double> FoldDeviances { get; init; }

    /// <summary>Accuracy in each fold.</summary>
    public required IReadOnlyList<double> FoldAccuracies { get; init; }

    internal static PathValidation Of(ReadOnlySpan<HeldOutSums> folds)
    {
        double[] deviances = new double[folds.Length], accuracies = new double[folds.Length], weights = new double[folds.Length];
        for (int k = 0; k < folds.Length; k++)
        {
            weights[k] = folds[k].Weight;
            deviances[k] = folds[k].Deviance / folds[k].Weight;
            accuracies[k] = folds[k].Correct / folds[k].Weight;
        }

        (double deviance, double devianceError) = MeanAndError(deviances, weights);
        (double accuracy, double accuracyError) = MeanAndError(accuracies, weights);
        return new PathValidation
        {
            Deviance = deviance, DevianceError = devianceError, Accuracy = accuracy, AccuracyError = accuracyError, FoldDeviances = deviances, FoldAccuracies = accuracies,
        };
    }

    private static (double Mean, double Error) MeanAndError(double[] values, double[] weights)
    {
        double sum = 0, mean = 0, variance = 0;
        for (int k = 0; k < values.Length; k++)
        {
            sum += weights[k];
            mean += weights[k] * values[k];
        }

        mean /= sum;
        for (int k = 0; k < values.Length; k++) variance += weights[k] / sum * (values[k] - mean) * (values[k] - mean);
        return (mean, Math.Sqrt(variance / (values.Length - 1)));
    }
}

/// <summary>A model of a path is done.</summary>
/// <param name="Fold">The fold that was left out; −1 for the path over all rows.</param>
/// <param name="Index">Which penalty, from 0 on.</param>
/// <param name="Count">How many penalties there are.</param>
/// <param name="Penalty">λ.</param>
/// <param name="Training">How training went.</param>
public sealed record PathProgress(int Fold, int Index, int Count, double Penalty, TrainingSummary Training);
