using System.Globalization;

namespace SoftmaxCE;

/// <summary>The charts of a report.</summary>
internal static class ReportCharts
{
    /// <summary>A curve over the passes over the data; points that are not finite, or on a logarithmic scale not above 0, are left out.</summary>
    public static void Progress(Markup markup, string title, string valueTitle, IReadOnlyList<(double Passes, double Value)> points, bool logarithmic)
    {
        (double Passes, double Value)[] shown = [.. points.Where(point => double.IsFinite(point.Value) && (!logarithmic || point.Value > 0))];
        ChartAxis x = ChartAxis.Linear([0, .. shown.Select(point => point.Passes)], Chart.Left, Chart.Right);
        double[] values = [.. shown.Select(point => point.Value)];
        ChartAxis y = logarithmic ? ChartAxis.Logarithmic(values, Chart.Bottom, Chart.Top) : ChartAxis.Linear(values, Chart.Bottom, Chart.Top);
        string description = shown.Length == 0 ? "No values to show." : $"From {Number(shown[0].Value)} to {Number(shown[^1].Value)} after {Number(shown[^1].Passes)} passes over the data.";
        Chart chart = new(markup);
        chart.Begin(title, description, ("passes over the data", x), (valueTitle, y));
        chart.Curve("curve", shown.Select(point => (x.PlaceOf(point.Passes), y.PlaceOf(point.Value))));
        foreach ((double passes, double value) in shown) chart.Dot("dot", x.PlaceOf(passes), y.PlaceOf(value), 2.5, $"pass {Number(passes)}: {Number(value)}");
        chart.End();
    }

    /// <summary>Accuracy over confidence, with the share of the rows in each bin as bars; a dot of few rows is small.</summary>
    public static void Reliability(Markup markup, CalibrationCurve calibration)
    {
        ChartAxis x = ChartAxis.Linear([0, 1], Chart.Left, Chart.Right);
        ChartAxis y = ChartAxis.Linear([0, 1], Chart.Bottom, Chart.Top);
        double total = calibration.Bins.Sum(bin => bin.Weight);
        Chart chart = new(markup);
        chart.Begin("Reliability", $"Expected calibration error {TextTable.Score(calibration.ExpectedError)} over {calibration.Bins.Count} bins.", ("confidence", x), ("accuracy", y));
        foreach (CalibrationBin bin in calibration.Bins)
        {
            double top = y.PlaceOf(bin.Weight / total);
            chart.Bar("share", x.PlaceOf(bin.Lower), top, Math.Max(x.PlaceOf(bin.Upper) - x.PlaceOf(bin.Lower), 1), Chart.Bottom - top, $"{TextTable.Weight(bin.Weight)} rows");
        }

        chart.Line("reference", x.PlaceOf(0), y.PlaceOf(0), x.PlaceOf(1), y.PlaceOf(1));
        chart.Curve("curve", calibration.Bins.Select(bin => (x.PlaceOf(bin.MeanConfidence), y.PlaceOf(bin.Accuracy))));
        double heaviest = calibration.Bins.Max(bin => bin.Weight);
        foreach (CalibrationBin bin in calibration.Bins)
            chart.Dot("dot", x.PlaceOf(bin.MeanConfidence), y.PlaceOf(bin.Accuracy), 2.5 + (2.5 * Math.Sqrt(bin.Weight / heaviest)), $"confidence {TextTable.Score(bin.MeanConfidence)}, accuracy {TextTable.Score(bin.Accuracy)}, {TextTable.Weight(bin.Weight)} rows");
        chart.Legend(("curve", "model"), ("reference", "as sure as right"), ("shareline", "share of the rows"));
        chart.End();
    }

    /// <summary>The confusion matrix as coloured cells: the stronger, the larger the share of the label's rows.</summary>
    public static void Confusion(Markup markup, ConfusionMatrix confusion)
    {
        const double Titles = 44;
        const double Keys = 28;
        const double LowestWidth = 160;
        const double LetterWidth = 6.5;
        int count = confusion.ClassCount;
        double cell = Math.Clamp(400.0 / count, 24, 56);
        double names = 12 + (LetterWidth * confusion.ClassNames.Max(name => Short(name).Length));
        double left = 20 + names;
        double top = Titles + names;
        double middle = count * cell / 2;
        Chart chart = new(markup);
        Chart.BeginPicture(
            markup, "Confusion matrix", $"Rows are labels, columns predictions. {TextTable.Score(confusion.Accuracy)} of the weight is on the diagonal.", Math.Max(left + (2 * middle) + 24, LowestWidth), top + (2 * middle) + 16 + Keys);
        markup.Element("text", "Confusion matrix", ("class", "title"), ("x", 10.0), ("y", 20));
        markup.Element("text", "predicted", ("class", "label"), ("x", left + middle), ("y", 40.0), ("text-anchor", "middle"));
        markup.Element("text", "label", ("class", "label"), ("x", 16.0), ("y", top + middle), ("text-anchor", "middle"), ("transform", FormattableString.Invariant($"rotate(-90 16 {top + middle:0.##})")));
        for (int label = 0; label < count; label++)
        {
            string name = Short(confusion.ClassNames[label]);
            double place = (label + 0.5) * cell;
            markup.Element("text", name, ("class", "tick"), ("x", left - 8), ("y", top + place + 4), ("text-anchor", "end"));
            markup.Element("text", name, ("class", "tick"), ("x", left + place + 4), ("y", top - 8), ("transform", FormattableString.Invariant($"rotate(-60 {left + place + 4:0.##} {top - 8:0.##})")));
            for (int predicted = 0; predicted < count; predicted++) Cell(markup, confusion, label, predicted, left + (predicted * cell), top + (label * cell), cell);
        }

        double keys = top + (2 * middle) + 18;
        Key(markup, "right", "right", left, keys);
        Key(markup, "wrong", "wrong", left + 62, keys);
        chart.End();
    }

    public static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static void Key(Markup markup, string kind, string name, double x, double y)
    {
        markup.Empty("rect", ("class", $"{kind} key"), ("x", x), ("y", y - 10), ("width", 12), ("height", 12));
        markup.Element("text", name, ("class", "tick"), ("x", x + 18), ("y", y));
    }

    private static void Cell(Markup markup, ConfusionMatrix confusion, int label, int predicted, double x, double y, double size)
    {
        double weight = confusion[label, predicted];
        double total = confusion.LabelWeight(label);
        double share = total > 0 ? weight / total : 0, strength = Math.Sqrt(share);     // so that a few rows are seen too
        markup.Open("rect", ("class", label == predicted ? "right" : "wrong"), ("x", x + 0.5), ("y", y + 0.5), ("width", size - 1), ("height", size - 1), ("fill-opacity", weight > 0 ? 0.06 + (0.94 * strength) : 0.03))
            .Element("title", $"{confusion.ClassNames[label]} predicted as {confusion.ClassNames[predicted]}: {TextTable.Weight(weight)} ({share.ToString("P1", CultureInfo.InvariantCulture)})")
            .Close();
        if (weight > 0)
            markup.Element("text", TextTable.Weight(weight), ("class", strength > 0.7 ? "count strong" : "count"), ("x", x + (size / 2)), ("y", y + (size / 2) + 4), ("text-anchor", "middle"));
    }

    public static string Short(string name) => name.Length <= 14 ? name : string.Concat(name.AsSpan(0, 13), "…");
}
