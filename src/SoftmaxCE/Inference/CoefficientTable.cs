using System.Globalization;

namespace SoftmaxCE;

/// <summary>One coefficient with its uncertainty.</summary>
/// <param name="Label">The class.</param>
/// <param name="Column">The feature; null for the intercept.</param>
/// <param name="ClassName">The class's name.</param>
/// <param name="FeatureName">The feature's name; "x0", "x1", … where the model has none, "(intercept)" for the intercept.</param>
/// <param name="Estimate">The coefficient, minus that of the reference class or minus the mean over the classes.</param>
/// <param name="StandardError">√ of its variance.</param>
/// <param name="Z">Wald statistic: Estimate / StandardError.</param>
/// <param name="PValue">P(|Z| &gt; |z|) for a standard normal Z.</param>
/// <param name="Lower">Lower end of the confidence interval.</param>
/// <param name="Upper">Upper end of the confidence interval.</param>
public sealed record CoefficientRow(
    int Label, int? Column, string ClassName, string FeatureName, double Estimate, double StandardError, double Z, double PValue, double Lower, double Upper);

/// <summary>Coefficients with standard errors, Wald statistics, p-values and confidence intervals: class by class, the intercept first.</summary>
public sealed class CoefficientTable
{
    private readonly CoefficientRow[] _rows;
    private readonly int[] _firstRow;           // of each class; −1 for the reference class
    private readonly bool _hasIntercepts;

    internal CoefficientTable(CoefficientRow[] rows, int classCount, int featureCount, double confidenceLevel)
    {
        _rows = rows;
        _firstRow = new int[classCount];
        Array.Fill(_firstRow, -1);
        for (int i = rows.Length - 1; i >= 0; i--) _firstRow[rows[i].Label] = i;
        _hasIntercepts = rows[0].Column is null;
        FeatureCount = featureCount;
        ConfidenceLevel = confidenceLevel;
    }

    /// <summary>All rows, in the order of <see cref="SoftmaxRegressionInference.Covariance"/>.</summary>
    public IReadOnlyList<CoefficientRow> Rows => _rows;

    /// <summary>Number of features.</summary>
    public int FeatureCount { get; }

    /// <summary>Probability that an interval covers its coefficient.</summary>
    public double ConfidenceLevel { get; }

    /// <summary>The coefficient of a feature for a class.</summary>
    /// <param name="label">The class.</param>
    /// <param name="column">The feature.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class or feature, or it is the reference class.</exception>
    public CoefficientRow this[int label, int column]
    {
        get
        {
            if ((uint)column >= (uint)FeatureCount) throw new ArgumentOutOfRangeException(nameof(column), column, $"There are {FeatureCount} features.");
            return _rows[FirstRow(label) + (_hasIntercepts ? 1 : 0) + column];
        }
    }

    /// <summary>The intercept of a class.</summary>
    /// <param name="label">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class, or it is the reference class.</exception>
    /// <exception cref="InvalidOperationException">The model has no intercepts.</exception>
    public CoefficientRow Intercept(int label) =>
        _hasIntercepts ? _rows[FirstRow(label)] : throw new InvalidOperationException("The model was fitted without intercepts.");

    /// <summary>An aligned table, one line per coefficient; numbers with six significant digits in the invariant culture.</summary>
    public override string ToString()
    {
        string level = (100 * ConfidenceLevel).ToString("G4", CultureInfo.InvariantCulture);
        TextTable table = new TextTable().Line("class", "feature", "estimate", "std. error", "z", "p", $"lower {level} %", $"upper {level} %");
        foreach (CoefficientRow row in _rows)
        {
            table.Line(
                row.ClassName, row.FeatureName, Number(row.Estimate), Number(row.StandardError), row.Z.ToString("F3", CultureInfo.InvariantCulture),
                Probability(row.PValue), Number(row.Lower), Number(row.Upper));
        }

        return table.ToString();
    }

    /// <summary>Four decimals while they tell something, then a power of ten.</summary>
    internal static string Probability(double p) => p >= 0.0001 || p == 0
        ? p.ToString("F4", CultureInfo.InvariantCulture)
        : p.ToString("0.0e-0", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private int FirstRow(int label)
    {
        if ((uint)label >= (uint)_firstRow.Length) EvaluationRows.ThrowClass(label, _firstRow.Length, nameof(label));
        return _firstRow[label] >= 0
            ? _firstRow[label]
            : throw new ArgumentOutOfRangeException(nameof(label), label, "Is the reference class, whose coefficients are 0 by definition.");
    }
}
