using System.Globalization;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class HtmlReportTests
{
    private static readonly DataSet Iris = DataSets.Load("iris");
    private static readonly DenseRows<double> Rows = new(Iris.Features, Iris.Columns);
    private static readonly SoftmaxRegressionModel Model = new SoftmaxRegressionTrainer().Fit(Rows, Iris.Labels).WithFeatureNames(["sepal <length>", "b", "c", "d"]);

    [Fact]
    public void A_trained_model_and_its_metrics_fill_every_part()
    {
        string html = new HtmlReport { Title = "Iris & co", Model = Model, Metrics = Model.Evaluate(Rows, Iris.Labels), Facts = [new("data", "iris")] }.ToHtml();
        html.Should().ContainAll(
            "<h1>Iris &amp; co</h1>", "Objective", "Certified gap", "Confusion matrix", "Reliability", "Largest coefficients of class 2", "sepal &lt;length&gt;",
            "<td>data</td>", "<td>iris</td>", "<td>training ended by</td>", "<td>Tolerance</td>",
            $"<td>{Model.Training!.Objective.ToString("G9", CultureInfo.InvariantCulture)}</td>");
        Count(html, "class=\"dot\"").Should().BeGreaterThanOrEqualTo(Model.Training.History.Count);
    }

    [Fact]
    public void The_options_that_were_used_are_shown()
    {
        SoftmaxRegressionOptions options = new() { L2 = 0.25, L1 = 0.125, FitIntercepts = false, ClassWeights = new[] { 1, 2.5 }, Tolerance = 1e-3 };
        string html = new HtmlReport { Model = new SoftmaxRegressionTrainer(options).Fit(new DenseRows<byte>(new byte[] { 0, 4, 2, 1 }, 1, scale: 0.5, offset: -1), [0, 1, 1, 0]) }.ToHtml();
        string[] facts = ["L2", "0.25", "L1", "0.125", "intercepts", "0", "class weights", "1, 2.5", "solver", "Auto", "tolerance", "0.001", "rows trained on", "4", "features are", "stored values times 0.5 plus -1"];
        html.Should().ContainAll(facts.Chunk(2).Select(fact => $"<td>{fact[0]}</td>\n<td>{fact[1]}</td>"));
    }

    [Fact]
    public void Pixels_are_drawn_as_pictures()
    {
        string html = new HtmlReport { Model = Model, PixelWidth = 2 }.ToHtml();
        Count(html, "<img ").Should().Be(3);
        html.Should().NotContain("Largest coefficients").And.NotContain("Confusion");
    }

    [Fact]
    public void A_width_that_does_not_divide_the_features_is_refused()
    {
        Action three = () => new HtmlReport { Model = Model, PixelWidth = 3 }.ToHtml();
        three.Should().Throw<ArgumentException>().WithParameterName("PixelWidth").WithMessage("4 features*3 pixels*");
        Action negative = () => new HtmlReport { PixelWidth = -1 }.ToHtml();
        negative.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("PixelWidth");
    }

    [Fact]
    public void Save_writes_the_page_in_UTF_8()
    {
        using TemporaryFolder folder = new();
        HtmlReport report = new() { Title = "Größe 猫", Model = Model };
        report.Save(folder.File("report.html"));
        File.ReadAllText(folder.File("report.html")).Should().Be(report.ToHtml());
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
