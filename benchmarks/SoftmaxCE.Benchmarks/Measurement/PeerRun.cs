using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace SoftmaxCE.Benchmarks;

/// <summary>Trains ours and scikit-learn on the same data to the same relative error of the objective, which one routine in double scores.</summary>
internal static class PeerRun
{
    // How near to the optimum the objective is that errors are measured from.
    private const double Reference = 1e-12;

    // Short fits are repeated for this long, and the shortest counts.
    private static readonly TimeSpan Repeated = TimeSpan.FromSeconds(1);

    /// <summary>Runs the problems whose names the filter accepts; returns the table.</summary>
    public static string Run(Func<string, bool> accepts)
    {
        StringBuilder table = new();
        string version = "";
        foreach ((string name, Func<PeerProblem> make) in PeerProblem.Available())
        {
            if (!accepts(name)) continue;
            PeerProblem problem = make();
            double optimum = Objective(problem, Train(problem, Reference));
            (double seconds, double cpu, SoftmaxRegressionModel model) = Time(problem);
            double error = (Objective(problem, model) / optimum) - 1;
            Line(table, $"| {problem.Name}, {Size(problem)} | {problem.RelativeError:0e-0} | SoftmaxCE {model.Training!.Options!.Solver} | {Number(seconds)} | {Number(cpu)} | {error:0.0e-0} | {model.Training.Iterations} | |");
            foreach (IGrouping<string, ScikitFit> fits in ScikitLearn.Fit(problem, optimum * (1 + problem.RelativeError), out version).GroupBy(fit => fit.Solver))
            {
                ScikitFit last = fits.Last();
                double reached = (problem.Objective(last.Coefficients, last.Intercepts) / optimum) - 1;
                string atLeast = reached > problem.RelativeError ? ">" : "";
                Line(table, $"| | | {fits.Key}, tol {last.Tolerance:0e-0} | {Number(last.Seconds)} | {Number(last.Cpu)} | {reached:0.0e-0} | {last.Iterations} | {atLeast}{last.Cpu / cpu:0.0} |");
            }
        }

        return table.Length == 0 ? "" : $"scikit-learn {version} in float64; {Environment.ProcessorCount} processors; seconds are the shortest of some fits, CPU seconds add up all threads and hold on a busy machine, too; \">\": the peer ended before the relative error was reached\n\n"
            + "| data | to relative error | contender | seconds | CPU seconds | reached | iterations | times our CPU seconds |\n|---|---:|---|---:|---:|---:|---:|---:|\n" + table;
    }

    /// <summary>The shortest fit, and the mean of the processor time once the compiler is done; what short fits take is repeated.</summary>
    private static (double Seconds, double Cpu, SoftmaxRegressionModel Model) Time(PeerProblem problem)
    {
        double least = double.PositiveInfinity, cpu = double.PositiveInfinity;
        SoftmaxRegressionModel? model = null;
        for (int round = 0; round < 2 && (round == 0 || least < Repeated.TotalSeconds); round++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            Stopwatch all = Stopwatch.StartNew();
            int fits = 0;
            do
            {
                Stopwatch one = Stopwatch.StartNew();
                model = Train(problem, problem.RelativeError);
                least = Math.Min(least, one.Elapsed.TotalSeconds);
                fits++;
            }
            while (all.Elapsed < Repeated);
            cpu = (Environment.CpuUsage.TotalTime - before).TotalSeconds / fits;
        }

        return (least, cpu, model!);
    }

    private static SoftmaxRegressionModel Train(PeerProblem problem, double tolerance) =>
        new SoftmaxRegressionTrainer(new() { L1 = problem.L1, L2 = problem.L2, Tolerance = tolerance }).Fit(problem.Rows, problem.Labels);

    private static double Objective(PeerProblem problem, SoftmaxRegressionModel model) => problem.Objective(model.Coefficients.Span, model.Intercepts.Span);

    private static string Size(PeerProblem problem) => string.Create(
        CultureInfo.InvariantCulture, $"{problem.Labels.Length:N0} × {problem.Rows.FeatureCount:N0}, {problem.Classes} classes, {(problem.L1 > 0 ? "L1" : "L2")} {Math.Max(problem.L1, problem.L2):0e-0}");

    private static string Number(double seconds) => seconds.ToString(seconds < 0.1 ? "0.00000" : "0.00", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder table, FormattableString line)
    {
        string text = line.ToString(CultureInfo.InvariantCulture);
        Console.WriteLine(text);
        table.Append(text).Append('\n');
    }
}
