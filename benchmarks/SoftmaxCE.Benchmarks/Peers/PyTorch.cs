using System.Diagnostics;
using System.Globalization;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Cross-entropy of the PyTorch of an installed Python, in a process of its own that runs once for each line it is sent: some 50 microseconds of the time
/// are the way there and back.
/// </summary>
internal sealed class PyTorch : IDisposable
{
    // The Python that has PyTorch.
    private const string PythonVariable = "SOFTMAXCE_PYTHON";

    private readonly Process _process;

    public PyTorch(Shape shape, int threads)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "Peers", "torch_peer.py");
        string arguments = string.Create(CultureInfo.InvariantCulture, $"\"{script}\" {threads} {shape.Rows} {shape.Classes}");
        _process = Process.Start(new ProcessStartInfo(Python!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        Version = ReadLine();
    }

    public static bool IsAvailable => !string.IsNullOrEmpty(Python);

    public string Version { get; }

    private static string? Python => Environment.GetEnvironmentVariable(PythonVariable);

    public void Run()
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        ReadLine();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private string ReadLine() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("PyTorch has ended early.");
}
