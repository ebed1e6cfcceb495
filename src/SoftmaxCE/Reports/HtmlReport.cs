using System.Globalization;
using System.Text;

namespace SoftmaxCE;

/// <summary>
/// A report on a model as one HTML file: objective and gap over the passes, confusion matrix, reliability diagram, scores per class,
/// coefficients, data and options. The page is complete in itself: it loads nothing, runs no script, and follows the light or dark setting.
/// </summary>
public sealed record HtmlReport
{
    /// <summary>Heading of the page.</summary>
    public string Title { get; init; } = "Softmax regression";

    /// <summary>The model, for its training history and its coefficients; null leaves these parts out.</summary>
    public SoftmaxRegressionModel? Model { get; init; }

    /// <summary>How the model does, best on rows it was not trained on; null leaves the part about predictions out.</summary>
    public ClassificationMetrics? Metrics { get; init; }

    /// <summary>The curve of the reliability diagram; null (the default) takes the one of <see cref="Metrics"/>.</summary>
    public CalibrationCurve? Calibration { get; init; }

    /// <summary>Pixels per line when the features are the pixels of a picture: coefficients are then drawn as pictures. 0 (the default): they are drawn as bars.</summary>
    public int PixelWidth { get; init; }

    /// <summary>What else a reader should know, such as the data and the options; shown as a table.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Facts { get; init; } = [];

    /// <summary>The page as text.</summary>
    /// <exception cref="ArgumentException"><see cref="PixelWidth"/> is negative or does not divide the number of features.</exception>
    public string ToHtml()
    {
        ArgumentNullException.ThrowIfNull(Title);
        ArgumentNullException.ThrowIfNull(Facts);
        ArgumentOutOfRangeException.ThrowIfNegative(PixelWidth);
        if (PixelWidth > 0 && Model is not null && Model.FeatureCount % PixelWidth != 0)
            throw new ArgumentException($"{Model.FeatureCount} features are not a whole number of lines of {PixelWidth} pixels.", nameof(PixelWidth));
        return ReportPage.ToHtml(new ReportContent
        {
            Title = Title,
            Metrics = Metrics,
            Calibration = Calibration,
            History = [.. (Model?.Training?.History ?? []).Select(progress => new ReportPoint(progress.PassesOverData, progress.Objective, progress.Gap))],
            Coefficients = Model is null ? null : new ReportCoefficients(Model.Coefficients, Model.ClassNames, Model.FeatureNames ?? ConfusionMatrix.NumbersAsNames(Model.FeatureCount), PixelWidth),
            Facts = [.. Facts.Select(fact => (fact.Key, fact.Value)), .. FactsOf(Model)],
        });
    }

    /// <summary>Writes the page to a file, in one step: a crash or a full disk leaves an old file of that name whole.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException"><see cref="PixelWidth"/> is negative or does not divide the number of features.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        byte[] page = Encoding.UTF8.GetBytes(ToHtml());
        AtomicFile.Write(path, stream => stream.Write(page));
    }

    private static IEnumerable<(string Name, string Value)> FactsOf(SoftmaxRegressionModel? model)
    {
        if (model is null) yield break;
        yield return ("classes", Text(model.ClassCount));
        yield return ("features", Text(model.FeatureCount));
        if (model.Training is not TrainingSummary training) yield break;
        foreach ((string Name, string Value) fact in FactsOf(training)) yield return fact;
    }

    private static IEnumerable<(string Name, string Value)> FactsOf(TrainingSummary training)
    {
        if (training.RowCount > 0) yield return ("rows trained on", Text(training.RowCount));
        yield return ("training ended by", training.StopReason.ToString());
        yield return ("iterations", Text(training.Iterations));
        yield return ("passes over the data", ReportCharts.Number(training.PassesOverData));
        yield return ("objective", training.Objective.ToString("G9", CultureInfo.InvariantCulture));
        yield return ("certified gap", ReportCharts.Number(training.Gap));
        yield return ("training time", training.Elapsed.TotalSeconds.ToString("0.### s", CultureInfo.InvariantCulture));
        if (training.FeatureScale != 1 || training.FeatureOffset != 0)
            yield return ("features are", string.Create(CultureInfo.InvariantCulture, $"stored values times {training.FeatureScale:G6} plus {training.FeatureOffset:G6}"));
        if (training.Options is not SoftmaxRegressionOptions options) yield break;
        yield return ("L2", ReportCharts.Number(options.L2));
        if (options.L1 > 0) yield return ("L1", ReportCharts.Number(options.L1));
        yield return ("intercepts", options.FitIntercepts ? "fitted" : "0");
        yield return ("class weights", options.ClassWeights.IsEmpty ? "all 1" : string.Join(", ", options.ClassWeights.ToArray().Select(ReportCharts.Number)));
        yield return ("solver", options.Solver.ToString());
        yield return ("tolerance", ReportCharts.Number(options.Tolerance));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
