using System.Globalization;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ConfusionMatrixTests
{
    private const double Rounding = 1e-12;

    [Theory, MemberData(nameof(MetricsReference.Names), MemberType = typeof(MetricsReference))]
    public void Equals_the_reference(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        ConfusionMatrix matrix = reference.Measure().Confusion;
        int[] classes = [.. Enumerable.Range(0, reference.ClassCount)];
        classes.SelectMany(label => classes.Select(predicted => matrix[label, predicted])).Should().Equal(reference.Numbers("confusion"));
        matrix.PerClass().Select(scores => scores.Precision).ShouldBeCloseTo(reference.Numbers("precision"), Rounding, "precision");
        matrix.PerClass().Select(scores => scores.Recall).ShouldBeCloseTo(reference.Numbers("recall"), Rounding, "recall");
        matrix.PerClass().Select(scores => scores.F1).ShouldBeCloseTo(reference.Numbers("f1"), Rounding, "F1");
        matrix.PerClass().Select(scores => scores.Support).ShouldBeCloseTo(reference.Numbers("support"), Rounding, "support");
        Triple(matrix.Macro).ShouldBeCloseTo(reference.Numbers("averages", "macro"), Rounding, "macro");
        Triple(matrix.Micro).ShouldBeCloseTo(reference.Numbers("averages", "micro"), Rounding, "micro");
        Triple(matrix.Weighted).ShouldBeCloseTo(reference.Numbers("averages", "weighted"), Rounding, "weighted");
    }

    [Fact]
    public void The_most_confused_pairs_come_heaviest_first_and_leave_out_the_right_ones()
    {
        ConfusionMatrix matrix = new(3);
        matrix.AddRows([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2], [0, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2], default);
        matrix.MostConfusedPairs(10).Should().Equal(new ConfusedPair(1, 2, 2), new ConfusedPair(2, 0, 2), new ConfusedPair(0, 1, 1), new ConfusedPair(2, 1, 1));
        matrix.MostConfusedPairs(1).Should().Equal(new ConfusedPair(1, 2, 2));
        matrix.MostConfusedPairs(0).Should().BeEmpty();
    }

    [Fact]
    public void Weights_are_counted()
    {
        ConfusionMatrix matrix = new(2);
        matrix.AddRows([0, 1, 1], [0, 1, 0], [0.5f, 2, 0.25f]);
        matrix.Add(0, 0, 1.5);
        matrix[0, 0].Should().Be(2);
        matrix[1, 1].Should().Be(2);
        matrix[1, 0].Should().Be(0.25);
        matrix.WeightSum.Should().Be(4.25);
        matrix.RowCount.Should().Be(4);
    }

    [Theory, InlineData(3), InlineData(PairCounts.LargestDense), InlineData(PairCounts.LargestDense + 1), InlineData(100_000)]
    public void Any_number_of_classes_gives_the_same_scores(int classCount)
    {
        int last = classCount - 1;
        ConfusionMatrix matrix = new(classCount);
        matrix.AddRows([0, 0, 1, last, last, last], [0, 1, 1, last, 0, 0]);
        matrix[last, 0].Should().Be(2);
        matrix[0, last].Should().Be(0);
        matrix.Accuracy.Should().Be(0.5);
        matrix.BalancedAccuracy.Should().BeApproximately((0.5 + 1 + (1 / 3.0)) / 3, 1e-15);
        matrix.Macro.Precision.Should().BeApproximately(((1 / 3.0) + 0.5 + 1) / 3, 1e-15);
        matrix.MostConfusedPairs(5).Should().Equal(new ConfusedPair(last, 0, 2), new ConfusedPair(0, 1, 1));
        ConfusionMatrix merged = new(classCount);
        merged.Merge(matrix);
        merged.Merge(matrix);
        merged[last, 0].Should().Be(4);
        merged.RowCount.Should().Be(12);
    }

    [Fact]
    public void Merging_with_itself_doubles_the_counts()
    {
        ConfusionMatrix matrix = new(2);
        matrix.Add(0, 1);
        matrix.Merge(matrix);
        matrix[0, 1].Should().Be(2);
        matrix.RowCount.Should().Be(2);
    }

    [Fact]
    public void The_table_is_aligned_in_any_culture()
    {
        CultureInfo.CurrentCulture = new CultureInfo("fr-FR");
        ConfusionMatrix matrix = new(["setosa", "versi\ncolor", "a name that is much too long for a table"]);
        matrix.Add(0, 0, 1250);
        matrix.Add(1, 2, 0.5);
        matrix.Add(2, 2, 30);
        matrix.ToString().Should().Be("""
            label \ predicted         setosa  versi color  a name that is much too…    total
            setosa                      1250            0                         0     1250
            versi color                    0            0                      0.50     0.50
            a name that is much too…       0            0                        30       30
            total                       1250            0                     30.50  1280.50

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Many_classes_print_as_their_most_confused_pairs()
    {
        ConfusionMatrix matrix = new(26);
        matrix.AddRows([3, 3, 3, 25], [3, 4, 4, 0]);
        matrix.ToString().Should().Be("""
            label  predicted  weight  share of label
            3              4       2          0.6667
            25             0       1          1.0000

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Misuse_is_named_and_adds_nothing()
    {
        ConfusionMatrix matrix = new(2);
        Refuses<ArgumentOutOfRangeException>(() => matrix.Add(2, 0), "label");
        Refuses<ArgumentOutOfRangeException>(() => matrix.Add(0, -1), "predicted");
        Refuses<ArgumentOutOfRangeException>(() => matrix.Add(0, 0, double.PositiveInfinity), "weight");
        Refuses<ArgumentOutOfRangeException>(() => matrix.AddRows([0, 2], [0, 0]), "labels");
        Refuses<ArgumentOutOfRangeException>(() => matrix.AddRows([0, 0], [0, 2]), "predicted");
        Refuses<ArgumentException>(() => matrix.AddRows([0, 0], [0]), "predicted");
        Refuses<ArgumentOutOfRangeException>(() => matrix.AddRows([0, 0], [0, 1], [1, -1]), "sampleWeights");
        Refuses<ArgumentException>(() => matrix.Merge(new ConfusionMatrix(3)), "other");
        Refuses<ArgumentOutOfRangeException>(() => _ = matrix[2, 0], "label");
        Refuses<ArgumentOutOfRangeException>(() => _ = matrix[0, 2], "predicted");
        Refuses<ArgumentOutOfRangeException>(() => matrix.ForClass(2), "label");
        Refuses<ArgumentOutOfRangeException>(() => matrix.MostConfusedPairs(-1), "count");
        matrix.RowCount.Should().Be(0);
    }

    private static double[] Triple(PrecisionRecall scores) => [scores.Precision, scores.Recall, scores.F1];

    private static void Refuses<TException>(Action action, string parameter)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter);
}
