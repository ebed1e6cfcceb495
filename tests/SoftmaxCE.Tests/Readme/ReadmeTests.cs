using System.Globalization;
using System.Reflection;

namespace SoftmaxCE.Tests;

/// <summary>README's examples compile and print what README says. The tests show the difference; they never rewrite the file.</summary>
public sealed class ReadmeTests
{
    private static readonly IReadOnlyList<CodeExample> Examples = CodeBlocks.InMarkdown(Read("README.md"));
    private static readonly IReadOnlyDictionary<string, string> Regions = CodeBlocks.InSource(Read("ReadmeExamples.cs"));

    [Fact]
    public void Each_example_is_compiled_code()
    {
        foreach (CodeExample example in Examples)
            Regions.Values.Should().Contain(example.Code, "line {0} of README.md shows code that a region of ReadmeExamples.cs compiles", example.Line);
    }

    [Fact]
    public void Each_example_prints_what_stands_below_it()
    {
        foreach (CodeExample example in Examples.Where(example => example.Output is not null))
            Run(Regions.Single(region => region.Value == example.Code).Key).Should().Be(example.Output, "line {0} of README.md says so", example.Line);
    }

    [Fact]
    public void Each_region_runs_and_prints_something()
    {
        Regions.Should().NotBeEmpty();
        foreach (string region in Regions.Keys) Run(region).Should().NotBeEmpty("region {0} is an example with output", region);
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Readme", file));

    private static string Run(string region)
    {
        CultureInfo culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            ReadmeExamples examples = new();
            MethodInfo method = typeof(ReadmeExamples).GetMethod(region, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)
                ?? throw new InvalidOperationException($"ReadmeExamples has no method named as its region {region}.");
            method.Invoke(examples, BindingFlags.DoNotWrapExceptions, null, null, null);
            return CodeBlocks.Visible(examples.Output);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }
}
