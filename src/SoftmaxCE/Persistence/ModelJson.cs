using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SoftmaxCE;

/// <summary>
/// Models as JSON, to read and to compare: a line per class and per name list. Numbers are written with as many digits as it takes to
/// read back the same double, so the round trip is exact.
/// </summary>
internal static class ModelJson
{
    private const string Format = "SoftmaxCE model";
    private const int Version = 1;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    // The text is a file of its own and never part of a web page, so that letters of all scripts stay readable.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Readable = Compact with { Indented = true, NewLine = "\n" };

    public static void Save(ModelContent model, string path) => AtomicFile.Write(path, stream => Save(model, stream));

    public static void Save(ModelContent model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using Utf8JsonWriter json = new(stream, Readable);
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteNumber("version", Version);
        WriteOnOneLine(json, "classes", model.ClassNames);
        if (model.FeatureNames is not null) WriteOnOneLine(json, "features", model.FeatureNames);
        json.WritePropertyName("intercepts");
        WriteOnOneLine(json, model.Intercepts.Span);
        json.WriteStartArray("coefficients");
        for (int label = 0; label < model.ClassCount; label++)
            WriteOnOneLine(json, model.Coefficients.Span.Slice(label * model.FeatureCount, model.FeatureCount), before: "\n    ");
        json.WriteEndArray();
        json.WriteStartObject("metadata");
        foreach ((string key, string value) in model.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <exception cref="InvalidDataException">The text is not such a model; the message says what is wrong.</exception>
    public static ModelContent Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Load(stream);
    }

    /// <exception cref="InvalidDataException">The text is not such a model; the message says what is wrong.</exception>
    public static ModelContent Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        try
        {
            using JsonDocument document = JsonDocument.Parse(stream, Strict);
            return Read(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException: a value of another kind than expected, or text that is not valid Unicode.
            throw new InvalidDataException($"This is not a model in JSON: {exception.Message}", exception);
        }
    }

    /// <summary>Names as a JSON array.</summary>
    public static string ToText(IReadOnlyList<string> names) => ToText(json =>
    {
        json.WriteStartArray();
        foreach (string name in names) json.WriteStringValue(name);
        json.WriteEndArray();
    });

    public static string ToText(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, Compact)) write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static string[] Names(JsonElement names) =>
        [.. names.EnumerateArray().Select(name => name.GetString() ?? throw new InvalidDataException("A name is null."))];

    /// <summary>Names from a JSON array within another file.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON array of strings.</exception>
    public static string[] NamesFromText(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return Names(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException("A list of names in the model file is not a JSON array of strings.", exception);
        }
    }

    private static ModelContent Read(JsonElement root)
    {
        string[] known = ["format", "version", "classes", "features", "intercepts", "coefficients", "metadata"];
        foreach (JsonProperty property in root.EnumerateObject())
            if (!known.Contains(property.Name)) throw new InvalidDataException($"The property '{property.Name}' is not known.");
        if (Required(root, "format").GetString() != Format || Required(root, "version").GetInt32() != Version)
            throw new InvalidDataException($"The format must be '{Format}' and its version {Version}.");

        double[] intercepts = Numbers(Required(root, "intercepts"));
        double[][] rows = [.. Required(root, "coefficients").EnumerateArray().Select(Numbers)];
        if (rows.Length != intercepts.Length || rows.Any(row => row.Length != rows[0].Length))
            throw new InvalidDataException($"The coefficients must be {intercepts.Length} rows of one length, one for each intercept.");
        string[]? features = root.TryGetProperty("features", out JsonElement names) ? Names(names) : null;
        Dictionary<string, string> metadata = Required(root, "metadata").EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetString() ?? throw new InvalidDataException($"The metadata '{entry.Name}' is null."));
        return new ModelContent(rows.SelectMany(row => row).ToArray(), intercepts, Names(Required(root, "classes")), features, metadata);
    }

    private static JsonElement Required(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) ? value : throw new InvalidDataException($"The property '{name}' is missing.");

    private static double[] Numbers(JsonElement numbers) => [.. numbers.EnumerateArray().Select(number => number.GetDouble())];

    private static void WriteOnOneLine(Utf8JsonWriter json, string name, IReadOnlyList<string> names)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(ToText(names));
    }

    // A raw value is not indented by the writer; the white space before it does that.
    private static void WriteOnOneLine(Utf8JsonWriter json, ReadOnlySpan<double> values, string before = "")
    {
        double[] copy = values.ToArray();
        json.WriteRawValue(before + ToText(line =>
        {
            line.WriteStartArray();
            foreach (double value in copy) line.WriteNumberValue(value);
            line.WriteEndArray();
        }));
    }
}
