namespace SoftmaxCE;

/// <summary>How a CSV file is read.</summary>
public sealed record CsvOptions
{
    /// <summary>Name of the column with the class of each row; null (the default): there is none, as in rows still to be classified.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>Names of columns to leave out, such as identifiers. All other columns are features and must hold numbers.</summary>
    public IReadOnlyList<string> IgnoredColumns { get; init; } = [];

    /// <summary>Whether the first line names the columns (default true). Without it their names are "0", "1", "2" and so on.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>Character between fields; default a comma. Numbers have a decimal point whatever the separator and the culture.</summary>
    public char Separator { get; init; } = ',';

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(IgnoredColumns);
        if (Separator is '"' or '\r' or '\n') throw new ArgumentException("The separator must not be a quote or a line end.", nameof(Separator));
    }
}
