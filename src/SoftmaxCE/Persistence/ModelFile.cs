using System.Globalization;

namespace SoftmaxCE;

/// <summary>
/// Models as safetensors files: tensors "weight" [classes, features] and "bias" [classes], the names of a linear layer in PyTorch, in
/// double, and in the metadata names, format version and a checksum.
/// </summary>
/// <remarks>
/// A file without "softmaxce." metadata, such as the saved state of a linear layer, is read too: its classes are numbered, its numbers may
/// be F64, F32, F16 or BF16, and "bias" may be missing. A file with such metadata must have all of it, and the checksum must be right.
/// </remarks>
internal static class ModelFile
{
    public const string Weight = "weight";
    public const string Bias = "bias";

    private const string Prefix = "softmaxce.";
    private const string VersionKey = Prefix + "version";
    private const string ChecksumKey = Prefix + "crc32c";
    private const string ClassesKey = Prefix + "classes";
    private const string FeaturesKey = Prefix + "features";
    private const string Version = "1";

    public static void Save(ModelContent model, string path) => AtomicFile.Write(path, stream => Save(model, stream));

    public static void Save(ModelContent model, Stream stream, IReadOnlyDictionary<string, double[]>? moreTensors = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);
        foreach ((string key, string value) in model.Metadata)
        {
            if (key.StartsWith(Prefix, StringComparison.Ordinal)) throw new ArgumentException($"The metadata key '{key}' is reserved.", nameof(model));
            metadata.Add(key, value);
        }

        metadata.Add(VersionKey, Version);
        metadata.Add(ClassesKey, ModelJson.ToText(model.ClassNames));
        if (model.FeatureNames is not null) metadata.Add(FeaturesKey, ModelJson.ToText(model.FeatureNames));
        metadata.Add(ChecksumKey, ChecksumOf(metadata, model.Coefficients.Span, model.Intercepts.Span));

        SafeTensorsWriter writer = new();
        foreach ((string key, string value) in metadata) writer.Metadata(key, value);
        writer.Tensor(Weight, model.Coefficients, model.ClassCount, model.FeatureCount);
        writer.Tensor(Bias, model.Intercepts, model.ClassCount);
        if (moreTensors is not null)
        {
            foreach ((string name, double[] values) in moreTensors) writer.Tensor(name, values, values.Length);
        }

        writer.WriteTo(stream);
    }

    /// <exception cref="InvalidDataException">The file is damaged or holds no model; the message says what is wrong.</exception>
    public static ModelContent Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Load(stream);
    }

    /// <summary>Reads the stream to its end; memory grows with the bytes that arrive, never with a length that a header states.</summary>
    /// <exception cref="InvalidDataException">The stream is damaged or holds no model; the message says what is wrong.</exception>
    public static ModelContent Load(Stream stream) => Load(WholeFile.Read(stream).Span);

    /// <exception cref="InvalidDataException">The file is damaged or holds no model; the message says what is wrong.</exception>
    public static ModelContent Load(ReadOnlySpan<byte> file)
    {
        SafeTensorsHeader header = SafeTensorsHeader.Parse(file);
        if (!header.Tensors.TryGetValue(Weight, out TensorInfo? weight) || weight.Shape is not [long classCount, _])
            throw new InvalidDataException($"The file has no tensor '{Weight}' of two dimensions, [classes, features].");
        double[] coefficients = TensorValues.Read(file, header, weight);
        double[] intercepts = ReadIntercepts(file, header, coefficients, classCount);

        bool ours = header.Metadata.Keys.Any(key => key.StartsWith(Prefix, StringComparison.Ordinal));
        if (!ours) return new ModelContent(coefficients, intercepts, ConfusionMatrix.NumbersAsNames(intercepts.Length), null, header.Metadata);
        RequireOurFormat(header, coefficients, intercepts);
        Dictionary<string, string> metadata = header.Metadata.Where(entry => !entry.Key.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary();
        string[]? features = header.Metadata.TryGetValue(FeaturesKey, out string? names) ? ModelJson.NamesFromText(names) : null;
        return new ModelContent(coefficients, intercepts, ModelJson.NamesFromText(header.Metadata[ClassesKey]), features, metadata);
    }

    private static double[] ReadIntercepts(ReadOnlySpan<byte> file, SafeTensorsHeader header, double[] coefficients, long classCount)
    {
        // No file can hold this many classes without coefficients, so the size of the intercepts is bounded by the size of the file.
        if (classCount == 0 || coefficients.Length == 0) throw new InvalidDataException($"The tensor '{Weight}' is empty.");
        if (!header.Tensors.TryGetValue(Bias, out TensorInfo? bias)) return new double[classCount];
        if (bias.Shape is not [long biasCount] || biasCount != classCount) throw new InvalidDataException($"The tensor '{Bias}' must have one dimension of {classCount}, as '{Weight}' has rows.");
        return TensorValues.Read(file, header, bias);
    }

    private static void RequireOurFormat(SafeTensorsHeader header, double[] coefficients, double[] intercepts)
    {
        if (!header.Metadata.TryGetValue(VersionKey, out string? version) || version != Version)
            throw new InvalidDataException($"The model file has format version '{version ?? "none"}'; this library reads version {Version}.");
        if (!header.Metadata.ContainsKey(ClassesKey)) throw new InvalidDataException($"The metadata '{ClassesKey}' is missing.");
        Dictionary<string, string> others = header.Metadata.Where(entry => entry.Key != ChecksumKey).ToDictionary();
        if (!header.Metadata.TryGetValue(ChecksumKey, out string? checksum) || checksum != ChecksumOf(others, coefficients, intercepts))
            throw new InvalidDataException(
                $"The checksum does not match: the model file is damaged, or was edited. To read an edited file, remove its metadata that starts with '{Prefix}'.");
    }

    private static string ChecksumOf(IReadOnlyDictionary<string, string> metadata, ReadOnlySpan<double> coefficients, ReadOnlySpan<double> intercepts)
    {
        Crc32C checksum = new();
        foreach ((string key, string value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            checksum.Add(key);
            checksum.Add(value);
        }

        checksum.Add(coefficients);
        checksum.Add(intercepts);
        return checksum.Value.ToString("x8", CultureInfo.InvariantCulture);
    }
}
