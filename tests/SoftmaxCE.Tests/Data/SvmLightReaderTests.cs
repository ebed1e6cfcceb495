using System.Globalization;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class SvmLightReaderTests
{
    [Fact]
    public void Reads_labels_and_pairs()
    {
        LabeledRows<SparseRows<float>> data = Read("# a data set\n+1 1:0.5 3:-2e-1 # first\n\n1.0\n-1 2:7\t4:1   \r\n  2 1:0", new SvmLightOptions());
        data.Rows.Values.ToArray().Should().Equal(0.5f, -0.2f, 7, 1, 0);
        data.Rows.Columns.ToArray().Should().Equal(0, 2, 1, 3, 0);
        data.Rows.RowStarts.ToArray().Should().Equal(0, 2, 2, 4, 5);
        data.Rows.FeatureCount.Should().Be(4);
        data.Labels.Should().Equal("1", "1", "-1", "2");
        data.FeatureNames.Should().BeNull();
    }

    [Fact]
    public void Zero_based_indices_and_a_given_feature_count()
    {
        LabeledRows<SparseRows<float>> data = Read("0 0:1 2:3\n-0 1:2\n", new SvmLightOptions { ZeroBased = true, FeatureCount = 10 });
        data.Rows.Columns.ToArray().Should().Equal(0, 2, 1);
        data.Rows.FeatureCount.Should().Be(10);
        data.Labels.Should().Equal("0", "0");
    }

    [Fact]
    public void An_empty_text_has_no_rows() => Read("# nothing\n", new SvmLightOptions()).Rows.RowCount.Should().Be(0);

    [Theory]
    [InlineData("x 1:2", "Line 1, character 1: a label is due here, one finite number.")]
    [InlineData("1:2", "Line 1, character 1: a label is due here, one finite number.")]
    [InlineData("1,2 1:2", "Line 1, character 1: a label is due here, one finite number.")]
    [InlineData("NaN 1:2", "Line 1, character 1: a label is due here, one finite number.")]
    [InlineData("1\n1 1:1 2\n", "Line 2, character 7: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 qid:3 1:1", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 1:", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 :1", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 1: 2", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 1:2:3", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 1:inf", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 1:1e99", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 -1:1", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 99999999999:1", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 2147483647:1", "Line 1, character 3: index:value is due here, a whole number and a finite number.")]
    [InlineData("1 0:1", "Line 1, character 3: the indices of a line must rise, and the lowest is 1.")]
    [InlineData("1 2:1 2:1", "Line 1, character 7: the indices of a line must rise, and the lowest is 1.")]
    [InlineData("1 2:1 1:1", "Line 1, character 7: the indices of a line must rise, and the lowest is 1.")]
    public void What_is_wrong_is_named_with_its_place(string text, string message) => Refuses(text, new SvmLightOptions(), message);

    [Fact]
    public void An_index_above_the_given_count_is_named() =>
        Refuses("1 1:1\n1 3:1 4:1", new SvmLightOptions { FeatureCount = 3 }, "Line 2, character 7: index 4, but the highest of 3 features has 3.");

    [Fact]
    public void Options_that_cannot_be_are_refused()
    {
        Action negative = () => Read("1", new SvmLightOptions { FeatureCount = -1 });
        negative.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("FeatureCount");
        Action open = () => SvmLightReader.ReadBatches<float>("no file", new SvmLightOptions(), 10);
        open.Should().Throw<ArgumentException>().WithMessage("*FeatureCount*");
    }

    [Fact]
    public void Batches_together_are_the_whole_file()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, string.Concat(Enumerable.Range(0, 25).Select(row => $"{row % 3} {(row % 5) + 1}:{row}\n")));
        LabeledRows<SparseRows<double>>[] batches = [.. SvmLightReader.ReadBatches<double>(path, new SvmLightOptions { FeatureCount = 5 }, 10)];
        LabeledRows<SparseRows<double>> whole = SvmLightReader.Read<double>(path, new SvmLightOptions());
        File.Delete(path);
        batches.Select(batch => batch.Rows.RowCount).Should().Equal(10, 10, 5);
        batches.SelectMany(batch => batch.Rows.Values.ToArray()).Should().Equal(whole.Rows.Values.ToArray());
        batches.SelectMany(batch => batch.Rows.Columns.ToArray()).Should().Equal(whole.Rows.Columns.ToArray());
        batches.SelectMany(batch => batch.Labels).Should().Equal(whole.Labels);
    }

    [Fact]
    public void What_is_written_comes_back_however_it_trickles_in()
    {
        Gen<(int, float)[]> pairs = Gen.Select(Gen.Int[1, 50], Gen.Float.Where(float.IsFinite)).Array[0, 6].Select(all => all.DistinctBy(pair => pair.Item1).OrderBy(pair => pair.Item1).ToArray());
        Gen.Select(Gen.Select(Gen.Int[-5, 5], pairs).Array[0, 6], Gen.Int[1, 5]).Sample((rows, atOnce) =>
        {
            string text = string.Concat(rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Item1} {string.Join(' ', row.Item2.Select(pair => $"{pair.Item1}:{pair.Item2:R}"))}\r\n")));
            using TricklingReader reader = new(text, atOnce);
            LabeledRows<SparseRows<float>> data = SvmLightReader.Read<float>(reader, new SvmLightOptions());
            return data.Rows.Values.ToArray().SequenceEqual(rows.SelectMany(row => row.Item2).Select(pair => pair.Item2))
                && data.Rows.Columns.ToArray().SequenceEqual(rows.SelectMany(row => row.Item2).Select(pair => pair.Item1 - 1))
                && data.Labels.SequenceEqual(rows.Select(row => row.Item1.ToString(CultureInfo.InvariantCulture)));
        });
    }

    [Fact]
    public void Any_text_at_all_is_read_or_refused_with_a_line()
    {
        Gen.Select(Gen.String[Gen.Char["0123:.e-# \t\r\nx\0"], 0, 40], Gen.Int[1, 4]).Sample((text, atOnce) =>
        {
            try
            {
                using TricklingReader reader = new(text, atOnce);
                return SvmLightReader.Read<double>(reader, new SvmLightOptions()).Rows.RowCount <= text.Length;
            }
            catch (InvalidDataException exception)
            {
                return exception.Message.StartsWith("Line ", StringComparison.Ordinal);
            }
        }, iter: 20_000);
    }

    private static LabeledRows<SparseRows<float>> Read(string text, SvmLightOptions options)
    {
        using StringReader reader = new(text);
        return SvmLightReader.Read<float>(reader, options);
    }

    private static void Refuses(string text, SvmLightOptions options, string message)
    {
        Action read = () => Read(text, options);
        read.Should().Throw<InvalidDataException>().Which.Message.Should().Be(message);
    }
}
