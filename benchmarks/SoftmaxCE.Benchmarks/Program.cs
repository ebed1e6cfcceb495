using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using SoftmaxCE.Benchmarks;

// dotnet run -c Release --project benchmarks/SoftmaxCE.Benchmarks -- ARGUMENTS
//   --filter '*Softmax*'       BenchmarkDotNet, with all its other options
//   --quick [WORD...]          the interleaved run for tuning; cases whose name contains every word and no word after a '^'
//   --peers [WORD...]          training beside scikit-learn (needs python3 with scikit-learn), on data whose name contains every word
//   --growth                   how the time of a fit grows with rows, features and classes: a table and a chart
//   --seconds S                with --quick: time per contender (0.5)
//   --save                     also write benchmarks/results/PROCESSOR-WIDTH/SUITE.md
List<string> arguments = [.. args];
bool save = arguments.Remove("--save");
if (arguments.Remove("--peers"))
{
    string peers = PeerRun.Run(name => arguments.TrueForAll(word => Fits(name, word)));
    if (save && peers.Length > 0) ResultsFile.Write("TrainingPeers", peers);
    return;
}

if (arguments.Remove("--growth"))
{
    (string growth, string chart) = GrowthRun.Run();
    if (!save) return;
    ResultsFile.Write("TrainingGrowth", $"![How a fit grows](TrainingGrowth.svg)\n\n{growth}");
    ResultsFile.WriteRaw("TrainingGrowth.svg", chart);
    return;
}

if (!arguments.Remove("--quick"))
{
    foreach (Summary summary in BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. arguments], SuiteConfig.Create()))
        if (save && ResultsFile.IsComplete(summary)) ResultsFile.Write(summary);
    return;
}

int option = arguments.IndexOf("--seconds");
double seconds = option >= 0 ? double.Parse(arguments[option + 1]) : 0.5;
if (option >= 0) arguments.RemoveRange(option, 2);
QuickRun quick = new(TimeSpan.FromSeconds(seconds));
Console.WriteLine(Machine.Describe() + "\n");
bool found = false;
foreach (Type suite in typeof(Program).Assembly.GetTypes().Where(HasBenchmarks).OrderBy(type => type.Name, StringComparer.Ordinal))
{
    string table = quick.Run(suite, name => arguments.TrueForAll(word => Fits(name, word)));
    if (table.Length == 0) continue;
    found = true;
    Console.WriteLine();
    if (save) ResultsFile.Write(suite.Name + "Quick", table);
}

if (!found) Console.WriteLine("No case has a name with all these words. Names look like SoftmaxBenchmarks.OnnxRuntime(1024 x 1000).");

static bool Fits(string name, string word) => word.StartsWith('^')
    ? !name.Contains(word[1..], StringComparison.OrdinalIgnoreCase)
    : name.Contains(word, StringComparison.OrdinalIgnoreCase);

static bool HasBenchmarks(Type type) => type.GetMethods().Any(method => method.GetCustomAttribute<BenchmarkAttribute>() is not null);
