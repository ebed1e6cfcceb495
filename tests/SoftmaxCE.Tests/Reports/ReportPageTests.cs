using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ReportPageTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private static readonly XNamespace Html = "http://www.w3.org/1999/xhtml";

    [Fact]
    public void The_page_is_well_formed_and_neither_loads_nor_runs_anything()
    {
        XDocument page = Parse(Sample());
        page.Descendants(Html + "meta").Should().ContainSingle(meta => (string?)meta.Attribute("http-equiv") == "Content-Security-Policy")
            .Which.Attribute("content")!.Value.Should().StartWith("default-src 'none'").And.NotContain("unsafe")
            .And.Contain(Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(page.Descendants(Html + "style").Single().Value))), "only this style sheet is allowed");
        page.Descendants().Select(element => element.Name.LocalName).Should().NotContain(["script", "link", "iframe", "object", "foreignObject", "use", "image", "a"]);
        page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href").Should().OnlyContain(attribute => attribute.Value.StartsWith("data:image/bmp;base64,"));
        page.Descendants().Attributes().Should().NotContain(attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        page.Descendants(Html + "style").Single().Value.Should().NotContainAny("url(", "@import").And.Contain("prefers-color-scheme: dark");
    }

    [Fact]
    public void Every_picture_has_a_name_a_title_and_stays_inside_its_frame()
    {
        XElement[] pictures = [.. Parse(Sample()).Descendants(Svg + "svg")];
        pictures.Should().HaveCount(4);
        foreach (XElement picture in pictures)
        {
            picture.Attribute("role")!.Value.Should().Be("img");
            picture.Attribute("aria-label")!.Value.Should().StartWith(picture.Element(Svg + "title")!.Value);
            double[] frame = [.. picture.Attribute("viewBox")!.Value.Split(' ').Select(Number)];
            Places(picture, "x", "x1", "x2", "cx").Should().OnlyContain(x => x >= 0 && x <= frame[2]);
            Places(picture, "y", "y1", "y2", "cy").Should().OnlyContain(y => y >= 0 && y <= frame[3]);
        }
    }

    [Fact]
    public void Charts_have_axes_ticks_titles_and_legend()
    {
        XElement chart = Picture(Parse(Sample()), "Reliability");
        Texts(chart, "title").Should().Equal("Reliability");
        Texts(chart, "label").Should().Equal("confidence", "accuracy");
        Texts(chart, "tick").Should().Contain(["0.0", "0.2", "1.0", "model", "as sure as right", "share of the rows"]);
        Shapes(chart, "line", "axis").Should().HaveCountGreaterThan(2);
        Shapes(chart, "line", "reference").Should().HaveCount(2, "the diagonal and its entry in the legend");
        int bins = Sample().Metrics!.Calibration.Bins.Count;
        Shapes(chart, "circle", "dot").Should().HaveCount(bins);
        Shapes(chart, "rect", "share").Should().HaveCount(bins);
        Shapes(chart, "polyline", "curve").Single().Attribute("points")!.Value.Split(' ').Should().HaveCount(bins);
    }

    [Fact]
    public void Points_stand_where_their_values_say()
    {
        XElement chart = Picture(Parse(Sample()), "Objective");
        XElement[] dots = [.. Shapes(chart, "circle", "dot")];
        dots.Should().HaveCount(3);
        Number(dots[0].Attribute("cx")!.Value).Should().Be(Chart.Left);
        dots.Select(dot => Number(dot.Attribute("cy")!.Value)).Should().BeInAscendingOrder("the objective falls, and y grows downwards");
        dots[2].Element(Svg + "title")!.Value.Should().Be("pass 4: 0.25");
    }

    [Fact]
    public void A_gap_that_is_not_known_is_left_out()
    {
        XElement chart = Picture(Parse(Sample()), "Certified gap to the optimum");
        Shapes(chart, "circle", "dot").Should().HaveCount(2, "the first gap is infinite");
        Texts(chart, "tick").Should().Contain("1e-2");
    }

    [Fact]
    public void The_confusion_matrix_has_a_cell_for_each_pair()
    {
        XElement chart = Picture(Parse(Sample()), "Confusion matrix");
        Shapes(chart, "rect", "right").Should().HaveCount(3);
        Shapes(chart, "rect", "wrong").Should().HaveCount(6);
        Shapes(chart, "rect", "right key").Concat(Shapes(chart, "rect", "wrong key")).Should().HaveCount(2, "the legend says what the colours mean");
        ConfusionMatrix confusion = Sample().Metrics!.Confusion;
        Texts(chart, "count").Concat(Texts(chart, "count strong")).Sum(Number).Should().Be(confusion.WeightSum);
        chart.Descendants(Svg + "title").Select(title => title.Value).Should().Contain(title => title.StartsWith($"<cat> & co predicted as dog: {confusion[0, 1]} (", StringComparison.Ordinal));
    }

    [Fact]
    public void Many_classes_show_their_most_confused_pairs_instead_of_a_matrix()
    {
        ClassificationMetrics metrics = new(30);
        double[] row = new double[30];
        row[3] = 1;
        metrics.Add<double>(3, row);
        metrics.Add<double>(29, row);
        XDocument page = Parse(new ReportContent { Title = "Many", Metrics = metrics });
        page.Descendants(Svg + "svg").Select(picture => picture.Element(Svg + "title")!.Value).Should().Equal("Reliability");
        Rows(page, "label").Should().Equal("29 3 1 1.0000");
        Rows(page, "class").Should().HaveCount(30);
    }

    [Fact]
    public void Coefficients_of_pixels_are_pictures()
    {
        XDocument page = Parse(Sample() with { Coefficients = new ReportCoefficients(new double[] { 1, -1, 0, 0.5, 0, 0, 0, 0, 2, 2, 2, 2 }, ["a", "b", "c"], ["1", "2", "3", "4"], PixelWidth: 2) });
        string[] addresses = [.. page.Descendants(Html + "img").Select(image => image.Attribute("src")!.Value)];
        addresses.Should().HaveCount(3);
        byte[] first = Convert.FromBase64String(addresses[0].Split(',')[1]);
        first.Should().HaveCount(54 + (2 * 8));
        first[54..60].Should().Equal([128, 128, 255, 255, 128, 128], "half red and half blue in blue, green, red: 2 is the largest coefficient");
        first[62..68].Should().Equal([255, 255, 255, 191, 191, 255], "white, and a quarter red");
    }

    [Fact]
    public void Coefficients_of_named_features_are_bars_with_the_largest_first()
    {
        XDocument page = Parse(Sample() with { Coefficients = new ReportCoefficients(new double[] { 1, -3, 0, 2, 0, 0 }, ["a", "b"], ["x", "y", "z"], PixelWidth: 0) });
        XElement bars = Picture(page, "Largest coefficients of class a");
        Texts(bars, "tick").Should().Equal("y", "-3", "x", "1", "z", "0");
        double[] widths = [.. bars.Elements(Svg + "rect").Select(bar => Number(bar.Attribute("width")!.Value))];
        widths[0].Should().Be(80);
        widths[1].Should().BeApproximately(80 / 3.0, 0.01);
        widths[2].Should().Be(0);
        bars.Elements(Svg + "rect").Select(bar => bar.Attribute("class")!.Value).Should().Equal("below", "above", "below");
    }

    [Fact]
    public void Numbers_are_written_the_same_in_every_culture()
    {
        string expected = ReportPage.ToHtml(Sample());
        CultureInfo.CurrentCulture = new CultureInfo("ar-SA");
        ReportPage.ToHtml(Sample()).Should().Be(expected);
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        ReportPage.ToHtml(Sample()).Should().Be(expected);
    }

    [Fact]
    public void Any_names_at_all_are_shown_as_text()
    {
        Gen.String[Gen.Char["<>&\"'/ \u0000\u0007\u007f\ud800\udc00\ufffe\uffff猫script=]]-!"], 0, 12].Array[4].Sample(names =>
        {
            ClassificationMetrics metrics = new([names[0], names[1]]);
            metrics.Add<double>(0, [0.25, 0.75]);
            XDocument page = Parse(new ReportContent
            {
                Title = names[2],
                Metrics = metrics,
                Facts = [(names[3], names[2])],
                Coefficients = new ReportCoefficients(new double[] { 1, 2 }, [names[0], names[1]], [names[3]], PixelWidth: 0),
            });
            return !page.Descendants().Any(element => element.Name.LocalName == "script");
        }, iter: 300);
    }

    [Fact]
    public void Parts_without_content_are_left_out()
    {
        XDocument page = Parse(new ReportContent { Title = "Empty" });
        page.Descendants(Html + "h2").Should().BeEmpty();
        Parse(new ReportContent { Title = "No rows yet", Metrics = new ClassificationMetrics(2) }).Descendants(Svg + "svg").Should().ContainSingle();
        Rows(Parse(Sample()), "name").Should().Equal("L2 1e-4", "rows 40 for <training>");
    }

    internal static ReportContent Sample()
    {
        ClassificationMetrics metrics = new(["<cat> & co", "dog", "owl"]);
        Random random = new(5);
        double[] row = new double[3];
        for (int i = 0; i < 400; i++)
        {
            int label = i % 3;
            for (int j = 0; j < 3; j++) row[j] = (random.NextDouble() * 3) + (j == label ? 1.5 : 0);
            SoftmaxFunctions.Softmax<double>(row, row);
            metrics.Add<double>(label, row);
        }

        return new ReportContent
        {
            Title = "Cats & dogs",
            Metrics = metrics,
            History = [new(0, 1.1, double.PositiveInfinity), new(2, 0.5, 0.02), new(4, 0.25, 0.0003)],
            Coefficients = new ReportCoefficients(new double[] { 1, -1, 0, 0.5, 0, 1, -1, 0, 0.2, -0.3, 1, -1 }, metrics.Confusion.ClassNames, ["1", "2", "3", "4"], PixelWidth: 2),
            Facts = [("L2", "1e-4"), ("rows", "40 for <training>")],
        };
    }

    private static XDocument Parse(ReportContent content)
    {
        string html = ReportPage.ToHtml(content);
        html.Should().StartWith("<!DOCTYPE html>");
        return XDocument.Parse(html["<!DOCTYPE html>".Length..].Trim());
    }

    private static XElement Picture(XDocument page, string title) => page.Descendants(Svg + "svg").Single(picture => picture.Element(Svg + "title")!.Value == title);

    private static IEnumerable<XElement> Shapes(XElement picture, string element, string kind) => picture.Elements(Svg + element).Where(shape => (string?)shape.Attribute("class") == kind);

    private static IEnumerable<string> Texts(XElement picture, string kind) => Shapes(picture, "text", kind).Select(text => text.Value);

    private static string[] Rows(XDocument page, string firstColumn)
    {
        XElement table = page.Descendants(Html + "table").Single(table => table.Descendants(Html + "th").First().Value == firstColumn);
        return [.. table.Descendants(Html + "tbody").Single().Elements(Html + "tr").Select(row => string.Join(' ', row.Elements().Select(cell => cell.Value)))];
    }

    private static IEnumerable<double> Places(XElement picture, params string[] names) =>
        picture.Descendants().Attributes().Where(attribute => names.Contains(attribute.Name.LocalName)).Select(attribute => Number(attribute.Value));

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
