using System.Globalization;
using System.Text.Json;

namespace SoftmaxCE;

/// <summary>Checkpoints as safetensors files: the model's file, and a tensor "checkpoint.NAME" for each vector of the solver, with a checksum of their own.</summary>
internal static class CheckpointFile
{
    private const string Prefix = "checkpoint.";
    private const string SolverKey = Prefix + "solver";
    private const string NumbersKey = Prefix + "numbers";           // names in the metadata, values as tensor
    private const string ChecksumKey = Prefix + "crc32c";

    public static void Save(TrainingCheckpoint checkpoint, string path) => AtomicFile.Write(path, stream => Save(checkpoint, stream));

    public static void Save(TrainingCheckpoint checkpoint, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        SortedDictionary<string, double[]> tensors = new(StringComparer.Ordinal) { [NumbersKey] = [.. checkpoint.State.Numbers.Values] };
        foreach ((string name, double[] vector) in checkpoint.State.Vectors) tensors.Add(Prefix + name, vector);
        ModelContent model = checkpoint.Model.ToContent();
        Dictionary<string, string> metadata = new(model.Metadata)
        {
            [SolverKey] = checkpoint.Solver.ToString(), [NumbersKey] = ModelJson.ToText([.. checkpoint.State.Numbers.Keys]), [ChecksumKey] = ChecksumOf(tensors),
        };
        ModelFile.Save(new ModelContent(model.Coefficients, model.Intercepts, model.ClassNames, model.FeatureNames, metadata), stream, tensors);
    }

    /// <exception cref="InvalidDataException">The file is damaged or holds no checkpoint; the message says what is wrong.</exception>
    public static TrainingCheckpoint Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Load(stream);
    }

    /// <exception cref="InvalidDataException">The stream is damaged or holds no checkpoint; the message says what is wrong.</exception>
    public static TrainingCheckpoint Load(Stream stream)
    {
        ReadOnlySpan<byte> file = WholeFile.Read(stream).Span;
        ModelContent content = ModelFile.Load(file);
        if (!content.Metadata.TryGetValue(SolverKey, out string? solverName) || !content.Metadata.TryGetValue(NumbersKey, out string? numberNames))
        {
            throw new InvalidDataException("The file holds a model but no checkpoint of training.");
        }

        SafeTensorsHeader header = SafeTensorsHeader.Parse(file);
        SortedDictionary<string, double[]> tensors = new(StringComparer.Ordinal);
        foreach ((string name, TensorInfo tensor) in header.Tensors)
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal)) tensors.Add(name, TensorValues.Read(file, header, tensor));
        }

        if (content.Metadata.GetValueOrDefault(ChecksumKey) != ChecksumOf(tensors)) throw new InvalidDataException("The checksum of the checkpoint does not match: the file is damaged.");
        if (!Enum.GetNames<Solver>().Contains(solverName)) throw new InvalidDataException($"'{solverName}' is not a solver.");
        Dictionary<string, string> metadata = content.Metadata.Where(entry => !entry.Key.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary();
        SoftmaxRegressionModel model = SoftmaxRegressionModel.FromContent(new ModelContent(content.Coefficients, content.Intercepts, content.ClassNames, content.FeatureNames, metadata));
        return new TrainingCheckpoint(model, Enum.Parse<Solver>(solverName), StateOf(tensors, Names(numberNames)));
    }

    private static SolverState StateOf(SortedDictionary<string, double[]> tensors, string[] names)
    {
        if (!tensors.Remove(NumbersKey, out double[]? numbers) || numbers.Length != names.Length || names.Distinct().Count() != names.Length || !names.Contains("iteration"))
        {
            throw new InvalidDataException("The numbers of the checkpoint do not fit their names.");
        }

        SolverState state = new();
        for (int i = 0; i < names.Length; i++) state.Add(names[i], numbers[i]);
        foreach ((string name, double[] vector) in tensors) state.AddFinal(name[Prefix.Length..], vector);
        return state;
    }

    private static string[] Names(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return ModelJson.Names(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException("The names of the checkpoint's numbers are not as they should be.", exception);
        }
    }

    private static string ChecksumOf(SortedDictionary<string, double[]> tensors)
    {
        Crc32C checksum = new();
        foreach ((string name, double[] values) in tensors)
        {
            checksum.Add(name);
            checksum.Add(values);
        }

        return checksum.Value.ToString("x8", CultureInfo.InvariantCulture);
    }
}
