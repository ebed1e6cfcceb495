using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace SoftmaxCE.Benchmarks;

/// <summary>What a result depends on besides the code: processor, runtime, versions.</summary>
internal static class Machine
{
    public static string Processor { get; } = ReadProcessor();

    /// <summary>The processor and the width of its vectors, as a folder name: processors of very different kinds give themselves one name.</summary>
    public static string FolderName
    {
        get
        {
            StringBuilder name = new();
            foreach (char c in Processor.ToUpperInvariant())
            {
                if (char.IsAsciiLetterOrDigit(c)) name.Append(char.ToLowerInvariant(c));
                else if (name.Length > 0 && name[^1] != '-') name.Append('-');
            }

            return string.Create(CultureInfo.InvariantCulture, $"{name.ToString().TrimEnd('-')}-{VectorWidth.Bits}");
        }
    }

    /// <summary>The head of every result file.</summary>
    public static string Describe() => string.Create(CultureInfo.InvariantCulture, $"""
        {Processor}, {Environment.ProcessorCount} cores, {VectorWidth.Bits}-bit vectors, {RuntimeInformation.OSDescription}
        {RuntimeInformation.FrameworkDescription}, SoftmaxCE {Version(typeof(SoftmaxFunctions))}, System.Numerics.Tensors {Version(typeof(System.Numerics.Tensors.TensorPrimitives))}, OnnxRuntime {Version(typeof(Microsoft.ML.OnnxRuntime.InferenceSession))}, ML.NET {Version(typeof(Microsoft.ML.MLContext))}
        """);

    private static string Version(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    private static string ReadProcessor()
    {
        const string LinuxFile = "/proc/cpuinfo";
        string? line = File.Exists(LinuxFile) ? File.ReadLines(LinuxFile).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
