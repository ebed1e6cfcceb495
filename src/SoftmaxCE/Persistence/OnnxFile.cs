using System.Globalization;

namespace SoftmaxCE;

/// <summary>A model as an ONNX file, in 32-bit floats.</summary>
internal static class OnnxFile
{
    public const string Features = "features";
    public const string Label = "label";
    public const string Logits = "logits";
    public const string Probabilities = "probabilities";

    private const string Coefficients = "coefficients";
    private const string Intercepts = "intercepts";
    private const string Names = "class_names";

    public static void Write(ModelContent model, OnnxForm form, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        RequireFloats(model.Coefficients.Span);
        RequireFloats(model.Intercepts.Span);
        ProtobufMessage graph = form switch
        {
            OnnxForm.StandardOperators => StandardOperators(model),
            OnnxForm.LinearClassifier => LinearClassifier(model),
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "Not a known form."),
        };
        stream.Write(OnnxMessages.Model(graph, OnnxMetadata.Of(model), ProducerVersion()).WrittenBytes);
    }

    // logits = features · coefficientsᵀ + intercepts; the label is the first class with the highest logit, by name if classes have names.
    private static ProtobufMessage StandardOperators(ModelContent model)
    {
        bool named = HasNames(model);
        List<ProtobufMessage> nodes =
        [
            OnnxMessages.Node("Gemm", [Features, Coefficients, Intercepts], [Logits], OnnxMessages.Attribute("transB", 1)),
            OnnxMessages.Node("Softmax", [Logits], [Probabilities], OnnxMessages.Attribute("axis", -1)),
            OnnxMessages.Node("ArgMax", [Logits], [named ? "index" : Label], OnnxMessages.Attribute("axis", 1), OnnxMessages.Attribute("keepdims", 0)),
        ];
        List<ProtobufMessage> constants =
        [
            OnnxMessages.Tensor(Coefficients, model.Coefficients.Span, model.ClassCount, model.FeatureCount),
            OnnxMessages.Tensor(Intercepts, model.Intercepts.Span, model.ClassCount),
        ];
        if (named)
        {
            nodes.Add(OnnxMessages.Node("Gather", [Names, "index"], [Label]));
            constants.Add(OnnxMessages.Tensor(Names, model.ClassNames));
        }

        return OnnxMessages.Graph(
            [.. nodes], [.. constants], [Input(model)], [.. Outputs(model, named), OnnxMessages.Value(Logits, OnnxMessages.Element.Float, model.ClassCount)]);
    }

    private static ProtobufMessage LinearClassifier(ModelContent model)
    {
        bool named = HasNames(model);
        ProtobufMessage node = OnnxMessages.Node(
            OnnxMessages.MachineLearningDomain,
            "LinearClassifier",
            [Features],
            [Label, Probabilities],
            OnnxMessages.Attribute("coefficients", model.Coefficients.Span),
            OnnxMessages.Attribute("intercepts", model.Intercepts.Span),
            OnnxMessages.Attribute("multi_class", 1),
            OnnxMessages.Attribute("post_transform", "SOFTMAX"),
            named
                ? OnnxMessages.Attribute("classlabels_strings", model.ClassNames)
                : OnnxMessages.Attribute("classlabels_ints", Enumerable.Range(0, model.ClassCount).Select(label => (long)label)));
        return OnnxMessages.Graph([node], [], [Input(model)], Outputs(model, named));
    }

    private static ProtobufMessage Input(ModelContent model) => OnnxMessages.Value(Features, OnnxMessages.Element.Float, model.FeatureCount);

    private static ProtobufMessage[] Outputs(ModelContent model, bool named) =>
    [
        OnnxMessages.Value(Label, named ? OnnxMessages.Element.Text : OnnxMessages.Element.Int64),
        OnnxMessages.Value(Probabilities, OnnxMessages.Element.Float, model.ClassCount),
    ];

    private static bool HasNames(ModelContent model) => !model.ClassNames.SequenceEqual(ConfusionMatrix.NumbersAsNames(model.ClassCount));

    private static void RequireFloats(ReadOnlySpan<double> values)
    {
        foreach (double value in values)
            if (!float.IsFinite((float)value)) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A coefficient of {value} is beyond the 32-bit floats of an ONNX file."));
    }

    private static string ProducerVersion() => typeof(OnnxFile).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
