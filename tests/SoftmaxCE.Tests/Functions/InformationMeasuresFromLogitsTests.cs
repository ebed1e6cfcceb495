using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>Measures straight from logits, of floats and doubles that are read in place.</summary>
public class InformationMeasuresFromLogitsTests
{
    private const double MaxUlp = InformationMeasures.MaxUlpError;

    /// <summary>More than two parts of a long row of floats, and more than four of doubles.</summary>
    private const int LongLength = 9001;

    private const double Minus = double.NegativeInfinity;

    public static TheoryData<double, double> SpreadsAndOffsets => new()
    {
        { 1e-3, 0 }, { 1, -7 }, { 10, 100 }, { 60, 0 }, { 300, 1e6 }, { 2e3, -3e4 },
    };

    [Theory, MemberData(nameof(SpreadsAndOffsets))]
    public void Every_kind_of_length_stays_within_the_bound(double spread, double offset)
    {
        Random random = new(31);
        foreach (int length in new[] { 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130 })
        {
            double[] logits = [.. Enumerable.Range(0, length).Select(_ => offset + (spread * random.NextDouble()))];
            double[] p = [.. Enumerable.Range(0, length).Select(i => i % 5 == 3 ? 0 : random.NextDouble() / length)];
            Check<float>(p, logits);
            Check<double>(p, logits);
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(80)]
    [InlineData(600)]
    public void Confident_rows_keep_their_digits(double lead)
    {
        double[] row = new double[40];
        row[11] = lead;
        row[12] = Minus;
        row[13] = -3;
        double[] p = new double[40];
        p[11] = 1;
        Check<double>(p, row);
        if (lead < 80) Check<float>(p, row);
        row[30] = lead;                                  // two classes share it: the entropy is ln 2 and a little
        Check<float>(p, row);
        Check<double>(p, row);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void Parts_of_a_long_row_are_merged_within_the_bound(int slope)
    {
        Random random = new(33);
        double[] logits = [.. Enumerable.Range(0, LongLength).Select(i => (slope * i / 400.0) + random.NextDouble())];
        double[] p = [.. logits.Select(_ => random.NextDouble() / LongLength)];
        Check<float>(p, logits);
        Check<double>(p, logits);
    }

    [Fact]
    public void A_confident_class_in_one_part_of_a_long_row_keeps_its_digits()
    {
        double[] logits = new double[LongLength], p = new double[LongLength];
        logits[5000] = 40;
        p[5000] = 1;
        Check<float>(p, logits);
        Check<double>(p, logits);
    }

    [Fact]
    public void A_masked_part_of_a_long_row_adds_nothing_where_p_is_0_and_is_infinitely_far_elsewhere()
    {
        float[] logits = new float[LongLength], p = new float[LongLength];
        Array.Fill(logits, float.NegativeInfinity, 0, 5000);
        Array.Fill(p, 1f / 4001, 5000, 4001);
        float expected = MathF.Log(4001);
        InformationMeasures.EntropyFromLogits<float>(logits).Should().BeApproximately(expected, 1e-6f);
        InformationMeasures.CrossEntropyFromLogits<float>(p, logits).Should().BeApproximately(expected, 2e-6f);
        p[17] = 1e-30f;
        InformationMeasures.CrossEntropyFromLogits<float>(p, logits).Should().Be(float.PositiveInfinity);
        logits[17] = float.NaN;
        float.IsNaN(InformationMeasures.EntropyFromLogits<float>(logits)).Should().BeTrue();
        float.IsNaN(InformationMeasures.CrossEntropyFromLogits<float>(p, logits)).Should().BeTrue();
    }

    [Fact]
    public void Infinite_and_missing_logits_give_NaN_and_a_NaN_probability_does()
    {
        float.IsNaN(InformationMeasures.EntropyFromLogits<float>([0, float.PositiveInfinity])).Should().BeTrue();
        float.IsNaN(InformationMeasures.EntropyFromLogits<float>([float.NegativeInfinity, float.NegativeInfinity])).Should().BeTrue();
        float.IsNaN(InformationMeasures.CrossEntropyFromLogits<float>([1, 0], [0, float.PositiveInfinity])).Should().BeTrue();
        float.IsNaN(InformationMeasures.CrossEntropyFromLogits<float>([float.NaN, 0], [0, 1])).Should().BeTrue();
    }

    [Fact]
    public void Distances_and_products_that_no_float_holds_are_taken_in_double()
    {
        float[] far = [3e38f, -3e38f], p = [0.9f, 0.1f], tiny = [1e-38f, 2e-38f], logits = [1e-3f, 0];
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropyFromLogits<float>(p, far), WideReference.CrossEntropyFromLogits<float>(p, far), "far");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropyFromLogits<float>(tiny, logits), WideReference.CrossEntropyFromLogits<float>(tiny, logits), "tiny");
    }

    [Theory]
    [InlineData(1e-5)]
    [InlineData(1e-3)]
    [InlineData(0.03)]
    [InlineData(0.5)]
    [InlineData(1.4)]
    [InlineData(3)]
    [InlineData(30)]
    public void Kullback_Leibler_stays_within_the_bound_at_every_distance(double distance)
    {
        Random random = new(34);
        foreach (int length in new[] { 2, 3, 7, 15, 16, 17, 33, 64, 90 })
        {
            foreach (double offset in new[] { 0, 130, 1e4 })
            {
                double[] logitsP = [.. Enumerable.Range(0, length).Select(_ => 5 * random.NextDouble())];
                double[] logitsQ = [.. logitsP.Select(z => z + offset + (distance * (random.NextDouble() - 0.5)))];
                CheckDivergence<double>(logitsP, logitsQ);
                CheckDivergence<float>(logitsP, logitsQ);
                CheckDivergence<float>(logitsQ, logitsP);
            }
        }
    }

    [Fact]
    public void Kullback_Leibler_of_long_and_of_masked_rows_stays_within_the_bound()
    {
        Random random = new(35);
        double[] logitsP = [.. Enumerable.Range(0, LongLength).Select(_ => 9 * random.NextDouble())];
        double[] logitsQ = [.. logitsP.Select(z => (0.9 * z) + (2 * random.NextDouble()))];
        logitsP[5] = logitsQ[5] = logitsP[7000] = Minus;
        CheckDivergence<float>(logitsP, logitsQ);
        CheckDivergence<float>([0, Minus, Minus, 1], [0.5, Minus, 2, 0]);
        CheckDivergence<double>([0, Minus, Minus, 1], [0.5, Minus, 2, 0]);
        InformationMeasures.KullbackLeiblerFromLogits<float>([0, 0], [0, float.NegativeInfinity]).Should().Be(float.PositiveInfinity);
        InformationMeasures.KullbackLeiblerFromLogits<float>([3, 4, float.NegativeInfinity], [13, 14, float.NegativeInfinity]).Should().Be(0);
        float.IsNaN(InformationMeasures.KullbackLeiblerFromLogits<float>([0, float.NaN], [0, 1])).Should().BeTrue();
        float.IsNaN(InformationMeasures.KullbackLeiblerFromLogits<float>([0, 1], [float.PositiveInfinity, 1])).Should().BeTrue();
    }

    [Fact]
    public void A_negative_probability_is_found_in_every_part_and_beside_a_NaN()
    {
        float[] logits = new float[LongLength], p = new float[LongLength];
        foreach (int index in new[] { 3, 4500, LongLength - 1 })
        {
            p[index] = -1e-3f;
            p[index - 1] = float.NaN;
            Action act = () => InformationMeasures.CrossEntropyFromLogits<float>(p, logits);
            act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("p").WithMessage($"*Entry {index} is -0.001*");
            p[index] = p[index - 1] = 0;
        }
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        float[] logits = new float[LongLength], p = new float[LongLength];
        Half[] halves = new Half[100];
        RunAll();
        long before = GC.GetAllocatedBytesForCurrentThread();
        RunAll();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void RunAll()
        {
            InformationMeasures.EntropyFromLogits<float>(logits);
            InformationMeasures.CrossEntropyFromLogits<float>(p, logits);
            InformationMeasures.EntropyFromLogits<Half>(halves);
            InformationMeasures.KullbackLeiblerFromLogits<float>(logits, p);
        }
    }

    private static void CheckDivergence<T>(double[] logitsP, double[] logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] p = logitsP.As<T>(), q = logitsQ.As<T>();
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeiblerFromLogits<T>(p, q), WideReference.KullbackLeiblerFromLogits<T>(p, q), $"Kullback-Leibler of {p.Length} {typeof(T)}");
    }

    private static void Check<T>(double[] p, double[] logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] weights = p.As<T>(), row = logits.As<T>();
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.EntropyFromLogits<T>(row), WideReference.EntropyFromLogits<T>(row), $"entropy of {row.Length}");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropyFromLogits<T>(weights, row), WideReference.CrossEntropyFromLogits<T>(weights, row), $"cross-entropy of {row.Length}");
    }
}
