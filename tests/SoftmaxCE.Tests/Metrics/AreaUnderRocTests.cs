using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class AreaUnderRocTests
{
    private const double Rounding = 1e-12;

    [Theory, MemberData(nameof(MetricsReference.Names), MemberType = typeof(MetricsReference))]
    public void Equals_the_reference(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        AreasUnderRoc rest = AreaUnderRoc.OneVersusRest<double>(reference.Probabilities, reference.Labels, reference.Weights);
        rest.PerClass.ShouldBeCloseTo(reference.Numbers("areas", "oneVersusRest"), Rounding, "one versus rest");
        if (reference.Has("areas", "oneVersusRestMacro"))
        {
            rest.Macro.ShouldBeCloseTo(reference.Number("areas", "oneVersusRestMacro"), Rounding, "macro");
            rest.Weighted.ShouldBeCloseTo(reference.Number("areas", "oneVersusRestWeighted"), Rounding, "weighted");
        }

        if (!reference.Has("areas", "oneVersusOneMacro")) return;
        AreasUnderRoc one = AreaUnderRoc.OneVersusOne<double>(reference.Probabilities, reference.Labels);
        one.Macro.ShouldBeCloseTo(reference.Number("areas", "oneVersusOneMacro"), Rounding, "one versus one, macro");
        one.Weighted.ShouldBeCloseTo(reference.Number("areas", "oneVersusOneWeighted"), Rounding, "one versus one, weighted");
    }

    [Fact]
    public void Is_the_share_of_pairs_in_the_right_order()
    {
        Gen.Select(Gen.Int[-3, 3], Gen.Bool, Gen.Int[0, 3]).Array[0, 30].Sample(rows =>
        {
            double area = AreaUnderRoc.Binary<float>([.. rows.Select(row => (float)row.Item1)], [.. rows.Select(row => row.Item2)], [.. rows.Select(row => (float)row.Item3)]);
            double ordered = 0;
            double pairs = 0;
            foreach ((int score, bool positive, int weight) in rows)
            {
                foreach ((int otherScore, bool otherPositive, int otherWeight) in rows)
                {
                    if (!positive || otherPositive) continue;
                    pairs += weight * otherWeight;
                    ordered += weight * otherWeight * (score > otherScore ? 1 : score == otherScore ? 0.5 : 0);
                }
            }

            return pairs == 0 ? double.IsNaN(area) : Math.Abs(area - (ordered / pairs)) < Rounding;
        });
    }

    [Fact]
    public void A_weight_counts_like_that_many_rows_in_every_mode()
    {
        MetricsReference reference = MetricsReference.Named("3 classes");
        float[] weights = [.. reference.Labels.Select((_, row) => (float)(row % 3))];
        int[] repeated = [.. Enumerable.Range(0, weights.Length).SelectMany(row => Enumerable.Repeat(row, (int)weights[row]))];
        double[] probabilities = [.. repeated.SelectMany(row => reference.Probabilities.Skip(row * 3).Take(3))];
        int[] labels = [.. repeated.Select(row => reference.Labels[row])];
        AreasUnderRoc weighted = AreaUnderRoc.OneVersusOne<double>(reference.Probabilities, reference.Labels, weights);
        AreasUnderRoc expected = AreaUnderRoc.OneVersusOne<double>(probabilities, labels);
        weighted.PerClass.ShouldBeCloseTo([.. expected.PerClass], Rounding, "per class");
        weighted.Macro.ShouldBeCloseTo(expected.Macro, Rounding, "macro");
        weighted.Weighted.ShouldBeCloseTo(expected.Weighted, Rounding, "weighted");
    }

    [Fact]
    public void Classes_that_do_not_occur_are_left_out_of_the_means()
    {
        double[] scores = [0.5, 0.3, 0.2, 0.1, 0.7, 0.2, 0.6, 0.3, 0.1];
        AreasUnderRoc rest = AreaUnderRoc.OneVersusRest<double>(scores, [0, 1, 0]);
        rest.PerClass.Should().Equal(1, 1, double.NaN);
        rest.Macro.Should().Be(1);
        AreasUnderRoc one = AreaUnderRoc.OneVersusOne<double>(scores, [0, 1, 0]);
        one.PerClass.Should().Equal(1, 1, double.NaN);
        one.Weighted.Should().Be(1);
    }

    [Fact]
    public void Infinite_scores_are_ranked()
    {
        AreaUnderRoc.Binary([double.NegativeInfinity, 0, double.PositiveInfinity], [false, false, true]).Should().Be(1);
        AreaUnderRoc.Binary([double.NegativeInfinity, double.NegativeInfinity], [false, true]).Should().Be(0.5);
    }

    [Fact]
    public void Misuse_is_named()
    {
        Refuses<ArgumentOutOfRangeException>(() => AreaUnderRoc.Binary([double.NaN], [true]), "scores");
        Refuses<ArgumentException>(() => AreaUnderRoc.Binary([0.5], [true, false]), "positive");
        Refuses<ArgumentException>(() => AreaUnderRoc.OneVersusRest([0.5, 0.5, 0.1], [0, 1]), "scores");
        Refuses<ArgumentOutOfRangeException>(() => AreaUnderRoc.OneVersusOne([0.5, 0.5], [2]), "labels");
        Refuses<ArgumentOutOfRangeException>(() => AreaUnderRoc.OneVersusOne([0.5, double.NaN], [1]), "scores");
        Refuses<ArgumentOutOfRangeException>(() => AreaUnderRoc.OneVersusRest([0.5, 0.5], [1], [float.PositiveInfinity]), "sampleWeights");
    }

    private static void Refuses<TException>(Action action, string parameter)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter);
}
