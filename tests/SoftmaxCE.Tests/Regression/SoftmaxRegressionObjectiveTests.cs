namespace SoftmaxCE.Tests;

/// <summary>Laws of the objective that solvers see.</summary>
public class SoftmaxRegressionObjectiveTests
{
    private const int Features = 7, Classes = 4, Rows = 60;

    public static TheoryData<string> Kinds => ["double", "float", "sparse", "byte", "half"];

    [Theory, MemberData(nameof(Kinds))]
    public void Gradient_and_Hessian_match_finite_differences(string kind)
    {
        SoftmaxRegressionObjective objective = Objective(kind, out _);
        double[] point = Point(1), gradient = new double[point.Length], product = new double[point.Length], fast = new double[point.Length], direction = Point(2), scratch = new double[point.Length];
        objective.Evaluate(point, gradient, precise: true);
        objective.MultiplyHessian(direction, product, precise: true);
        objective.MultiplyHessian(direction, fast);
        const double H = 1e-5;
        double[] ahead = Moved(point, direction, H), behind = Moved(point, direction, -H), gradientAhead = new double[point.Length], gradientBehind = new double[point.Length];
        double rise = objective.Evaluate(ahead, gradientAhead, precise: true) - objective.Evaluate(behind, gradientBehind, precise: true);
        (rise / (2 * H)).Should().BeApproximately(Dot(gradient, direction), 1e-8);
        for (int i = 0; i < point.Length; i++) product[i].Should().BeApproximately((gradientAhead[i] - gradientBehind[i]) / (2 * H), 1e-8);
        for (int i = 0; i < point.Length; i++) fast[i].Should().BeApproximately(product[i], kind is "double" ? 0 : 1e-6);
        for (int i = 0; i < point.Length; i++)
        {
            double before = point[i];
            point[i] = before + H;
            double up = objective.Evaluate(point, scratch, precise: true);
            point[i] = before - H;
            double down = objective.Evaluate(point, scratch, precise: true);
            point[i] = before;
            gradient[i].Should().BeApproximately((up - down) / (2 * H), 1e-8);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_of_rows_gives_the_objective_of_plain_loops(string kind)
    {
        SoftmaxRegressionObjective objective = Objective(kind, out ReferenceData data);
        double[] point = Point(1), gradient = new double[point.Length], fast = new double[point.Length];
        double expected = SyntheticData.Objective(data, point.AsSpan(0, Classes * Features), point.AsSpan(Classes * Features), objective.L2);
        objective.Evaluate(point, gradient, precise: true).Should().BeApproximately(expected, 1e-13);
        objective.Evaluate(point, fast, precise: false).Should().BeApproximately(expected, 1e-6);
        for (int i = 0; i < fast.Length; i++) fast[i].Should().BeApproximately(gradient[i], 1e-6);
    }

    [Fact]
    public void A_direction_that_was_added_to_a_line_ends_with_it()
    {
        SoftmaxRegressionObjective objective = Objective("double", out _);
        double[] point = Point(1), product = new double[point.Length];
        objective.Evaluate(point, product, precise: true);
        objective.Invoking(o => o.ExtendLine(1)).Should().Throw<InvalidOperationException>();
        objective.MultiplyHessian(Point(2), product);
        objective.ExtendLine(0.5);
        objective.ExtendLine(0.25);
        LineValue added = objective.EvaluateLine(1);
        objective.StartLine(Point(2));
        added.Slope.Should().BeApproximately(0.75 * objective.EvaluateLine(0.75).Slope, 1e-12);
        objective.Invoking(o => o.ExtendLine(1)).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void The_line_agrees_with_evaluations_and_is_convex()
    {
        SoftmaxRegressionObjective objective = Objective("double", out _, l2: 0);
        double[] point = Point(1), direction = Point(2), gradient = new double[point.Length];
        objective.Evaluate(point, gradient, precise: true);
        objective.StartLine(direction);
        double[] steps = [-1, -0.5, 0, 0.25, 0.5, 1, 2];
        LineValue[] values = [.. steps.Select(objective.EvaluateLine)];
        values.Select(v => v.Slope).Should().BeInAscendingOrder();
        values.Should().OnlyContain(v => v.Curvature > 0);
        for (int i = 0; i < steps.Length; i++)
        {
            double[] there = new double[point.Length];
            objective.Evaluate(Moved(point, direction, steps[i]), there, precise: true).Should().BeApproximately(values[i].Value, 1e-13);
            Dot(there, direction).Should().BeApproximately(values[i].Slope, 1e-12);
        }
    }

    [Fact]
    public void A_line_built_from_products_is_the_line_of_the_direction()
    {
        SoftmaxRegressionObjective objective = Objective("double", out _);
        double[] point = Point(1), first = Point(2), second = Point(3), scratch = new double[point.Length];
        objective.Evaluate(point, scratch, precise: true);
        objective.StartLine();
        objective.MultiplyHessian(first, scratch);
        objective.ExtendLine(0.5);
        objective.MultiplyHessian(second, scratch);
        objective.ExtendLine(-2);
        LineValue built = objective.EvaluateLine(0.7);
        objective.StartLine(Moved([.. first.Select(v => 0.5 * v)], second, -2));
        LineValue direct = objective.EvaluateLine(0.7);
        built.Value.Should().BeApproximately(direct.Value, 1e-13);
        built.Slope.Should().BeApproximately(direct.Slope, 1e-12);
    }

    [Fact]
    public void Solved_intercepts_have_no_gradient()
    {
        SoftmaxRegressionObjective objective = Objective("double", out _);
        double[] point = Point(1), gradient = new double[point.Length], shifts = new double[Classes];
        objective.Evaluate(point, gradient, precise: true);
        objective.SolveIntercepts(0, 1e-16, shifts);
        for (int c = 0; c < Classes; c++) point[(Classes * Features) + c] += shifts[c];
        objective.Evaluate(point, gradient, precise: true);
        gradient.Skip(Classes * Features).Should().OnlyContain(g => Math.Abs(g) < 1e-15);
    }

    [Fact]
    public void Partial_and_subspace_Hessians_hold_the_entries_of_products()
    {
        SoftmaxRegressionObjective objective = Objective("double", out _, l2: 0);
        double[] point = Point(1), scratch = new double[point.Length], unit = new double[point.Length];
        objective.Evaluate(point, scratch, precise: true);
        int[] parameters = [0, 3, 8, 20, 27, 28, 31];
        double[] partial = new double[parameters.Length * parameters.Length];
        objective.PartialHessian(parameters, [], partial);
        double[] basis = new double[Features * Features];
        for (int j = 0; j < Features; j++) basis[(j * Features) + j] = 1;
        objective.ProjectSample(basis, new double[Features], withConstant: true);
        int width = Features + 1, size = Classes * width;
        double[] full = new double[size * size];
        objective.SubspaceHessian(full);
        for (int a = 0; a < point.Length; a++)
        {
            Array.Clear(unit);
            unit[a] = 1;
            objective.MultiplyHessian(unit, scratch);
            for (int b = 0; b < point.Length; b++) full[(Place(a) * size) + Place(b)].Should().BeApproximately(scratch[b], 1e-14);
            int place = Array.IndexOf(parameters, a);
            for (int k = 0; place >= 0 && k < parameters.Length; k++) partial[(place * parameters.Length) + k].Should().BeApproximately(scratch[parameters[k]], 1e-14);
        }

        int Place(int parameter) => parameter < Classes * Features ? (parameter / Features * width) + (parameter % Features) : ((parameter - (Classes * Features)) * width) + Features;
    }

    [Fact]
    public void Mean_entropy_is_that_of_the_shortened_rows()
    {
        SoftmaxRegressionObjective objective = Objective("double", out ReferenceData data);
        double[] point = Point(1);
        objective.Evaluate(point, new double[point.Length], precise: true);
        SoftmaxRegressionModel model = new(point.AsSpan(0, Classes * Features), point.AsSpan(Classes * Features));
        foreach (double t in (double[])[1, 0.3, 0])
        {
            double expected = 0;
            for (int i = 0; i < Rows; i++)
            {
                double[] p = new double[Classes];
                model.PredictProbabilities<double>(data.Features.AsSpan(i * Features, Features), p);
                for (int c = 0; c < Classes; c++)
                {
                    double y = c == data.Labels[i] ? 1 : 0, q = y + (t * (p[c] - y));
                    if (q > 0) expected -= q * Math.Log(q) / Rows;
                }
            }

            objective.MeanEntropy(t).Should().BeApproximately(expected, 1e-14);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Moments_are_those_of_the_features(string kind)
    {
        float[] weights = [.. Enumerable.Range(0, Rows).Select(i => (float)(i % 3))];
        SoftmaxRegressionObjective objective = Objective(kind, out ReferenceData data, weights: [.. weights.Select(w => (double)w)]);
        double[] means = new double[Features], variances = new double[Features];
        objective.FeatureMoments(means, variances);
        for (int j = 0; j < Features; j++)
        {
            double mean = Enumerable.Range(0, Rows).Sum(i => weights[i] * data.Features[(i * Features) + j]) / weights.Sum();
            double variance = Enumerable.Range(0, Rows).Sum(i => weights[i] * Math.Pow(data.Features[(i * Features) + j] - mean, 2)) / weights.Sum();
            means[j].Should().BeApproximately(mean, 1e-6);
            variances[j].Should().BeApproximately(variance, 1e-6);
        }
    }

    /// <summary>Features that every type of row can hold exactly: multiples of 1/8 from 0 on.</summary>
    private static SoftmaxRegressionObjective Objective(string kind, out ReferenceData data, double l2 = 0.1, double[]? weights = null)
    {
        ReferenceData drawn = SyntheticData.Overlapping(Rows, Features, Classes, seed: 5);
        byte[] bytes = [.. drawn.Features.Select(v => (byte)Math.Clamp(Math.Round(8 * Math.Abs(v)) * (v > 0 ? 1 : 0), 0, 40))];
        data = drawn with { Features = [.. bytes.Select(b => b / 8.0)] };
        double[] values = data.Features;
        FeatureRows rows = kind switch
        {
            "double" => data.Rows,
            "float" => new DenseRows<float>(values.Select(v => (float)v).ToArray(), Features),
            "half" => new DenseRows<Half>(values.Select(v => (Half)(v - 1)).ToArray(), Features, offset: 1),
            "byte" => new DenseRows<byte>(bytes, Features, scale: 0.125),
            _ => data.ToSparse(),
        };
        return new SoftmaxRegressionObjective(rows, new Examples(data.Labels, weights, Classes), new SoftmaxRegressionOptions { L2 = l2, MaxDegreeOfParallelism = 2 });
    }

    private static double[] Point(int seed)
    {
        RandomStream random = new(seed);
        double[] point = new double[Classes * (Features + 1)];
        for (int i = 0; i < point.Length; i++) point[i] = (2 * random.Uniform()) - 1;
        return point;
    }

    private static double[] Moved(double[] point, double[] direction, double step) => [.. point.Zip(direction, (p, d) => p + (step * d))];

    private static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();
}
