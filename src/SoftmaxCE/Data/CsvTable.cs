using System.Globalization;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>The records of a CSV text as features and labels.</summary>
internal sealed class CsvTable<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly CsvRecords _records;
    private readonly string[] _columns;
    private readonly int _labelColumn = -1;
    private readonly int[] _featureColumns;
    private readonly string[]? _featureNames;
    private readonly SharedStrings _labelNames = new();
    private bool _hasRecord;

    public CsvTable(TextReader text, CsvOptions options)
    {
        options.Validate();
        _records = new CsvRecords(new CharacterReader(text), options.Separator);
        if (!_records.Read()) throw new InvalidDataException("Line 1: the file is empty.");
        _columns = [.. Enumerable.Range(0, _records.FieldCount).Select(column => options.HasHeader ? _records.Field(column).ToString() : column.ToString(CultureInfo.InvariantCulture))];
        _hasRecord = !options.HasHeader || _records.Read();
        RequireDistinctNames();
        if (options.LabelColumn is not null) _labelColumn = ColumnNamed(options.LabelColumn);
        int[] ignored = [.. options.IgnoredColumns.Select(ColumnNamed)];
        _featureColumns = [.. Enumerable.Range(0, _columns.Length).Where(column => column != _labelColumn && !ignored.Contains(column))];
        if (_featureColumns.Length == 0) throw new InvalidDataException("Line 1: no column is left for the features.");
        if (options.HasHeader) _featureNames = [.. _featureColumns.Select(column => _columns[column])];
    }

    /// <summary>The next rows; fewer than asked for only at the end.</summary>
    public LabeledRows<DenseRows<T>> ReadRows(int mostRows)
    {
        List<T> values = [];
        List<string> labels = [];
        for (int row = 0; row < mostRows && _hasRecord; row++, _hasRecord = _records.Read())
        {
            if (_records.FieldCount != _columns.Length) throw new InvalidDataException($"Line {_records.Line}: {_records.FieldCount} fields, but there are {_columns.Length} columns.");
            if (values.Count > Array.MaxLength - _featureColumns.Length) throw new InvalidDataException($"Line {_records.Line}: more than 2^31 values; read them in batches.");
            foreach (int column in _featureColumns) values.Add(Number(column));
            if (_labelColumn >= 0) labels.Add(Label());
        }

        return new LabeledRows<DenseRows<T>>(new DenseRows<T>(values.ToArray(), _featureColumns.Length), labels, _featureNames);
    }

    private T Number(int column)
    {
        ReadOnlySpan<char> field = _records.Field(column);
        if (field.IsWhiteSpace()) throw Invalid(column, "the number is missing");
        if (!T.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out T number)) throw Invalid(column, $"'{Shown(field)}' is not a number");
        return T.IsFinite(number) ? number : throw Invalid(column, $"'{Shown(field)}' is not a finite number");
    }

    private string Label()
    {
        ReadOnlySpan<char> field = _records.Field(_labelColumn);
        return field.IsWhiteSpace() ? throw Invalid(_labelColumn, "the label is missing") : _labelNames.Of(field);
    }

    private void RequireDistinctNames()
    {
        Dictionary<string, int> firstWith = new(StringComparer.Ordinal);
        for (int column = 0; column < _columns.Length; column++)
            if (!firstWith.TryAdd(_columns[column], column))
                throw new InvalidDataException($"Line 1: columns {firstWith[_columns[column]] + 1} and {column + 1} are both named '{Shown(_columns[column])}'.");
    }

    private int ColumnNamed(string name)
    {
        int column = Array.IndexOf(_columns, name);
        if (column >= 0) return column;
        string known = string.Join(", ", _columns.Take(20).Select(known => $"'{Shown(known)}'")) + (_columns.Length > 20 ? ", …" : "");
        throw new InvalidDataException($"Line 1: there is no column named '{name}'; the columns are {known}.");
    }

    private InvalidDataException Invalid(int column, string what) =>
        new($"Line {_records.Line}, column {column + 1} ('{Shown(_columns[column])}'): {what}.");

    private static string Shown(ReadOnlySpan<char> text) => text.Length <= 40 ? text.ToString() : string.Concat(text[..40], "…");
}
