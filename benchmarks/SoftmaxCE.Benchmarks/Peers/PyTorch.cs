using System.Diagnostics;
using System.Globalization;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Cross-entropy of PyTorch, in a Python process of its own that runs once for each line it is sent: some 50 microseconds of the time are the way
/// there and back. How fast its matrix products are is up to the BLAS it finds: Debian's takes the reference one unless another is installed
/// or named in LD_LIBRARY_PATH.
/// </summary>
internal sealed class PyTorch : IDisposable
{
    // The Python that has PyTorch.
    private const string PythonVariable = "SOFTMAXCE_PYTHON";

    private readonly Process _process;

    private PyTorch(string kind, int threads, Shape shape, int features)
    {
        if (!IsAvailable) throw new InvalidOperationException($"Name a Python that has PyTorch in {PythonVariable}.");
        string script = Path.Combine(AppContext.BaseDirectory, "Peers", "torch_peer.py");
        string arguments = string.Create(CultureInfo.InvariantCulture, $"\"{script}\" {kind} {threads} {shape.Rows} {shape.Classes} {features}");
        _process = Process.Start(new ProcessStartInfo(Python!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        Version = ReadLine();
    }

    public static bool IsAvailable => !string.IsNullOrEmpty(Python);

    public string Version { get; }

    /// <summary>Megabytes beyond inputs and gradients, at most, after the last run.</summary>
    public double PeakMegabytes { get; private set; }

    private static string? Python => Environment.GetEnvironmentVariable(PythonVariable);

    public static PyTorch CrossEntropy(Shape shape, int threads) => new("cross_entropy", threads, shape, 0);

    public static PyTorch LinearCrossEntropy(Shape shape, int features, int threads) => new("linear", threads, shape, features);

    public void Run()
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        PeakMegabytes = double.Parse(ReadLine(), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private string ReadLine() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("PyTorch has ended early.");
}
