namespace SoftmaxCE;

/// <summary>One point of the training history.</summary>
internal readonly record struct ReportPoint(double Passes, double Objective, double Gap);

/// <summary>The coefficients a report shows.</summary>
/// <param name="Values">[classes, features], row-major.</param>
/// <param name="ClassNames">One per class.</param>
/// <param name="FeatureNames">One per feature.</param>
/// <param name="PixelWidth">Pixels per line when the features are the pixels of a picture, else 0.</param>
internal sealed record ReportCoefficients(ReadOnlyMemory<double> Values, IReadOnlyList<string> ClassNames, IReadOnlyList<string> FeatureNames, int PixelWidth);

/// <summary>What a report shows; a part that is null or empty is left out.</summary>
internal sealed record ReportContent
{
    public required string Title { get; init; }

    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    public IReadOnlyList<ReportPoint> History { get; init; } = [];

    public ClassificationMetrics? Metrics { get; init; }

    public CalibrationCurve? Calibration { get; init; }

    public ReportCoefficients? Coefficients { get; init; }
}
