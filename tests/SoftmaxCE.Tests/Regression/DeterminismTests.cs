using System.Security.Cryptography;
using System.Runtime.InteropServices;

namespace SoftmaxCE.Tests;

/// <summary>The same bits for any number of threads and any vector width.</summary>
public class DeterminismTests
{
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 500, features: 37, classes: 6, seed: 9);

    public static TheoryData<string, Solver, string> Kinds => new()
    {
        { "double", Solver.Newton, "@doubleNewton@" },
        { "double", Solver.Lbfgs, "@doubleLbfgs@" },
        { "double", Solver.GradientDescent, "@doubleGradientDescent@" },
        { "float", Solver.Newton, "@floatNewton@" },
        { "float", Solver.Lbfgs, "@floatLbfgs@" },
        { "float", Solver.GradientDescent, "@floatGradientDescent@" },
        { "byte", Solver.Newton, "@byteNewton@" },
        { "byte", Solver.Lbfgs, "@byteLbfgs@" },
        { "byte", Solver.GradientDescent, "@byteGradientDescent@" },
        { "sparse", Solver.Newton, "@sparseNewton@" },
        { "sparse", Solver.Lbfgs, "@sparseLbfgs@" },
        { "sparse", Solver.GradientDescent, "@sparseGradientDescent@" },
        { "double", Solver.ProximalNewton, "@doubleProximalNewton@" },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void Threads_and_vector_width_do_not_change_a_bit(string kind, Solver solver, string hash)
    {
        double[] one = Parameters(kind, solver, threads: 1);
        Parameters(kind, solver, threads: 2).Should().Equal(one);
        Parameters(kind, solver, threads: 5).Should().Equal(one);
        Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<double>(one)))[..16].Should().Be(hash, "the bits were made at 512 bits and must be the same at every width");
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
