namespace SoftmaxCE.Tests;

/// <summary>The rules of gradient descent against their formulas, on f(w) = ½ Σ a w².</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class DescentUpdatesTests
{
    private static readonly double[] Curvatures = [1, 3, 0.5];
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 60, features: 3, classes: 3, seed: 61);

    [Fact]
    public void Nesterov_takes_the_gradient_ahead()
    {
        DescentUpdates updates = Updates(new() { Rule = DescentRule.Nesterov, Momentum = 0.9, Step = 0.1 });
        double[] w = [1, 2, 3], v = new double[3], ahead = new double[3];
        for (int t = 0; t < 20; t++)
        {
            updates.LookAhead(ahead);
            updates.ApplyGradient(Gradient(ahead));
            for (int i = 0; i < 3; i++)
            {
                v[i] = (0.9 * v[i]) - (0.1 * Curvatures[i] * (w[i] + (0.9 * v[i])));
                w[i] += v[i];
            }
        }

        for (int i = 0; i < 3; i++) updates.Point[i].Should().BeApproximately(w[i], 1e-14);
        updates.Count.Should().Be(20);
    }

    [Fact]
    public void Adam_follows_Kingma_and_Ba_with_a_step_that_decays()
    {
        DescentUpdates updates = Updates(new() { Rule = DescentRule.Adam, Momentum = 0.9, SquareDecay = 0.99, Epsilon = 1e-6, Step = 0.2, StepDecay = 0.5, StepPower = 0.75 });
        double[] w = [1, 2, 3], m = new double[3], v = new double[3];
        for (int t = 1; t <= 30; t++)
        {
            updates.ApplyGradient(Gradient(updates.Point));
            for (int i = 0; i < 3; i++)
            {
                double g = Curvatures[i] * w[i];
                m[i] = (0.9 * m[i]) + (0.1 * g);
                v[i] = (0.99 * v[i]) + (0.01 * g * g);
                w[i] -= 0.2 / Math.Pow(1 + (0.5 * (t - 1)), 0.75) * (m[i] / (1 - Math.Pow(0.9, t))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.99, t))) + 1e-6);
            }
        }

        for (int i = 0; i < 3; i++) updates.Point[i].Should().BeApproximately(w[i], 1e-12);
    }

    public static TheoryData<DescentRule, int> Kinds => new() { { DescentRule.Momentum, 0 }, { DescentRule.Nesterov, 0 }, { DescentRule.Adam, 0 }, { DescentRule.Momentum, 10 }, { DescentRule.Nesterov, 10 }, { DescentRule.Adam, 10 } };

    [Theory, MemberData(nameof(Kinds))]
    public void Every_rule_comes_to_the_optimum_in_full_and_small_batches(DescentRule rule, int batchSize)
    {
        SoftmaxRegressionOptions options = new()
        {
            L2 = 0.05, Solver = Solver.GradientDescent, Tolerance = 1e-9,
            GradientDescent = new() { Rule = rule, Momentum = 0.8, BatchSize = batchSize, Step = rule == DescentRule.Adam ? 0.05 : 0.3, StepDecay = batchSize == 0 ? 0 : 0.1, Epochs = 600, Average = true },
        };
        TrainingSummary descent = new SoftmaxRegressionTrainer(options).Fit(Data.Rows, Data.Labels).Training!;
        TrainingSummary optimum = new SoftmaxRegressionTrainer(new() { L2 = 0.05, Tolerance = 1e-12 }).Fit(Data.Rows, Data.Labels).Training!;
        (descent.Objective - optimum.Objective).Should().BeInRange(-optimum.Gap - 1e-15, Math.Min(descent.Gap, batchSize > 0 ? 1e-4 : rule == DescentRule.Adam ? 1e-6 : 1e-9) + 1e-15);
        descent.PassesOverData.Should().BeGreaterThanOrEqualTo(batchSize == 0 ? descent.Iterations : 2 * descent.Iterations);
    }

    [Fact]
    public void Settings_without_meaning_are_refused_by_name()
    {
        Refused(new() { Rule = (DescentRule)7 }, "Rule");
        Refused(new() { StepDecay = -1 }, "StepDecay");
        Refused(new() { StepPower = 1.5 }, "StepPower");
        Refused(new() { SquareDecay = 1 }, "SquareDecay");
        Refused(new() { Epsilon = 0 }, "Epsilon");

        static void Refused(GradientDescentOptions options, string name) =>
            FluentActions.Invoking(() => new SoftmaxRegressionTrainer(new() { GradientDescent = options })).Should().Throw<ArgumentException>().WithParameterName(name);
    }

    private static DescentUpdates Updates(GradientDescentOptions options) => new(options, new Penalty(0, 0, [], 3), [1, 2, 3], 3, 3);

    private static double[] Gradient(double[] w) => [.. w.Select((x, i) => Curvatures[i] * x)];
}
