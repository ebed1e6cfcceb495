using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class SeparationCheckTests
{
    private static readonly ReferenceData Iris = ReferenceData.Load("iris");

    [Fact]
    public void Complete_separation_of_three_classes_on_a_line()
    {
        Separation separation = Find([0, 1, 2, 10, 11, 12, 20, 21, 22], 1, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        separation.Kind.Should().Be(SeparationKind.Complete);
        separation.Classes.Should().Equal(new SeparatedClasses(0, 1, 6, 6), new SeparatedClasses(0, 2, 6, 6), new SeparatedClasses(1, 2, 6, 6));
        separation.Classes.Should().OnlyContain(pair => pair.Complete);
    }

    [Fact]
    public void A_column_that_is_on_for_one_class_only_is_quasi_complete_and_the_only_one_named()
    {
        // Column 1 is 1 for rows of class 1 alone; column 0 overlaps.
        double[] features = [0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 1, 1, 3, 1];
        Separation separation = Find(features, 2, [0, 0, 1, 1, 0, 1, 1]);
        separation.Kind.Should().Be(SeparationKind.QuasiComplete);
        separation.Classes.Should().Equal(new SeparatedClasses(0, 1, 2, 7));
        InfiniteCoefficient infinite = separation.Coefficients.Should().ContainSingle().Subject;
        (infinite.Label, infinite.Column).Should().Be((1, 1));
        infinite.Direction.Should().BePositive();
        separation.Direction.ToArray().Should().Equal(0, 0, 0, infinite.Direction);
        separation.InterceptDirection.ToArray().Should().Equal(0, 0);
        separation.ToString().Should().Be("Quasi-complete separation: the likelihood has no maximum.\n  class 0 from class 1: 2 of 7 rows\nInfinite coefficients:\n  column 1 of class 1: +∞\n");
        separation.Describe(["low", "high"], ["height", "sign"]).Should().Contain("low from high: 2 of 7 rows").And.Contain("sign of high: +∞");
    }

    [Fact]
    public void A_boundary_that_both_classes_touch_is_quasi_complete()
    {
        Separation separation = Find([1, 2, 3, 3, 4, 5], 1, [0, 0, 0, 1, 1, 1]);
        separation.Kind.Should().Be(SeparationKind.QuasiComplete);
        separation.Classes.Should().Equal(new SeparatedClasses(0, 1, 4, 6));
        (separation.InterceptDirection.Span[1] / separation.Direction.Span[1]).Should().BeApproximately(-3, 1e-6);
        Find([1, 2, 3, 3, 4, 5], 1, [0, 0, 1, 0, 1, 1]).Kind.Should().Be(SeparationKind.QuasiComplete);
        Find([1, 2, 4, 3, 4, 5], 1, [0, 0, 0, 1, 1, 1]).Kind.Should().Be(SeparationKind.None);
    }

    [Fact]
    public void Endometrial_cancer_has_an_infinite_coefficient_of_neovasculation()
    {
        ReferenceData data = ReferenceData.Load("endometrial");          // Heinze, Schemper 2002
        Separation separation = SeparationCheck.Find(data.Rows, data.Labels);
        separation.Kind.Should().Be(SeparationKind.QuasiComplete);
        separation.Coefficients.Should().ContainSingle().Which.Should().Match<InfiniteCoefficient>(c => c.Label == 1 && c.Column == 0 && c.Direction > 0);
        separation.Classes.Should().Equal(new SeparatedClasses(0, 1, 13, 79));
    }

    [Fact]
    public void In_iris_setosa_is_separated_and_the_other_two_overlap()
    {
        Separation separation = SeparationCheck.Find(Iris.Rows, Iris.Labels);
        separation.Kind.Should().Be(SeparationKind.QuasiComplete);
        separation.Classes.Should().Equal(new SeparatedClasses(0, 1, 100, 100), new SeparatedClasses(0, 2, 100, 100));
        separation.Coefficients.Should().OnlyContain(coefficient => coefficient.Label == 0);
        MarginsHold(Iris, separation);

        SeparationCheck.Find(new DenseRows<double>(Iris.Features.AsMemory(200), 4), [.. Iris.Labels.Skip(50).Select(label => label - 1)]).Kind.Should().Be(SeparationKind.None);
        Separation setosa = SeparationCheck.Find(Iris.Rows, [.. Iris.Labels.Select(label => Math.Min(label, 1))]);
        setosa.Kind.Should().Be(SeparationKind.Complete);
        setosa.Classes.Should().Equal(new SeparatedClasses(0, 1, 150, 150));
    }

    [Theory, InlineData("anes96", SeparationKind.None), InlineData("wine", SeparationKind.Complete), InlineData("breast_cancer", SeparationKind.Complete)]
    public void Real_data_in_raw_units(string name, SeparationKind kind)
    {
        ReferenceData data = ReferenceData.Load(name);
        Separation separation = SeparationCheck.Find(data.Rows, data.Labels);
        separation.Kind.Should().Be(kind);
        if (kind != SeparationKind.None) MarginsHold(data, separation);
    }

    /// <summary>Small tables of whole numbers against the simplex method in fractions: the kind and how many pairs are separated.</summary>
    [Fact]
    public void Equals_linear_programming_in_exact_fractions() =>
        Gen.Select(Gen.Int[2, 4], Gen.Int[1, 3], Gen.Int[4, 9], Gen.Bool, Gen.Int[1, 3], Gen.Int[0, int.MaxValue]).Sample(EqualsLinearProgramming);

    /// <summary>Cases in which curvature that is rounding was scaled until it counted.</summary>
    [Theory]
    [InlineData(3, 2, 5, false, 3, 231990908)]
    [InlineData(2, 2, 7, true, 1, 21137600)]
    [InlineData(4, 2, 7, false, 1, 682743410)]
    [InlineData(4, 3, 8, false, 2, 21279644)]
    public void Pairs_that_leave_a_direction_free_are_seen_to(int classes, int featureCount, int rows, bool intercepts, int range, int seed) =>
        EqualsLinearProgramming(classes, featureCount, rows, intercepts, range, seed);

    /// <summary>Two groups of rows that overlap in themselves, apart along one direction at most: from nearly separated to well mixed.</summary>
    [Fact]
    public void Rotated_blocks_are_told_apart_exactly_when_the_gap_is_positive() =>
        Gen.Select(Gen.Int[-3, 3], Gen.Double[0.1, 3], Gen.Int[0, int.MaxValue]).Sample(
            (gap, angle, seed) =>
            {
                // Class 0 has u ≤ 0, class 1 has u ≥ gap / 2, both touch their ends; v is noise.
                RandomStream random = new(seed);
                double[] features = new double[80];
                int[] labels = new int[40];
                for (int i = 0; i < 40; i++)
                {
                    labels[i] = i % 2;
                    double u = i < 2 ? 0 : 4 * random.Uniform(), v = 10 * random.Uniform();
                    u = labels[i] == 0 ? -u : u + (gap / 2.0);
                    features[2 * i] = (Math.Cos(angle) * u) - (Math.Sin(angle) * v);
                    features[(2 * i) + 1] = (Math.Sin(angle) * u) + (Math.Cos(angle) * v);
                }

                // Rows of both classes at the corners of v, at both ends of the overlap: no line passes between them.
                if (gap < 0) Corners(features, labels, gap, angle);
                if (gap != 0) Find(features, 2, labels).Kind.Should().Be(gap > 0 ? SeparationKind.Complete : SeparationKind.None);
            },
            iter: 40);

    private static void EqualsLinearProgramming(int classes, int featureCount, int rows, bool intercepts, int range, int seed)
    {
        Random random = new(seed);
        int[] features = [.. Enumerable.Range(0, rows * featureCount).Select(_ => random.Next(-range, range + 1))];
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i < classes ? i : random.Next(classes))];
        int pairs = rows * (classes - 1), expected = ExactSeparation.SeparablePairs(features, labels, featureCount, classes, intercepts);
        double[] values = [.. features.Select(x => (double)x)];
        Separation separation = SeparationCheck.Find(new DenseRows<double>(values, featureCount), labels, fitIntercepts: intercepts);
        separation.Kind.Should().Be(expected == 0 ? SeparationKind.None : expected == pairs ? SeparationKind.Complete : SeparationKind.QuasiComplete);
        separation.Classes.Sum(pair => pair.SeparatedRows).Should().Be(expected);
        if (expected > 0) MarginsHold(new ReferenceData(values, labels, featureCount), separation);
    }

    private static void Corners(double[] features, int[] labels, int gap, double angle)
    {
        for (int i = 0; i < 4; i++)
        {
            double u = labels[i] == 0 ? 0 : gap / 2.0, v = i < 2 ? 0 : 10;
            features[2 * i] = (Math.Cos(angle) * u) - (Math.Sin(angle) * v);
            features[(2 * i) + 1] = (Math.Sin(angle) * u) + (Math.Cos(angle) * v);
        }
    }

    [Fact]
    public void Rows_of_weight_0_dependent_columns_and_threads_do_not_matter()
    {
        float[] weights = [.. Iris.Labels.Select(label => label == 0 ? 0f : 2.5f)];
        int[] labels = [.. Iris.Labels.Select(label => label == 2 ? 0 : 1)];         // the rows of setosa do not count
        SeparationCheck.Find(Iris.Rows, labels, weights).Kind.Should().Be(SeparationKind.None);

        double[] more = [.. Iris.Labels.SelectMany((_, i) => (double[])[.. Iris.Features.Skip(4 * i).Take(4), Iris.Features[4 * i] + (2 * Iris.Features[(4 * i) + 3]), 7])];
        Separation dependent = SeparationCheck.Find(new DenseRows<double>(more, 6), Iris.Labels), plain = SeparationCheck.Find(Iris.Rows, Iris.Labels);
        dependent.Classes.Should().Equal(plain.Classes);
        dependent.Coefficients.Should().OnlyContain(coefficient => coefficient.Column == null || coefficient.Column < 4);
        SeparationCheck.Find(Iris.Rows, Iris.Labels, maxDegreeOfParallelism: 3).Direction.ToArray().Should().Equal(plain.Direction.ToArray());
        SeparationCheck.Find(Iris.ToSparse(), Iris.Labels).Direction.ToArray().ShouldBeCloseTo(plain.Direction.ToArray(), 1e-9);
    }

    [Fact]
    public void Without_intercepts_a_line_goes_through_the_origin()
    {
        double[] features = [1, 2, 3, 4];
        SeparationCheck.Find(new DenseRows<double>(features, 1), [0, 0, 1, 1], fitIntercepts: false).Kind.Should().Be(SeparationKind.None);
        SeparationCheck.Find(new DenseRows<double>(features, 1), [0, 0, 1, 1]).Kind.Should().Be(SeparationKind.Complete);
        double[] zeros = [0, 0, 1, 2];
        Separation through = SeparationCheck.Find(new DenseRows<double>(zeros, 1), [0, 1, 1, 1], fitIntercepts: false);
        through.Kind.Should().Be(SeparationKind.QuasiComplete);
        through.InterceptDirection.ToArray().Should().Equal(0, 0);
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        Throws<ArgumentException>(() => Find([], 1, []), "*empty*");
        Throws<ArgumentException>(() => Find([1, 2], 1, [0]), "*labels*");
        Throws<ArgumentException>(() => Find([1, 2], 1, [0, 2]), "Class 1 has no row*");
        Throws<ArgumentException>(() => Find([1, 2], 1, [0, 0]), "*same class*");
        Throws<ArgumentOutOfRangeException>(() => Find([1, 2], 1, [0, -1]), "Row 1*negative*");
        Throws<ArgumentException>(() => Find([1, double.NaN], 1, [0, 1]), "Row 1*NaN*column 0*");
        Throws<ArgumentOutOfRangeException>(() => SeparationCheck.Find(Iris.Rows, Iris.Labels, maxDegreeOfParallelism: 0), "*");
    }

    private static Separation Find(double[] features, int featureCount, int[] labels) => SeparationCheck.Find(new DenseRows<double>(features, featureCount), labels);

    /// <summary>Along the direction no margin is negative, and as many are positive as are said to be.</summary>
    private static void MarginsHold(ReferenceData data, Separation separation)
    {
        int classes = data.ClassCount, d = data.FeatureCount, positive = 0;
        ReadOnlySpan<double> direction = separation.Direction.Span, intercepts = separation.InterceptDirection.Span;
        for (int i = 0; i < data.Labels.Length; i++)
        {
            int y = data.Labels[i];
            for (int c = 0; c < classes; c++)
            {
                if (c == y) continue;
                double margin = intercepts[y] - intercepts[c], size = Math.Abs(intercepts[y]) + Math.Abs(intercepts[c]);
                for (int j = 0; j < d; j++)
                {
                    double x = data.Features[(i * d) + j];
                    margin += (direction[(y * d) + j] - direction[(c * d) + j]) * x;
                    size += (Math.Abs(direction[(y * d) + j]) + Math.Abs(direction[(c * d) + j])) * Math.Abs(x);
                }

                margin.Should().BeGreaterThanOrEqualTo(-1e-6 * size);
                if (margin > 1e-6 * size) positive++;
            }
        }

        positive.Should().BeLessThanOrEqualTo(separation.Classes.Sum(pair => pair.SeparatedRows));
        if (separation.Kind == SeparationKind.QuasiComplete) positive.Should().Be(separation.Classes.Sum(pair => pair.SeparatedRows));
    }

    private static void Throws<TException>(Action action, string message)
        where TException : Exception => action.Should().Throw<TException>().WithMessage(message);
}
