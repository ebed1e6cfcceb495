namespace SoftmaxCE;

/// <summary>How svmlight (LIBSVM) text is read.</summary>
public sealed record SvmLightOptions
{
    /// <summary>Number of features; 0 (the default): as many as the highest index calls for, which for a test set may be too few.</summary>
    public int FeatureCount { get; init; }

    /// <summary>Whether the first feature has index 0. Default false: it has index 1, as the format has it.</summary>
    public bool ZeroBased { get; init; }

    internal void Validate() => ArgumentOutOfRangeException.ThrowIfNegative(FeatureCount);
}
