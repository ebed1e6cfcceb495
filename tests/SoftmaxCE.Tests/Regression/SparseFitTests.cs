namespace SoftmaxCE.Tests;

/// <summary>What fits do for rows that are nearly all zeros.</summary>
public class SparseFitTests
{
    private const int Classes = 5, RowCount = 400, Features = 900;
    private static readonly int[] Labels = new int[RowCount];
    private static readonly SparseRows<double> Texts = MakeTexts(Features, Labels);

    [Fact]
    public void Products_and_sums_are_those_of_dense_rows_for_any_number_of_classes()
    {
        for (int classes = 2; classes <= 70; classes += 3)
        {
            int[] y = [.. Enumerable.Range(0, RowCount).Select(i => i % classes)];
            SoftmaxRegressionObjective sparse = Objective(Texts, y, classes), dense = Objective(Dense(Texts), y, classes);
            double[] point = Random(sparse.ParameterCount(), classes), of = new double[point.Length], expected = new double[point.Length], fast = new double[point.Length];
            sparse.Evaluate(point, of, precise: true).Should().BeApproximately(dense.Evaluate(point, expected, precise: true), 1e-13);
            sparse.Evaluate(point, fast, precise: false).Should().BeApproximately(dense.Evaluate(point, expected, precise: true), 1e-6);
            for (int i = 0; i < of.Length; i++)
            {
                of[i].Should().BeApproximately(expected[i], 1e-15, $"{classes} classes, parameter {i}");
                fast[i].Should().BeApproximately(expected[i], 1e-7, $"{classes} classes, parameter {i}");
            }
        }
    }

    [Fact]
    public void The_diagonal_of_the_Hessian_is_that_of_its_products()
    {
        SoftmaxRegressionObjective objective = Objective(Texts, Labels, Classes);
        double[] point = Random(objective.ParameterCount(), 3), unit = new double[point.Length], product = new double[point.Length], diagonal = new double[Classes * Features];
        objective.Evaluate(point, product, precise: true);
        objective.HessianDiagonal(diagonal).Should().BeTrue();
        for (int i = 0; i < diagonal.Length; i += 7)
        {
            Array.Clear(unit);
            unit[i] = 1;
            objective.MultiplyHessian(unit, product, precise: true);
            diagonal[i].Should().BeApproximately(product[i] - objective.L2, 1e-6 * product[i]);
        }

        Objective(Dense(Texts), Labels, Classes).HessianDiagonal(diagonal).Should().BeFalse();
    }

    [Theory, InlineData(0.0), InlineData(0.002)]
    public void A_smooth_or_sparse_fit_ends_where_the_fit_of_dense_rows_does(double l1)
    {
        SoftmaxRegressionOptions options = new() { L1 = l1, L2 = 1e-3, Tolerance = 1e-10 };
        SoftmaxRegressionModel sparse = new SoftmaxRegressionTrainer(options).Fit(Texts, Labels), dense = new SoftmaxRegressionTrainer(options).Fit(Dense(Texts), Labels);
        sparse.Training!.StopReason.Should().Be(StopReason.Tolerance);
        sparse.Training.Objective.Should().BeApproximately(dense.Training!.Objective, 1e-10);
        for (int i = 0; i < Classes * Features; i++) sparse.Coefficients.Span[i].Should().BeApproximately(dense.Coefficients.Span[i], 1e-3);
    }

    [Fact]
    public void Columns_that_L1_keeps_out_are_left_out_and_the_others_come_back_to_their_places()
    {
        double[] weights = [.. Enumerable.Range(0, RowCount).Select(i => i % 3 == 0 ? 0.5 : 2.0)], factors = [.. Enumerable.Repeat(1.0, Features)], sizes = new double[Features];
        factors[Features - 2] = 0;
        for (int i = 0; i < RowCount; i++)
        {
            for (int k = (int)Texts.RowStarts.Span[i]; k < Texts.RowStarts.Span[i + 1]; k++) sizes[Texts.Columns.Span[k]] += weights[i] * Math.Abs(Texts.Values.Span[k]) / weights.Sum();
        }

        KeptColumns kept = KeptColumns.Of(Texts, weights, new Penalty(0.002, 0, factors, Features))!;
        double[] all = [.. Enumerable.Range(1, (Classes * Features) + Classes).Select(i => (double)i)], selected = kept.Select(all, Classes);
        int[] wanted = [.. Enumerable.Range(0, Features).Where(j => sizes[j] > 0.002 * factors[j])];
        wanted.Should().NotBeEmpty().And.HaveCountLessThan(Features / 2);
        selected.Take(wanted.Length).Should().Equal(wanted.Select(j => all[j]));
        selected[^Classes..].Should().Equal(all[^Classes..]);
        double[] back = kept.Expand(selected, Classes), row = new double[Features], shorter = new double[wanted.Length];
        for (int i = 0; i < all.Length; i++) back[i].Should().Be(i >= Classes * Features || wanted.Contains(i % Features) ? all[i] : 0);
        for (int i = 0; i < RowCount; i += 37)
        {
            Texts.CopyRow(i, row);
            kept.CopyRow(i, shorter);
            shorter.Should().Equal(wanted.Select(j => row[j]));
        }
    }

    [Fact]
    public void With_columns_left_out_the_gap_still_covers_the_distance_and_training_resumes()
    {
        SoftmaxRegressionOptions options = new() { L1 = 0.002, L2 = 0, Tolerance = 1e-11 };
        TrainingExamples examples = TrainingExamples.FromLabels(Texts, Labels);
        List<TrainingCheckpoint> checkpoints = [];
        SoftmaxRegressionModel sparse = new SoftmaxRegressionTrainer(options).Fit(examples, checkpoints: new Keep(checkpoints));
        SoftmaxRegressionModel dense = new SoftmaxRegressionTrainer(options).Fit(Dense(Texts), Labels);
        sparse.Training!.StopReason.Should().Be(StopReason.Tolerance);
        foreach (TrainingProgress state in sparse.Training.History) (state.Objective - dense.Training!.Objective).Should().BeLessThanOrEqualTo(state.Gap + 1e-14);
        SoftmaxRegressionModel resumed = new SoftmaxRegressionTrainer(options).Resume(examples, checkpoints[1]);
        resumed.Coefficients.ToArray().Should().Equal(sparse.Coefficients.ToArray());
        SoftmaxRegressionModel again = new SoftmaxRegressionTrainer(options).Fit(Texts, Labels, start: sparse);
        again.Training!.Iterations.Should().Be(0);
        again.Coefficients.ToArray().Should().Equal(sparse.Coefficients.ToArray());
    }

    [Fact]
    public void When_L1_keeps_out_every_column_the_model_is_that_of_the_class_shares()
    {
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L1 = 10, L2 = 0 }).Fit(Texts, Labels);
        model.FeatureCount.Should().Be(Features);
        model.Coefficients.ToArray().Should().OnlyContain(w => w == 0);
        model.Training!.StopReason.Should().Be(StopReason.Tolerance);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_named_by_its_own_column()
    {
        double[] values = Texts.Values.ToArray();
        int last = (int)Texts.RowStarts.Span[8] - 1;
        values[last] = double.NaN;
        SparseRows<double> rows = new(values, Texts.Columns, Texts.RowStarts, Features);
        Action fit = () => new SoftmaxRegressionTrainer(new() { L1 = 0.002, L2 = 0 }).Fit(rows, Labels);
        fit.Should().Throw<ArgumentException>().WithMessage($"Row 7*column {Texts.Columns.Span[last]};*");
    }

    private sealed class Keep(List<TrainingCheckpoint> kept) : IProgress<TrainingCheckpoint>
    {
        public void Report(TrainingCheckpoint value) => kept.Add(value);
    }

    private static SoftmaxRegressionObjective Objective(FeatureRows rows, int[] labels, int classes) =>
        new(rows, new Examples(labels, null, classes), new() { L2 = 0.01, MaxDegreeOfParallelism = 2 });

    private static double[] Random(int count, int seed)
    {
        RandomStream random = new(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = SyntheticData.Normal(ref random);
        return values;
    }

    private static DenseRows<double> Dense(SparseRows<double> rows)
    {
        double[] values = new double[rows.RowCount * rows.FeatureCount];
        for (int i = 0; i < rows.RowCount; i++) rows.CopyRow(i, values.AsSpan(i * rows.FeatureCount, rows.FeatureCount));
        return new DenseRows<double>(values, rows.FeatureCount);
    }

    /// <summary>Few values per row; frequent words, and some of the class's own, first.</summary>
    private static SparseRows<double> MakeTexts(int features, int[] labels)
    {
        RandomStream random = new(17);
        List<double> values = [];
        List<int> columns = [];
        List<long> starts = [0];
        for (int i = 0; i < RowCount; i++)
        {
            labels[i] = i < Classes ? i : random.Below(Classes);
            for (int k = 0; k < 1 + random.Below(12); k++)
            {
                double u = random.Uniform();
                int rank = (int)(features * u * u * u);
                int column = random.Below(3) == 0 ? (rank + (labels[i] * 40)) % features : rank;
                if (columns.IndexOf(column, (int)starts[i]) >= 0) continue;
                columns.Add(column);
                values.Add(0.2 + random.Uniform());
            }

            starts.Add(values.Count);
        }

        return new SparseRows<double>(values.ToArray(), columns.ToArray(), starts.ToArray(), features);
    }
}
