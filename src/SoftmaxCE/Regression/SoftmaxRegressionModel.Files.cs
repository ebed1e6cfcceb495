namespace SoftmaxCE;

public sealed partial class SoftmaxRegressionModel
{
    private const string TrainingKey = "training";

    /// <summary>One name per feature, or null when the features have no names. Kept in files, shown in reports, not used to predict.</summary>
    /// <exception cref="ArgumentException">Not as many names as features.</exception>
    public IReadOnlyList<string>? FeatureNames
    {
        get;
        init
        {
            if (value is not null) Argument.SameLength(FeatureCount, value.Count, nameof(FeatureNames));
            field = value is null ? null : [.. value];
        }
    }

    /// <summary>The same model with names for its features.</summary>
    /// <param name="featureNames">One name per feature.</param>
    /// <exception cref="ArgumentException">Not as many names as features.</exception>
    public SoftmaxRegressionModel WithFeatureNames(IReadOnlyList<string> featureNames)
    {
        ArgumentNullException.ThrowIfNull(featureNames);
        return new SoftmaxRegressionModel(_coefficients, _intercepts, ClassNames, Training) { FeatureNames = featureNames };
    }

    /// <summary>
    /// Saves the model as a safetensors file: tensors "weight" [classes, features] and "bias" [classes] in double, names, training summary and a
    /// checksum in the metadata. A file of that name is replaced in one step: a crash or a full disk leaves the old one whole.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">A name is not valid Unicode.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) => ModelFile.Save(ToContent(), path);

    /// <inheritdoc cref="Save(string)"/>
    /// <param name="stream">Receives the file; it stays open.</param>
    public void Save(Stream stream) => ModelFile.Save(ToContent(), stream);

    /// <summary>Reads a model that was saved; or the saved state of a linear layer of another library, with tensors "weight" and perhaps "bias".</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds no such model; the message says what is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SoftmaxRegressionModel Load(string path) => FromContent(ModelFile.Load(path));

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="stream">Read to its end, which must be the end of the file; it stays open.</param>
    public static SoftmaxRegressionModel Load(Stream stream) => FromContent(ModelFile.Load(stream));

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="file">The whole file.</param>
    public static SoftmaxRegressionModel Load(ReadOnlySpan<byte> file) => FromContent(ModelFile.Load(file));

    /// <summary>Saves the model as JSON, to read and to compare; numbers have all their digits. Replaces a file as <see cref="Save(string)"/> does.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">A name is not valid Unicode.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveJson(string path) => ModelJson.Save(ToContent(), path);

    /// <summary>Reads a model from JSON, as <see cref="SaveJson"/> writes it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The text is not such a model; the message says what is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SoftmaxRegressionModel LoadJson(string path) => FromContent(ModelJson.Load(path));

    internal ModelContent ToContent()
    {
        Dictionary<string, string> metadata = [];
        if (Training is not null) metadata.Add(TrainingKey, TrainingJson.ToText(Training));
        return new ModelContent(Coefficients, Intercepts, ClassNames, FeatureNames, metadata);
    }

    internal static SoftmaxRegressionModel FromContent(ModelContent content)
    {
        if (content.ClassCount < 2) throw new InvalidDataException("The model has one class; at least two are needed.");
        TrainingSummary? training = content.Metadata.TryGetValue(TrainingKey, out string? text) ? TrainingJson.FromText(text) : null;
        return new SoftmaxRegressionModel(content.Coefficients.Span, content.Intercepts.Span, content.ClassNames, training) { FeatureNames = content.FeatureNames };
    }
}
