using System.Text.Json;

namespace SoftmaxCE.Tests;

/// <summary>One case of References/metrics.json: predictions and the scores scikit-learn gives them.</summary>
public sealed class MetricsReference
{
    private static readonly Lazy<MetricsReference[]> AllCases = new(Read);
    private readonly JsonElement _case;

    private MetricsReference(JsonElement element)
    {
        _case = element;
        Name = element.GetProperty("name").GetString()!;
        ClassCount = element.GetProperty("classes").GetInt32();
        Probabilities = Numbers("probabilities");
        Labels = [.. Numbers("labels").Select(label => (int)label)];
        Weights = element.GetProperty("weights").ValueKind == JsonValueKind.Null ? [] : [.. Numbers("weights").Select(weight => (float)weight)];
    }

    public string Name { get; }

    public int ClassCount { get; }

    public double[] Probabilities { get; }

    public int[] Labels { get; }

    public float[] Weights { get; }

    public static TheoryData<string> Names => [.. AllCases.Value.Select(reference => reference.Name)];

    public static MetricsReference Named(string name) => AllCases.Value.Single(reference => reference.Name == name);

    public bool Has(params string[] path) => Find(path) is not null;

    public bool IsNull(params string[] path) => Find(path) is { ValueKind: JsonValueKind.Null };

    public double Number(params string[] path) => ToDouble(Find(path)!.Value);

    public double[] Numbers(params string[] path) => [.. Find(path)!.Value.EnumerateArray().Select(ToDouble)];

    public ClassificationMetrics Measure()
    {
        ClassificationMetrics metrics = new(ClassCount);
        metrics.AddRows<double>(Probabilities, Labels, Weights);
        return metrics;
    }

    public override string ToString() => Name;

    private JsonElement? Find(string[] path)
    {
        JsonElement element = _case;
        foreach (string name in path)
            if (!element.TryGetProperty(name, out element)) return null;
        return element;
    }

    private static double ToDouble(JsonElement element) => element.ValueKind == JsonValueKind.Number
        ? element.GetDouble()
        : element.GetString() switch { "nan" => double.NaN, "inf" => double.PositiveInfinity, "-inf" => double.NegativeInfinity, _ => throw new InvalidDataException(element.ToString()) };

    private static MetricsReference[] Read()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "metrics.json")));
        return [.. document.RootElement.EnumerateArray().Select(element => new MetricsReference(element.Clone()))];
    }
}
