using System.Text.Json;
using System.Text.Json.Serialization;

namespace SoftmaxCE.Tests;

/// <summary>
/// The golden values of the References folder (its README says how each was made). Expected values that carry 25 digits are
/// <see cref="Wide"/>; inputs are doubles, which hold floats exactly. Names ending in Cases are member data for theories.
/// </summary>
public static class References
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { Converters = { new WideConverter(), new DoubleConverter() } };

    private static readonly Lazy<SoftmaxCase[]> LazySoftmax = new(() => Load<SoftmaxCase[]>("softmax.json"));
    private static readonly Lazy<DivergenceCase[]> LazyDivergences = new(() => Load<DivergenceCase[]>("divergences.json"));
    private static readonly Lazy<ExpCase[]> LazyExp = new(() => Load<ExpCase[]>("exp.json"));
    private static readonly Lazy<CrossEntropyCase[]> LazyCrossEntropy = new(() => Load<CrossEntropyCase[]>("cross_entropy.json"));
    private static readonly Lazy<BinaryCrossEntropyCase[]> LazyBinary = new(() => Load<BinaryCrossEntropyCase[]>("binary_cross_entropy.json"));
    private static readonly Lazy<KullbackLeiblerCase[]> LazyKullbackLeibler = new(() => Load<KullbackLeiblerCase[]>("kl_div.json"));
    private static readonly Lazy<LinearCrossEntropyCase[]> LazyLinear = new(() => Load<LinearCrossEntropyCase[]>("linear_cross_entropy.json"));
    private static readonly Lazy<OptimumCase[]> LazyOptima = new(() => Load<OptimumCase[]>("optima.json"));
    private static readonly Lazy<InferenceCase> LazyInference = new(() => Load<InferenceCase>("inference.json"));
    private static readonly Lazy<ElasticNetCase[]> LazyElasticNet = new(LoadElasticNet);

    public static IReadOnlyList<SoftmaxCase> Softmax => LazySoftmax.Value;

    public static IReadOnlyList<DivergenceCase> Divergences => LazyDivergences.Value;

    public static IReadOnlyList<ExpCase> Exp => LazyExp.Value;

    public static IReadOnlyList<CrossEntropyCase> CrossEntropy => LazyCrossEntropy.Value;

    public static IReadOnlyList<BinaryCrossEntropyCase> BinaryCrossEntropy => LazyBinary.Value;

    public static IReadOnlyList<KullbackLeiblerCase> KullbackLeibler => LazyKullbackLeibler.Value;

    public static IReadOnlyList<LinearCrossEntropyCase> LinearCrossEntropy => LazyLinear.Value;

    /// <summary>Optima of the data sets that are shipped; the two of Fashion-MNIST are in <see cref="FashionMnistOptima"/>.</summary>
    public static IReadOnlyList<OptimumCase> Optima => [.. LazyOptima.Value.Where(c => c.Data != "fashion-mnist")];

    public static IReadOnlyList<OptimumCase> FashionMnistOptima => [.. LazyOptima.Value.Where(c => c.Data == "fashion-mnist")];

    public static InferenceCase Inference => LazyInference.Value;

    public static IReadOnlyList<ElasticNetCase> ElasticNet => LazyElasticNet.Value;

    public static IEnumerable<object[]> FloatSoftmaxCases => Rows(Softmax.Where(c => c.Type == "float"));

    public static IEnumerable<object[]> DoubleSoftmaxCases => Rows(Softmax.Where(c => c.Type == "double"));

    public static IEnumerable<object[]> FloatDivergenceCases => Rows(Divergences.Where(c => c.Type == "float"));

    public static IEnumerable<object[]> DoubleDivergenceCases => Rows(Divergences.Where(c => c.Type == "double"));

    public static IEnumerable<object[]> CrossEntropyCases => Rows(CrossEntropy);

    public static IEnumerable<object[]> BinaryCrossEntropyCases => Rows(BinaryCrossEntropy);

    public static IEnumerable<object[]> KullbackLeiblerCases => Rows(KullbackLeibler);

    public static IEnumerable<object[]> LinearCrossEntropyCases => Rows(LinearCrossEntropy);

    public static IEnumerable<object[]> OptimumCases => Rows(Optima);

    public static IEnumerable<object[]> ElasticNetCases => Rows(ElasticNet);

    /// <summary>The full path of a file in the References folder of the test output.</summary>
    internal static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "References", file);

    private static IEnumerable<object[]> Rows<TCase>(IEnumerable<TCase> cases)
        where TCase : notnull => cases.Select(c => new object[] { c });

    private static TCase Load<TCase>(string file)
    {
        using FileStream stream = File.OpenRead(PathOf(file));
        return JsonSerializer.Deserialize<TCase>(stream, Format) ?? throw new InvalidDataException($"{file} holds nothing.");
    }

    private static ElasticNetCase[] LoadElasticNet() =>
        [.. File.ReadLines(PathOf("elastic_net.jsonl")).Where(line => line.Length > 0).Select(line =>
            JsonSerializer.Deserialize<ElasticNetCase>(line, Format) ?? throw new InvalidDataException("elastic_net.jsonl has an empty record."))];

    private sealed class WideConverter : JsonConverter<Wide>
    {
        public override Wide Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Wide.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, Wide value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    /// <summary>Numbers, and numbers in quotes with "inf", "-inf" and "nan".</summary>
    private sealed class DoubleConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : (double)Wide.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => throw new NotSupportedException();
    }
}
