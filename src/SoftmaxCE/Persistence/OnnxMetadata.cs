namespace SoftmaxCE;

/// <summary>Names and whatever else stands in the metadata of an ONNX file that this library wrote.</summary>
internal static class OnnxMetadata
{
    public const string Producer = "SoftmaxCE";
    public const string ClassNames = "class_names";
    public const string FeatureNames = "feature_names";

    public static SortedDictionary<string, string> Of(ModelContent model)
    {
        SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);
        foreach ((string key, string value) in model.Metadata) metadata.Add(key, value);
        metadata[ClassNames] = ModelJson.ToText(model.ClassNames);
        if (model.FeatureNames is not null) metadata[FeatureNames] = ModelJson.ToText(model.FeatureNames);
        return metadata;
    }

    /// <summary>The model of a file, with names from its metadata when this library wrote it; other programs mean other things by the same keys.</summary>
    /// <param name="file">The file.</param>
    /// <param name="coefficients">What its operators say.</param>
    /// <param name="intercepts">What its operators say.</param>
    /// <param name="classNames">What its operators say, or null when they have no names for the classes.</param>
    public static ModelContent Complete(OnnxModel file, double[] coefficients, double[] intercepts, IReadOnlyList<string>? classNames)
    {
        bool ours = file.Producer == Producer;
        Dictionary<string, string> metadata = ours ? new(file.Metadata) : [];
        string[]? featureNames = metadata.Remove(FeatureNames, out string? features) ? ModelJson.NamesFromText(features) : null;
        if (metadata.Remove(ClassNames, out string? classes))
        {
            string[] stated = ModelJson.NamesFromText(classes);
            if (classNames is not null && !stated.SequenceEqual(classNames)) throw new InvalidDataException("The class names in the metadata are not those of the operators.");
            classNames = stated;
        }

        return new ModelContent(coefficients, intercepts, classNames ?? ConfusionMatrix.NumbersAsNames(intercepts.Length), featureNames, metadata);
    }
}
