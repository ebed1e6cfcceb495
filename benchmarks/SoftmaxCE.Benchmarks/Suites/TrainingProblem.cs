using System.Globalization;
using System.Text.Json;

namespace SoftmaxCE.Benchmarks;

/// <summary>A data set to train on, and the known optimum of mean loss + L2/2 ‖W‖² on it.</summary>
public sealed record TrainingProblem(string Name, double L2)
{
    // A folder with the .gz files of Fashion-MNIST in IDX format, as they are distributed.
    private const string FashionFolderVariable = "SOFTMAXCE_FASHION_MNIST";
    private const string Digits = "digits";
    private const string FashionMnist = "fashion-mnist";

    public DenseRows<byte> Rows { get; private set; } = new(new byte[1], 1);

    public int[] Labels { get; private set; } = [];

    public int Classes { get; private set; }

    /// <summary>Found by an exact Newton method in double; see the reference values of the tests.</summary>
    public double Optimum { get; private set; }

    /// <summary>What can be trained here: Fashion-MNIST only where its folder is named by the environment.</summary>
    public static IEnumerable<TrainingProblem> Available()
    {
        yield return new(Digits, 0.001);
        if (Environment.GetEnvironmentVariable(FashionFolderVariable) is { Length: > 0 }) yield return new(FashionMnist, 1e-4);
    }

    public void Load()
    {
        if (Name == Digits) LoadDigits();
        else LoadIdx(Environment.GetEnvironmentVariable(FashionFolderVariable)!);
        Classes = Labels.Max() + 1;
        Optimum = ReadOptimum();
    }

    public float[] Features() => Array.ConvertAll(Rows.Values.ToArray(), value => (float)(value * Rows.Scale));

    /// <summary>The objective in double and the share of rows predicted right, for any model from anywhere.</summary>
    public (double Objective, double Accuracy) Evaluate(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> intercepts)
    {
        int columns = Rows.FeatureCount, right = 0;
        double scale = Rows.Scale;
        ReadOnlySpan<byte> all = Rows.Values.Span;
        double[] logits = new double[intercepts.Length];
        double loss = 0, squares = 0;
        for (int row = 0; row < Labels.Length; row++)
        {
            ReadOnlySpan<byte> values = all.Slice(row * columns, columns);
            for (int c = 0; c < logits.Length; c++) logits[c] = intercepts[c] + (scale * Dot(coefficients.Slice(c * columns, columns), values));
            loss += Expected.LogSumExp<double>(logits) - logits[Labels[row]];
            if (Array.IndexOf(logits, logits.Max()) == Labels[row]) right++;
        }

        foreach (double w in coefficients) squares += w * w;
        return ((loss / Labels.Length) + (L2 / 2 * squares), (double)right / Labels.Length);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} L2={L2}");

    private static double Dot(ReadOnlySpan<double> coefficients, ReadOnlySpan<byte> values)
    {
        double sum = 0;
        for (int j = 0; j < values.Length; j++) sum += coefficients[j] * values[j];
        return sum;
    }

    private static string DataFile(string name) => Path.Combine(AppContext.BaseDirectory, "Data", name);

    private void LoadDigits()
    {
        byte[][] table = [.. File.ReadLines(DataFile("digits.csv")).Skip(1).Select(line =>
            Array.ConvertAll(line.Split(','), cell => byte.Parse(cell, CultureInfo.InvariantCulture)))];
        Labels = [.. table.Select(row => (int)row[0])];
        Rows = new DenseRows<byte>(table.SelectMany(row => row.Skip(1)).ToArray(), table[0].Length - 1);
    }

    private void LoadIdx(string folder)
    {
        Labels = IdxReader.ReadLabels(Directory.GetFiles(folder, "train-labels*").Single());
        Rows = IdxReader.ReadImages(Directory.GetFiles(folder, "train-images*").Single());
    }

    private double ReadOptimum()
    {
        using JsonDocument optima = JsonDocument.Parse(File.ReadAllBytes(DataFile("optima.json")));
        return optima.RootElement.EnumerateArray()
            .Single(entry => entry.GetProperty("data").GetString() == Name && entry.GetProperty("l2").GetDouble() == L2)
            .GetProperty("objective").GetDouble();
    }
}
