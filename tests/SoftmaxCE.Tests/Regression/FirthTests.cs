using System.Text.Json;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class FirthTests
{
    private static readonly SoftmaxRegressionOptions Firth = new() { L2 = 0, BiasReduction = BiasReduction.Firth, Tolerance = 1e-20 };

    public static TheoryData<string> Fits => ["endometrial", "iris", "alligators, three classes", "alligators"];

    /// <summary>Endometrial cancer of Heinze, Schemper 2002 and others; the data sets are separated.</summary>
    [Theory, MemberData(nameof(Fits))]
    public void Equals_brglm2(string name)
    {
        JsonElement reference = JsonDocument.Parse(File.ReadAllText(References.PathOf("firth.json"))).RootElement.EnumerateArray().Single(item => item.GetProperty("data").GetString() == name);
        (ReferenceData data, float[] weights) = Data(name);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(Firth).Fit(data.Rows, data.Labels, weights);
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
        SoftmaxRegressionInference inference = model.Inference(data.Rows, data.Labels, weights);
        inference.LogLikelihood.Should().BeApproximately(reference.GetProperty("logLikelihood").GetDouble(), 1e-7);
        inference.Notes.Should().ContainSingle().Which.Should().StartWith("Firth");
        for (int c = 1; c < data.ClassCount; c++)
        {
            for (int j = 0; j <= data.FeatureCount; j++)
            {
                CoefficientRow row = j == 0 ? inference.Coefficients.Intercept(c) : inference.Coefficients[c, j - 1];
                double estimate = reference.GetProperty("coefficients")[c - 1][j].GetDouble(), error = reference.GetProperty("standardErrors")[c - 1][j].GetDouble();
                row.Estimate.Should().BeApproximately(estimate, 1e-6 * Math.Abs(estimate));
                row.StandardError.Should().BeApproximately(error, 1e-6 * error);
            }
        }
    }

    [Fact]
    public void The_endometrial_figures_are_those_that_were_printed()
    {
        // Heinze, Schemper 2002, also the README of mbrglm: 3.77456, 2.92927, -0.03475, -2.60416.
        (ReferenceData data, _) = Data("endometrial");
        SoftmaxRegressionInference inference = new SoftmaxRegressionTrainer(Firth).Fit(data.Rows, data.Labels).Inference(data.Rows, data.Labels);
        inference.Coefficients.Rows.Select(row => Math.Round(row.Estimate, 5)).Should().Equal(3.77456, 2.92927, -0.03475, -2.60416);
    }

    /// <summary>A saturated model with one factor: Firth's estimates are those of the table with ½ added to each cell, also to those of 0.</summary>
    [Theory, InlineData(12, 5, 7, 9), InlineData(4, 0, 3, 2), InlineData(1, 0, 0, 1), InlineData(1, 1, 0, 2)]
    public void Two_classes_of_two_groups_get_one_half_in_each_cell(int a, int b, int c, int d)
    {
        DenseRows<double> rows = new(new double[] { 0, 0, 1, 1 }, 1);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(Firth).Fit(rows, [0, 1, 0, 1], [a, b, c, d]);
        model.Training!.Converged.Should().BeTrue();
        (model.Intercepts.Span[1] - model.Intercepts.Span[0]).Should().BeApproximately(Math.Log((b + 0.5) / (a + 0.5)), 1e-9);
        (model.Coefficients.Span[1] - model.Coefficients.Span[0]).Should().BeApproximately(Math.Log((d + 0.5) * (a + 0.5) / ((c + 0.5) * (b + 0.5))), 1e-9);
    }

    [Fact]
    public void Three_classes_of_two_groups_get_one_half_in_each_cell()
    {
        float[] counts = [6, 0, 2, 0, 4, 5];
        DenseRows<double> rows = new(new double[] { 0, 0, 0, 1, 1, 1 }, 1);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(Firth).Fit(rows, [0, 1, 2, 0, 1, 2], counts);
        for (int group = 0; group < 2; group++)
        {
            double[] probabilities = new double[3];
            model.PredictProbabilities<double>([group], probabilities);
            double total = 1.5 + counts[3 * group] + counts[(3 * group) + 1] + counts[(3 * group) + 2];
            for (int c = 0; c < 3; c++) probabilities[c].Should().BeApproximately((counts[(3 * group) + c] + 0.5) / total, 1e-10);
        }
    }

    /// <summary>The penalised likelihood in plain loops is highest at the fit, along every coordinate and its value is the objective reported.</summary>
    [Fact]
    public void The_fit_maximises_the_penalised_likelihood_in_plain_loops()
    {
        ReferenceData data = SyntheticData.Overlapping(30, 2, 3, seed: 11);
        float[] weights = [.. Enumerable.Range(0, 30).Select(i => 1f + (i % 3))];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(Firth).Fit(data.Rows, data.Labels, weights);
        double[] point = new double[6];
        for (int c = 1; c < 3; c++)
        {
            for (int j = 0; j < 2; j++) point[((c - 1) * 3) + j] = model.Coefficients.Span[(c * 2) + j] - model.Coefficients.Span[j];
            point[((c - 1) * 3) + 2] = model.Intercepts.Span[c] - model.Intercepts.Span[0];
        }

        double best = PenalisedLogLikelihood(data, weights, point);
        (-best / weights.Sum()).Should().BeApproximately(model.Training!.Objective, 1e-12);
        for (int i = 0; i < point.Length; i++)
        {
            const double Step = 1e-5;
            double[] up = [.. point], down = [.. point];
            up[i] += Step;
            down[i] -= Step;
            double above = PenalisedLogLikelihood(data, weights, up), below = PenalisedLogLikelihood(data, weights, down);
            ((above - below) / (2 * Step)).Should().BeApproximately(0, 1e-7);
            (above + below - (2 * best)).Should().BeNegative();
        }
    }

    [Fact]
    public void Units_start_and_threads_do_not_matter()
    {
        (ReferenceData data, _) = Data("iris");
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(Firth).Fit(data.Rows, data.Labels);
        double[] scaled = [.. data.Features.Select((x, i) => i % 4 == 2 ? (x * 1e5) - 1e7 : x)];
        SoftmaxRegressionModel other = new SoftmaxRegressionTrainer(Firth).Fit(new DenseRows<double>(scaled, 4), data.Labels);
        SoftmaxRegressionModel again = new SoftmaxRegressionTrainer(Firth with { MaxDegreeOfParallelism = 1 }).Fit(data.Rows, data.Labels);
        SoftmaxRegressionModel warm = new SoftmaxRegressionTrainer(Firth).Fit(data.Rows, data.Labels, start: model);
        for (int c = 0; c < 3; c++) (other.Coefficients.Span[(c * 4) + 2] * 1e5).Should().BeApproximately(model.Coefficients.Span[(c * 4) + 2], 1e-6);
        again.Coefficients.ToArray().Should().Equal(model.Coefficients.ToArray());
        warm.Coefficients.ToArray().ShouldBeCloseTo(model.Coefficients.ToArray(), 1e-8);
        warm.Training!.Iterations.Should().BeLessThan(3);
        model.Coefficients.ToArray().Chunk(4).Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]).Should().OnlyContain(sum => Math.Abs(sum) < 1e-10);
    }

    [Fact]
    public void Without_intercepts()
    {
        (ReferenceData data, _) = Data("endometrial");
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(Firth with { FitIntercepts = false }).Fit(data.Rows, data.Labels);
        model.Training!.Converged.Should().BeTrue();
        model.Intercepts.ToArray().Should().OnlyContain(b => b == 0);
        model.Training.Options!.FitIntercepts.Should().BeFalse();
    }

    [Fact]
    public void Limits_and_canceling_end_training_as_with_the_other_solvers()
    {
        (ReferenceData data, _) = Data("endometrial");
        TrainingSummary limited = new SoftmaxRegressionTrainer(Firth with { MaxIterations = 2 }).Fit(data.Rows, data.Labels).Training!;
        (limited.StopReason, limited.Iterations, limited.History.Count).Should().Be((StopReason.IterationLimit, 2, 3));
        limited.History.Select(state => state.Objective).Should().BeInDescendingOrder();
        new SoftmaxRegressionTrainer(Firth with { Tolerance = 1e-300 }).Fit(data.Rows, data.Labels).Training!.StopReason.Should().Be(StopReason.NoFurtherProgress);
        using CancellationTokenSource source = new();
        source.Cancel();
        ((Action)(() => new SoftmaxRegressionTrainer(Firth).Fit(data.Rows, data.Labels, cancellationToken: source.Token))).Should().Throw<OperationCanceledException>();
    }

    [Fact]
    public void Wrong_options_and_dependent_columns_are_named()
    {
        ((Action)(() => _ = new SoftmaxRegressionTrainer(new() { BiasReduction = BiasReduction.Firth }))).Should().Throw<ArgumentException>().WithMessage("*L2 (now 0.0001)*");
        ((Action)(() => _ = new SoftmaxRegressionTrainer(Firth with { Solver = Solver.Lbfgs }))).Should().Throw<ArgumentException>().WithMessage("Lbfgs*Firth*");
        ((Action)(() => _ = new SoftmaxRegressionTrainer(Firth with { BiasReduction = (BiasReduction)7 }))).Should().Throw<ArgumentOutOfRangeException>();
        double[] twice = [0, 0, 1, 2, 2, 4, 5, 10];
        ((Action)(() => new SoftmaxRegressionTrainer(Firth).Fit(new DenseRows<double>(twice, 2), [0, 1, 0, 1]))).Should().Throw<ArgumentException>().WithMessage("Column 1*linear combination*");
    }

    private static (ReferenceData Data, float[] Weights) Data(string name)
    {
        ReferenceData data = ReferenceData.Load(name.Split(',')[0]);
        if (!name.StartsWith("alligators", StringComparison.Ordinal)) return (data, []);
        int width = data.FeatureCount - 1;
        int[] rows = [.. Enumerable.Range(0, data.Labels.Length).Where(i => name == "alligators" || data.Labels[i] < 3)];
        double[] features = [.. rows.SelectMany(i => data.Features.Skip(i * (width + 1)).Take(width))];
        return (new ReferenceData(features, [.. rows.Select(i => data.Labels[i])], width), [.. rows.Select(i => (float)data.Features[(i * (width + 1)) + width])]);
    }

    /// <summary>ln L + ½ ln det of Σ s (diag(p) − p pᵀ) ⊗ x xᵀ over classes 1 and 2, by Gaussian elimination.</summary>
    private static double PenalisedLogLikelihood(ReferenceData data, float[] weights, double[] point)
    {
        double[,] information = new double[6, 6];
        double likelihood = 0;
        for (int i = 0; i < data.Labels.Length; i++)
        {
            double[] x = [data.Features[2 * i], data.Features[(2 * i) + 1], 1], e = new double[3];
            for (int c = 0; c < 3; c++) e[c] = c == 0 ? 1 : Math.Exp((point[(c - 1) * 3] * x[0]) + (point[((c - 1) * 3) + 1] * x[1]) + point[((c - 1) * 3) + 2]);
            double[] p = [.. e.Select(v => v / e.Sum())];
            likelihood += weights[i] * Math.Log(p[data.Labels[i]]);
            for (int a = 0; a < 6; a++)
            {
                for (int b = 0; b < 6; b++)
                {
                    int c = 1 + (a / 3), k = 1 + (b / 3);
                    information[a, b] += weights[i] * p[c] * ((c == k ? 1 : 0) - p[k]) * x[a % 3] * x[b % 3];
                }
            }
        }

        double logDeterminant = 0;
        for (int k = 0; k < 6; k++)
        {
            logDeterminant += Math.Log(information[k, k]);
            for (int i = k + 1; i < 6; i++)
            {
                for (int j = 5; j >= k; j--) information[i, j] -= information[i, k] / information[k, k] * information[k, j];
            }
        }

        return likelihood + (logDeterminant / 2);
    }
}
