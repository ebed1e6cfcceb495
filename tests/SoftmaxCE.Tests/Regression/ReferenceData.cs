using System.Globalization;
using System.Text.Json;

namespace SoftmaxCE.Tests;

/// <summary>The data sets of References/data: first column the label, raw features behind it.</summary>
public sealed record ReferenceData(double[] Features, int[] Labels, int FeatureCount)
{
    public int ClassCount => Labels.Max() + 1;

    public DenseRows<double> Rows => new(Features, FeatureCount);

    public static ReferenceData Load(string name)
    {
        string[] lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "References", "data", name + ".csv"));
        double[][] rows = [.. lines.Skip(1).Where(line => line.Length > 0).Select(line => line.Split(',').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).ToArray())];
        return new ReferenceData([.. rows.SelectMany(row => row.Skip(1))], [.. rows.Select(row => (int)row[0])], rows[0].Length - 1);
    }

    /// <summary>Every row as CSR, zeros left out.</summary>
    public SparseRows<double> ToSparse()
    {
        List<double> values = [];
        List<int> columns = [];
        List<long> starts = [0];
        for (int i = 0; i < Labels.Length; i++)
        {
            for (int j = 0; j < FeatureCount; j++)
            {
                double x = Features[(i * FeatureCount) + j];
                if (x == 0) continue;
                values.Add(x);
                columns.Add(j);
            }

            starts.Add(values.Count);
        }

        return new SparseRows<double>(values.ToArray(), columns.ToArray(), starts.ToArray(), FeatureCount);
    }

    public static TheoryData<string, double, double> Optima(Func<string, bool> wanted)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "optima.json")));
        TheoryData<string, double, double> cases = [];
        foreach (JsonElement item in document.RootElement.EnumerateArray())
        {
            string name = item.GetProperty("data").GetString()!;
            if (wanted(name)) cases.Add(name, item.GetProperty("l2").GetDouble(), item.GetProperty("objective").GetDouble());
        }

        return cases;
    }
}
