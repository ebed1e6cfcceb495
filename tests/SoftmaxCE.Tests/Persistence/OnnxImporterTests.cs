using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>That a runtime computes the same from the files as the imported models do is tested in SoftmaxCE.Tests.Onnx.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class OnnxImporterTests
{
    private static readonly SklearnOnnx Iris = new([0.5, -1, 0.25, 0, 1, 2, -0.5, 0.5, -2], [0.5, -0.25, -0.25]) { IntegerLabels = [0, 1, 2] };
    private static readonly SklearnOnnx Binary = new([-0.5, 1, -2, 0.5, -1, 2], [0.75, -0.75]) { Transform = "LOGISTIC", TextLabels = ["ham", "spam"] };

    [Theory, InlineData(OnnxForm.StandardOperators), InlineData(OnnxForm.LinearClassifier)]
    public void An_exported_model_comes_back_rounded_to_float(OnnxForm form)
    {
        Gen<string> text = Gen.String[Gen.Char["aZ0 \"\\ß猫"], 0, 4];
        var shapes = from classes in Gen.Int[2, 5]
                     from features in Gen.Int[1, 4]
                     from coefficients in Gen.Double[-1e6, 1e6].Array[classes * features]
                     from intercepts in Gen.Double[-10, 10].Array[classes]
                     from named in Gen.Bool
                     from names in text.Array[classes]
                     from featureNames in text.Array[features]
                     select (coefficients, intercepts, Names: named ? names.Select((name, c) => $"{c}{name}").ToArray() : null, featureNames);
        shapes.Sample(
            shape =>
            {
                SoftmaxRegressionModel model = new(shape.coefficients, shape.intercepts, shape.Names);
                if (shape.Names is not null) model = model.WithFeatureNames(shape.featureNames);
                SoftmaxRegressionModel back = OnnxImporter.Import(Bytes(model, form));
                return back.Coefficients.ToArray().SequenceEqual(shape.coefficients.Select(value => (double)(float)value))
                    && back.Intercepts.ToArray().SequenceEqual(shape.intercepts.Select(value => (double)(float)value))
                    && back.ClassNames.SequenceEqual(model.ClassNames)
                    && (back.FeatureNames ?? []).SequenceEqual(model.FeatureNames ?? []);
            },
            iter: 300);
    }

    [Fact]
    public void The_training_summary_comes_back_and_path_and_stream_read_the_same()
    {
        using TemporaryFolder folder = new();
        DataSet iris = DataSets.Load("iris");
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer().Fit(new DenseRows<double>(iris.Features, iris.Columns), iris.Labels);
        OnnxExporter.Export(model, folder.File("iris.onnx"));
        SoftmaxRegressionModel byPath = OnnxImporter.Import(folder.File("iris.onnx"));
        using FileStream stream = File.OpenRead(folder.File("iris.onnx"));
        SoftmaxRegressionModel byStream = OnnxImporter.Import(stream);
        byPath.Training!.History.Should().Equal(model.Training!.History);
        byStream.Coefficients.ToArray().Should().Equal(byPath.Coefficients.ToArray());
        Bytes(byPath, OnnxForm.StandardOperators).Should().Equal(Bytes(model, OnnxForm.StandardOperators), "floats export to themselves");
    }

    [Fact]
    public void A_multinomial_classifier_of_scikit_learn_is_read_as_it_is()
    {
        foreach (SklearnOnnx file in (SklearnOnnx[])[Iris, Iris with { Normalizer = true }, Iris with { ZipMap = true }, Iris with { Normalizer = true, ZipMap = true }])
        {
            SoftmaxRegressionModel model = OnnxImporter.Import(file.ToBytes());
            model.Coefficients.ToArray().Should().Equal(Iris.Coefficients);
            model.Intercepts.ToArray().Should().Equal(Iris.Intercepts);
            model.ClassNames.Should().Equal("0", "1", "2");
            model.FeatureNames.Should().BeNull();
            model.Training.Should().BeNull();
        }
    }

    [Fact]
    public void Labels_are_kept_as_texts_or_integers()
    {
        OnnxImporter.Import((Iris with { IntegerLabels = [3, -7, long.MaxValue], ZipMap = true }).ToBytes()).ClassNames.Should().Equal("3", "-7", "9223372036854775807");
        OnnxImporter.Import((Iris with { TextLabels = ["猫", "", "dog"], ZipMap = true }).ToBytes()).ClassNames.Should().Equal("猫", "", "dog");
    }

    [Fact]
    public void A_binary_classifier_gets_half_of_its_opposite_coefficients()
    {
        SoftmaxRegressionModel model = OnnxImporter.Import((Binary with { ZipMap = true }).ToBytes());
        model.Coefficients.ToArray().Should().Equal(Binary.Coefficients.Select(value => value / 2));
        model.Intercepts.ToArray().Should().Equal(0.375, -0.375);
        model.ClassNames.Should().Equal("ham", "spam");
        double score = (0.5 * 3) - 1 + (2 * 0.25) - 0.75;
        double[] probabilities = new double[2];
        model.PredictProbabilities<double>([3, 1, 0.25], probabilities);
        probabilities[1].Should().BeApproximately(1 / (1 + Math.Exp(-score)), 1e-15);
    }

    [Fact]
    public void A_scaler_in_front_becomes_part_of_the_coefficients()
    {
        SoftmaxRegressionModel plain = OnnxImporter.Import(Iris.ToBytes());
        double[] offsets = [1, -2, 0.5], factors = [2, 0.5, 4], features = [0.25, 3, -1];
        SoftmaxRegressionModel scaled = OnnxImporter.Import((Iris with { Scaler = (offsets, factors) }).ToBytes());
        scaled.Coefficients.ToArray().Should().Equal(Iris.Coefficients.Select((value, i) => value * factors[i % 3]));
        Logits(scaled, features).ShouldBeCloseTo(Logits(plain, [.. features.Select((value, j) => (value - offsets[j]) * factors[j])]), 1e-15);
        SoftmaxRegressionModel byOne = OnnxImporter.Import((Iris with { Scaler = ([0.5], [2]) }).ToBytes());
        Logits(byOne, features).ShouldBeCloseTo(Logits(plain, [.. features.Select(value => (value - 0.5) * 2)]), 1e-15);
    }

    [Fact]
    public void Gemm_takes_its_coefficients_either_way_round_and_times_its_factors()
    {
        double[] coefficients = [1, 2, 3, 4, 5, 6], intercepts = [1, -1];                      // two classes, three features
        OnnxImporter.Import(Gemm([1, 4, 2, 5, 3, 6], [3, 2], transposed: false)).Coefficients.ToArray().Should().Equal(coefficients);
        SoftmaxRegressionModel model = OnnxImporter.Import(Gemm(coefficients, [2, 3], transposed: true));
        model.Coefficients.ToArray().Should().Equal(coefficients);
        model.Intercepts.ToArray().Should().Equal(intercepts.Select(value => value * 0.5));
        Refuses(Gemm(coefficients, [6], transposed: true), "not a matrix");
        Refuses(Gemm(coefficients, [2, 4], transposed: true), "6 values for a shape of 8");
        Refuses(Gemm(coefficients, [long.MaxValue, long.MaxValue, long.MaxValue], transposed: true), "overflows");
        Refuses(Gemm(coefficients, [-2, -3], transposed: true), "negative");
        Refuses(Gemm(coefficients, [3, 2], transposed: true), "2 intercepts for 3 classes");
    }

    [Fact]
    public void What_is_no_softmax_regression_is_refused_with_the_reason()
    {
        Refuses((Iris with { Transform = "LOGISTIC" }).ToBytes(), "no softmax regression");
        Refuses((Iris with { Transform = "NONE" }).ToBytes(), "post_transform 'NONE'");
        Refuses((Binary with { Intercepts = [0.75, 0.75] }).ToBytes(), "opposite coefficients");
        Refuses((Binary with { Coefficients = [-0.5, 1, -2, 0.5, -1, 3] }).ToBytes(), "opposite coefficients");
        Refuses((Iris with { IntegerLabels = [0, 1] }).ToBytes(), "9 coefficients and 3 intercepts for 2 labels");
        Refuses((Iris with { IntegerLabels = [0, 1, 1] }).ToBytes(), "a label twice");
        Refuses((Iris with { Coefficients = [1, 2, double.NaN, 4, 5, 6, 7, 8, 9] }).ToBytes(), "coefficient with index 2 is NaN");
        Refuses((Iris with { Coefficients = [] }).ToBytes(), "0 coefficients");
        Refuses((Iris with { Scaler = ([1, 2], [1, 2]) }).ToBytes(), "2 offsets for 3 features");
        Refuses((Iris with { Scaler = ([1, 2, 3], [1, 2]) }).ToBytes(), "3 offsets and 2 scales");
    }

    [Fact]
    public void Operators_and_attributes_that_are_not_known_are_refused()
    {
        Refuses(WithNode("Dropout", "", ["X"], ["Y"]), "operator Dropout is no part");
        Refuses(WithNode("Gemm", "ai.onnx.ml", ["X"], ["Y"]), "operator ai.onnx.ml.Gemm is no part");
        Refuses(WithNode("Identity", "com.example", ["X"], ["Y"]), "does not state a version");
        Refuses(WithNode("Identity", "", ["Z"], ["Y"]), "takes 'Z', which nothing before it makes");
        Refuses(WithNode("Identity", "", ["X", "X"], ["Y"]), "2 inputs and 1 outputs");
        Refuses(WithNode("Identity", "", ["X"], ["output_label"]), "made twice");
        Refuses(WithNode("Softmax", "", ["output_probability"], ["Y"]), "are Probabilities and not Logits");
        Refuses(WithNode("Softmax", "", ["X"], ["Y"]), "are Features and not Logits");
        Refuses(WithNode("Normalizer", "ai.onnx.ml", ["output_probability"], ["Y"]), "norm 'MAX'; L1 is needed");
        Refuses(WithNode("ArgMax", "", ["output_probability"], ["Y"]), "axis 0; the classes are axis 1");
        Refuses(WithNode("Cast", "", ["output_probability"], ["Y"], OnnxMessages.Attribute("to", 7)), "does not keep the values");
        Refuses(WithNode("Cast", "", ["output_label"], ["Y"], OnnxMessages.Attribute("to", 1)), "does not keep the values");
        Refuses(WithNode("Cast", "", ["output_label"], ["Y"], OnnxMessages.Attribute("to", "7")), "'to' of kind 3; 2 is needed");
        Refuses(WithNode("Identity", "", ["X"], ["Y"], OnnxMessages.Attribute("more", 7)), "attribute 'more', which this library does not know");
        Refuses(WithNode("Identity", "", ["X"], ["Y"], OnnxMessages.Attribute("a", 7), OnnxMessages.Attribute("a", 7)), "attribute 'a' twice");
        Refuses(WithNode("ZipMap", "ai.onnx.ml", ["output_probability"], ["Y"], OnnxMessages.Attribute("classlabels_int64s", [0L, 1, 3])), "other labels");
        Refuses(WithNode("LinearClassifier", "ai.onnx.ml", ["output_label"], ["Y", "Z"]), "are Label and not Features");
        Refuses(WithNode("Gather", "", ["names", "output_label"], ["Y"]), "are Label and not Index");
        OnnxImporter.Import(WithNode("ArgMax", "", ["output_probability"], ["Y"], OnnxMessages.Attribute("axis", 1))).ClassCount.Should().Be(3);
    }

    [Fact]
    public void Files_that_are_damaged_are_refused()
    {
        Refuses([], "no graph");
        Refuses([0x3A, 0], "0 inputs");
        byte[] file = Iris.ToBytes();
        Refuses([.. file, .. file], "two graphs");
        Refuses([.. file, .. new ProtobufMessage().Bytes(25, []).WrittenBytes], "operators of its own");
        Refuses([.. file, .. new ProtobufMessage().Message(8, new ProtobufMessage().Text(1, "").Integer(2, 15)).WrittenBytes], "operator set '' occurs twice");
        ProtobufMessage entry = new ProtobufMessage().Text(1, "k").Text(2, "v");
        Refuses([.. file, .. new ProtobufMessage().Message(14, entry).Message(14, entry).WrittenBytes], "metadata 'k' occurs twice");
        ProtobufMessage many = new();
        for (int i = 0; i < 101; i++) many.Bytes(1, []);
        Refuses([.. new ProtobufMessage().Message(7, many).WrittenBytes], "more than 100 operators");
    }

    [Fact]
    public void Every_single_byte_corruption_and_every_truncation_ends_in_a_model_or_in_InvalidDataException()
    {
        byte[] smallest = Bytes(new SoftmaxRegressionModel([1, 2], [0.5, -0.5], ["a", "b"]), OnnxForm.LinearClassifier);
        int models = Damage(smallest, [.. Enumerable.Range(1, 255)]);
        models.Should().BeGreaterThan(1000, "changed numbers and names are models too");

        int[] someChanges = [1, 2, 4, 8, 16, 32, 64, 128, 0x7F, 0xFF];
        Damage(Bytes(new SoftmaxRegressionModel([1, 2, 3, 4], [0.5, -0.5], ["a", "b"]).WithFeatureNames(["x", "y"]), OnnxForm.StandardOperators), someChanges);
        Damage((Binary with { Scaler = ([1], [2]), ZipMap = true }).ToBytes(), someChanges);
        Damage((Iris with { Normalizer = true, ZipMap = true }).ToBytes(), someChanges);
    }

    private static int Damage(byte[] file, int[] changes)
    {
        int models = 0;
        for (int length = 0; length < file.Length; length++) models += Loads(file[..length]);
        byte[] damaged = [.. file];
        for (int at = 0; at < file.Length; at++)
        {
            foreach (int change in changes)
            {
                damaged[at] = (byte)(file[at] ^ change);
                models += Loads(damaged);
            }

            damaged[at] = file[at];
        }

        return models;
    }

    private static byte[] WithNode(string operation, string domain, string[] inputs, string[] outputs, params ProtobufMessage[] attributes) =>
        (Iris with { Extra = SklearnOnnx.Node(operation, domain, inputs, outputs, [.. attributes.Select(attribute => attribute.WrittenBytes.ToArray())]) }).ToBytes();

    private static byte[] Gemm(double[] matrix, long[] shape, bool transposed)
    {
        byte[] beta = [.. new ProtobufMessage().Text(1, "beta").WrittenBytes, (2 << 3) | 5, .. BitConverter.GetBytes(0.5f), .. new ProtobufMessage().Integer(20, 1).WrittenBytes];
        ProtobufMessage graph = OnnxMessages.Graph(
            [
                SklearnOnnx.Node("Gemm", "", ["x", "w", "b"], ["z"], OnnxMessages.Attribute("transB", transposed ? 1 : 0).WrittenBytes.ToArray(), beta),
                OnnxMessages.Node("Softmax", ["z"], ["p"]),
            ],
            [OnnxMessages.Tensor("w", matrix, shape), OnnxMessages.Tensor("b", [1, -1], 2)],
            [OnnxMessages.Value("x", OnnxMessages.Element.Float, 3)],
            [OnnxMessages.Value("p", OnnxMessages.Element.Float, 2)]);
        return OnnxMessages.Model(graph, [], "1").WrittenBytes.ToArray();
    }

    private static byte[] Bytes(SoftmaxRegressionModel model, OnnxForm form)
    {
        using MemoryStream stream = new();
        OnnxExporter.Export(model, stream, form);
        return stream.ToArray();
    }

    private static double[] Logits(SoftmaxRegressionModel model, double[] features)
    {
        double[] logits = new double[model.ClassCount];
        model.PredictLogits<double>(features, logits);
        return logits;
    }

    private static int Loads(byte[] file)
    {
        try
        {
            return OnnxImporter.Import(file).ClassCount >= 2 ? 1 : 0;
        }
        catch (InvalidDataException)
        {
            return 0;
        }
    }

    private static void Refuses(byte[] file, string why)
    {
        Action import = () => OnnxImporter.Import(file);
        import.Should().Throw<InvalidDataException>().WithMessage($"*{why}*");
    }
}
