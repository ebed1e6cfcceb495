using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace SoftmaxCE.Tests;

/// <summary>The same bits for any number of threads and any vector width.</summary>
public class DeterminismTests
{
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 500, features: 37, classes: 6, seed: 9);

    public static TheoryData<string, Solver, string> Kinds => new()
    {
        { "double", Solver.Newton, "059147E8D44E4985" },
        { "double", Solver.Lbfgs, "D1742B037D646DB8" },
        { "double", Solver.GradientDescent, "17479D75C7F578FD" },
        { "float", Solver.Newton, "8C5368D6C703ACEB" },
        { "float", Solver.Lbfgs, "E4F3CCE09AFD316B" },
        { "float", Solver.GradientDescent, "17479D75C7F578FD" },
        { "byte", Solver.Newton, "8612AF1A4A5EEAD1" },
        { "byte", Solver.Lbfgs, "87B2F642D691BA1A" },
        { "byte", Solver.GradientDescent, "D62E79B75ED17F7B" },
        { "sparse", Solver.Newton, "AA37B88A81E08C21" },
        { "sparse", Solver.Lbfgs, "74778C79C4CCD051" },
        { "sparse", Solver.GradientDescent, "27C4D0AEB58B0A5F" },
        { "double", Solver.ProximalNewton, "07A26DAB7530391B" },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void Threads_and_vector_width_do_not_change_a_bit(string kind, Solver solver, string hash)
    {
        double[] one = Parameters(kind, solver, threads: 1);
        Parameters(kind, solver, threads: 2).Should().Equal(one);
        Parameters(kind, solver, threads: 5).Should().Equal(one);
        Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<double>(one)))[..16].Should().Be(hash, "the bits were made at 512 bits and must be the same at every width");
    }

    [Fact]
    public void Nor_of_Firths_fit_and_its_covariance()
    {
        ReferenceData iris = ReferenceData.Load("iris");
        double[] one = Values(1);
        Values(3).Should().Equal(one);
        BitHash.Of(one).Should().Be(0x39BF5A1444C8A9B7ul);

        double[] Values(int threads)
        {
            SoftmaxRegressionOptions options = new() { L2 = 0, BiasReduction = BiasReduction.Firth, MaxIterations = 4, MaxDegreeOfParallelism = threads };
            SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(options).Fit(iris.Rows, iris.Labels);
            SoftmaxRegressionInference inference = model.Inference(iris.Rows, iris.Labels, options: new() { MaxDegreeOfParallelism = threads });
            return [.. model.Coefficients.Span, .. model.Intercepts.Span, .. inference.Covariance.Span];
        }
    }

    [Theory]
    [InlineData(Solver.Newton, 0, "904B1D7C664B7CE4")]
    [InlineData(Solver.ProximalNewton, 0.01, "9EC39D3DC68EFEF2")]
    public void Targets_offsets_and_factors_do_not_depend_on_them_either(Solver solver, double l1, string hash)
    {
        double[] one = Fit(1);
        Fit(3).Should().Equal(one);
        Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<double>(one)))[..16].Should().Be(hash, "the bits were made at 512 bits and must be the same at every width");

        double[] Fit(int threads)
        {
            // Whole and halved numbers, so that nothing depends on the platform's functions.
            double[] targets = [.. Data.Labels.SelectMany((y, i) => Enumerable.Range(0, 6).Select(c => c == y ? (i % 3 == 0 ? 1 : 0.5) : i % 3 == 0 || c == (y + 1) % 6 ? 0 : 0.125))];
            double[] offsets = [.. Enumerable.Range(0, targets.Length).Select(k => ((k * 7 % 11) - 5) / 8.0)], factors = [.. Enumerable.Range(0, Data.FeatureCount).Select(j => 0.25 * (1 + (j % 7)))];
            TrainingExamples examples = TrainingExamples.FromTargets(Data.Rows, targets, 6) with { OffsetLogits = offsets };
            SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L1 = l1, L2 = 1e-3, Solver = solver, MaxIterations = 4, PenaltyFactors = factors, MaxDegreeOfParallelism = threads }).Fit(examples);
            return [.. model.Coefficients.Span, .. model.Intercepts.Span, model.Training!.Objective, model.Training.Gap];
        }
    }

    private static double[] Parameters(string kind, Solver solver, int threads)
    {
        double[] values = [.. Data.Features.Select(v => Math.Clamp(Math.Round(32 * v) + 128, 0, 255))];
        FeatureRows rows = kind switch
        {
            "double" => new DenseRows<double>(values, Data.FeatureCount),
            "float" => new DenseRows<float>(values.Select(v => (float)v).ToArray(), Data.FeatureCount),
            "byte" => new DenseRows<byte>(values.Select(v => (byte)v).ToArray(), Data.FeatureCount, scale: 1.0 / 32, offset: -4),
            _ => (Data with { Features = [.. values.Select(v => Math.Max(v - 140, 0))] }).ToSparse(),
        };
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new()
        {
            L2 = 1e-3, L1 = solver == Solver.ProximalNewton ? 0.01 : 0, Solver = solver, MaxIterations = solver == Solver.GradientDescent ? 2 : 4, MaxDegreeOfParallelism = threads,
            GradientDescent = new() { Step = 1e-4, BatchSize = 17, Momentum = 0.5 },
        }).Fit(rows, Data.Labels);
        return [.. model.Coefficients.Span, .. model.Intercepts.Span, model.Training!.Objective, model.Training.Gap];
    }
}
