using System.Globalization;
using System.Text;

namespace SoftmaxCE.Benchmarks;

/// <summary>Points on two logarithmic axes with the power law fitted to them.</summary>
/// <param name="Title">What is measured.</param>
/// <param name="Axis">What grows.</param>
/// <param name="Points">All positive.</param>
internal sealed record LogLogPanel(string Title, string Axis, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>y ≈ Factor · x^Exponent, by least squares of the logarithms.</summary>
    public (double Exponent, double Factor) Fit()
    {
        double meanX = Points.Average(p => Math.Log(p.X)), meanY = Points.Average(p => Math.Log(p.Y));
        double exponent = Points.Sum(p => (Math.Log(p.X) - meanX) * (Math.Log(p.Y) - meanY)) / Points.Sum(p => Math.Pow(Math.Log(p.X) - meanX, 2));
        return (exponent, Math.Exp(meanY - (exponent * meanX)));
    }
}

/// <summary>Panels side by side, as SVG without scripts or fonts of its own.</summary>
internal static class LogLogChart
{
    private const int Width = 300;
    private const int Height = 260;
    private const int Left = 52;
    private const int Right = 14;
    private const int Top = 40;
    private const int Bottom = 42;

    public static string Draw(IReadOnlyList<LogLogPanel> panels)
    {
        StringBuilder svg = new();
        Append(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width * panels.Count}\" height=\"{Height}\" font-family=\"sans-serif\" font-size=\"11\">");
        Append(svg, $"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        for (int i = 0; i < panels.Count; i++)
        {
            Append(svg, $"<g transform=\"translate({i * Width},0)\">");
            DrawPanel(svg, panels[i]);
            Append(svg, $"</g>");
        }

        Append(svg, $"</svg>");
        return svg.ToString();
    }

    private static void DrawPanel(StringBuilder svg, LogLogPanel panel)
    {
        (double exponent, double factor) = panel.Fit();
        double lowX = Math.Floor(Math.Log10(panel.Points.Min(p => p.X))), highX = Math.Ceiling(Math.Log10(panel.Points.Max(p => p.X)));
        double lowY = Math.Floor(Math.Log10(panel.Points.Min(p => p.Y))), highY = Math.Ceiling(Math.Log10(panel.Points.Max(p => p.Y)));
        double X(double value) => Left + ((Math.Log10(value) - lowX) / (highX - lowX) * (Width - Left - Right));
        double Y(double value) => Height - Bottom - ((Math.Log10(value) - lowY) / (highY - lowY) * (Height - Top - Bottom));

        Append(svg, $"<text x=\"{Left}\" y=\"16\" font-weight=\"bold\">{panel.Title}</text>");
        Append(svg, $"<text x=\"{Left}\" y=\"31\" fill=\"#a33\">∝ {panel.Axis}^{exponent:0.00}</text>");
        for (double decade = lowX; decade <= highX; decade++)
        {
            double x = X(Math.Pow(10, decade));
            Append(svg, $"<line x1=\"{x:0.#}\" x2=\"{x:0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\" stroke=\"#ddd\"/>");
            Append(svg, $"<text x=\"{x:0.#}\" y=\"{Height - Bottom + 15}\" text-anchor=\"middle\">10^{decade}</text>");
        }

        for (double decade = lowY; decade <= highY; decade++)
        {
            double y = Y(Math.Pow(10, decade));
            Append(svg, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\" stroke=\"#ddd\"/>");
            Append(svg, $"<text x=\"{Left - 5}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">10^{decade}</text>");
        }

        double first = panel.Points.Min(p => p.X), last = panel.Points.Max(p => p.X);
        Append(svg, $"<line x1=\"{X(first):0.#}\" y1=\"{Y(factor * Math.Pow(first, exponent)):0.#}\" x2=\"{X(last):0.#}\" y2=\"{Y(factor * Math.Pow(last, exponent)):0.#}\" stroke=\"#a33\"/>");
        foreach ((double px, double py) in panel.Points) Append(svg, $"<circle cx=\"{X(px):0.#}\" cy=\"{Y(py):0.#}\" r=\"3\" fill=\"#234\"/>");
        Append(svg, $"<text x=\"{(Width + Left - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">{panel.Axis}</text>");
    }

    private static void Append(StringBuilder svg, FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
