namespace SoftmaxCE.Tests;

/// <summary>Reads the files back field by field; that a runtime computes the right thing from them is tested in SoftmaxCE.Tests.Onnx.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class OnnxFileTests
{
    private static readonly ModelContent Numbered = new(new double[] { 1, 2, 3, 4, 5, 0.1 }, new double[] { -1, 0.5 }, ["0", "1"]);
    private static readonly ModelContent Named = new(
        new double[] { 1, 2, 3, 4, 5, 0.1 }, new double[] { -1, 0.5 }, ["no", "ja ß"], ["x", "y", "z"], new Dictionary<string, string> { ["made by"] = "a test" });

    [Fact]
    public void The_file_states_versions_operator_sets_and_metadata()
    {
        ProtobufReader file = Write(Named, OnnxForm.StandardOperators);
        file.Number(1).Should().Be(8);
        file.Text(2).Should().Be("SoftmaxCE");
        file.Messages(8).Select(set => (set.Text(1), set.Number(2))).Should().Equal(("", 13L), ("ai.onnx.ml", 1L));
        file.Messages(14).Select(entry => (entry.Text(1), entry.Text(2))).Should().Equal(
            ("class_names", "[\"no\",\"ja ß\"]"), ("feature_names", "[\"x\",\"y\",\"z\"]"), ("made by", "a test"));
    }

    [Fact]
    public void Standard_operators_compute_logits_probabilities_and_label()
    {
        ProtobufReader graph = Write(Numbered, OnnxForm.StandardOperators).Message(7);
        Nodes(graph).Should().Equal(
            ":Gemm(features,coefficients,intercepts)->logits transB=1", ":Softmax(logits)->probabilities axis=-1", ":ArgMax(logits)->label axis=1 keepdims=0");
        ProtobufReader[] constants = graph.Messages(5);
        constants.Select(constant => constant.Text(8)).Should().Equal("coefficients", "intercepts");
        constants[0].Numbers(1).Should().Equal(2, 3);
        constants[0].Number(2).Should().Be(1, "the element type is float");
        constants[0].Floats(9).Should().Equal(1, 2, 3, 4, 5, 0.1f);
        constants[1].Numbers(1).Should().Equal(2);
        constants[1].Floats(9).Should().Equal(-1, 0.5f);
        Values(graph, 11).Should().Equal("features: 1[rows,3]");
        Values(graph, 12).Should().Equal("label: 7[rows]", "probabilities: 1[rows,2]", "logits: 1[rows,2]");
    }

    [Fact]
    public void Named_classes_come_out_by_name()
    {
        ProtobufReader graph = Write(Named, OnnxForm.StandardOperators).Message(7);
        Nodes(graph)[2..].Should().Equal(":ArgMax(logits)->index axis=1 keepdims=0", ":Gather(class_names,index)->label");
        ProtobufReader names = graph.Messages(5)[2];
        names.Numbers(1).Should().Equal(2);
        names.Number(2).Should().Be(8, "the element type is text");
        names.Texts(6).Should().Equal("no", "ja ß");
        Values(graph, 12)[0].Should().Be("label: 8[rows]");
    }

    [Fact]
    public void The_linear_classifier_holds_everything_in_its_attributes()
    {
        ProtobufReader graph = Write(Numbered, OnnxForm.LinearClassifier).Message(7);
        Nodes(graph).Should().Equal("ai.onnx.ml:LinearClassifier(features)->label,probabilities coefficients=1,2,3,4,5,0.1 intercepts=-1,0.5 multi_class=1 post_transform=SOFTMAX classlabels_ints=0,1");
        graph.Messages(5).Should().BeEmpty();
        Values(graph, 12).Should().Equal("label: 7[rows]", "probabilities: 1[rows,2]");
        Nodes(Write(Named, OnnxForm.LinearClassifier).Message(7))[0].Should().EndWith("classlabels_strings=no,ja ß");
    }

    [Fact]
    public void Numbers_beyond_float_are_refused()
    {
        Action write = () => Write(new ModelContent(new double[] { 1e39 }, new double[1], ["a"]), OnnxForm.StandardOperators);
        write.Should().Throw<InvalidOperationException>().WithMessage("*1E+39*32-bit*");
        Action unknown = () => Write(Numbered, (OnnxForm)7);
        unknown.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("form");
    }

    private static ProtobufReader Write(ModelContent model, OnnxForm form)
    {
        using MemoryStream stream = new();
        OnnxFile.Write(model, form, stream);
        return new ProtobufReader(stream.ToArray());
    }

    private static string[] Nodes(ProtobufReader graph) =>
        [.. graph.Messages(1).Select(node =>
            $"{string.Concat(node.Texts(7))}:{node.Text(4)}({string.Join(',', node.Texts(1))})->{string.Join(',', node.Texts(2))} {string.Join(' ', node.Messages(5).Select(Attribute))}".TrimEnd())];

    private static string Attribute(ProtobufReader attribute) => attribute.Text(1) + "=" + attribute.Number(20) switch
    {
        2 => $"{attribute.Number(3)}",
        3 => attribute.Text(4),
        6 => string.Join(',', attribute.Floats(7).Select(value => FormattableString.Invariant($"{value}"))),
        7 => string.Join(',', attribute.Numbers(8)),
        8 => string.Join(',', attribute.Texts(9)),
        long kind => throw new InvalidDataException($"Attribute kind {kind}."),
    };

    private static string[] Values(ProtobufReader graph, int field) =>
        [.. graph.Messages(field).Select(value =>
        {
            ProtobufReader tensor = value.Message(2, 1);
            IEnumerable<string> sizes = tensor.Message(2).Messages(1).Select(size => size.Texts(2) is [string name] ? name : $"{size.Number(1)}");
            return $"{value.Text(1)}: {tensor.Number(1)}[{string.Join(',', sizes)}]";
        })];
}
