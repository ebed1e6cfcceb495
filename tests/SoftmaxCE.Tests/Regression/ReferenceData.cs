using System.Text.Json;

namespace SoftmaxCE.Tests;

/// <summary>The data sets of References/data: first column the label, raw features behind it.</summary>
public sealed record ReferenceData(double[] Features, int[] Labels, int FeatureCount)
{
    public int ClassCount => Labels.Max() + 1;

    public DenseRows<double> Rows => new(Features, FeatureCount);

    public static ReferenceData Load(string name)
    {
        DataSet set = DataSets.Load(name);
        return new ReferenceData(set.Features, set.Labels, set.Columns);
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
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(References.PathOf("optima.json")));
        TheoryData<string, double, double> cases = [];
        foreach (JsonElement item in document.RootElement.EnumerateArray())
        {
            string name = item.GetProperty("data").GetString()!;
            if (wanted(name)) cases.Add(name, item.GetProperty("l2").GetDouble(), item.GetProperty("objective").GetDouble());
        }

        return cases;
    }
}
