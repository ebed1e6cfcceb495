namespace SoftmaxCE.Tests;

public class SolverRunTests
{
    [Theory]
    [InlineData(0, 784, 10, Solver.Newton)]
    [InlineData(0, 1_000_000, 2, Solver.Newton)]
    [InlineData(0, 1_000_001, 2, Solver.Lbfgs)]
    [InlineData(0, 100_000, 40_000, Solver.Lbfgs)]
    [InlineData(1e-9, 4, 3, Solver.ProximalNewton)]
    [InlineData(1e-9, 1_000_001, 2, Solver.ProximalNewton)]
    public void Auto_looks_at_the_penalty_and_then_at_the_size(double l1, int features, int classes, Solver expected) =>
        SolverRun.Choose(new() { L1 = l1 }, features, classes).Should().Be(expected);

    [Fact]
    public void What_is_asked_for_is_taken()
    {
        foreach (Solver solver in Enum.GetValues<Solver>())
        {
            if (solver != Solver.Auto) SolverRun.Choose(new() { Solver = solver }, 1_000_001, 2).Should().Be(solver);
        }
    }

    [Fact]
    public void Auto_gives_the_model_of_the_solver_it_means()
    {
        ReferenceData data = SyntheticData.Overlapping(rows: 50, features: 3, classes: 3, seed: 1);
        foreach ((double l1, Solver solver) in ((double, Solver)[])[(0, Solver.Newton), (0.01, Solver.ProximalNewton)])
        {
            SoftmaxRegressionModel chosen = new SoftmaxRegressionTrainer(new() { L1 = l1 }).Fit(data.Rows, data.Labels), named = new SoftmaxRegressionTrainer(new() { L1 = l1, Solver = solver }).Fit(data.Rows, data.Labels);
            chosen.Coefficients.ToArray().Should().Equal(named.Coefficients.ToArray());
        }
    }
}
