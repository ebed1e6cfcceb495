using System.Globalization;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class CsvReaderTests
{
    private static readonly CsvOptions Labeled = new() { LabelColumn = "kind" };

    [Fact]
    public void Reads_features_labels_and_names()
    {
        LabeledRows<DenseRows<float>> data = Read("width,kind,height\n1.5,cat,-2e-3\n 0.25 ,dog,7\n3,cat,.5\n", Labeled);
        data.Rows.Values.ToArray().Should().Equal(1.5f, -2e-3f, 0.25f, 7, 3, 0.5f);
        data.Rows.FeatureCount.Should().Be(2);
        data.Labels.Should().Equal("cat", "dog", "cat");
        data.FeatureNames.Should().Equal("width", "height");
        data.Labels[2].Should().BeSameAs(data.Labels[0]);
    }

    [Fact]
    public void Double_features_keep_every_digit()
    {
        using StringReader text = new("a\n0.1\n1e-300\n");
        CsvReader.Read<double>(text, new CsvOptions()).Rows.Values.ToArray().Should().Equal(0.1, 1e-300);
    }

    [Fact]
    public void The_culture_changes_nothing()
    {
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        Read("a;b\n1.5;2\n", new CsvOptions { Separator = ';' }).Rows.Values.ToArray().Should().Equal(1.5f, 2);
        Refuses("a;b\n1,5;2\n", new CsvOptions { Separator = ';' }, "Line 2, column 1 ('a'): '1,5' is not a number.");
    }

    [Fact]
    public void Quoted_fields_may_hold_separators_quotes_and_line_ends()
    {
        LabeledRows<DenseRows<float>> data = Read("\"a, \"\"b\"\"\",kind\r\n\"1\",\"x\r\ny\"\r\n2,\"\"\"\"\r\n", Labeled);
        data.FeatureNames.Should().Equal("a, \"b\"");
        data.Rows.Values.ToArray().Should().Equal(1, 2);
        data.Labels.Should().Equal("x\ny", "\"");
    }

    [Fact]
    public void Line_ends_blank_lines_and_a_missing_last_line_end_do_not_matter()
    {
        foreach (string text in new[] { "a,kind\n1,x\n2,y", "a,kind\r\n1,x\r\n2,y\r\n", "\n\na,kind\n\n1,x\r\n\r\n2,y\n\n\n", "\uFEFFa,kind\n1,x\n2,y\n" })
        {
            string path = Path.GetTempFileName();
            File.WriteAllText(path, text);
            LabeledRows<DenseRows<float>> data = CsvReader.Read<float>(path, "kind");
            File.Delete(path);
            data.Rows.Values.ToArray().Should().Equal(1, 2);
            data.Labels.Should().Equal("x", "y");
            data.FeatureNames.Should().Equal("a");
        }
    }

    [Fact]
    public void Without_a_header_columns_are_named_by_number()
    {
        LabeledRows<DenseRows<float>> data = Read("1,x,2\n3,y,4\n", new CsvOptions { HasHeader = false, LabelColumn = "1" });
        data.Rows.Values.ToArray().Should().Equal(1, 2, 3, 4);
        data.Labels.Should().Equal("x", "y");
        data.FeatureNames.Should().BeNull();
    }

    [Fact]
    public void Ignored_columns_are_not_read()
    {
        LabeledRows<DenseRows<float>> data = Read("id,a,note,kind\nX-1,1,,x\nX-2,2,free text,y\n", Labeled with { IgnoredColumns = ["note", "id"] });
        data.Rows.Values.ToArray().Should().Equal(1, 2);
        data.FeatureNames.Should().Equal("a");
    }

    [Fact]
    public void Without_a_label_column_there_are_no_labels()
    {
        LabeledRows<DenseRows<float>> data = Read("a,b\n1,2\n", new CsvOptions());
        data.Labels.Should().BeEmpty();
        data.Rows.RowCount.Should().Be(1);
    }

    [Fact]
    public void A_header_alone_gives_no_rows() => Read("a,kind\n", Labeled).Rows.RowCount.Should().Be(0);

    [Theory]
    [InlineData("", "Line 1: the file is empty.")]
    [InlineData("\n\n", "Line 1: the file is empty.")]
    [InlineData("a,b\n1,2\n", "Line 1: there is no column named 'kind'; the columns are 'a', 'b'.")]
    [InlineData("a,kind,a\n1,x,2\n", "Line 1: columns 1 and 3 are both named 'a'.")]
    [InlineData("kind\nx\n", "Line 1: no column is left for the features.")]
    [InlineData("a,kind\n1,x\n2\n", "Line 3: 1 fields, but there are 2 columns.")]
    [InlineData("a,kind\n1,x,\n", "Line 2: 3 fields, but there are 2 columns.")]
    [InlineData("a,kind\n\n1,x\nabc,x\n", "Line 4, column 1 ('a'): 'abc' is not a number.")]
    [InlineData("a,kind\n,x\n", "Line 2, column 1 ('a'): the number is missing.")]
    [InlineData("a,kind\n  ,x\n", "Line 2, column 1 ('a'): the number is missing.")]
    [InlineData("a,kind\n1,\n", "Line 2, column 2 ('kind'): the label is missing.")]
    [InlineData("a,kind\nNaN,x\n", "Line 2, column 1 ('a'): 'NaN' is not a finite number.")]
    [InlineData("a,kind\n1e999,x\n", "Line 2, column 1 ('a'): '1e999' is not a finite number.")]
    [InlineData("a,kind\n1_000,x\n", "Line 2, column 1 ('a'): '1_000' is not a number.")]
    [InlineData("a,kind\n0x10,x\n", "Line 2, column 1 ('a'): '0x10' is not a number.")]
    [InlineData("a,kind\n1,x\"y\n", "Line 2, character 4: a quote inside a field that does not start with one.")]
    [InlineData("a,kind\n1,\"x\"y\n", "Line 2, character 6: text after the quote that closes a field.")]
    [InlineData("a,kind\n1,\"x\ny\nz\n", "Line 2, character 3: the quote that opens here is never closed.")]
    [InlineData("a,kind\n1,\"x\ny\"\nq,z\n", "Line 4, column 1 ('a'): 'q' is not a number.")]
    public void What_is_wrong_is_named_with_its_place(string text, string message) => Refuses(text, Labeled, message);

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_refused()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, [.. "a,kind\n1,caf"u8, 0xE9, .. "\n"u8]);
        Action read = () => CsvReader.Read<float>(path, "kind");
        read.Should().Throw<InvalidDataException>().WithMessage("*line*not UTF-8*");
        File.Delete(path);
    }

    [Fact]
    public void A_separator_that_means_something_else_is_refused()
    {
        Action read = () => Read("a\n1\n", new CsvOptions { Separator = '"' });
        read.Should().Throw<ArgumentException>().WithParameterName("Separator");
    }

    [Fact]
    public void Batches_together_are_the_whole_file()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "a,kind\n" + string.Concat(Enumerable.Range(0, 25).Select(row => $"{row},k{row % 3}\n")));
        LabeledRows<DenseRows<double>>[] batches = [.. CsvReader.ReadBatches<double>(path, Labeled, 10)];
        File.Delete(path);
        batches.Select(batch => batch.Rows.RowCount).Should().Equal(10, 10, 5);
        batches.SelectMany(batch => batch.Rows.Values.ToArray()).Should().Equal(Enumerable.Range(0, 25).Select(row => (double)row));
        batches.SelectMany(batch => batch.Labels).Should().Equal(Enumerable.Range(0, 25).Select(row => $"k{row % 3}"));
    }

    [Fact]
    public void Whatever_a_writer_quotes_comes_back_however_it_trickles_in()
    {
        Gen<string> field = Gen.String[Gen.Char["ab,\"\n \u732b"], 1, 5].Where(text => !string.IsNullOrWhiteSpace(text));
        Gen.Select(Gen.Select(Gen.Float.Where(float.IsFinite), field).Array[0, 8], Gen.Int[1, 5], Gen.Bool).Sample((rows, atOnce, windows) =>
        {
            string lineEnd = windows ? "\r\n" : "\n";
            string text = "a,kind" + lineEnd + string.Concat(rows.Select(row => $"{row.Item1.ToString("R", CultureInfo.InvariantCulture)},{Quoted(row.Item2)}{lineEnd}"));
            using TricklingReader reader = new(text, atOnce);
            LabeledRows<DenseRows<float>> data = CsvReader.Read<float>(reader, Labeled);
            return data.Rows.Values.ToArray().SequenceEqual(rows.Select(row => row.Item1)) && data.Labels.SequenceEqual(rows.Select(row => row.Item2));
        });
    }

    [Fact]
    public void Any_text_at_all_is_read_or_refused_with_a_line()
    {
        Gen.Select(Gen.String[Gen.Char["1.5e-,;\"\r\n xk\0"], 0, 40], Gen.Int[1, 4], Gen.Bool).Sample((text, atOnce, header) =>
        {
            try
            {
                using TricklingReader reader = new(text, atOnce);
                LabeledRows<DenseRows<float>> data = CsvReader.Read<float>(reader, new CsvOptions { HasHeader = header });
                return data.Rows.RowCount <= text.Length;
            }
            catch (InvalidDataException exception)
            {
                return exception.Message.StartsWith("Line ", StringComparison.Ordinal);
            }
        }, iter: 20_000);
    }

    [Fact]
    public void The_digits_come_back_as_they_are()
    {
        LabeledRows<DenseRows<float>> data = CsvReader.Read<float>(Path.Combine(AppContext.BaseDirectory, "References", "data", "digits.csv"), "label");
        data.Rows.RowCount.Should().Be(1797);
        data.Rows.FeatureCount.Should().Be(64);
        data.Labels.Distinct().Order().Should().Equal("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
        DataSet expected = DataSets.Load("digits");
        data.Rows.Values.ToArray().Select(value => (double)value).Should().Equal(expected.Features);
    }

    private static string Quoted(string text) => text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private static LabeledRows<DenseRows<float>> Read(string text, CsvOptions options)
    {
        using StringReader reader = new(text);
        return CsvReader.Read<float>(reader, options);
    }

    private static void Refuses(string text, CsvOptions options, string message)
    {
        Action read = () => Read(text, options);
        read.Should().Throw<InvalidDataException>().Which.Message.Should().Be(message);
    }
}
