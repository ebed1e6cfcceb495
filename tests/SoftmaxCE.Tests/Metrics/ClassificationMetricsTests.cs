using System.Globalization;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ClassificationMetricsTests
{
    private const double Rounding = 1e-12;

    [Theory, MemberData(nameof(MetricsReference.Names), MemberType = typeof(MetricsReference))]
    public void Equals_the_reference(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        AssertEquals(reference.Measure(), reference, Rounding);
    }

    [Theory, MemberData(nameof(MetricsReference.Names), MemberType = typeof(MetricsReference))]
    public void Rows_added_one_by_one_give_the_same_bits_as_a_batch(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        ClassificationMetrics metrics = new(reference.ClassCount);
        for (int row = 0; row < reference.Labels.Length; row++)
            metrics.Add(reference.Labels[row], RowOf(reference, row), reference.Weights.Length == 0 ? 1 : reference.Weights[row]);
        metrics.ToString().Should().Be(reference.Measure().ToString());
        metrics.LogLoss.Should().Be(reference.Measure().LogLoss);
        metrics.BrierScore.Should().Be(reference.Measure().BrierScore);
    }

    [Theory, MemberData(nameof(MetricsReference.Names), MemberType = typeof(MetricsReference))]
    public void Merged_parts_equal_the_whole(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        ClassificationMetrics whole = new(reference.ClassCount);
        for (int part = 0; part < 3; part++)
        {
            ClassificationMetrics metrics = new(reference.ClassCount);
            for (int row = part; row < reference.Labels.Length; row += 3)
                metrics.Add(reference.Labels[row], RowOf(reference, row), reference.Weights.Length == 0 ? 1 : reference.Weights[row]);
            whole.Merge(metrics);
        }

        whole.RowCount.Should().Be(reference.Labels.Length);
        AssertEquals(whole, reference, Rounding);
    }

    [Fact]
    public void Float_probabilities_give_the_scores_of_their_exact_values()
    {
        MetricsReference reference = MetricsReference.Named("5 classes");
        float[] rounded = [.. reference.Probabilities.Select(p => (float)p)];
        ClassificationMetrics fromFloat = new(5);
        fromFloat.AddRows<float>(rounded, reference.Labels);
        ClassificationMetrics fromDouble = new(5);
        fromDouble.AddRows<double>([.. rounded.Select(p => (double)p)], reference.Labels);
        fromFloat.LogLoss.Should().Be(fromDouble.LogLoss).And.BeApproximately(reference.Number("logLoss"), 1e-6);
        fromFloat.BrierScore.Should().Be(fromDouble.BrierScore);
    }

    [Fact]
    public void Half_probabilities_are_accepted_despite_their_coarse_sums()
    {
        Half[] row = new Half[1000];
        Array.Fill(row, (Half)0.001);
        ClassificationMetrics metrics = new(1000);
        metrics.Add<Half>(7, row);
        metrics.LogLoss.Should().BeApproximately(Math.Log(1000), 1e-3);
    }

    [Fact]
    public void A_label_of_probability_zero_costs_infinity_and_is_not_clipped()
    {
        ClassificationMetrics metrics = new(2);
        metrics.Add<double>(0, [0, 1]);
        metrics.Add<double>(1, [0, 1]);
        metrics.LogLoss.Should().Be(double.PositiveInfinity);
        metrics.ClassLogLoss(0).Should().Be(double.PositiveInfinity);
        metrics.ClassLogLoss(1).Should().Be(0);
        metrics.Perplexity.Should().Be(double.PositiveInfinity);
    }

    [Fact]
    public void A_row_of_weight_zero_counts_as_a_row_and_adds_nothing_else()
    {
        ClassificationMetrics metrics = new(2);
        metrics.Add<double>(0, [0, 1], weight: 0);
        metrics.Add<double>(1, [0.25, 0.75], weight: 2);
        metrics.RowCount.Should().Be(2);
        metrics.WeightSum.Should().Be(2);
        metrics.LogLoss.Should().BeApproximately(-Math.Log(0.75), 1e-15);
        metrics.Accuracy.Should().Be(1);
    }

    [Fact]
    public void Without_rows_every_score_is_NaN()
    {
        ClassificationMetrics metrics = new(3);
        double[] scores =
        [
            metrics.LogLoss, metrics.Perplexity, metrics.PriorLogLoss, metrics.LogLossReduction, metrics.Accuracy, metrics.MajorityAccuracy, metrics.BalancedAccuracy,
            metrics.MatthewsCorrelation, metrics.CohenKappa, metrics.BrierScore, metrics.TopKAccuracy(2), metrics.ClassLogLoss(1), metrics.Calibration.ExpectedError,
            metrics.Calibration.MaximumError, metrics.Calibration.DebiasedSquaredError, metrics.Confusion.Macro.F1, metrics.Confusion.Micro.F1, metrics.Confusion.Weighted.F1,
        ];
        scores.Should().OnlyContain(score => double.IsNaN(score));
        metrics.ToString().Should().Contain("NaN");
    }

    [Fact]
    public void Class_log_losses_average_to_the_log_loss()
    {
        ClassificationMetrics metrics = MetricsReference.Named("9 classes, weighted").Measure();
        Enumerable.Range(0, 9).Sum(label => metrics.ClassLogLoss(label) * metrics.Confusion.ForClass(label).Support / metrics.WeightSum)
            .Should().BeApproximately(metrics.LogLoss, Rounding);
    }

    [Fact]
    public void The_log_loss_of_a_million_equal_rows_is_that_of_one()
    {
        ClassificationMetrics metrics = new(2);
        for (int row = 0; row < 1_000_000; row++) metrics.Add<float>(0, [0.1f, 0.9f]);
        metrics.LogLoss.Should().BeApproximately(-Math.Log(0.1f), 1e-15);
    }

    [Fact]
    public void Adding_rows_does_not_allocate()
    {
        MetricsReference reference = MetricsReference.Named("9 classes, weighted");
        ClassificationMetrics metrics = new(9);
        metrics.AddRows<double>(reference.Probabilities, reference.Labels, reference.Weights);
        long before = GC.GetAllocatedBytesForCurrentThread();
        metrics.AddRows<double>(reference.Probabilities, reference.Labels, reference.Weights);
        metrics.Add(0, RowOf(reference, 0));
        GC.GetAllocatedBytesForCurrentThread().Should().Be(before);
    }

    [Fact]
    public void The_order_of_rows_does_not_matter()
    {
        Gen.Int[0, 1000].Sample(seed =>
        {
            MetricsReference reference = MetricsReference.Named("9 classes, weighted");
            int[] order = [.. Enumerable.Range(0, reference.Labels.Length)];
            new Random(seed).Shuffle(order);
            ClassificationMetrics metrics = new(9);
            foreach (int row in order) metrics.Add(reference.Labels[row], RowOf(reference, row), reference.Weights[row]);
            AssertEquals(metrics, reference, Rounding);
        }, iter: 20);
    }

    [Theory]
    [InlineData(new[] { 0.5, 0.6 }, "Row 1 has this sum; *Softmax first*")]
    [InlineData(new[] { 1.5, -0.5 }, "Row 1 has this value for class 1*")]
    [InlineData(new[] { double.NaN, 0.5 }, "Row 1 has this value for class 0*")]
    [InlineData(new[] { double.PositiveInfinity, 0.5 }, "Row 1 has this sum*")]
    public void A_bad_row_is_named_and_nothing_is_added(double[] badRow, string message)
    {
        ClassificationMetrics metrics = new(2);
        Refuses<ArgumentOutOfRangeException>(() => metrics.AddRows<double>([0.5, 0.5, .. badRow], [0, 1]), "probabilities", message);
        metrics.RowCount.Should().Be(0);
    }

    [Fact]
    public void Bad_labels_weights_and_lengths_are_named_and_nothing_is_added()
    {
        ClassificationMetrics metrics = new(2);
        Refuses<ArgumentOutOfRangeException>(() => metrics.AddRows<float>([0.5f, 0.5f, 0.5f, 0.5f], [0, 2]), "labels", "Row 1 has label 2*2 classes*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.AddRows<float>([0.5f, 0.5f, 0.5f, 0.5f], [-1, 0]), "labels", "Row 0 has label -1*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.AddRows<float>([0.5f, 0.5f, 0.5f, 0.5f], [0, 1], [1, float.NaN]), "sampleWeights", "Row 1*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.AddRows<float>([0.5f, 0.5f, 0.5f, 0.5f], [0, 1], [1, -1]), "sampleWeights", "Row 1*");
        Refuses<ArgumentException>(() => metrics.AddRows<float>([0.5f, 0.5f, 0.5f, 0.5f], [0, 1], [1]), "sampleWeights", "Needs 2 values but has 1*");
        Refuses<ArgumentException>(() => metrics.AddRows<float>([0.5f, 0.5f, 1], [0, 1]), "probabilities", "Needs 4 values but has 3*");
        Refuses<ArgumentException>(() => metrics.Add<float>(0, [1]), "probabilities", "Needs 2 values but has 1*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.Add<float>(2, [0, 1]), "label", "There are 2 classes*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.Add<float>(1, [0, 1], double.NaN), "weight", "*");
        Refuses<ArgumentException>(() => metrics.Merge(new ClassificationMetrics(3)), "other", "Needs 2 classes but has 3*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.TopKAccuracy(0), "k", "*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.TopKAccuracy(3), "k", "*");
        Refuses<ArgumentOutOfRangeException>(() => metrics.ClassLogLoss(2), "label", "*");
        Refuses<ArgumentOutOfRangeException>(() => _ = new ClassificationMetrics(0), "classCount", "*");
        Refuses<ArgumentException>(() => _ = new ClassificationMetrics([]), "classNames", "*");
        metrics.RowCount.Should().Be(0);
        metrics.WeightSum.Should().Be(0);
    }

    [Fact]
    public void The_table_reads_well_in_any_culture()
    {
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        ClassificationMetrics metrics = new(["ant", "bee"]);
        metrics.AddRows<double>([0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 0.25, 0.75], [0, 1, 1, 1]);
        metrics.ToString().Should().Be("""
            rows 4                 model  baseline
            log-loss (nats)       0.3890    0.5623
            log-loss reduction    0.3082    0.0000
            perplexity            1.4756    1.7548
            accuracy              0.7500    0.7500
            balanced accuracy     0.8333
            Brier score           0.2188
            Matthews correlation  0.5774    0.0000
            Cohen's kappa         0.5000    0.0000
            calibration error     0.3125

            class             precision  recall      F1  support
            ant                  0.5000  1.0000  0.6667        1
            bee                  1.0000  0.6667  0.8000        3
            macro average        0.7500  0.8333  0.7333        4
            weighted average     0.8750  0.7500  0.7667        4

            """.ReplaceLineEndings("\n"));
    }

    private static ReadOnlySpan<double> RowOf(MetricsReference reference, int row) => reference.Probabilities.AsSpan(row * reference.ClassCount, reference.ClassCount);

    private static void Refuses<TException>(Action action, string parameter, string message)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter).WithMessage(message);

    private static void AssertEquals(ClassificationMetrics metrics, MetricsReference reference, double tolerance)
    {
        metrics.LogLoss.ShouldBeCloseTo(reference.Number("logLoss"), tolerance, "log-loss");
        metrics.Perplexity.ShouldBeCloseTo(Math.Exp(reference.Number("logLoss")), tolerance, "perplexity");
        metrics.PriorLogLoss.ShouldBeCloseTo(reference.Number("priorLogLoss"), tolerance, "prior log-loss");
        metrics.LogLossReduction.ShouldBeCloseTo(reference.Number("logLossReduction"), tolerance, "log-loss reduction");
        metrics.Accuracy.ShouldBeCloseTo(reference.Number("accuracy"), tolerance, "accuracy");
        metrics.BalancedAccuracy.ShouldBeCloseTo(reference.Number("balancedAccuracy"), tolerance, "balanced accuracy");
        metrics.BrierScore.ShouldBeCloseTo(reference.Number("brier"), tolerance, "Brier score");
        metrics.MatthewsCorrelation.ShouldBeCloseTo(reference.Number("matthews"), tolerance, "Matthews");
        metrics.CohenKappa.ShouldBeCloseTo(reference.Number("kappa"), tolerance, "kappa");
        Enumerable.Range(1, reference.ClassCount).Select(metrics.TopKAccuracy).ShouldBeCloseTo(reference.Numbers("topK"), tolerance, "top-k");
        metrics.Calibration.ExpectedError.ShouldBeCloseTo(reference.Number("calibration", "expected"), tolerance, "expected calibration error");
        metrics.Calibration.MaximumError.ShouldBeCloseTo(reference.Number("calibration", "maximum"), tolerance, "maximum calibration error");
        metrics.Calibration.RootMeanSquareError.ShouldBeCloseTo(reference.Number("calibration", "rootMeanSquare"), tolerance, "rms calibration error");
        metrics.Calibration.DebiasedSquaredError.ShouldBeCloseTo(reference.Number("calibration", "debiasedSquared"), tolerance, "debiased calibration error");
    }
}
