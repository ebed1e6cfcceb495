using System.Collections.Concurrent;
using System.Globalization;

namespace SoftmaxCE.Tests;

/// <summary>A data set: features row-major as given, labels from 0.</summary>
public sealed record DataSet(string Name, double[] Features, int[] Labels, int Rows, int Columns)
{
    public int Classes => Labels.Max() + 1;
}

/// <summary>The small real data sets of References/data: iris, wine, breast_cancer, vowel, digits, anes96, letter.</summary>
public static class DataSets
{
    private static readonly ConcurrentDictionary<string, DataSet> Loaded = new();

    /// <summary>Reads <c>References/data/NAME.csv</c> (a head line, then the label and the features); read once per run, so leave the arrays as they are.</summary>
    public static DataSet Load(string name) => Loaded.GetOrAdd(name, Read);

    private static DataSet Read(string name)
    {
        string[] lines = File.ReadAllLines(References.PathOf(Path.Combine("data", name + ".csv")));
        bool hasHead = !double.TryParse(lines[0].Split(',')[0], CultureInfo.InvariantCulture, out _);
        double[][] rows = [.. lines.Skip(hasHead ? 1 : 0).Where(line => line.Length > 0).Select(ParseRow)];
        double[] features = [.. rows.SelectMany(row => row.Skip(1))];
        int[] labels = [.. rows.Select(row => (int)row[0])];
        return new DataSet(name, features, labels, rows.Length, rows[0].Length - 1);
    }

    private static double[] ParseRow(string line) =>
        Array.ConvertAll(line.Split(','), cell => double.Parse(cell, CultureInfo.InvariantCulture));
}
