using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime;
using System.Text;
using BenchmarkDotNet.Running;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Runs the suites in this process, all methods of one case in turn, round after round, and compares minimum with minimum and
/// median with median. What disturbs a shared machine for seconds hits every contender alike, so the ratios hold where those of
/// separate runs do not. Meant for tuning; BenchmarkDotNet has the last word on single times and allocations.
/// </summary>
internal sealed class QuickRun(TimeSpan timePerContender)
{
    private const int Rounds = 15;

    // Work of many seconds (training) gets fewer rounds.
    private const int FewestRounds = 3;
    private static readonly TimeSpan RoundsLimit = TimeSpan.FromSeconds(60);

    // The runtime recompiles a method after 30 calls, in the background and not before 100 ms of quiet; some methods twice.
    // Warm is who has gone through two warm-ups in which nothing was compiled any more.
    private const int MostWarmUps = 20;
    private const int WarmUpsWithoutCompilation = 2;
    private const int WarmUpCalls = 40;
    private static readonly TimeSpan CompilerQuiet = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan WarmUpLimit = TimeSpan.FromSeconds(1);

    /// <summary>Runs every case of a suite whose name (suite.method(parameters)) the filter accepts; returns the table.</summary>
    public string Run(Type suite, Func<string, bool> accepts)
    {
        StringBuilder table = new();
        ISelectiveSuite? selective = Activator.CreateInstance(suite) as ISelectiveSuite;
        foreach (var sameParameters in BenchmarkConverter.TypeToBenchmarks(suite).BenchmarksCases
            .Where(benchmark => accepts(NameOf(benchmark)) && selective?.Includes(benchmark.Descriptor.WorkloadMethod.Name) != false)
            .GroupBy(ParametersOf)
            .OrderBy(cases => Work.Values(cases.First())))
        {
            if (table.Length == 0) WriteLine(table, $"| {suite.Name} | min ns | median ns | ns/value | GB/s | to best peer, min | median |\n|---|---:|---:|---:|---:|---:|---:|");
            RunTogether([.. sameParameters], table);
        }

        return table.ToString();
    }

    private static string NameOf(BenchmarkCase benchmark) =>
        $"{benchmark.Descriptor.Type.Name}.{benchmark.Descriptor.WorkloadMethod.Name}({ParametersOf(benchmark)})";

    // Not the DisplayInfo of BenchmarkDotNet, which shortens long values.
    private static string ParametersOf(BenchmarkCase benchmark) => string.Join(", ", benchmark.Parameters.Items.Select(item => $"{item.Value}"));

    private void RunTogether(BenchmarkCase[] benchmarks, StringBuilder table)
    {
        object suite = Activator.CreateInstance(benchmarks[0].Descriptor.Type)!;
        foreach (var parameter in benchmarks[0].Parameters.Items)
            benchmarks[0].Descriptor.Type.GetProperty(parameter.Name)!.SetValue(suite, parameter.Value);
        benchmarks[0].Descriptor.GlobalSetupMethod?.Invoke(suite, BindingFlags.DoNotWrapExceptions, null, null, null);

        Contender[] contenders = Array.ConvertAll(benchmarks, benchmark => new Contender(benchmark, suite, timePerContender / Rounds));
        WarmUp(contenders);
        foreach (Contender contender in contenders) contender.ChooseCalls();
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < Rounds && (round < FewestRounds || Stopwatch.GetElapsedTime(start) < RoundsLimit); round++)
            foreach (Contender contender in contenders) contender.Measure();

        foreach (Contender contender in contenders)
            WriteLine(table, contender.Row([.. contenders.Where(contender.IsComparable)], (suite as IScoredSuite)?.Score(contender.Method)));
        benchmarks[0].Descriptor.GlobalCleanupMethod?.Invoke(suite, null);
    }

    private static void WarmUp(Contender[] contenders)
    {
        int quiet = 0;
        for (int i = 0; i < MostWarmUps && quiet < WarmUpsWithoutCompilation; i++)
        {
            long compiled = JitInfo.GetCompiledMethodCount();
            foreach (Contender contender in contenders) contender.WarmUp();
            Thread.Sleep(CompilerQuiet);
            quiet = JitInfo.GetCompiledMethodCount() == compiled ? quiet + 1 : 0;
        }
    }

    private static void WriteLine(StringBuilder table, string line)
    {
        Console.WriteLine(line);
        table.Append(line).Append('\n');
    }

    private sealed class Contender(BenchmarkCase benchmark, object suite, TimeSpan timePerRound)
    {
        private readonly Action _call = benchmark.Descriptor.WorkloadMethod.CreateDelegate<Action>(suite);
        private readonly List<double> _nanoseconds = [];
        private int _callsPerRound = 1;
        private bool _isLong;

        public string Method => benchmark.Descriptor.WorkloadMethod.Name;

        private bool IsOwn => Work.IsOwn(Method);

        private int? BytesPerValue => Work.BytesPerValue(benchmark);

        private double Minimum => _nanoseconds.Min();

        private double Median => _nanoseconds.Order().ElementAt(_nanoseconds.Count / 2);

        /// <summary>Whether the other is a peer that does the same work, or reads and writes as much.</summary>
        public bool IsComparable(Contender other) => !other.IsOwn && other.BytesPerValue == BytesPerValue;

        public void WarmUp()
        {
            if (_isLong) return;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < WarmUpCalls && Stopwatch.GetElapsedTime(start) < WarmUpLimit; i++) _call();
            _isLong = Time(1) >= WarmUpLimit.TotalNanoseconds;
        }

        /// <summary>Sets the number of calls that fill the time of one round.</summary>
        public void ChooseCalls()
        {
            for (int i = 0; i < 2 && !_isLong; i++)
                _callsPerRound = (int)Math.Clamp(timePerRound.TotalNanoseconds / Math.Max(Time(_callsPerRound), 1), 1, 1_000_000);
        }

        public void Measure() => _nanoseconds.Add(Time(_callsPerRound) / benchmark.Descriptor.OperationsPerInvoke);

        public string Row(IReadOnlyCollection<Contender> peers, string? score)
        {
            string ratios = IsOwn && peers.Count > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{peers.Min(p => p.Minimum) / Minimum:0.00}x | {peers.Min(p => p.Median) / Median:0.00}x")
                : " | ";
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Method}, {ParametersOf(benchmark)}{(score is null ? "" : ", " + score)} | {Minimum:N1} | {Median:N1} | {Work.NanosecondsPerValue(benchmark, Minimum):0.000} | {Work.GigabytesPerSecond(benchmark, Minimum):0.00} | {ratios} |");
        }

        // Nanoseconds of one call.
        private double Time(int calls)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++) _call();
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
        }
    }
}
