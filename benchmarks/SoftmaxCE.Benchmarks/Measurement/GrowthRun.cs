using System.Globalization;
using System.Text;

namespace SoftmaxCE.Benchmarks;

/// <summary>How the processor time of a fit grows with rows, features and classes: a table, and a chart with fitted powers.</summary>
internal static class GrowthRun
{
    private const double L2 = 1e-4;
    private const double Tolerance = 1e-4;

    private static readonly (int Rows, int Features, int Classes) Base = (5_000, 20, 5);

    /// <summary>Makes all fits; returns the table and the chart.</summary>
    public static (string Table, string Svg) Run()
    {
        StringBuilder table = new($"L2 {L2}, to a certified relative error of {Tolerance}; float rows of a made-up model\n\n| rows | features | classes | CPU seconds | iterations | passes |\n|---:|---:|---:|---:|---:|---:|\n");
        Fit(Base.Rows, Base.Features, Base.Classes, null);                  // compiles
        LogLogPanel[] panels =
        [
            new($"CPU s, {Base.Features} features, {Base.Classes} classes", "rows", [.. new[] { 1_000, 10_000, 100_000, 1_000_000 }.Select(n => ((double)n, Fit(n, Base.Features, Base.Classes, table)))]),
            new($"CPU s, {Base.Rows} rows, {Base.Classes} classes", "features", [.. new[] { 10, 40, 160, 640, 1_600, 4_000 }.Select(d => ((double)d, Fit(Base.Rows, d, Base.Classes, table)))]),
            new($"CPU s, {Base.Rows} rows, {Base.Features} features", "classes", [.. new[] { 2, 8, 30, 100, 300, 1_000 }.Select(c => ((double)c, Fit(Base.Rows, Base.Features, c, table)))]),
        ];
        table.Append('\n');
        foreach (LogLogPanel panel in panels) table.Append(CultureInfo.InvariantCulture, $"{panel.Title}: {panel.Axis}^{panel.Fit().Exponent:0.00}\n\n");
        return (table.ToString(), LogLogChart.Draw(panels));
    }

    private static double Fit(int rows, int features, int classes, StringBuilder? table)
    {
        (DenseRows<float> data, int[] labels) = Make(rows, features, classes);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        TrainingSummary training = new SoftmaxRegressionTrainer(new() { L2 = L2, Tolerance = Tolerance }).Fit(data, labels).Training!;
        double seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        if (table is null) return seconds;
        string line = string.Create(CultureInfo.InvariantCulture, $"| {rows:N0} | {features:N0} | {classes:N0} | {seconds:0.000} | {training.Iterations} | {training.PassesOverData:0.0} |");
        Console.WriteLine(line);
        table.Append(line).Append('\n');
        return seconds;
    }

    /// <summary>Features of deviation 1, labels drawn from a model whose logits have the deviation 2.</summary>
    private static (DenseRows<float> Rows, int[] Labels) Make(int rows, int features, int classes)
    {
        Random random = new(1);
        float[] model = new float[classes * features], values = new float[(long)rows * features];
        for (int i = 0; i < model.Length; i++) model[i] = (float)((random.NextDouble() - 0.5) * 4 * Math.Sqrt(3.0 / features));
        for (int i = 0; i < values.Length; i++) values[i] = (float)((random.NextDouble() - 0.5) * Math.Sqrt(12));
        int[] labels = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            ReadOnlySpan<float> row = values.AsSpan(i * features, features);
            double best = double.NegativeInfinity;
            for (int c = 0; c < classes; c++)
            {
                double logit = System.Numerics.Tensors.TensorPrimitives.Dot(row, model.AsSpan(c * features, features)) - Math.Log(-Math.Log(random.NextDouble()));
                if (logit <= best) continue;
                best = logit;
                labels[i] = c;
            }

            if (i < classes) labels[i] = i;
        }

        return (new DenseRows<float>(values, features), labels);
    }
}
