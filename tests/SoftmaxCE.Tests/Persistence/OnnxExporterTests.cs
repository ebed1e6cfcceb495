namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class OnnxExporterTests
{
    private static readonly SoftmaxRegressionModel Model = new([1, 2, 3, 4], [0.5, -0.5], ["no", "yes"]);

    [Theory, InlineData(OnnxForm.StandardOperators), InlineData(OnnxForm.LinearClassifier)]
    public void Path_and_stream_get_the_same_file(OnnxForm form)
    {
        using TemporaryFolder folder = new();
        using MemoryStream stream = new();
        OnnxExporter.Export(Model, stream, form);
        OnnxExporter.Export(Model, folder.File("model.onnx"), form);
        File.ReadAllBytes(folder.File("model.onnx")).Should().Equal(stream.ToArray());
        ProtobufReader graph = new ProtobufReader(stream.ToArray()).Message(7);
        graph.Messages(1)[0].Text(4).Should().Be(form == OnnxForm.LinearClassifier ? "LinearClassifier" : "Gemm");
    }
}
