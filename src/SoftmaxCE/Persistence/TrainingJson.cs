using System.Globalization;
using System.Text.Json;

namespace SoftmaxCE;

/// <summary>A training summary as text in a model file. Numbers that JSON does not have, such as a gap of +∞, are written as strings.</summary>
internal static class TrainingJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static string ToText(TrainingSummary summary) => ModelJson.ToText(json =>
    {
        json.WriteStartObject();
        json.WriteString("stopReason", summary.StopReason.ToString());
        json.WriteNumber("iterations", summary.Iterations);
        WriteNumber(json, "passesOverData", summary.PassesOverData);
        WriteNumber(json, "objective", summary.Objective);
        WriteNumber(json, "gap", summary.Gap);
        json.WriteNumber("elapsedTicks", summary.Elapsed.Ticks);
        json.WriteNumber("rowCount", summary.RowCount);
        json.WriteNumber("featureScale", summary.FeatureScale);
        json.WriteNumber("featureOffset", summary.FeatureOffset);
        if (summary.Options is not null)
        {
            json.WritePropertyName("options");
            OptionsJson.Write(json, summary.Options);
        }

        json.WriteStartArray("history");
        foreach (TrainingProgress progress in summary.History) Write(json, progress);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <exception cref="InvalidDataException">The text is not a training summary.</exception>
    public static TrainingSummary FromText(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Strict);
            JsonElement root = document.RootElement;
            return new TrainingSummary
            {
                StopReason = Named<StopReason>(root.GetProperty("stopReason").GetString()),
                Iterations = root.GetProperty("iterations").GetInt32(),
                PassesOverData = Number(root, "passesOverData"),
                Objective = Number(root, "objective"),
                Gap = Number(root, "gap"),
                Elapsed = new TimeSpan(root.GetProperty("elapsedTicks").GetInt64()),
                RowCount = root.TryGetProperty("rowCount", out JsonElement rows) ? rows.GetInt32() : 0,
                FeatureScale = root.TryGetProperty("featureScale", out JsonElement scale) ? Finite(scale) : 1,
                FeatureOffset = root.TryGetProperty("featureOffset", out JsonElement offset) ? Finite(offset) : 0,
                Options = root.TryGetProperty("options", out JsonElement options) ? OptionsJson.Read(options) : null,
                History = [.. root.GetProperty("history").EnumerateArray().Select(Progress)],
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or OverflowException)
        {
            // A property is missing, of another kind, or out of range.
            throw new InvalidDataException("The training summary in the model file is not as it should be.", exception);
        }
    }

    private static void Write(Utf8JsonWriter json, TrainingProgress progress)
    {
        json.WriteStartObject();
        json.WriteNumber("iteration", progress.Iteration);
        WriteNumber(json, "passesOverData", progress.PassesOverData);
        WriteNumber(json, "objective", progress.Objective);
        WriteNumber(json, "gap", progress.Gap);
        json.WriteNumber("elapsedTicks", progress.Elapsed.Ticks);
        json.WriteEndObject();
    }

    /// <summary>The value of an enumeration by its name; Enum.Parse alone also takes numbers that have none.</summary>
    /// <exception cref="FormatException">There is no value of this name.</exception>
    public static T Named<T>(string? name)
        where T : struct, Enum =>
        name is not null && Enum.GetNames<T>().Contains(name) ? Enum.Parse<T>(name) : throw new FormatException($"'{Excerpt.Of(name ?? "null")}' is not a {typeof(T).Name}.");

    private static double Finite(JsonElement value) =>
        value.GetDouble() is double number && double.IsFinite(number) ? number : throw new FormatException("A scale or offset is not finite.");

    private static TrainingProgress Progress(JsonElement progress) => new(
        progress.GetProperty("iteration").GetInt32(),
        Number(progress, "passesOverData"),
        Number(progress, "objective"),
        Number(progress, "gap"),
        new TimeSpan(progress.GetProperty("elapsedTicks").GetInt64()));

    private static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteString(name, value.ToString(CultureInfo.InvariantCulture));
    }

    private static double Number(JsonElement parent, string name)
    {
        JsonElement value = parent.GetProperty(name);
        return value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetDouble();
    }
}
