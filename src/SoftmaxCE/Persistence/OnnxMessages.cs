namespace SoftmaxCE;

/// <summary>The parts of an ONNX file that a linear classifier needs. Field numbers are those of onnx.proto3.</summary>
internal static class OnnxMessages
{
    /// <summary>Opset and file version that every runtime since 2021 reads.</summary>
    public const int Opset = 13;
    public const int MachineLearningOpset = 1;
    public const int FileVersion = 8;
    public const string MachineLearningDomain = "ai.onnx.ml";

    public enum Element
    {
        Float = 1,
        Int32 = 6,
        Int64 = 7,
        Text = 8,
        Double = 11,
    }

    public enum AttributeKind
    {
        Float = 1,
        Integer = 2,
        Text = 3,
        Floats = 6,
        Integers = 7,
        Texts = 8,
    }

    public static ProtobufMessage Model(ProtobufMessage graph, IEnumerable<KeyValuePair<string, string>> metadata, string producerVersion)
    {
        ProtobufMessage model = new ProtobufMessage().Integer(1, FileVersion).Text(2, OnnxMetadata.Producer).Text(3, producerVersion).Message(7, graph)
            .Message(8, new ProtobufMessage().Text(1, "").Integer(2, Opset))
            .Message(8, new ProtobufMessage().Text(1, MachineLearningDomain).Integer(2, MachineLearningOpset));
        foreach ((string key, string value) in metadata) model.Message(14, new ProtobufMessage().Text(1, key).Text(2, value));
        return model;
    }

    public static ProtobufMessage Graph(ProtobufMessage[] nodes, ProtobufMessage[] constants, ProtobufMessage[] inputs, ProtobufMessage[] outputs)
    {
        ProtobufMessage graph = new();
        foreach (ProtobufMessage node in nodes) graph.Message(1, node);
        graph.Text(2, "softmax_regression");
        foreach (ProtobufMessage constant in constants) graph.Message(5, constant);
        foreach (ProtobufMessage input in inputs) graph.Message(11, input);
        foreach (ProtobufMessage output in outputs) graph.Message(12, output);
        return graph;
    }

    public static ProtobufMessage Node(string operation, string[] inputs, string[] outputs, params ProtobufMessage[] attributes) => Node("", operation, inputs, outputs, attributes);

    public static ProtobufMessage Node(string domain, string operation, string[] inputs, string[] outputs, params ProtobufMessage[] attributes)
    {
        ProtobufMessage node = new();
        foreach (string input in inputs) node.Text(1, input);
        foreach (string output in outputs) node.Text(2, output);
        node.Text(3, operation).Text(4, operation);
        foreach (ProtobufMessage attribute in attributes) node.Message(5, attribute);
        return domain.Length == 0 ? node : node.Text(7, domain);
    }

    public static ProtobufMessage Attribute(string name, long value) => Attribute(name, AttributeKind.Integer).Integer(3, value);

    public static ProtobufMessage Attribute(string name, string value) => Attribute(name, AttributeKind.Text).Text(4, value);

    public static ProtobufMessage Attribute(string name, ReadOnlySpan<double> values) => Attribute(name, AttributeKind.Floats).Floats(7, values);

    public static ProtobufMessage Attribute(string name, IEnumerable<long> values)
    {
        ProtobufMessage attribute = Attribute(name, AttributeKind.Integers);
        foreach (long value in values) attribute.Integer(8, value);
        return attribute;
    }

    public static ProtobufMessage Attribute(string name, IEnumerable<string> values)
    {
        ProtobufMessage attribute = Attribute(name, AttributeKind.Texts);
        foreach (string value in values) attribute.Text(9, value);
        return attribute;
    }

    public static ProtobufMessage Tensor(string name, ReadOnlySpan<double> values, params long[] shape)
    {
        ProtobufMessage tensor = new();
        foreach (long size in shape) tensor.Integer(1, size);
        return tensor.Integer(2, (long)Element.Float).Text(8, name).Floats(9, values);
    }

    public static ProtobufMessage Tensor(string name, IReadOnlyList<string> values)
    {
        ProtobufMessage tensor = new ProtobufMessage().Integer(1, values.Count).Integer(2, (long)Element.Text);
        foreach (string value in values) tensor.Text(6, value);
        return tensor.Text(8, name);
    }

    /// <summary>Name, element type and shape of an input or output: rows of any number, and columns unless there is one value per row.</summary>
    public static ProtobufMessage Value(string name, Element element, int? columns = null)
    {
        ProtobufMessage shape = new ProtobufMessage().Message(1, new ProtobufMessage().Text(2, "rows"));
        if (columns is int count) shape.Message(1, new ProtobufMessage().Integer(1, count));
        ProtobufMessage tensor = new ProtobufMessage().Integer(1, (long)element).Message(2, shape);
        return new ProtobufMessage().Text(1, name).Message(2, new ProtobufMessage().Message(1, tensor));
    }

    private static ProtobufMessage Attribute(string name, AttributeKind kind) => new ProtobufMessage().Text(1, name).Integer(20, (long)kind);
}
