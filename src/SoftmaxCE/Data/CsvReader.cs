using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Reads numbers and labels from CSV text (RFC 4180, UTF-8, LF or CR LF), strictly: every record has as many fields as the first, every
/// feature is a finite number with a decimal point, a name occurs once in the header. Blank lines are skipped, spaces around numbers too.
/// </summary>
/// <remarks>The text is read as a stream. What is wrong is an <see cref="InvalidDataException"/> with line and column.</remarks>
public static class CsvReader
{
    /// <summary>Reads a file whose first line names the columns.</summary>
    /// <typeparam name="T">float or double: what the features are stored as.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="labelColumn">Name of the column with the class of each row; all others are features.</param>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where.</exception>
    public static LabeledRows<DenseRows<T>> Read<T>(string path, string labelColumn)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Read<T>(path, new CsvOptions { LabelColumn = labelColumn });

    /// <summary>Reads a file.</summary>
    /// <typeparam name="T">float or double: what the features are stored as.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="options">Which column is the label, and other matters of form.</param>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where.</exception>
    public static LabeledRows<DenseRows<T>> Read<T>(string path, CsvOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using StreamReader text = CharacterReader.Open(path);
        return Read<T>(text, options);
    }

    /// <summary>Reads a text to its end.</summary>
    /// <typeparam name="T">float or double: what the features are stored as.</typeparam>
    /// <param name="text">The text; it stays open.</param>
    /// <param name="options">Which column is the label, and other matters of form.</param>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where.</exception>
    public static LabeledRows<DenseRows<T>> Read<T>(TextReader text, CsvOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        return new CsvTable<T>(text, options).ReadRows(int.MaxValue);
    }

    /// <summary>Reads a file in pieces, for data that does not fit in memory.</summary>
    /// <typeparam name="T">float or double: what the features are stored as.</typeparam>
    /// <param name="path">The file; it is open while the result is enumerated.</param>
    /// <param name="options">Which column is the label, and other matters of form.</param>
    /// <param name="rowsPerBatch">Rows in each piece but the last, at least 1.</param>
    /// <returns>Pieces with at least one row each.</returns>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where. Thrown when the enumeration gets there.</exception>
    public static IEnumerable<LabeledRows<DenseRows<T>>> ReadBatches<T>(string path, CsvOptions options, int rowsPerBatch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        Argument.Positive(rowsPerBatch);
        return Batches<T>(path, options, rowsPerBatch);
    }

    private static IEnumerable<LabeledRows<DenseRows<T>>> Batches<T>(string path, CsvOptions options, int rowsPerBatch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using StreamReader text = CharacterReader.Open(path);
        CsvTable<T> table = new(text, options);
        while (table.ReadRows(rowsPerBatch) is { Rows.RowCount: > 0 } batch) yield return batch;
    }
}
