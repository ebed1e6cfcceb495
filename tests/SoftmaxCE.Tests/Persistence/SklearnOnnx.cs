namespace SoftmaxCE.Tests;

/// <summary>
/// ONNX files shaped as the converter of scikit-learn (skl2onnx) writes a LogisticRegression, byte for byte in the way of Python's protobuf:
/// repeated floats are not packed, each is a field of its own.
/// </summary>
internal sealed record SklearnOnnx(double[] Coefficients, double[] Intercepts)
{
    private const string MachineLearning = "ai.onnx.ml";
    private const int Int64 = 7;
    private const int Text = 8;

    public string Transform { get; init; } = "SOFTMAX";

    public string[] TextLabels { get; init; } = [];

    public long[] IntegerLabels { get; init; } = [];

    /// <summary>Offsets and factors of a StandardScaler in front.</summary>
    public (double[] Offsets, double[] Factors)? Scaler { get; init; }

    /// <summary>Whether probabilities are divided by their sum, as for more than two classes.</summary>
    public bool Normalizer { get; init; }

    /// <summary>Whether the probabilities come out as a dictionary per row, which is the converter's standard.</summary>
    public bool ZipMap { get; init; }

    /// <summary>Added at the end of the graph's operators.</summary>
    public ProtobufMessage? Extra { get; init; }

    public byte[] ToBytes()
    {
        ProtobufMessage graph = new();
        string features = "X", probabilities = Normalizer ? "probability_tensor" : ZipMap ? "probabilities" : "output_probability";
        if (Scaler is var (offsets, factors))
        {
            graph.Message(1, Node("Scaler", MachineLearning, ["X"], ["variable"], Floats("offset", offsets), Floats("scale", factors)));
            features = "variable";
        }

        string label = ZipMap ? "label" : "output_label";
        graph.Message(1, Node(
            "LinearClassifier", MachineLearning, [features], [label, probabilities],
            Labels("classlabels_ints", "classlabels_strings"), Floats("coefficients", Coefficients), Floats("intercepts", Intercepts),
            new ProtobufMessage().Text(1, "multi_class").Integer(3, Normalizer ? 1 : 0).Integer(20, 2),
            new ProtobufMessage().Text(1, "post_transform").Text(4, Transform).Integer(20, 3)));
        if (Normalizer)
        {
            string normalized = ZipMap ? "probabilities" : "output_probability";
            graph.Message(1, Node("Normalizer", MachineLearning, [probabilities], [normalized], new ProtobufMessage().Text(1, "norm").Text(4, "L1").Integer(20, 3)));
            probabilities = normalized;
        }

        if (ZipMap)
        {
            graph.Message(1, TextLabels.Length > 0
                ? Node("Identity", "", [label], ["output_label"])
                : Node("Cast", "", [label], ["output_label"], new ProtobufMessage().Text(1, "to").Integer(3, Int64).Integer(20, 2)));
            graph.Message(1, Node("ZipMap", MachineLearning, [probabilities], ["output_probability"], Labels("classlabels_int64s", "classlabels_strings")));
        }

        if (Extra is not null) graph.Message(1, Extra);
        graph.Text(2, "sklearn logistic regression");
        graph.Message(11, OnnxMessages.Value("X", OnnxMessages.Element.Float, Coefficients.Length / Intercepts.Length));
        graph.Message(12, OnnxMessages.Value("output_label", TextLabels.Length > 0 ? OnnxMessages.Element.Text : OnnxMessages.Element.Int64));
        graph.Message(12, ZipMap ? Dictionary() : OnnxMessages.Value("output_probability", OnnxMessages.Element.Float, Intercepts.Length));
        return new ProtobufMessage().Integer(1, 8).Text(2, "skl2onnx").Text(3, "1.17.0").Text(4, "ai.onnx").Integer(5, 0).Text(6, "").Message(7, graph)
            .Message(8, new ProtobufMessage().Text(1, "").Integer(2, 15))
            .Message(8, new ProtobufMessage().Text(1, MachineLearning).Integer(2, 1)).WrittenBytes.ToArray();
    }

    /// <summary>An operator with attributes already written.</summary>
    public static ProtobufMessage Node(string operation, string domain, string[] inputs, string[] outputs, params byte[][] attributes)
    {
        ProtobufMessage node = new();
        foreach (string input in inputs) node.Text(1, input);
        foreach (string output in outputs) node.Text(2, output);
        node.Text(3, operation + "1").Text(4, operation);
        foreach (byte[] attribute in attributes) node.Bytes(5, attribute);
        return node.Text(7, domain);
    }

    private static ProtobufMessage Node(string operation, string domain, string[] inputs, string[] outputs, params object[] attributes) =>
        Node(operation, domain, inputs, outputs, [.. attributes.Select(attribute => attribute as byte[] ?? ((ProtobufMessage)attribute).WrittenBytes.ToArray())]);

    // Key of field 7 and kind 5, then the four bytes, for each number.
    private static byte[] Floats(string name, double[] values) =>
    [
        .. new ProtobufMessage().Text(1, name).WrittenBytes,
        .. values.SelectMany(value => (byte[])[(7 << 3) | 5, .. BitConverter.GetBytes((float)value)]),
        .. new ProtobufMessage().Integer(20, 6).WrittenBytes,
    ];

    private ProtobufMessage Labels(string integers, string texts) =>
        TextLabels.Length > 0 ? OnnxMessages.Attribute(texts, TextLabels) : OnnxMessages.Attribute(integers, IntegerLabels);

    // A sequence (4) of maps (5) from labels (1) to tensors (2) of floats.
    private ProtobufMessage Dictionary()
    {
        ProtobufMessage number = new ProtobufMessage().Message(1, new ProtobufMessage().Integer(1, 1));
        ProtobufMessage map = new ProtobufMessage().Integer(1, TextLabels.Length > 0 ? Text : Int64).Message(2, number);
        ProtobufMessage sequence = new ProtobufMessage().Message(1, new ProtobufMessage().Message(5, map));
        return new ProtobufMessage().Text(1, "output_probability").Message(2, new ProtobufMessage().Message(4, sequence));
    }
}
