namespace SoftmaxCE.Tests;

public class SoftmaxRegressionTrainerTests
{
    private static readonly ReferenceData Data = SyntheticData.Overlapping(rows: 120, features: 5, classes: 3, seed: 2);

    public static TheoryData<Solver> FullBatchSolvers => [Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton];

    [Theory, MemberData(nameof(FullBatchSolvers))]
    public void All_solvers_reach_the_same_optimum_and_certify_it(Solver solver)
    {
        foreach (double l2 in (double[])[1e-8, 1e-4, 0.1, 100])
        {
            TrainingSummary summary = Fit(new() { L2 = l2, Solver = solver, Tolerance = 1e-9 }).Training!;
            double optimum = Fit(new() { L2 = l2, Tolerance = 1e-13 }).Training!.Objective;
            summary.StopReason.Should().Be(StopReason.Tolerance, "L2 = {0}", l2);
            foreach (TrainingProgress state in summary.History) (state.Objective - optimum).Should().BeLessThanOrEqualTo(state.Gap + (1e-14 * optimum));
            summary.Objective.Should().BeApproximately(optimum, 1e-9 * optimum);
        }
    }

    [Theory, MemberData(nameof(FullBatchSolvers))]
    public void The_summary_speaks_of_the_returned_model(Solver solver)
    {
        SoftmaxRegressionModel model = Fit(new() { L2 = 0.01, Solver = solver });
        model.Training!.Objective.Should().BeApproximately(SyntheticData.Objective(Data, model.Coefficients.Span, model.Intercepts.Span, 0.01), 1e-13);
        model.Training.Converged.Should().BeTrue();
        model.Training.History[^1].Iteration.Should().Be(model.Training.Iterations);
        model.Training.History[0].Iteration.Should().Be(0);
        model.ClassNames.Should().Equal("0", "1", "2");
    }

    [Theory, MemberData(nameof(FullBatchSolvers))]
    public void Without_penalty_overlapping_classes_have_an_optimum(Solver solver)
    {
        TrainingSummary summary = Fit(new() { L2 = 0, Solver = solver, Tolerance = 1e-12 }).Training!;
        double penalised = Fit(new() { L2 = 1e-10, Tolerance = 1e-10 }).Training!.Objective;
        summary.StopReason.Should().Be(StopReason.Tolerance);
        summary.Gap.Should().BeLessThanOrEqualTo(1e-12 * summary.Objective);
        summary.Objective.Should().BeLessThanOrEqualTo(penalised);
        summary.Objective.Should().BeApproximately(penalised, 1e-7);
    }

    [Theory, MemberData(nameof(FullBatchSolvers))]
    public void Without_penalty_separable_classes_are_recognised(Solver solver)
    {
        double[] x = [0, 1, 2, 10, 11, 12, 20, 21, 22];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0, Solver = solver }).Fit(new DenseRows<double>(x, 1), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        model.Training!.StopReason.Should().Be(StopReason.Separable);
        model.Coefficients.ToArray().Should().OnlyContain(w => double.IsFinite(w));
        x.Select(v => model.Predict<double>([v])).Should().Equal(0, 0, 0, 1, 1, 1, 2, 2, 2);
    }

    [Theory, MemberData(nameof(FullBatchSolvers))]
    public void Without_penalty_quasi_complete_separation_is_recognised(Solver solver)
    {
        ReferenceData data = ReferenceData.Load("endometrial");
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0, Solver = solver });
        trainer.Fit(data.Rows, data.Labels).Training!.StopReason.Should().Be(StopReason.Separable);
        double[] without = [.. data.Labels.SelectMany((_, i) => data.Features.Skip((3 * i) + 1).Take(2))];          // without the column that does it
        trainer.Fit(new DenseRows<double>(without, 2), data.Labels).Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Fact]
    public void Raw_columns_of_any_scale_duplicates_and_constants_are_no_obstacle()
    {
        double[] scales = [1e-6, 1, 1e6, 1e3, 1e-3];
        List<double> features = [];
        for (int i = 0; i < 120; i++)
        {
            double[] row = [.. Enumerable.Range(0, 5).Select(j => (Data.Features[(i * 5) + j] * scales[j]) + (j == 3 ? 1e5 : 0))];
            features.AddRange([.. row, row[1], 42, 0]);             // a duplicate, a constant, nothing at all
        }

        ReferenceData wild = new([.. features], Data.Labels, 8);
        foreach (double l2 in (double[])[1e-8, 1e-4, 1, 100])
        {
            SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = l2, Tolerance = 1e-10 }).Fit(wild.Rows, wild.Labels);
            model.Training!.StopReason.Should().Be(StopReason.Tolerance, "L2 = {0}", l2);
            model.Training.Objective.Should().BeApproximately(SyntheticData.Objective(wild, model.Coefficients.Span, model.Intercepts.Span, l2), 1e-12);
            model.Coefficients.Span[1].Should().BeApproximately(model.Coefficients.Span[5], 1e-6);
            model.Coefficients.Span[7].Should().Be(0);
        }

        new SoftmaxRegressionTrainer(new() { L2 = 0, Tolerance = 1e-10 }).Fit(wild.Rows, wild.Labels).Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Theory]
    [InlineData(Solver.Newton)]
    [InlineData(Solver.Lbfgs)]
    public void More_columns_than_rows_and_than_the_preconditioner_holds(Solver solver)
    {
        ReferenceData wide = SyntheticData.Overlapping(rows: 60, features: 900, classes: 3, seed: 3);
        foreach (double l2 in (double[])[1e-6, 1e-3, 1])
        {
            TrainingSummary summary = new SoftmaxRegressionTrainer(new() { L2 = l2, Solver = solver, Tolerance = 1e-8 }).Fit(wide.Rows, wide.Labels).Training!;
            summary.StopReason.Should().Be(StopReason.Tolerance, "L2 = {0}", l2);
            summary.Gap.Should().BeLessThanOrEqualTo(1e-8 * summary.Objective);
        }
    }

    [Theory]
    [InlineData(Solver.Newton)]
    [InlineData(Solver.Lbfgs)]
    public void Many_classes_are_certified_too(Solver solver)
    {
        // 80 classes: intercepts by conjugate gradients; 900: no coupled matrix at all.
        foreach (int classes in (int[])[80, 900])
        {
            ReferenceData many = SyntheticData.Overlapping(rows: 2 * classes, features: 12, classes, seed: 6, strength: 3);
            SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 1e-3, Solver = solver, Tolerance = 1e-6 }).Fit(many.Rows, many.Labels);
            model.Training!.StopReason.Should().Be(StopReason.Tolerance, "{0} classes", classes);
            model.Training.Objective.Should().BeApproximately(SyntheticData.Objective(many, model.Coefficients.Span, model.Intercepts.Span, 1e-3), 1e-12);
        }
    }

    [Fact]
    public void L1_with_as_many_columns_as_rows_converges()
    {
        // The shape on which descent from class to class is known to fail: n = p = 20, 3 classes.
        for (int seed = 0; seed < 5; seed++)
        {
            ReferenceData toy = SyntheticData.Overlapping(rows: 20, features: 20, classes: 3, seed);
            foreach (double l1 in (double[])[1e-3, 1e-2, 0.1])
            {
                SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L1 = l1, L2 = 0, Tolerance = 1e-8 }).Fit(toy.Rows, toy.Labels);
                model.Training!.StopReason.Should().Be(StopReason.Tolerance, "seed {0}, L1 = {1}", seed, l1);
                model.Training.Objective.Should().BeApproximately(SyntheticData.Objective(toy, model.Coefficients.Span, model.Intercepts.Span, 0, l1), 1e-12);
                double best = new SoftmaxRegressionTrainer(new() { L1 = l1, L2 = 0, Tolerance = 1e-12 }).Fit(toy.Rows, toy.Labels).Training!.Objective;
                foreach (TrainingProgress state in model.Training.History) (state.Objective - best).Should().BeLessThanOrEqualTo(state.Gap + (1e-13 * best));
            }
        }
    }

    [Fact]
    public void A_strong_L1_penalty_leaves_the_intercepts_alone()
    {
        SoftmaxRegressionModel model = Fit(new() { L1 = 10, L2 = 0 });
        model.Coefficients.ToArray().Should().OnlyContain(w => w == 0);
        double[] p = new double[3];
        model.PredictProbabilities<double>(new double[5], p);
        for (int c = 0; c < 3; c++) p[c].Should().BeApproximately(Data.Labels.Count(y => y == c) / 120.0, 1e-12);
    }

    [Fact]
    public void Dense_sparse_and_float_rows_agree()
    {
        ReferenceData rounded = Data with { Features = [.. Data.Features.Select(v => Math.Max((float)v, 0))] };
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Tolerance = 1e-11 });
        SoftmaxRegressionModel dense = trainer.Fit(rounded.Rows, rounded.Labels), sparse = trainer.Fit(rounded.ToSparse(), rounded.Labels);
        SoftmaxRegressionModel floats = trainer.Fit(new DenseRows<float>(rounded.Features.Select(v => (float)v).ToArray(), 5), rounded.Labels);
        sparse.Training!.Objective.Should().BeApproximately(dense.Training!.Objective, 1e-11);
        floats.Training!.Objective.Should().BeApproximately(dense.Training.Objective, 1e-11);
        floats.Training.StopReason.Should().Be(StopReason.Tolerance);
        for (int i = 0; i < 15; i++) sparse.Coefficients.Span[i].Should().BeApproximately(dense.Coefficients.Span[i], 1e-5);
    }

    [Fact]
    public void Scale_and_offset_are_part_of_the_features()
    {
        byte[] bytes = [.. Data.Features.Select(v => (byte)Math.Clamp(128 + (40 * v), 0, 255))];
        DenseRows<byte> scaled = new(bytes, 5, scale: 0.025, offset: -3.2);
        DenseRows<double> values = new(bytes.Select(b => (b * 0.025) - 3.2).ToArray(), 5);
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Tolerance = 1e-11 });
        SoftmaxRegressionModel fromBytes = trainer.Fit(scaled, Data.Labels), fromValues = trainer.Fit(values, Data.Labels);
        fromBytes.Training!.Objective.Should().BeApproximately(fromValues.Training!.Objective, 1e-11);
        int[] first = new int[120], second = new int[120];
        fromBytes.PredictRows(scaled, first);
        fromBytes.PredictRows(values, second);
        first.Should().Equal(second);
    }

    [Fact]
    public void A_weight_counts_like_as_many_rows()
    {
        float[] weights = [.. Enumerable.Range(0, 120).Select(i => (float)(i % 3))];
        int[] chosen = [.. Enumerable.Range(0, 120).SelectMany(i => Enumerable.Repeat(i, i % 3))];
        ReferenceData repeated = new([.. chosen.SelectMany(i => Data.Features[(i * 5)..((i + 1) * 5)])], [.. chosen.Select(i => Data.Labels[i])], 5);
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Tolerance = 1e-12 });
        SoftmaxRegressionModel weighted = trainer.Fit(Data.Rows, Data.Labels, weights), plain = trainer.Fit(repeated.Rows, repeated.Labels);
        weighted.Training!.Objective.Should().BeApproximately(plain.Training!.Objective, 1e-11);
        for (int i = 0; i < 15; i++) weighted.Coefficients.Span[i].Should().BeApproximately(plain.Coefficients.Span[i], 1e-5);
    }

    [Fact]
    public void Class_weights_multiply_sample_weights()
    {
        double[] classWeights = [1, 5, 0.5];
        float[] asSamples = [.. Data.Labels.Select(y => (float)classWeights[y])];
        SoftmaxRegressionModel byClass = Fit(new() { L2 = 0.01, ClassWeights = classWeights }), bySample = new SoftmaxRegressionTrainer(new() { L2 = 0.01 }).Fit(Data.Rows, Data.Labels, asSamples);
        byClass.Coefficients.ToArray().Should().Equal(bySample.Coefficients.ToArray());
    }

    [Fact]
    public void Renaming_classes_and_reordering_columns_permutes_the_model()
    {
        int[] classOrder = [2, 0, 1], columnOrder = [4, 2, 0, 1, 3];
        double[] features = [.. Enumerable.Range(0, 120 * 5).Select(k => Data.Features[(k / 5 * 5) + columnOrder[k % 5]])];
        ReferenceData permuted = new(features, [.. Data.Labels.Select(y => classOrder[y])], 5);
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Tolerance = 1e-13 });
        SoftmaxRegressionModel original = trainer.Fit(Data.Rows, Data.Labels), other = trainer.Fit(permuted.Rows, permuted.Labels);
        for (int c = 0; c < 3; c++)
        {
            for (int j = 0; j < 5; j++) other.Coefficients.Span[(classOrder[c] * 5) + j].Should().BeApproximately(original.Coefficients.Span[(c * 5) + columnOrder[j]], 1e-6);
        }
    }

    [Fact]
    public void Two_classes_are_the_sigmoid_of_the_difference()
    {
        ReferenceData two = SyntheticData.Overlapping(200, 4, 2, seed: 4);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0.01, Tolerance = 1e-12 }).Fit(two.Rows, two.Labels);
        for (int j = 0; j < 4; j++) model.Coefficients.Span[j].Should().BeApproximately(-model.Coefficients.Span[4 + j], 1e-7);
        double[] p = new double[2], z = new double[2];
        model.PredictProbabilities<double>(two.Features.AsSpan(0, 4), p);
        model.PredictLogits<double>(two.Features.AsSpan(0, 4), z);
        p[1].Should().BeApproximately(1 / (1 + Math.Exp(z[0] - z[1])), 1e-15);
    }

    [Fact]
    public void Without_intercepts_they_stay_0()
    {
        SoftmaxRegressionModel model = Fit(new() { L2 = 0.01, FitIntercepts = false, Tolerance = 1e-10 });
        model.Intercepts.ToArray().Should().Equal(0, 0, 0);
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
        model.Training.Objective.Should().BeGreaterThan(Fit(new() { L2 = 0.01, Tolerance = 1e-10 }).Training!.Objective);
    }

    [Fact]
    public void A_warm_start_at_the_optimum_is_done_at_once()
    {
        SoftmaxRegressionTrainer trainer = new(new() { L2 = 0.01, Tolerance = 1e-9 });
        SoftmaxRegressionModel first = trainer.Fit(Data.Rows, Data.Labels), again = trainer.Fit(Data.Rows, Data.Labels, start: first);
        again.Training!.Iterations.Should().Be(0);
        again.Coefficients.ToArray().Should().Equal(first.Coefficients.ToArray());
    }

    [Fact]
    public void String_labels_are_sorted_and_kept()
    {
        string[] names = ["dog", "ant", "cat"];
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0.01 }).Fit(Data.Rows, [.. Data.Labels.Select(y => names[y])]);
        SoftmaxRegressionModel numeric = Fit(new() { L2 = 0.01 });
        model.ClassNames.Should().Equal("ant", "cat", "dog");
        int[] order = [2, 0, 1];
        for (int c = 0; c < 3; c++) model.Intercepts.Span[order[c]].Should().BeApproximately(numeric.Intercepts.Span[c], 1e-3);
        new SoftmaxRegressionTrainer(new() { L2 = 0.01 }).Fit(Data.Rows, [.. Data.Labels.Select(y => names[y])], start: model).Training!.Iterations.Should().Be(0);
    }

    private static SoftmaxRegressionModel Fit(SoftmaxRegressionOptions options) => new SoftmaxRegressionTrainer(options).Fit(Data.Rows, Data.Labels);
}
