namespace SoftmaxCE;

/// <summary>Lays the parts of a report out on one page.</summary>
internal static class ReportPage
{
    /// <summary>Above this many classes a matrix does not fit on a screen, and the most confused pairs are shown instead.</summary>
    public const int MostClassesInAMatrix = 25;

    /// <summary>Above this many classes only the coefficients of the first are shown.</summary>
    public const int MostClassesWithCoefficients = 25;

    private const int ConfusedPairs = 25;
    private const int LargestCoefficients = 8;

    public static string ToHtml(ReportContent content)
    {
        Markup page = new();
        page.Raw("<!DOCTYPE html>\n").Open("html", ("lang", "en"), ("xmlns", "http://www.w3.org/1999/xhtml")).Open("head")
            .Empty("meta", ("charset", "utf-8"))
            .Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", ReportStyle.SecurityPolicy))
            .Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"))
            .Element("title", content.Title)
            .Open("style").Raw(ReportStyle.Sheet).Close()
            .Close().Open("body").Element("h1", content.Title);
        if (content.Metrics is not null) Summary(page, content.Metrics);
        Training(page, content.History);
        if (content.Metrics is not null) Predictions(page, content.Metrics, content.Calibration ?? content.Metrics.Calibration);
        if (content.Coefficients is not null) Coefficients(page, content.Coefficients);
        Facts(page, content.Facts);
        return page.Close().Close().ToString();
    }

    private static void Summary(Markup page, ClassificationMetrics metrics)
    {
        page.Open("div", ("class", "cards"));
        Card(page, "rows", TextTable.Weight(metrics.RowCount), $"{metrics.ClassCount} classes");
        Card(page, "accuracy", TextTable.Score(metrics.Accuracy), $"{TextTable.Score(metrics.MajorityAccuracy)} by the most frequent class");
        Card(page, "log-loss (nats)", TextTable.Score(metrics.LogLoss), $"{TextTable.Score(metrics.PriorLogLoss)} by the frequencies");
        Card(page, "macro F1", TextTable.Score(metrics.Confusion.Macro.F1), $"balanced accuracy {TextTable.Score(metrics.BalancedAccuracy)}");
        Card(page, "Brier score", TextTable.Score(metrics.BrierScore), $"calibration error {TextTable.Score(metrics.Calibration.ExpectedError)}");
        page.Close();
    }

    private static void Card(Markup page, string name, string value, string comparison) =>
        page.Open("div").Element("span", name).Element("b", value).Element("span", comparison).Close();

    private static void Training(Markup page, IReadOnlyList<ReportPoint> history)
    {
        if (history.Count == 0) return;
        page.Element("h2", "Training").Open("div", ("class", "charts"));
        ReportCharts.Progress(page, "Objective", "mean loss + penalty", [.. history.Select(point => (point.Passes, point.Objective))], logarithmic: false);
        ReportCharts.Progress(page, "Certified gap to the optimum", "gap", [.. history.Select(point => (point.Passes, point.Gap))], logarithmic: true);
        page.Close();
    }

    private static void Predictions(Markup page, ClassificationMetrics metrics, CalibrationCurve calibration)
    {
        page.Element("h2", "Predictions").Element("p", "The stronger a cell, the larger its share of the label's rows.", ("class", "note")).Open("div", ("class", "charts"));
        if (metrics.ClassCount <= MostClassesInAMatrix) ReportCharts.Confusion(page, metrics.Confusion);
        if (calibration.Bins.Count > 0) ReportCharts.Reliability(page, calibration);
        page.Close();
        if (metrics.ClassCount > MostClassesInAMatrix) MostConfused(page, metrics.Confusion);
        page.Element("h2", "Classes").Open("div", ("class", "wide"));
        BeginTable(page, "class", "precision", "recall", "F1", "log-loss", "rows");
        foreach (ClassScores scores in metrics.Confusion.PerClass())
        {
            Row(page, scores.Name, TextTable.Score(scores.Precision), TextTable.Score(scores.Recall), TextTable.Score(scores.F1), TextTable.Score(metrics.ClassLogLoss(scores.Label)), TextTable.Weight(scores.Support));
        }

        page.Close().Close().Close();
    }

    private static void MostConfused(Markup page, ConfusionMatrix confusion)
    {
        page.Element("p", $"The {ConfusedPairs} most confused pairs of {confusion.ClassCount} classes.", ("class", "note"));
        BeginTable(page, "label", "predicted", "rows", "share of the label");
        foreach (ConfusedPair pair in confusion.MostConfusedPairs(ConfusedPairs))
            Row(page, confusion.ClassNames[pair.Label], confusion.ClassNames[pair.Predicted], TextTable.Weight(pair.Weight), TextTable.Score(pair.Weight / confusion.LabelWeight(pair.Label)));
        page.Close().Close();
    }

    private static void Coefficients(Markup page, ReportCoefficients coefficients)
    {
        int shown = Math.Min(coefficients.ClassNames.Count, MostClassesWithCoefficients);
        double largest = 0;
        foreach (double value in coefficients.Values.Span) largest = Math.Max(largest, Math.Abs(value));
        if (coefficients.PixelWidth > 0) largest = FullColour(coefficients.Values.Span);
        string which = shown < coefficients.ClassNames.Count ? $"The first {shown} of {coefficients.ClassNames.Count} classes. " : "";
        string how = coefficients.PixelWidth > 0
            ? $"One pixel per feature: red speaks for the class, blue against it, in full colour from {ReportCharts.Number(largest)} on."
            : $"The {Math.Min(LargestCoefficients, coefficients.FeatureNames.Count)} largest of each class. A coefficient is per unit of its feature, so sizes compare only between features of like scale.";
        page.Element("h2", "Coefficients").Element("p", which + how, ("class", "note")).Open("div", ("class", "pictures"));
        for (int label = 0; label < shown; label++)
        {
            page.Open("figure");
            if (coefficients.PixelWidth > 0) Picture(page, coefficients, label, largest);
            else Bars(page, coefficients, label, largest);
            page.Element("figcaption", coefficients.ClassNames[label]).Close();
        }

        page.Close();
    }

    /// <summary>The magnitude that 99 of 100 coefficients do not exceed: a few extreme pixels would leave the others pale.</summary>
    private static double FullColour(ReadOnlySpan<double> coefficients)
    {
        double[] magnitudes = new double[coefficients.Length];
        for (int i = 0; i < magnitudes.Length; i++) magnitudes[i] = Math.Abs(coefficients[i]);
        Array.Sort(magnitudes);
        return magnitudes[(int)Math.Ceiling(0.99 * magnitudes.Length) - 1];
    }

    private static void Picture(Markup page, ReportCoefficients coefficients, int label, double largest) => page.Empty(
        "img",
        ("alt", $"Coefficients of class {coefficients.ClassNames[label]}"),
        ("src", CoefficientPicture.ToAddress(OfClass(coefficients, label), coefficients.PixelWidth, largest > 0 ? largest : 1)));

    private static void Bars(Markup page, ReportCoefficients coefficients, int label, double largest)
    {
        const double Line = 18;
        const double Names = 110;
        const double HalfWidth = 80;
        double[] values = OfClass(coefficients, label).ToArray();
        int[] order = [.. Enumerable.Range(0, values.Length).OrderByDescending(feature => Math.Abs(values[feature])).Take(LargestCoefficients)];
        Chart chart = new(page);
        Chart.BeginPicture(page, $"Largest coefficients of class {coefficients.ClassNames[label]}", $"{order.Length} features.", Names + (2 * HalfWidth) + 60, (order.Length * Line) + 12);
        for (int i = 0; i < order.Length; i++)
        {
            double value = values[order[i]];
            double width = largest > 0 ? Math.Abs(value) / largest * HalfWidth : 0;
            double zero = Names + HalfWidth;
            page.Element("text", ReportCharts.Short(coefficients.FeatureNames[order[i]]), ("class", "tick"), ("x", Names - 8), ("y", 18 + (i * Line)), ("text-anchor", "end"));
            chart.Bar(value > 0 ? "above" : "below", value > 0 ? zero : zero - width, 8 + (i * Line), width, Line - 6, $"{coefficients.FeatureNames[order[i]]}: {ReportCharts.Number(value)}");
            page.Element("text", ReportCharts.Number(value), ("class", "tick"), ("x", zero + HalfWidth + 6), ("y", 18 + (i * Line)));
        }

        chart.Line("axis", Names + HalfWidth, 4, Names + HalfWidth, (order.Length * Line) + 8);
        chart.End();
    }

    private static ReadOnlySpan<double> OfClass(ReportCoefficients coefficients, int label) =>
        coefficients.Values.Span.Slice(label * coefficients.FeatureNames.Count, coefficients.FeatureNames.Count);

    private static void Facts(Markup page, IReadOnlyList<(string Name, string Value)> facts)
    {
        if (facts.Count == 0) return;
        page.Element("h2", "Data and options");
        BeginTable(page, "name", "value");
        foreach ((string name, string value) in facts) Row(page, name, value);
        page.Close().Close();
    }

    /// <summary>Opens a table and its body; the caller closes both.</summary>
    private static void BeginTable(Markup page, params ReadOnlySpan<string> columns)
    {
        page.Open("table").Open("thead").Open("tr");
        foreach (string column in columns) page.Element("th", column, ("scope", "col"));
        page.Close().Close().Open("tbody");
    }

    private static void Row(Markup page, params ReadOnlySpan<string> cells)
    {
        page.Open("tr");
        foreach (string cell in cells) page.Element("td", cell);
        page.Close();
    }
}
