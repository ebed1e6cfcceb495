using System.Globalization;
using System.Text;

namespace SoftmaxCE;

/// <summary>Whether a linear model can tell the classes apart so well that the likelihood has no maximum.</summary>
public enum SeparationKind
{
    /// <summary>The classes overlap: without any penalty the likelihood has a maximum, and all coefficients are finite.</summary>
    None,

    /// <summary>Along some direction no row gets less likely and some get ever more likely, but others stay as they are: those coefficients are infinite.</summary>
    QuasiComplete,

    /// <summary>A linear model puts every row of every class on the right side: the likelihood rises to 1 as the coefficients grow.</summary>
    Complete,

    /// <summary>Neither a direction nor a proof of overlap was found in double arithmetic.</summary>
    Undetermined,
}

/// <summary>Two classes that are told apart.</summary>
/// <param name="First">The smaller label.</param>
/// <param name="Second">The larger label.</param>
/// <param name="SeparatedRows">Rows of the two classes whose margin between the two grows along the direction.</param>
/// <param name="RowCount">Rows of the two classes.</param>
public sealed record SeparatedClasses(int First, int Second, int SeparatedRows, int RowCount)
{
    /// <summary>Whether every row of the two is on its side.</summary>
    public bool Complete => SeparatedRows == RowCount;
}

/// <summary>A coefficient that is infinite, compared with the same column's coefficient in most other classes.</summary>
/// <param name="Label">The class.</param>
/// <param name="Column">The feature; null for the intercept.</param>
/// <param name="Direction">Its entry in the direction along which the likelihood rises: positive towards +∞, negative towards −∞.</param>
public sealed record InfiniteCoefficient(int Label, int? Column, double Direction);

/// <summary>The outcome of <see cref="SeparationCheck.Find"/>.</summary>
public sealed class Separation
{
    private readonly double[] _direction;
    private readonly double[] _interceptDirection;

    internal Separation(SeparationKind kind, double[] direction, double[] interceptDirection, IReadOnlyList<SeparatedClasses> classes, IReadOnlyList<InfiniteCoefficient> coefficients)
    {
        Kind = kind;
        _direction = direction;
        _interceptDirection = interceptDirection;
        Classes = classes;
        Coefficients = coefficients;
    }

    /// <summary>Whether there is separation.</summary>
    public SeparationKind Kind { get; }

    /// <summary>Pairs of classes with rows that are told apart; empty without separation.</summary>
    public IReadOnlyList<SeparatedClasses> Classes { get; }

    /// <summary>The coefficients that run off to infinity; empty without separation. Of columns that depend on each other the first ones are named.</summary>
    public IReadOnlyList<InfiniteCoefficient> Coefficients { get; }

    /// <summary>
    /// D, [classes, features] row-major: (D_y − D_c) · x + d_y − d_c ≥ 0 for every row x with label y and every class c, up to 1e-6 of its terms,
    /// and &gt; 0 for as many as possible. In each column, what most classes have is taken as 0. Empty without separation.
    /// </summary>
    public ReadOnlyMemory<double> Direction => _direction;

    /// <summary>d, one per class: the intercepts' part of the direction; zeros without intercepts. Empty without separation.</summary>
    public ReadOnlyMemory<double> InterceptDirection => _interceptDirection;

    /// <summary>The outcome in sentences, with numbers for classes and columns.</summary>
    public override string ToString() => Describe();

    /// <summary>The outcome in sentences, in the invariant culture.</summary>
    /// <param name="classNames">Names of the classes; null for "class 0", ….</param>
    /// <param name="featureNames">Names of the features; null for "column 0", ….</param>
    public string Describe(IReadOnlyList<string>? classNames = null, IReadOnlyList<string>? featureNames = null)
    {
        if (Kind == SeparationKind.None) return "No separation: the classes overlap and the likelihood has a maximum.\n";
        if (Kind == SeparationKind.Undetermined) return "Undetermined: neither a separating direction nor a proof of overlap was found.\n";
        StringBuilder text = new();
        text.Append(Kind == SeparationKind.Complete ? "Complete" : "Quasi-complete").Append(" separation: the likelihood has no maximum.\n");
        foreach (SeparatedClasses pair in Classes)
        {
            string rows = pair.Complete ? "all" : pair.SeparatedRows.ToString(CultureInfo.InvariantCulture) + " of";
            text.Append(CultureInfo.InvariantCulture, $"  {ClassName(pair.First)} from {ClassName(pair.Second)}: {rows} {pair.RowCount} rows\n");
        }

        text.Append("Infinite coefficients:\n");
        foreach (InfiniteCoefficient coefficient in Coefficients)
        {
            string of = coefficient.Column is not { } column ? "the intercept" : featureNames?[column] ?? string.Create(CultureInfo.InvariantCulture, $"column {column}");
            text.Append("  ").Append(of).Append(" of ").Append(ClassName(coefficient.Label)).Append(coefficient.Direction > 0 ? ": +∞\n" : ": −∞\n");
        }

        return text.ToString();

        string ClassName(int label) => classNames?[label] ?? string.Create(CultureInfo.InvariantCulture, $"class {label}");
    }
}
