using System.Globalization;

namespace SoftmaxCE.Benchmarks;

/// <summary>A solver of scikit-learn, the tolerances to try and its iteration limit.</summary>
internal sealed record ScikitSolver(string Name, double[] Tolerances, int Iterations);

/// <summary>Data and penalties that ours and scikit-learn train on alike, and the relative error of the objective that both shall reach.</summary>
internal sealed record PeerProblem(string Name, FeatureRows Rows, int[] Labels, double L1, double L2, double RelativeError, ScikitSolver[] Solvers)
{
    // A folder with csv files, label first, under a line of names: letter.csv, vowel.csv, wine.csv, iris.csv.
    private const string DataFolderVariable = "SOFTMAXCE_DATA";

    private static readonly double[] Rising = [1e-4, 1e-6, 1e-8, 1e-10, 1e-12];

    private static readonly ScikitSolver[] Smooth =
        [new("lbfgs", Rising, 100_000), new("newton-cg", Rising, 1000)];

    /// <summary>Number of classes.</summary>
    public int Classes { get; } = Labels.Max() + 1;

    /// <summary>After a fit that took longer no tighter one is tried.</summary>
    public TimeSpan LongestFit { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Names and makers of all problems that there is data for.</summary>
    public static IEnumerable<(string Name, Func<PeerProblem> Make)> Available()
    {
        string? folder = Environment.GetEnvironmentVariable(DataFolderVariable) is { Length: > 0 } named ? named : null;
        foreach ((string name, double l2) in new[] { ("iris", 1e-3), ("wine", 1e-3), ("vowel", 1e-3), ("digits", 1e-3), ("letter", 1e-4) })
        {
            string file = name == "digits" ? Path.Combine(AppContext.BaseDirectory, "Data", "digits.csv") : Path.Combine(folder ?? "", name + ".csv");
            if (File.Exists(file)) yield return (name, () => OfCsv(name, file, l2));
        }

        yield return ("sparse text", () =>
        {
            (SparseRows<double> rows, int[] labels) = SparseText.Make(47_000, 9_300, 49, meanLength: 8, seed: 1);
            return new("sparse text", rows, labels, 0, 1e-5, 1e-5, [new("saga", [1e-3, 1e-4], 1000), new("newton-cg", [1e-3, 1e-4, 1e-5], 200)]);
        }
        );
        yield return ("wide sparse, L1", () =>
        {
            (SparseRows<double> rows, int[] labels) = SparseText.Make(4_500, 130_000, 20, meanLength: 120, seed: 1);
            return new("wide sparse, L1", rows, labels, 3e-4, 0, 1e-4, [new("saga", [1e-2, 1e-3, 1e-4], 2000)]);
        }
        );
    }

    /// <summary>The objective in double, for any model from anywhere.</summary>
    public double Objective(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> intercepts)
    {
        int columns = Rows.FeatureCount;
        double[] row = new double[columns], logits = new double[Classes];
        double loss = 0, squares = 0, sizes = 0;
        for (int i = 0; i < Labels.Length; i++)
        {
            for (int c = 0; c < Classes; c++) logits[c] = intercepts[c];
            if (Rows is SparseRows<double> sparse)
            {
                for (int k = (int)sparse.RowStarts.Span[i]; k < sparse.RowStarts.Span[i + 1]; k++)
                {
                    for (int c = 0; c < Classes; c++) logits[c] += sparse.Values.Span[k] * coefficients[(c * columns) + sparse.Columns.Span[k]];
                }
            }
            else
            {
                ((DenseRows<double>)Rows).Values.Span.Slice(i * columns, columns).CopyTo(row);
                for (int c = 0; c < Classes; c++)
                {
                    for (int j = 0; j < columns; j++) logits[c] += row[j] * coefficients[(c * columns) + j];
                }
            }

            loss += Expected.LogSumExp<double>(logits) - logits[Labels[i]];
        }

        foreach (double w in coefficients)
        {
            squares += w * w;
            sizes += Math.Abs(w);
        }

        return (loss / Labels.Length) + (L2 / 2 * squares) + (L1 * sizes);
    }

    private static PeerProblem OfCsv(string name, string file, double l2)
    {
        double[][] table = [.. File.ReadLines(file).Skip(1).Select(line => Array.ConvertAll(line.Split(','), cell => double.Parse(cell, CultureInfo.InvariantCulture)))];
        double[] values = [.. table.SelectMany(row => row.Skip(1))];
        return new(name, new DenseRows<double>(values, table[0].Length - 1), [.. table.Select(row => (int)row[0])], 0, l2, 1e-9, Smooth);
    }
}
