using System.Text;

namespace SoftmaxCE;

/// <summary>What a model file holds, as plain arrays.</summary>
internal sealed record ModelContent
{
    // Half of a surrogate pair has no UTF-8 and would not come back.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="coefficients">[classes, features], row-major, finite.</param>
    /// <param name="intercepts">One per class, finite.</param>
    /// <param name="classNames">One per class.</param>
    /// <param name="featureNames">One per feature, or null when the features have no names.</param>
    /// <param name="metadata">What else is worth keeping, such as options and training summary: any strings.</param>
    /// <exception cref="InvalidDataException">The parts do not fit each other, a number is not finite, or a text is not valid Unicode.</exception>
    public ModelContent(
        ReadOnlyMemory<double> coefficients,
        ReadOnlyMemory<double> intercepts,
        IReadOnlyList<string> classNames,
        IReadOnlyList<string>? featureNames = null,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        Coefficients = coefficients;
        Intercepts = intercepts;
        ClassNames = classNames;
        FeatureNames = featureNames;
        Metadata = metadata ?? new Dictionary<string, string>();
        if (ClassCount == 0 || coefficients.IsEmpty || coefficients.Length % ClassCount != 0)
            throw new InvalidDataException($"{coefficients.Length} coefficients are not a row for each of {ClassCount} classes.");
        if (classNames.Count != ClassCount) throw new InvalidDataException($"There are {classNames.Count} class names for {ClassCount} classes.");
        if (featureNames is not null && featureNames.Count != FeatureCount)
            throw new InvalidDataException($"There are {featureNames.Count} feature names for {FeatureCount} features.");
        RequireFinite(coefficients.Span, "coefficient");
        RequireFinite(intercepts.Span, "intercept");
        foreach (string text in (string[])[.. classNames, .. featureNames ?? [], .. Metadata.Keys, .. Metadata.Values]) RequireUnicode(text);
    }

    public int ClassCount => Intercepts.Length;

    public int FeatureCount => Coefficients.Length / ClassCount;

    public ReadOnlyMemory<double> Coefficients { get; }

    public ReadOnlyMemory<double> Intercepts { get; }

    public IReadOnlyList<string> ClassNames { get; }

    public IReadOnlyList<string>? FeatureNames { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    private static void RequireFinite(ReadOnlySpan<double> values, string what)
    {
        for (int i = 0; i < values.Length; i++)
            if (!double.IsFinite(values[i])) throw new InvalidDataException($"The {what} with index {i} is {values[i]}; it must be finite.");
    }

    private static void RequireUnicode(string text)
    {
        try
        {
            _ = StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException exception)
        {
            throw new InvalidDataException("A name or metadata is not valid Unicode: it has half of a surrogate pair.", exception);
        }
    }
}
