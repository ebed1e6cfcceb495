using System.Text;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ModelFileTests
{
    private static readonly ModelContent Small = new(
        new double[] { 1.5, -2.25, 1e-300, double.Epsilon, -0.0, 3 }, new double[] { 0.1, -0.1 }, ["no", "ja, \"ß\" 猫"], ["x", "", "z\n"], new Dictionary<string, string> { ["made by"] = "a test", ["options"] = "{}" });

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        byte[] file = Bytes(new ModelContent(new double[] { 1, 2 }, new double[] { 3, 4 }, ["a", "b"]));
        string header = """{"__metadata__":{"softmaxce.classes":"[\u0022a\u0022,\u0022b\u0022]","softmaxce.crc32c":"########","softmaxce.version":"1"},"bias":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"weight":{"dtype":"F64","shape":[2,1],"data_offsets":[16,32]}}""";
        header = header.PadRight((header.Length + 7) / 8 * 8);
        int checksum = header.IndexOf('#', StringComparison.Ordinal);
        Encoding.ASCII.GetBytes("########").CopyTo(file, 8 + checksum);
        file.Should().Equal(SafeTensorsBytes.Of(header, SafeTensorsBytes.Doubles(3, 4, 1, 2)));
    }

    [Fact]
    public void Numbers_names_and_metadata_come_back_exactly()
    {
        Gen<string> text = Gen.String[Gen.Char["aZ09 \"\\/\u0000\n\tßé猫<>&'+"], 0, 6];
        Gen<double> number = Gen.Double.Where(double.IsFinite);
        Gen<ModelContent> content =
            from classes in Gen.Int[1, 4]
            from features in Gen.Int[1, 5]
            from coefficients in number.Array[classes * features]
            from intercepts in number.Array[classes]
            from classNames in text.Array[classes]
            from featureNames in text.Array[features]
            from named in Gen.Bool
            from metadata in Gen.Dictionary(text.Select(key => "m" + key), text)[0, 3]
            select new ModelContent(coefficients, intercepts, classNames, named ? featureNames : null, metadata);
        content.Sample(model =>
        {
            AssertSame(ModelFile.Load(Bytes(model)), model);
            using MemoryStream json = new();
            ModelJson.Save(model, json);
            json.Position = 0;
            AssertSame(ModelJson.Load(json), model);
        });
    }

    [Fact]
    public void Every_single_byte_corruption_is_refused_or_changes_nothing()
    {
        byte[] file = Bytes(Small);
        int dataStart = SafeTensorsHeader.Parse(file).DataStart;
        for (int at = 0; at < file.Length; at++)
        {
            byte original = file[at];
            for (int value = 0; value < 256; value++)
            {
                if (value == original) continue;
                file[at] = (byte)value;
                try
                {
                    AssertSame(ModelFile.Load(file), Small);
                    at.Should().BeLessThan(dataStart, "only in the header do different bytes mean the same: white space, case of hexadecimal digits");
                }
                catch (InvalidDataException)
                {
                    // Refused, as it should be.
                }
            }

            file[at] = original;
        }
    }

    [Fact]
    public void Every_truncation_and_every_extension_is_refused()
    {
        byte[] file = Bytes(Small);
        for (int length = 0; length < file.Length; length++) Refuses(file[..length], "*");
        for (int value = 0; value < 256; value++) Refuses([.. file, (byte)value], "*are there*");
    }

    [Fact]
    public void Pieces_of_a_file_in_any_order_are_refused()
    {
        byte[] file = Bytes(Small);
        Gen.Select(Gen.Int[0, file.Length], Gen.Int[0, file.Length], Gen.Int[0, file.Length], Gen.Byte.Array[0, 10]).Sample((a, b, c, noise) =>
        {
            byte[] mixed = [.. file[..a], .. noise, .. file[Math.Min(b, c)..Math.Max(b, c)], .. file[a..]];
            if (mixed.AsSpan().SequenceEqual(file)) return;
            Refuses(mixed, "*");
        });
    }

    [Fact]
    public void Reads_the_saved_state_of_a_linear_layer_from_Python()
    {
        byte[] file = SafeTensorsBytes.Of(
            """{"__metadata__":{"format":"pt"},"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}}   """,
            SafeTensorsBytes.Floats(0.5f, -0.5f, 1, 2, 3, 0.1f, 5, 6));
        ModelContent model = ModelFile.Load(file);
        model.Coefficients.ToArray().Should().Equal(1, 2, 3, 0.1f, 5, 6);
        model.Intercepts.ToArray().Should().Equal(0.5, -0.5);
        model.ClassNames.Should().Equal("0", "1");
        model.FeatureNames.Should().BeNull();
        model.Metadata.Should().Equal(new Dictionary<string, string> { ["format"] = "pt" });
    }

    [Theory]
    [InlineData("F16", new byte[] { 0x00, 0x3C, 0x01, 0x00 }, 1.0, 5.9604644775390625e-8)]
    [InlineData("BF16", new byte[] { 0x80, 0x3F, 0x49, 0xC0 }, 1.0, -3.140625)]
    [InlineData("F32", new byte[] { 0, 0, 0x80, 0x3F, 1, 0, 0, 0 }, 1.0, 1.401298464324817e-45)]
    [InlineData("F64", new byte[] { 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x18, 0x2D, 0x44, 0x54, 0xFB, 0x21, 0x09, 0x40 }, 1.0, Math.PI)]
    public void Reads_every_floating_point_type_exactly_and_a_missing_bias_as_zeros(string dtype, byte[] data, double first, double second)
    {
        ModelContent model = ModelFile.Load(SafeTensorsBytes.Of($$$"""{"weight":{"dtype":"{{{dtype}}}","shape":[1,2],"data_offsets":[0,{{{data.Length}}}]}}""", data));
        model.Coefficients.ToArray().Should().Equal(first, second);
        model.Intercepts.ToArray().Should().Equal(0);
    }

    [Theory]
    [InlineData("{}", 0, "no tensor 'weight' of two dimensions")]
    [InlineData("""{"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "no tensor 'weight' of two dimensions")]
    [InlineData("""{"weight":{"dtype":"I32","shape":[1,2],"data_offsets":[0,8]}}""", 8, "dtype I32")]
    [InlineData("""{"weight":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]}}""", 0, "'weight' is empty")]
    [InlineData("""{"weight":{"dtype":"F32","shape":[9223372036854775807,0],"data_offsets":[0,0]}}""", 0, "overflows")]
    [InlineData("""{"weight":{"dtype":"F32","shape":[2000000000,0],"data_offsets":[0,0]}}""", 0, "'weight' is empty")]
    [InlineData("""{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}""", 16, "'bias' must have one dimension of 1")]
    [InlineData("""{"bias":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"weight":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]}}""", 8, "'bias' must have one dimension of 1")]
    [InlineData("""{"__metadata__":{"softmaxce.version":"2"},"weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}""", 4, "format version '2'")]
    [InlineData("""{"__metadata__":{"softmaxce.new":"2"},"weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}""", 4, "format version 'none'")]
    [InlineData("""{"__metadata__":{"softmaxce.version":"1"},"weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}""", 4, "'softmaxce.classes' is missing")]
    [InlineData("""{"__metadata__":{"softmaxce.version":"1","softmaxce.classes":"[]"},"weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}""", 4, "checksum does not match")]
    public void A_file_without_a_model_is_refused_with_the_reason(string header, int dataLength, string why) => Refuses(SafeTensorsBytes.Of(header, new byte[dataLength]), $"*{why}*");

    [Fact]
    public void Numbers_that_are_not_finite_are_refused()
    {
        Refuses(SafeTensorsBytes.Of("""{"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}""", SafeTensorsBytes.Floats(1, float.NaN)), "*coefficient with index 1 is NaN*");
        Action make = () => _ = new ModelContent(new double[] { 1 }, new[] { double.PositiveInfinity }, ["a"]);
        make.Should().Throw<InvalidDataException>().WithMessage("*intercept with index 0*");
    }

    [Fact]
    public void Parts_that_do_not_fit_are_refused()
    {
        RefusesParts(() => new ModelContent(new double[] { 1, 2, 3 }, new double[2], ["a", "b"]), "3 coefficients*2 classes*");
        RefusesParts(() => new ModelContent(Array.Empty<double>(), new double[2], ["a", "b"]), "0 coefficients*");
        RefusesParts(() => new ModelContent(new double[] { 1, 2 }, Array.Empty<double>(), []), "*0 classes*");
        RefusesParts(() => new ModelContent(new double[] { 1, 2 }, new double[2], ["a"]), "*1 class names for 2 classes*");
        RefusesParts(() => new ModelContent(new double[] { 1, 2 }, new double[2], ["a", "b"], ["x", "y"]), "*2 feature names for 1 features*");
        RefusesParts(() => new ModelContent(new double[] { 1, 2 }, new double[2], ["a", "\ud800"]), "*not valid Unicode*");
    }

    [Fact]
    public void Reserved_metadata_is_refused()
    {
        Action save = () => Bytes(new ModelContent(new double[] { 1 }, new double[1], ["a"], null, new Dictionary<string, string> { ["softmaxce.version"] = "7" }));
        save.Should().Throw<ArgumentException>().WithMessage("*'softmaxce.version' is reserved*");
    }

    [Fact]
    public void Paths_streams_and_spans_read_the_same_model()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("model.safetensors");
        ModelFile.Save(Small, path);
        AssertSame(ModelFile.Load(path), Small);
        AssertSame(ModelFile.Load(File.ReadAllBytes(path)), Small);
        using FileStream stream = File.OpenRead(path);
        AssertSame(ModelFile.Load(stream), Small);
        ModelFile.Save(Small, path);                              // over the old one
        Directory.GetFiles(folder.Path).Should().Equal(path);
    }

    private static byte[] Bytes(ModelContent model)
    {
        using MemoryStream stream = new();
        ModelFile.Save(model, stream);
        return stream.ToArray();
    }

    private static void AssertSame(ModelContent actual, ModelContent expected)
    {
        Bits(actual.Coefficients).SequenceEqual(Bits(expected.Coefficients)).Should().BeTrue();
        Bits(actual.Intercepts).SequenceEqual(Bits(expected.Intercepts)).Should().BeTrue();
        actual.ClassNames.SequenceEqual(expected.ClassNames).Should().BeTrue();
        (actual.FeatureNames ?? ["none"]).SequenceEqual(expected.FeatureNames ?? ["none"]).Should().BeTrue();
        actual.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal).SequenceEqual(expected.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal)).Should().BeTrue();
    }

    private static IEnumerable<long> Bits(ReadOnlyMemory<double> values) => values.ToArray().Select(BitConverter.DoubleToInt64Bits);

    private static void Refuses(byte[] file, string message)
    {
        Action load = () => ModelFile.Load(file);
        load.Should().Throw<InvalidDataException>().WithMessage(message);
    }

    private static void RefusesParts(Func<ModelContent> make, string message) => make.Should().Throw<InvalidDataException>().WithMessage(message);
}
