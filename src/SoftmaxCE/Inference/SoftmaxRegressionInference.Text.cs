using System.Globalization;
using System.Text;

namespace SoftmaxCE;

public sealed partial class SoftmaxRegressionInference
{
    /// <summary>Measures of fit, the table of coefficients and the notes, in the invariant culture.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        Line(text, $"{RowCount} rows of weight {TextTable.Weight(WeightSum)}, {ClassCount} classes, {ParameterCount} parameters; {Comparison()}.");
        Line(text, $"log-likelihood {LogLikelihood:F4}, null {NullLogLikelihood:F4}; AIC {Aic:F2}, BIC {Bic:F2}; R² McFadden {McFaddenR2:F4}, Nagelkerke {NagelkerkeR2:F4}");
        string p = CoefficientTable.Probability(AgainstNull.PValue), degrees = AgainstNull.DegreesOfFreedom == 1 ? "1 degree" : $"{AgainstNull.DegreesOfFreedom} degrees";
        Line(text, $"likelihood-ratio test against null: χ² = {AgainstNull.Statistic:F3} on {degrees} of freedom, p = {p}");
        text.Append('\n').Append(Coefficients);
        if (Notes.Count > 0) text.Append('\n');
        foreach (string note in Notes) text.Append("Note: ").Append(note).Append('\n');
        return text.ToString();
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private string Comparison() => ReferenceClass is { } label
        ? string.Create(CultureInfo.InvariantCulture, $"reference class {ReferenceName ?? label.ToString(CultureInfo.InvariantCulture)}")
        : "classes against their mean";

    internal string? ReferenceName { get; init; }
}
