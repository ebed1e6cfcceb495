using System.Globalization;
using System.Text.Json;

namespace SoftmaxCE;

/// <summary>A training summary as text in a model file. Numbers that JSON does not have, such as a gap of +∞, are written as strings.</summary>
internal static class TrainingJson
{
    public static string ToText(TrainingSummary summary) => ModelJson.ToText(json =>
    {
        json.WriteStartObject();
        json.WriteString("stopReason", summary.StopReason.ToString());
        json.WriteNumber("iterations", summary.Iterations);
        WriteNumber(json, "passesOverData", summary.PassesOverData);
        WriteNumber(json, "objective", summary.Objective);
        WriteNumber(json, "gap", summary.Gap);
        json.WriteNumber("elapsedTicks", summary.Elapsed.Ticks);
        WriteNumber(json, "l2", summary.L2);
        WriteNumber(json, "l1", summary.L1);
        json.WriteBoolean("fitIntercepts", summary.FitIntercepts);
        json.WriteString("biasReduction", summary.BiasReduction.ToString());
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
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            return new TrainingSummary
            {
                StopReason = Named<StopReason>(root.GetProperty("stopReason").GetString()!),
                Iterations = root.GetProperty("iterations").GetInt32(),
                PassesOverData = Number(root, "passesOverData"),
                Objective = Number(root, "objective"),
                Gap = Number(root, "gap"),
                Elapsed = new TimeSpan(root.GetProperty("elapsedTicks").GetInt64()),
                L2 = root.TryGetProperty("l2", out _) ? Number(root, "l2") : 0,          // older files do not say
                L1 = root.TryGetProperty("l1", out _) ? Number(root, "l1") : 0,
                FitIntercepts = !root.TryGetProperty("fitIntercepts", out JsonElement fitted) || fitted.GetBoolean(),
                BiasReduction = root.TryGetProperty("biasReduction", out JsonElement name) ? Named<BiasReduction>(name.GetString()!) : BiasReduction.None,
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

    // Enum.Parse alone also takes numbers that have no name.
    private static TEnum Named<TEnum>(string name)
        where TEnum : struct, Enum =>
        Enum.GetNames<TEnum>().Contains(name) ? Enum.Parse<TEnum>(name) : throw new FormatException($"'{name}' is not a {typeof(TEnum).Name}.");

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
