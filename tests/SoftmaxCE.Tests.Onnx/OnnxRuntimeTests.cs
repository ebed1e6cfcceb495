using Microsoft.ML.OnnxRuntime;

namespace SoftmaxCE.Tests;

/// <summary>Runs exported models in ONNX Runtime and compares with the model's own predictions in double.</summary>
[Trait("Leg", "WidestOnly")]
public class OnnxRuntimeTests
{
    private const int Rows = 200;
    private const float LargestDifference = 1e-6f;

    [Theory]
    [InlineData(OnnxForm.StandardOperators, 2, 1, false)]
    [InlineData(OnnxForm.StandardOperators, 2, 20, true)]
    [InlineData(OnnxForm.StandardOperators, 5, 20, false)]
    [InlineData(OnnxForm.StandardOperators, 31, 64, true)]
    [InlineData(OnnxForm.LinearClassifier, 2, 1, false)]
    [InlineData(OnnxForm.LinearClassifier, 2, 20, true)]
    [InlineData(OnnxForm.LinearClassifier, 5, 20, false)]
    [InlineData(OnnxForm.LinearClassifier, 31, 64, true)]
    public void Gives_our_labels_and_probabilities(OnnxForm form, int classCount, int featureCount, bool named)
    {
        Random random = new(classCount);
        SoftmaxRegressionModel model = Model(random, classCount, featureCount, named);
        float[] features = [.. Enumerable.Range(0, Rows * featureCount).Select(_ => (float)(random.NextDouble() - 0.5) * 4)];

        using MemoryStream file = new();
        OnnxExporter.Export(model, file, form);
        using InferenceSession session = new(file.ToArray());
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(features, [Rows, featureCount]);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, ["features"], [input], ["label", "probabilities"]);

        double[] expected = Probabilities(model, features);
        ReadOnlySpan<float> actual = outputs[1].GetTensorDataAsSpan<float>();
        for (int i = 0; i < expected.Length; i++) actual[i].Should().BeApproximately((float)expected[i], LargestDifference);
        string[] labels = named ? outputs[0].GetStringTensorAsArray() : [.. outputs[0].GetTensorDataAsSpan<long>().ToArray().Select(label => $"{label}")];
        labels.Should().Equal(expected.Chunk(classCount).Select(row => model.ClassNames[Array.IndexOf(row, row.Max())]));
    }

    [Fact]
    public void Metadata_and_shapes_are_seen_by_the_runtime()
    {
        SoftmaxRegressionModel model = Model(new Random(1), 3, 4, named: true);
        using MemoryStream file = new();
        OnnxExporter.Export(model, file, OnnxForm.StandardOperators);
        using InferenceSession session = new(file.ToArray());
        session.ModelMetadata.CustomMetadataMap["class_names"].Should().Be("[\"class 0\",\"class 1\",\"class 2\"]");
        session.ModelMetadata.ProducerName.Should().Be("SoftmaxCE");
        session.InputMetadata["features"].Dimensions.Should().Equal(-1, 4);
        session.OutputMetadata.Keys.Should().BeEquivalentTo("label", "probabilities", "logits");
        session.OutputMetadata["probabilities"].Dimensions.Should().Equal(-1, 3);
    }

    [Theory]
    [InlineData("SOFTMAX", 3, false)]
    [InlineData("SOFTMAX", 2, true)]
    [InlineData("SOFTMAX", 7, true)]
    [InlineData("LOGISTIC", 2, false)]
    [InlineData("LOGISTIC", 2, true)]
    public void A_classifier_of_scikit_learn_predicts_the_same_after_import(string transform, int classCount, bool scaled)
    {
        const int FeatureCount = 4;
        Random random = new(classCount);
        double[] own = Numbers(random, classCount == 2 ? FeatureCount : FeatureCount * classCount), intercepts = Numbers(random, classCount == 2 ? 1 : classCount);
        SklearnOnnx shape = new(
            classCount == 2 ? [.. own.Select(value => -value), .. own] : own, classCount == 2 ? [-intercepts[0], intercepts[0]] : intercepts)
        {
            Transform = transform, Normalizer = classCount > 2, TextLabels = [.. Enumerable.Range(0, classCount).Select(label => $"class {label}")],
            Scaler = scaled ? ([0.5, -1, 2, 0.25], [2, 0.5, 1, 3]) : null,
        };
        byte[] file = shape.ToBytes();
        SoftmaxRegressionModel model = OnnxImporter.Import(file);
        float[] features = [.. Numbers(random, Rows * FeatureCount).Select(value => (float)(value * 4))];
        using InferenceSession session = new(file);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(features, [Rows, FeatureCount]);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, ["X"], [input], ["output_label", "output_probability"]);

        double[] ours = Probabilities(model, features);
        ReadOnlySpan<float> theirs = outputs[1].GetTensorDataAsSpan<float>();
        for (int i = 0; i < ours.Length; i++) theirs[i].Should().BeApproximately((float)ours[i], LargestDifference);
        outputs[0].GetStringTensorAsArray().Should().Equal(ours.Chunk(classCount).Select(row => model.ClassNames[Array.IndexOf(row, row.Max())]));
    }

    [Fact]
    public void A_dictionary_per_row_is_understood_by_the_runtime_and_by_the_importer()
    {
        byte[] file = new SklearnOnnx([1, 2, -1, 0, 0, -2], [0, 1, 2]) { IntegerLabels = [4, 5, 6], Normalizer = true, ZipMap = true }.ToBytes();
        using InferenceSession session = new(file);
        session.OutputMetadata.Keys.Should().BeEquivalentTo("output_label", "output_probability");
        OnnxImporter.Import(file).ClassNames.Should().Equal("4", "5", "6");
    }

    private static double[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (double)(float)(random.NextDouble() - 0.5))];

    private static SoftmaxRegressionModel Model(Random random, int classCount, int featureCount, bool named) => new(
        [.. Enumerable.Range(0, classCount * featureCount).Select(_ => random.NextDouble() - 0.5)],
        [.. Enumerable.Range(0, classCount).Select(_ => random.NextDouble() - 0.5)],
        named ? [.. Enumerable.Range(0, classCount).Select(label => $"class {label}")] : null);

    private static double[] Probabilities(SoftmaxRegressionModel model, float[] features)
    {
        double[] probabilities = new double[Rows * model.ClassCount];
        for (int row = 0; row < Rows; row++)
        {
            double[] values = [.. features.AsSpan(row * model.FeatureCount, model.FeatureCount).ToArray().Select(value => (double)value)];
            model.PredictProbabilities<double>(values, probabilities.AsSpan(row * model.ClassCount, model.ClassCount));
        }

        return probabilities;
    }
}
