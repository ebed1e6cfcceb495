namespace SoftmaxCE;

/// <summary>How coefficients are compared and what the model was trained with, for <see cref="SoftmaxRegressionModel.Inference"/>.</summary>
public sealed record InferenceOptions
{
    /// <summary>
    /// The class that the others are compared with: estimates are W_c − W_reference. Null compares each class with the mean of all: estimates
    /// are W_c − Σ W / C and sum to 0. Default 0.
    /// </summary>
    public int? ReferenceClass { get; init; } = 0;

    /// <summary>Probability that an interval covers its coefficient, between 0 and 1. Default 0.95.</summary>
    public double ConfidenceLevel { get; init; } = 0.95;

    /// <summary>The L2 of training. Null (the default): as <see cref="SoftmaxRegressionModel.Training"/> says, 0 without it.</summary>
    public double? L2 { get; init; }

    /// <summary>Whether intercepts were fitted. Null (the default): as <see cref="SoftmaxRegressionModel.Training"/> says, true without it.</summary>
    public bool? FitIntercepts { get; init; }

    /// <summary>Most threads. The result does not depend on it, to the last bit. Default: the number of processors.</summary>
    public int MaxDegreeOfParallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>Throws <see cref="ArgumentException"/> naming the option that has no meaning.</summary>
    internal void Validate()
    {
        if (!(ConfidenceLevel > 0 && ConfidenceLevel < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(ConfidenceLevel), ConfidenceLevel, "Must be between 0 and 1.");
        }

        if (L2 is { } l2) Argument.FiniteAndNotNegative(l2, nameof(L2));
        Argument.Positive(MaxDegreeOfParallelism);
    }
}
