using System.Globalization;
using System.Text;

namespace SoftmaxCE;

/// <summary>A table in plain text: the first column is aligned to the left, the others to the right, two spaces between columns.</summary>
internal sealed class TextTable
{
    /// <summary>Longer cells are cut, so that one long class name does not push a table off the screen.</summary>
    private const int WidestCell = 24;

    private readonly List<string[]> _lines = [];

    /// <summary>A number of rows or a weight: whole when it is whole.</summary>
    public static string Weight(double weight) => weight.ToString(weight == Math.Floor(weight) ? "F0" : "F2", CultureInfo.InvariantCulture);

    /// <summary>A share or a loss, with four decimals; adding zero turns −0.0000 into 0.0000.</summary>
    public static string Score(double score) => (Math.Round(score, 4) + 0.0).ToString("F4", CultureInfo.InvariantCulture);

    public TextTable Line(params string[] cells)
    {
        _lines.Add([.. cells.Select(OnOneLine)]);
        return this;
    }

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, _lines.Max(line => line.Length)).Select(WidthOf)];
        StringBuilder text = new();
        foreach (string[] line in _lines)
        {
            IEnumerable<string> cells = line.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    private int WidthOf(int column) => _lines.Max(line => column < line.Length ? line[column].Length : 0);

    private static string OnOneLine(string cell)
    {
        string clean = string.Concat(cell.Select(character => char.IsControl(character) ? ' ' : character));
        return clean.Length <= WidestCell ? clean : string.Concat(clean.AsSpan(0, WidestCell - 1), "…");
    }
}
