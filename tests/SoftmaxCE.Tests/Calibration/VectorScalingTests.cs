using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class VectorScalingTests
{
    private static readonly Gen<(double[] Logits, int[] Labels, float[] Weights, int ClassCount)> Rows =
        from classes in Gen.Int[2, 5]
        from rows in Gen.Int[1, 40]
        from logits in Gen.Int[-20, 20].Select(quarters => quarters / 4.0).Array[rows * classes]
        from labels in Gen.Int[0, classes - 1].Array[rows]
        from weights in Gen.Float[0.125f, 4].Array[rows]
        select (logits, labels, weights, classes);

    [Fact]
    public void The_gradient_is_that_of_finite_differences() =>
        Gen.Select(Rows, Gen.Double[-1, 2].Array[10], Gen.Double[0, 3]).Sample((rows, at, prior) =>
        {
            VectorProblem problem = new([.. rows.Logits], rows.Labels, rows.Weights, prior, centre: 0.75);
            double[] point = at[..(2 * rows.ClassCount)], gradient = new double[point.Length];
            _ = problem.LogLoss(point);
            problem.Gradient(point, gradient);
            return Enumerable.Range(0, point.Length).All(i =>
            {
                const double Step = 1e-5;
                double difference = (Objective(problem, Moved(point, i, Step)) - Objective(problem, Moved(point, i, -Step))) / (2 * Step);
                return Math.Abs(difference - gradient[i]) < 1e-7 * (1 + Math.Abs(gradient[i]));
            });
        });

    [Fact]
    public void The_Hessian_is_that_of_differences_of_gradients_and_its_blocks_are_on_its_diagonal() =>
        Gen.Select(Rows, Gen.Double[-1, 2].Array[10], Gen.Double[0, 3]).Sample((rows, at, prior) =>
        {
            VectorProblem problem = new([.. rows.Logits], rows.Labels, rows.Weights, prior, centre: 0.75);
            int count = rows.ClassCount;
            double[] point = at[..(2 * count)], product = new double[2 * count], blocks = new double[3 * count];
            for (int i = 0; i < point.Length; i++)
            {
                const double Step = 1e-5;
                double[] unit = new double[point.Length];
                unit[i] = 1;
                double[] above = Gradient(problem, Moved(point, i, Step)), below = Gradient(problem, Moved(point, i, -Step));
                _ = problem.LogLoss(point);
                problem.MultiplyHessian(unit, product);
                problem.ClassBlocks(blocks);
                for (int j = 0; j < product.Length; j++)
                    if (Math.Abs(product[j] - ((above[j] - below[j]) / (2 * Step))) > 1e-7 * (1 + Math.Abs(product[j]))) return false;
                int c = i % count;
                bool same = Math.Abs(product[c] - blocks[(3 * c) + (i < count ? 0 : 1)]) < 1e-12 * (1 + Math.Abs(product[c]))
                    && Math.Abs(product[count + c] - blocks[(3 * c) + (i < count ? 1 : 2)]) < 1e-12 * (1 + Math.Abs(product[count + c]));
                if (!same) return false;
            }

            return true;
        });

    [Fact]
    public void No_gradient_is_left_at_the_optimum_and_no_step_lowers_the_objective() =>
        Gen.Select(Rows, Gen.Double[0.1, 5]).Sample((rows, prior) =>
        {
            VectorScaling fitted = VectorScaling.Fit<double>(rows.Logits, rows.Labels, rows.Weights, prior);
            double centre = 1 / TemperatureScaling.Fit<double>(rows.Logits, rows.Labels, rows.Weights).Temperature;
            VectorProblem problem = new([.. rows.Logits], rows.Labels, rows.Weights, prior, centre);
            double[] point = [.. fitted.Scales.Span, .. fitted.Offsets.Span];
            double value = Objective(problem, point);
            double largest = Gradient(problem, point).Max(Math.Abs);
            return !fitted.IsAtLimit && largest < 1e-6 && Enumerable.Range(0, point.Length)
                .All(i => Objective(problem, Moved(point, i, 1e-3)) > value && Objective(problem, Moved(point, i, -1e-3)) > value);
        });

    [Fact]
    public void It_is_never_worse_than_a_temperature_on_the_rows_it_was_fitted_on() =>
        Gen.Select(Rows, Gen.Int[0, 2].Select(i => ((double[])[0, 1, 20])[i])).Sample((rows, prior) =>
        {
            TemperatureScaling temperature = TemperatureScaling.Fit<double>(rows.Logits, rows.Labels, rows.Weights);
            VectorScaling fitted = VectorScaling.Fit<double>(rows.Logits, rows.Labels, rows.Weights, prior);
            return fitted.LogLossAfter <= temperature.LogLossAfter * (1 + 1e-14) && fitted.LogLossBefore == temperature.LogLossBefore;
        });

    [Fact]
    public void With_a_heavy_prior_it_is_temperature_scaling()
    {
        MetricsReference reference = MetricsReference.Named("5 classes");
        double[] logits = LogitsOf(reference);
        double temperature = TemperatureScaling.Fit<double>(logits, reference.Labels).Temperature;
        VectorScaling fitted = VectorScaling.Fit<double>(logits, reference.Labels, priorRows: 1e12);
        foreach (double scale in fitted.Scales.Span) scale.ShouldBeCloseTo(1 / temperature, 1e-8);
        foreach (double offset in fitted.Offsets.Span) offset.Should().BeApproximately(0, 1e-8);
    }

    [Fact]
    public void Scales_and_offsets_that_made_the_labels_are_found_again()
    {
        double[] scales = [0.5, 1, 2], offsets = [1, -1, 0];
        (double[] logits, int[] labels) = Sample(20_000, new VectorScaling(scales, offsets));
        VectorScaling fitted = VectorScaling.Fit<double>(logits, labels, priorRows: 0);
        for (int c = 0; c < 3; c++)
        {
            fitted.Scales.Span[c].Should().BeApproximately(scales[c], 0.1);
            fitted.Offsets.Span[c].Should().BeApproximately(offsets[c], 0.1, "they add up to 0, as those fitted without a prior do");
        }

        fitted.LogLossAfter.Should().BeLessThan(0.9 * TemperatureScaling.Fit<double>(logits, labels).LogLossAfter);
        fitted.IsAtLimit.Should().BeFalse();
    }

    [Fact]
    public void Classes_in_another_order_have_their_numbers_in_that_order() => Rows.Sample(rows =>
    {
        int count = rows.ClassCount;
        double[] turned = [.. rows.Logits.Select((_, i) => rows.Logits[(i / count * count) + ((i + 1) % count)])];
        int[] labels = [.. rows.Labels.Select(label => (label + count - 1) % count)];
        VectorScaling fitted = VectorScaling.Fit<double>(rows.Logits, rows.Labels, rows.Weights), other = VectorScaling.Fit<double>(turned, labels, rows.Weights);
        return Enumerable.Range(0, count).All(c =>
            Math.Abs(fitted.Scales.Span[(c + 1) % count] - other.Scales.Span[c]) < 1e-6 && Math.Abs(fitted.Offsets.Span[(c + 1) % count] - other.Offsets.Span[c]) < 1e-6);
    });

    [Fact]
    public void A_class_that_is_never_the_label_is_ruled_out_without_a_prior_only()
    {
        double[] logits = [1, 0, 0.5, 0, 1, 0.5, 0, 0.5, 0, 0.5, 0, 0.25];
        int[] labels = [0, 1, 0, 1];
        VectorScaling.Fit<double>(logits, labels, priorRows: 0).IsAtLimit.Should().BeTrue();
        VectorScaling kept = VectorScaling.Fit<double>(logits, labels);
        kept.IsAtLimit.Should().BeFalse();
        double[] probabilities = new double[3];
        kept.ToProbabilities<double>(logits.AsSpan(0, 3), probabilities);
        probabilities[2].Should().BeGreaterThan(0.01);
    }

    /// <summary>The best temperature is the lowest allowed, so that the logits are in the thousands and the objective is no better than their rounding.</summary>
    [Fact]
    public void Large_scaled_logits_do_not_pass_for_numbers_that_go_on_for_ever()
    {
        double[] logits = [-4.75, -2, -0.25, 0.25, -4, -3.75, -1, 2.25, -2, -3.25, -2, -2];
        VectorScaling fitted = VectorScaling.Fit<double>(logits, [3, 3, 3], [2.0256891f, 37f / 12, 53f / 30]);
        fitted.IsAtLimit.Should().BeFalse();
        fitted.LogLossAfter.Should().BeLessThan(0.15);
    }

    [Fact]
    public void Masked_logits_stay_masked_and_add_nothing()
    {
        MetricsReference reference = MetricsReference.Named("3 classes");
        double[] logits = LogitsOf(reference);
        double[] wider = [.. logits.Chunk(3).SelectMany(row => (double[])[.. row, double.NegativeInfinity])];
        VectorScaling narrow = VectorScaling.Fit<double>(logits, reference.Labels), wide = VectorScaling.Fit<double>(wider, reference.Labels);
        wide.LogLossAfter.ShouldBeCloseTo(narrow.LogLossAfter, 1e-12);
        double[] probabilities = new double[4];
        new VectorScaling([1, -1, 0, 0], [0, 0, 0, 0]).ToProbabilities<double>([1, -1, double.NegativeInfinity, double.NegativeInfinity], probabilities);
        probabilities.Should().Equal(0.5, 0.5, 0, 0);
        new VectorScaling([1, -1], [0, 0]).ToProbabilities<double>([1, double.PositiveInfinity], probabilities);
        probabilities[0].Should().Be(double.NaN);
    }

    [Fact]
    public void A_model_is_fitted_by_its_logits_and_scaled_by_its_parameters()
    {
        DataSet vowel = DataSets.Load("vowel");
        DenseRows<double> rows = new(vowel.Features, vowel.Columns);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new SoftmaxRegressionOptions { L2 = 0.05 }).Fit(rows, vowel.Labels);
        model = model.WithFeatureNames([.. Enumerable.Range(0, vowel.Columns).Select(j => $"x{j}")]);
        VectorScaling fitted = VectorScaling.FitModel(model, rows, vowel.Labels);
        SoftmaxRegressionModel scaled = fitted.ApplyTo(model);
        scaled.FeatureNames.Should().Equal(model.FeatureNames);
        scaled.ClassNames.Should().Equal(model.ClassNames);
        model.Evaluate(rows, vowel.Labels).LogLoss.ShouldBeCloseTo(fitted.LogLossBefore, 1e-12);
        scaled.Evaluate(rows, vowel.Labels).LogLoss.ShouldBeCloseTo(fitted.LogLossAfter, 1e-12);
        fitted.LogLossAfter.Should().BeLessThan(TemperatureScaling.FitModel(model, rows, vowel.Labels).LogLossAfter);
        Refuses<ArgumentException>(() => new VectorScaling([1, 1], [0, 0]).ApplyTo(model), "model", "*2*11*");
    }

    [Fact]
    public void Probabilities_are_softmax_of_the_scaled_logits_also_in_place_and_in_float()
    {
        VectorScaling scaling = new([2, 0.5], [1, -1]);
        double[] logits = [1, 2, 3, -4], expected = new double[4];
        SoftmaxFunctions.SoftmaxRows<double>([3, 0, 7, -3], 2, expected);
        float[] floats = [1, 2, 3, -4];
        scaling.ToProbabilityRows<float>(floats, floats);
        for (int i = 0; i < floats.Length; i++) floats[i].Should().Be((float)expected[i]);
        scaling.ToProbabilityRows<double>(logits, logits);
        logits.ShouldBeCloseTo(expected, 1e-15);
    }

    [Fact]
    public void Misuse_is_named()
    {
        Refuses<ArgumentOutOfRangeException>(() => VectorScaling.Fit([1.0, double.NaN], [0]), "logits", "Row 0 has this logit for class 1*");
        Refuses<ArgumentOutOfRangeException>(() => VectorScaling.Fit([0.0, 0, 1.0, double.NegativeInfinity], [0, 1]), "logits", "Row 1 has this logit for class 1*");
        Refuses<ArgumentOutOfRangeException>(() => VectorScaling.Fit([1.0, 2], [2]), "labels", "Row 0 has label 2*");
        Refuses<ArgumentException>(() => VectorScaling.Fit([1.0, 2, 3], [0, 1]), "logits", "*");
        Refuses<ArgumentException>(() => VectorScaling.Fit([1.0, 2], [0], [0]), "sampleWeights", "Every row has weight 0*");
        Refuses<ArgumentOutOfRangeException>(() => VectorScaling.Fit([1.0, 2], [0], priorRows: -1), "priorRows", "*");
        Refuses<ArgumentOutOfRangeException>(() => VectorScaling.Fit([1.0, 2], [0], priorRows: double.NaN), "priorRows", "*");
        Refuses<ArgumentException>(() => _ = new VectorScaling([], []), "scales", "*");
        Refuses<ArgumentException>(() => _ = new VectorScaling([1, 2], [1]), "offsets", "Needs 2 values but has 1*");
        Refuses<ArgumentException>(() => _ = new VectorScaling([double.NaN], [1]), "scales", "*");
        Refuses<ArgumentException>(() => new VectorScaling([1, 1], [0, 0]).ToProbabilityRows<float>([1, 2, 3], new float[3]), "logits", "*");
        Refuses<ArgumentException>(() => new VectorScaling([1, 1], [0, 0]).ToProbabilities<float>([1, 2, 3, 4], new float[4]), "logits", "*");
        Refuses<ArgumentException>(() => new VectorScaling([1, 1], [0, 0]).ToProbabilityRows<float>([1, 2], new float[1]), "destination", "*");
    }

    /// <summary>Rows of three logits with labels drawn by their scaled probabilities.</summary>
    private static (double[] Logits, int[] Labels) Sample(int rowCount, VectorScaling truth)
    {
        Random random = new(5);
        double[] logits = [.. Enumerable.Range(0, rowCount * 3).Select(_ => (random.NextDouble() * 4) - 2)], row = new double[3];
        int[] labels = new int[rowCount];
        for (int i = 0; i < rowCount; i++)
        {
            truth.ToProbabilities<double>(logits.AsSpan(i * 3, 3), row);
            double draw = random.NextDouble();
            labels[i] = draw < row[0] ? 0 : draw < row[0] + row[1] ? 1 : 2;
        }

        return (logits, labels);
    }

    private static double Objective(VectorProblem problem, double[] point) => problem.LogLoss(point) + problem.Penalty(point);

    private static double[] Gradient(VectorProblem problem, double[] point)
    {
        double[] gradient = new double[point.Length];
        _ = problem.LogLoss(point);
        problem.Gradient(point, gradient);
        return gradient;
    }

    private static double[] Moved(double[] point, int i, double step)
    {
        double[] moved = [.. point];
        moved[i] += step;
        return moved;
    }

    private static double[] LogitsOf(MetricsReference reference) => [.. reference.Probabilities.Select(p => Math.Log(p))];

    private static void Refuses<TException>(Action action, string parameter, string message)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter).WithMessage(message);
}
