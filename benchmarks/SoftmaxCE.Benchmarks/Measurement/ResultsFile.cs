using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;

namespace SoftmaxCE.Benchmarks;

/// <summary>Writes benchmarks/results/PROCESSOR-WIDTH/SUITE.md in the repository the program was built from.</summary>
internal static class ResultsFile
{
    public static bool IsComplete(Summary summary) =>
        summary.Reports.Length > 0 && summary.Reports.Length == summary.BenchmarksCases.Length && summary.Reports.All(report => report.Success);

    public static void Write(Summary summary)
    {
        AccumulationLogger table = new();
        MarkdownExporter.GitHub.ExportToLog(summary, table);
        string suite = summary.BenchmarksCases[0].Descriptor.Type.Name;
        Write(suite, table.GetLog());
    }

    public static void Write(string suite, string body)
    {
        string folder = Path.Combine(RepositoryRoot(), "benchmarks", "results", Machine.FolderName);
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, suite + ".md");
        File.WriteAllText(file, $"# {suite}\n\n{Machine.Describe()}\n\n{body.Trim()}\n".ReplaceLineEndings("\n"));
        Console.WriteLine($"Wrote {file}");
    }

    /// <summary>A file of another kind beside the tables.</summary>
    public static void WriteRaw(string name, string content)
    {
        string file = Path.Combine(RepositoryRoot(), "benchmarks", "results", Machine.FolderName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        Console.WriteLine($"Wrote {file}");
    }

    public static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "SoftmaxCE.sln"))) return folder.FullName;
        throw new InvalidOperationException("Results can be saved only by a program that was built inside the repository.");
    }
}
