using System.Text;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ModelJsonTests
{
    private const string Text = """
        {
          "format": "SoftmaxCE model",
          "version": 1,
          "classes": ["no","ja ß"],
          "features": ["x","y"],
          "intercepts": [0.1,-0],
          "coefficients": [
            [1,2.5],
            [1E-300,-4]
          ],
          "metadata": {
            "made by": "a \"test\""
          }
        }
        """;

    private static readonly ModelContent Model = new(
        new double[] { 1, 2.5, 1e-300, -4 }, new double[] { 0.1, -0.0 }, ["no", "ja ß"], ["x", "y"], new Dictionary<string, string> { ["made by"] = "a \"test\"" });

    [Fact]
    public void The_text_is_readable()
    {
        using MemoryStream stream = new();
        ModelJson.Save(Model, stream);
        Encoding.UTF8.GetString(stream.ToArray()).Should().Be(Text.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_path_is_written_and_read()
    {
        using TemporaryFolder folder = new();
        ModelJson.Save(Model, folder.File("model.json"));
        ModelContent back = ModelJson.Load(folder.File("model.json"));
        back.Coefficients.ToArray().Should().Equal(Model.Coefficients.ToArray());
        double.IsNegative(back.Intercepts.Span[1]).Should().BeTrue();
        back.ClassNames.Should().Equal(Model.ClassNames);
        back.FeatureNames.Should().Equal(Model.FeatureNames);
        back.Metadata.Should().Equal(Model.Metadata);
    }

    [Theory]
    [InlineData("\"SoftmaxCE model\"", "\"Other\"", "format must be")]
    [InlineData("\"version\": 1", "\"version\": 2", "its version 1")]
    [InlineData("\"version\": 1", "\"version\": 99999999999", "not a model in JSON")]
    [InlineData("\"version\": 1", "\"version\": \"1\"", "not a model in JSON")]
    [InlineData("\"version\": 1,", "", "'version' is missing")]
    [InlineData("\"version\": 1", "\"version\": 1, \"more\": 1", "'more' is not known")]
    [InlineData("\"version\": 1", "\"version\": 1, \"version\": 1", "not a model in JSON")]
    [InlineData("[\"x\",\"y\"]", "[\"x\",null]", "name is null")]
    [InlineData("[\"x\",\"y\"]", "[\"x\"]", "1 feature names for 2 features")]
    [InlineData("[\"no\",\"ja ß\"]", "null", "not a model in JSON")]
    [InlineData("[\"no\",\"ja ß\"]", "[\"no\",\"\\ud800\"]", "not a model in JSON")]
    [InlineData("[1,2.5]", "[1]", "rows of one length")]
    [InlineData("[1,2.5],", "", "2 rows of one length")]
    [InlineData("[1,2.5]", "[1,1e999]", "coefficient with index 1")]
    [InlineData("[1,2.5]", "[1,\"2\"]", "not a model in JSON")]
    [InlineData("[1,2.5]", "[1,[2]]", "not a model in JSON")]
    [InlineData("[0.1,-0]", "[]", "0 rows")]
    [InlineData("\"a \\\"test\\\"\"", "7", "not a model in JSON")]
    [InlineData("\"a \\\"test\\\"\"", "null", "'made by' is null")]
    public void What_is_wrong_is_refused_with_the_reason(string right, string wrong, string why)
    {
        Text.Should().Contain(right);
        Action load = () => Load(Text.Replace(right, wrong, StringComparison.Ordinal));
        load.Should().Throw<InvalidDataException>().WithMessage($"*{why}*");
    }

    [Fact]
    public void Any_cut_or_splice_ends_in_a_model_or_in_InvalidDataException()
    {
        for (int length = 0; length < Text.Length; length++) LoadsOrRefuses(Text[..length]).Should().BeTrue();
        Gen.Select(Gen.Int[0, Text.Length], Gen.Int[0, Text.Length], Gen.Int[0, Text.Length], Gen.String[Gen.Char["{}[]\",:0-e.\\ux "], 0, 5])
            .Sample((a, b, c, noise) => LoadsOrRefuses(string.Concat(Text.AsSpan(0, a), noise, Text.AsSpan(Math.Min(b, c), Math.Abs(b - c)), Text.AsSpan(a))), iter: 3000);
    }

    private static ModelContent Load(string text)
    {
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(text));
        return ModelJson.Load(stream);
    }

    private static bool LoadsOrRefuses(string text)
    {
        try
        {
            return Load(text).ClassCount > 0;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }
}
