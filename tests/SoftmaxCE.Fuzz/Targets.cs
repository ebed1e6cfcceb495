using System.Text;

namespace SoftmaxCE.Fuzz;

/// <summary>
/// Readers of files from outside. Each must end in a result or in an <see cref="InvalidDataException"/>; any other exception, and a model that
/// is another one after being saved and read again, is a find.
/// </summary>
internal static class Targets
{
    public static IReadOnlyDictionary<string, Action<byte[]>> ByFormat { get; } = new Dictionary<string, Action<byte[]>>
    {
        ["safetensors"] = file => ReadModel(() => SoftmaxRegressionModel.Load(file), SaveAndLoad),
        ["json"] = file => ReadModel(() => SoftmaxRegressionModel.LoadJson(new MemoryStream(file)), SaveAndLoadJson),
        ["onnx"] = file => ReadModel(() => OnnxImporter.Import(file), ExportAndImport),
        ["csv"] = file => Try(() => CsvReader.Read<float>(Text(file), new CsvOptions { LabelColumn = "label" })),
        ["svmlight"] = file => Try(() => SvmLightReader.Read<float>(Text(file), new SvmLightOptions())),
        ["idx"] = file =>
        {
            Try(() => IdxReader.ReadImages(new MemoryStream(file)));
            Try(() => IdxReader.ReadLabels(new MemoryStream(file)));
        },
    };

    public static byte[] ReadAll(Stream stream)
    {
        using MemoryStream all = new();
        stream.CopyTo(all);
        return all.ToArray();
    }

    private static void ReadModel(Func<SoftmaxRegressionModel> read, Func<SoftmaxRegressionModel, SoftmaxRegressionModel?> again)
    {
        SoftmaxRegressionModel model;
        try
        {
            model = read();
        }
        catch (InvalidDataException)
        {
            return;
        }

        SoftmaxRegressionModel? other = again(model);
        if (other is null) return;
        bool same = model.Coefficients.Span.SequenceEqual(other.Coefficients.Span) && model.Intercepts.Span.SequenceEqual(other.Intercepts.Span)
            && model.ClassNames.SequenceEqual(other.ClassNames) && (model.FeatureNames ?? ["none"]).SequenceEqual(other.FeatureNames ?? ["none"]);
        if (!same) throw new InvalidOperationException("A model that was read, saved and read again is another one.");
    }

    private static SoftmaxRegressionModel SaveAndLoad(SoftmaxRegressionModel model)
    {
        using MemoryStream stream = new();
        model.Save(stream);
        return SoftmaxRegressionModel.Load(stream.ToArray());
    }

    private static SoftmaxRegressionModel SaveAndLoadJson(SoftmaxRegressionModel model)
    {
        using MemoryStream stream = new();
        model.SaveJson(stream);
        stream.Position = 0;
        return SoftmaxRegressionModel.LoadJson(stream);
    }

    // Coefficients that took a Scaler in may need more than 32 bits: they change once, and may be too large to export.
    private static SoftmaxRegressionModel? ExportAndImport(SoftmaxRegressionModel model)
    {
        bool isFloat = model.Coefficients.ToArray().Concat(model.Intercepts.ToArray()).All(value => value == (float)value);
        if (!isFloat || model.ClassNames.Distinct().Count() != model.ClassCount) return null;
        using MemoryStream stream = new();
        OnnxExporter.Export(model, stream, OnnxForm.StandardOperators);
        return OnnxImporter.Import(stream.ToArray());
    }

    private static void Try<T>(Func<T> read)
    {
        try
        {
            _ = read();
        }
        catch (InvalidDataException)
        {
            // Refused, as it should be.
        }
    }

    private static StreamReader Text(byte[] file) => new(new MemoryStream(file), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
}
