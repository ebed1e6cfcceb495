using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace SoftmaxCE.Benchmarks;

/// <summary>One fit of scikit-learn.</summary>
internal sealed record ScikitFit(string Solver, double Tolerance, double Seconds, double Cpu, int Iterations, double[] Coefficients, double[] Intercepts);

/// <summary>scikit-learn on the data of a <see cref="PeerProblem"/>, through files in a temporary folder and peers/sklearn_training.py.</summary>
internal static class ScikitLearn
{
    // The python that has scikit-learn, where it is not the one in the path.
    private const string PythonVariable = "SOFTMAXCE_PYTHON";

    /// <summary>Every fit that was made: per solver with falling tolerances until one is as good as <paramref name="enough"/> or took too long.</summary>
    public static List<ScikitFit> Fit(PeerProblem problem, double enough, out string version)
    {
        string folder = Directory.CreateTempSubdirectory("softmaxce-").FullName;
        try
        {
            Write(problem, enough, folder);
            return Run(problem, folder, out version);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Write(PeerProblem problem, double enough, string folder)
    {
        void Save<T>(string name, ReadOnlySpan<T> values)
            where T : unmanaged => File.WriteAllBytes(Path.Combine(folder, name), MemoryMarshal.AsBytes(values));

        Save<int>("labels.bin", problem.Labels);
        if (problem.Rows is SparseRows<double> sparse)
        {
            Save("values.bin", sparse.Values.Span);
            Save("columns.bin", sparse.Columns.Span);
            Save("starts.bin", sparse.RowStarts.Span);
        }
        else
        {
            Save("values.bin", ((DenseRows<double>)problem.Rows).Values.Span);
        }

        File.WriteAllText(Path.Combine(folder, "problem.json"), JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["rows"] = problem.Labels.Length, ["columns"] = problem.Rows.FeatureCount, ["sparse"] = problem.Rows is SparseRows<double>,
            ["l1"] = problem.L1, ["l2"] = problem.L2, ["enough"] = enough, ["longest"] = problem.LongestFit.TotalSeconds,
            ["solvers"] = problem.Solvers.Select(solver => new object[] { solver.Name, solver.Tolerances, solver.Iterations }),
        }));
    }

    private static List<ScikitFit> Run(PeerProblem problem, string folder, out string version)
    {
        string python = Environment.GetEnvironmentVariable(PythonVariable) is { Length: > 0 } named ? named : "python3";
        string script = Path.Combine(ResultsFile.RepositoryRoot(), "benchmarks", "peers", "sklearn_training.py");
        using Process process = Process.Start(new ProcessStartInfo(python, [script, folder]) { RedirectStandardOutput = true })!;
        List<ScikitFit> fits = [];
        version = "";
        while (process.StandardOutput.ReadLine() is { } line)
        {
            JsonElement fit = JsonDocument.Parse(line).RootElement;
            if (fit.TryGetProperty("version", out JsonElement number))
            {
                version = number.GetString()!;
                continue;
            }

            double[] parameters = MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(Path.Combine(folder, $"fit{fits.Count}.bin"))).ToArray();
            fits.Add(new(
                fit.GetProperty("solver").GetString()!, fit.GetProperty("tolerance").GetDouble(), fit.GetProperty("seconds").GetDouble(), fit.GetProperty("cpu").GetDouble(),
                fit.GetProperty("iterations").GetInt32(), parameters[..^problem.Classes], parameters[^problem.Classes..]));
        }

        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{python} {script} ended with code {process.ExitCode}; {PythonVariable} can name a python that has scikit-learn.");
        return fits;
    }
}
