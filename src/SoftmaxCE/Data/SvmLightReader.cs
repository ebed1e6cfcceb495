using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Reads sparse rows in svmlight (LIBSVM) text: on each line a numeric label, then index:value pairs with rising indices, then
/// optionally # and a comment. Indices start with 1. Strict: numbers are finite, and nothing else is on a line.
/// </summary>
/// <remarks>
/// Labels come back as the shortest text of their number, so that "+1", "1" and "1.0" are one class. The text is read as a stream. What is
/// wrong is an <see cref="InvalidDataException"/> with line and character.
/// </remarks>
public static class SvmLightReader
{
    /// <summary>Reads a file.</summary>
    /// <typeparam name="T">float or double: what the values are stored as.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="options">The number of features and other matters of form.</param>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where.</exception>
    public static LabeledRows<SparseRows<T>> Read<T>(string path, SvmLightOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using StreamReader text = CharacterReader.Open(path);
        return Read<T>(text, options);
    }

    /// <summary>Reads a text to its end.</summary>
    /// <typeparam name="T">float or double: what the values are stored as.</typeparam>
    /// <param name="text">The text; it stays open.</param>
    /// <param name="options">The number of features and other matters of form.</param>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where.</exception>
    public static LabeledRows<SparseRows<T>> Read<T>(TextReader text, SvmLightOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new SvmLightLines<T>(text, options).ReadRows(int.MaxValue);
    }

    /// <summary>Reads a file in pieces, for data that does not fit in memory.</summary>
    /// <typeparam name="T">float or double: what the values are stored as.</typeparam>
    /// <param name="path">The file; it is open while the result is enumerated.</param>
    /// <param name="options">The number of features, which must be given, so that all pieces have the same, and other matters of form.</param>
    /// <param name="rowsPerBatch">Rows in each piece but the last, at least 1.</param>
    /// <returns>Pieces with at least one row each.</returns>
    /// <exception cref="ArgumentException">The options do not give the number of features.</exception>
    /// <exception cref="InvalidDataException">The text breaks a rule; the message says where. Thrown when the enumeration gets there.</exception>
    public static IEnumerable<LabeledRows<SparseRows<T>>> ReadBatches<T>(string path, SvmLightOptions options, int rowsPerBatch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.FeatureCount == 0) throw new ArgumentException("Batches need a FeatureCount, so that all have the same number of features.", nameof(options));
        Argument.Positive(rowsPerBatch);
        return Batches<T>(path, options, rowsPerBatch);
    }

    private static IEnumerable<LabeledRows<SparseRows<T>>> Batches<T>(string path, SvmLightOptions options, int rowsPerBatch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using StreamReader text = CharacterReader.Open(path);
        SvmLightLines<T> lines = new(text, options);
        while (lines.ReadRows(rowsPerBatch) is { Rows.RowCount: > 0 } batch) yield return batch;
    }
}
