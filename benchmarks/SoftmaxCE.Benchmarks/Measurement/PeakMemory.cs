using System.Globalization;

namespace SoftmaxCE.Benchmarks;

/// <summary>How much resident memory work needs on top of what is there before.</summary>
internal static class PeakMemory
{
    // proc(5): writing 5 sets the high-water mark back to what is resident now.
    private const string Reset = "/proc/self/clear_refs";
    private const string Status = "/proc/self/status";

    /// <summary>In megabytes; null where the system cannot tell.</summary>
    public static double? Megabytes(Action work)
    {
        if (!File.Exists(Reset)) return null;
        GC.Collect();
        File.WriteAllText(Reset, "5");
        double before = Kilobytes("VmRSS");
        work();
        return (Kilobytes("VmHWM") - before) / 1024;
    }

    private static double Kilobytes(string name)
    {
        string line = File.ReadLines(Status).First(text => text.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line[(name.Length + 1)..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
