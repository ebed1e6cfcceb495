using System.Numerics;
using CsCheck;

namespace SoftmaxCE.Tests;

public class InformationMeasuresTests
{
    private const double MaxUlp = InformationMeasures.MaxUlpError;

    private static readonly Gen<double[]> Distribution = Gen.Double[0, 1].Array[2, 60].Where(w => w.Sum() > 0).Select(Normalized);

    [Theory, MemberData(nameof(References.FloatDivergenceCases), MemberType = typeof(References))]
    public void Floats_match_the_reference_values(DivergenceCase c) => CheckReference<float>(c);

    [Theory, MemberData(nameof(References.DoubleDivergenceCases), MemberType = typeof(References))]
    public void Doubles_match_the_reference_values(DivergenceCase c) => CheckReference<double>(c);

    [Fact]
    public void Every_length_stays_within_the_bound()
    {
        Random random = new(21);
        for (int length = 1; length <= 260; length++)
        {
            double[] p = Normalized([.. Enumerable.Range(0, length).Select(_ => random.NextDouble() + 1e-3)]);
            double[] q = Normalized([.. p.Select(v => v * (1 + (0.2 * random.NextDouble())))]);
            CheckAgainstWide(p, q);
        }
    }

    [Theory]
    [InlineData(1e-15)]
    [InlineData(1e-12)]
    [InlineData(1e-8)]
    [InlineData(1e-4)]
    [InlineData(0.3)]
    public void Divergences_keep_their_digits_when_q_is_close_to_p(double distance)
    {
        Random random = new(22);
        for (int repeat = 0; repeat < 30; repeat++)
        {
            double[] p = Normalized([.. Enumerable.Range(0, 50).Select(_ => random.NextDouble() + 1e-3)]);
            CheckAgainstWide(p, [.. p.Select(v => v * (1 + (distance * (random.NextDouble() - 0.5))))]);
        }
    }

    [Fact]
    public void Divergences_stay_within_the_bound_over_many_orders_of_magnitude()
    {
        Random random = new(23);
        for (int repeat = 0; repeat < 100; repeat++)
        {
            double[] p = Normalized([.. Enumerable.Range(0, 40).Select(_ => Math.Exp(-60 * random.NextDouble()))]);
            double[] q = Normalized([.. Enumerable.Range(0, 40).Select(_ => Math.Exp(-60 * random.NextDouble()))]);
            CheckAgainstWide(p, q);
        }

        CheckAgainstWide([1, 0, 5e-324], [1, 5e-324, 1e-310]);
    }

    [Theory]
    [InlineData(1e-7)]
    [InlineData(1e-4)]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(2.8)]
    [InlineData(8)]
    [InlineData(60)]
    public void Floats_stay_within_the_bound_at_every_distance(double distance)
    {
        Random random = new(26);
        foreach (int length in new[] { 1, 2, 2, 3, 16, 17, 63, 64, 65, 130 })
        {
            foreach (double spread in new[] { 0.01, 5, 60 })
            {
                double[] logits = [.. Enumerable.Range(0, length).Select(_ => -spread * random.NextDouble())];
                double[] p = Normalized([.. logits.Select(Math.Exp)]);
                double[] q = Normalized([.. logits.Select(z => Math.Exp(z + (distance * (random.NextDouble() - 0.5))))]);
                if (length > 2) p[length / 2] = 0;
                CheckFloats(p.As<float>(), q.As<float>());
            }
        }
    }

    /// <summary>More than two blocks of floats; entries that float arithmetic does not do for; Half.</summary>
    [Fact]
    public void Infinite_entries_give_no_finite_number()
    {
        const double Infinite = double.PositiveInfinity;
        foreach (int length in new[] { 2, 17, 40, 5000 })
        {
            double[] finite = new double[length], infinite = new double[length];
            Array.Fill(finite, 0.5);
            Array.Fill(infinite, 0.5);
            infinite[length / 2] = Infinite;
            InformationMeasures.Entropy<double>(infinite).Should().Be(-Infinite);
            InformationMeasures.CrossEntropy<double>(infinite, finite).Should().Be(Infinite);
            InformationMeasures.CrossEntropy<double>(finite, infinite).Should().Be(double.NaN);
            InformationMeasures.CrossEntropy<float>(finite.As<float>(), infinite.As<float>()).Should().Be(float.NaN);
            InformationMeasures.KullbackLeibler<double>(finite, infinite).Should().Be(double.NaN);
            InformationMeasures.KullbackLeibler<float>(infinite.As<float>(), finite.As<float>()).Should().Be(float.NaN);
            InformationMeasures.JensenShannon<double>(finite, infinite).Should().Be(double.NaN);
        }
    }

    [Fact]
    public void Long_and_unusual_spans_of_floats_stay_within_the_bound()
    {
        Random random = new(27);
        double[] p = Normalized([.. Enumerable.Range(0, 4500).Select(_ => random.NextDouble())]), q = Normalized([.. Enumerable.Range(0, 4500).Select(_ => random.NextDouble())]);
        CheckFloats(p.As<float>(), q.As<float>());
        CheckFloats([1, 0, 1e-45f], [1, 1e-45f, 1e-40f]);
        CheckFloats([1.0000001f, 1e-9f], [0.9999999f, 2e-9f]);
        CheckFloats([1e-42f, 3e-44f], [2e-42f, 1e-41f]);
        CheckFloats([3, 5], [2, 7]);
        CheckFloats([1e-3f, 2e-3f], [1, 2]);
        CheckFloats([0, 1, 0], [0.25f, 0.5f, 0.25f]);
        InformationMeasures.KullbackLeibler<float>([0.5f, 0.5f], [1, 0]).Should().Be(float.PositiveInfinity);
        InformationMeasures.CrossEntropy<float>([0.5f, 0.5f], [1, 0]).Should().Be(float.PositiveInfinity);
        InformationMeasures.KullbackLeibler<float>([1, 0], [1, 0]).Should().Be(0);
        InformationMeasures.Entropy<float>([0, 1, 0]).Should().Be(0);
        float.IsNaN(InformationMeasures.KullbackLeibler<float>([0.5f, float.NaN], [1, 0])).Should().BeTrue();
        float.IsNaN(InformationMeasures.Entropy<float>([0.5f, float.NaN])).Should().BeTrue();
        float.IsNaN(InformationMeasures.CrossEntropy<float>([0.5f, 0.5f], [0.5f, float.NaN])).Should().BeTrue();
        float.IsNaN(InformationMeasures.JensenShannon<float>([0.5f, float.NaN], [0.5f, 0.5f])).Should().BeTrue();
        Half[] halves = Array.ConvertAll(p[..300], v => (Half)(v * 15)), others = Array.ConvertAll(q[..300], v => (Half)(v * 15));
        float[] widened = Array.ConvertAll(halves, v => (float)v), otherWidened = Array.ConvertAll(others, v => (float)v);
        InformationMeasures.JensenShannon<Half>(halves, others).Should().Be((Half)InformationMeasures.JensenShannon<float>(widened, otherWidened));
    }

    [Fact]
    public void Uniform_over_a_power_of_two_in_base_2_is_exactly_the_exponent()
    {
        for (int k = 0; k <= 12; k++)
        {
            float[] p = new float[1 << k];
            Array.Fill(p, 1f / p.Length);
            InformationMeasures.Entropy(p, 2f).Should().Be(k);
            InformationMeasures.Entropy(Array.ConvertAll(p, v => (double)v), 2.0).Should().Be(k);
            InformationMeasures.CrossEntropy(p, p, 2f).Should().Be(k);
            InformationMeasures.Perplexity<float>(p).Should().BeApproximately(p.Length, 1e-6f * p.Length);
        }
    }

    [Fact]
    public void Divergence_is_the_cross_entropy_less_the_entropy_and_never_negative() =>
        Gen.Select(Distribution, Distribution).Sample((p, q) =>
        {
            int n = Math.Min(p.Length, q.Length);
            p = Normalized([.. p[..n].Select(v => v + 1e-12)]);
            q = Normalized([.. q[..n].Select(v => v + 1e-9)]);
            double divergence = InformationMeasures.KullbackLeibler<double>(p, q);
            divergence.Should().BeGreaterThanOrEqualTo(-1e-15).And
                .BeApproximately(InformationMeasures.CrossEntropy<double>(p, q) - InformationMeasures.Entropy<double>(p), 1e-13);
            double js = InformationMeasures.JensenShannon<double>(p, q);
            js.Should().BeInRange(0, Math.Log(2) + 1e-15).And.Be(InformationMeasures.JensenShannon<double>(q, p));
            double[] middle = [.. p.Select((v, i) => (v + q[i]) / 2)];
            js.Should().BeApproximately((InformationMeasures.KullbackLeibler<double>(p, middle) + InformationMeasures.KullbackLeibler<double>(q, middle)) / 2, 1e-13);
        });

    [Fact]
    public void Zeros_infinities_and_NaN_follow_the_table()
    {
        double[] p = [0.5, 0.5, 0], missing = [1, 0, 0], certain = [0, 1, 0], withNaN = [0.5, double.NaN, 0.5];
        InformationMeasures.Entropy<double>(certain).Should().Be(0);
        InformationMeasures.Perplexity<double>(certain).Should().Be(1);
        InformationMeasures.CrossEntropy<double>(p, missing).Should().Be(double.PositiveInfinity);
        InformationMeasures.KullbackLeibler<double>(p, missing).Should().Be(double.PositiveInfinity);
        InformationMeasures.KullbackLeibler<double>(missing, p).Should().BeApproximately(Math.Log(2), 1e-16);
        InformationMeasures.KullbackLeibler<double>(p, p).Should().Be(0);
        InformationMeasures.JensenShannon<double>([1, 0], [0, 1]).Should().BeApproximately(Math.Log(2), 1e-16);
        InformationMeasures.JensenShannon([1.0, 0], [0, 1.0], 2).Should().Be(1);
        double.IsNaN(InformationMeasures.Entropy<double>(withNaN)).Should().BeTrue();
        double.IsNaN(InformationMeasures.CrossEntropy<double>(withNaN, p)).Should().BeTrue();
        double.IsNaN(InformationMeasures.CrossEntropy<double>(p, withNaN)).Should().BeTrue();
        double.IsNaN(InformationMeasures.KullbackLeibler<double>(withNaN, p)).Should().BeTrue();
        double.IsNaN(InformationMeasures.KullbackLeibler<double>(p, withNaN)).Should().BeTrue();
        double.IsNaN(InformationMeasures.JensenShannon<double>(p, withNaN)).Should().BeTrue();
    }

    [Fact]
    public void Measures_from_logits_match_the_wide_reference()
    {
        Random random = new(24);
        foreach (double spread in new[] { 1e-3, 1, 10, 60 })
        {
            for (int length = 1; length <= 70; length += 3)
            {
                double[] logitsP = [.. Enumerable.Range(0, length).Select(_ => 100 + (spread * random.NextDouble()))];
                double[] logitsQ = [.. Enumerable.Range(0, length).Select(_ => -30 + (spread * random.NextDouble()))];
                double[] p = Normalized([.. Enumerable.Range(0, length).Select(_ => random.NextDouble())]);
                Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.EntropyFromLogits<double>(logitsP), WideReference.EntropyFromLogits<double>(logitsP), "entropy");
                Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropyFromLogits<double>(p, logitsQ), WideReference.CrossEntropyFromLogits<double>(p, logitsQ), "cross-entropy");
                CheckLogits<double>(logitsP, logitsQ, 1e-13);
                CheckLogits<float>(logitsP.As<float>(), logitsQ.As<float>(), 5e-7);
            }
        }
    }

    [Theory]
    [InlineData(1e-13)]
    [InlineData(1e-8)]
    [InlineData(1e-3)]
    public void Divergences_from_logits_keep_their_digits_when_the_distributions_are_close(double distance)
    {
        Random random = new(25);
        double[] logitsP = [.. Enumerable.Range(0, 60).Select(_ => 8 * random.NextDouble())];
        double[] logitsQ = [.. logitsP.Select(z => z + (distance * random.NextDouble()))];
        CheckLogits<double>(logitsP, logitsQ, 1e-12);
    }

    [Fact]
    public void Measures_from_logits_follow_the_table_for_masked_logits()
    {
        double minus = double.NegativeInfinity;
        InformationMeasures.EntropyFromLogits<double>([0, minus, 0]).Should().BeApproximately(Math.Log(2), 1e-15);
        InformationMeasures.EntropyFromLogits<double>([7]).Should().Be(0);
        double.IsNaN(InformationMeasures.EntropyFromLogits<double>([minus, minus])).Should().BeTrue();
        double.IsNaN(InformationMeasures.EntropyFromLogits<double>([0, double.NaN])).Should().BeTrue();
        InformationMeasures.CrossEntropyFromLogits<double>([1, 0], [0, minus]).Should().Be(0);
        InformationMeasures.CrossEntropyFromLogits<double>([0.5, 0.5], [0, minus]).Should().Be(double.PositiveInfinity);
        InformationMeasures.KullbackLeiblerFromLogits<double>([0, minus], [0, 0]).Should().BeApproximately(Math.Log(2), 1e-15);
        InformationMeasures.KullbackLeiblerFromLogits<double>([0, 0], [0, minus]).Should().Be(double.PositiveInfinity);
        InformationMeasures.KullbackLeiblerFromLogits<double>([3, 4, minus], [13, 14, minus]).Should().Be(0);
        InformationMeasures.JensenShannonFromLogits<double>([0, minus], [minus, 0]).Should().BeApproximately(Math.Log(2), 1e-15);
        InformationMeasures.JensenShannonFromLogits<double>([3, 4, minus], [13, 14, minus]).Should().Be(0);
    }

    [Fact]
    public void Mutual_information_is_0_for_independent_and_the_entropy_for_identical_variables()
    {
        double[] rows = [0.1, 0.2, 0.7], columns = [0.25, 0.75];
        double[] joint = [.. rows.SelectMany(r => columns.Select(c => r * c))];
        InformationMeasures.MutualInformation<double>(joint, 2).Should().BeApproximately(0, 1e-16);
        InformationMeasures.MutualInformation<double>([0.1, 0, 0, 0, 0.2, 0, 0, 0, 0.7], 3)
            .Should().BeApproximately(InformationMeasures.Entropy<double>(rows), 1e-15);
    }

    [Fact]
    public void Normalize_divides_by_the_sum_also_in_place_and_near_the_largest_number()
    {
        float[] weights = [1, 2, 5], p = new float[3];
        InformationMeasures.Normalize<float>(weights, p);
        p.Should().Equal(0.125f, 0.25f, 0.625f);
        InformationMeasures.Normalize<float>(weights, weights);
        weights.Should().Equal(p);
        double[] huge = [double.MaxValue, double.MaxValue, 0];
        InformationMeasures.Normalize<double>(huge, huge);
        huge.Should().Equal(0.5, 0.5, 0);
    }

    [Fact]
    public void Half_gives_the_rounded_double_result()
    {
        Half[] p = [(Half)0.25, (Half)0.75], q = [(Half)0.5, (Half)0.5];
        InformationMeasures.Entropy<Half>(p).Should().Be((Half)InformationMeasures.Entropy<double>([0.25, 0.75]));
        InformationMeasures.KullbackLeibler<Half>(p, q).Should().Be((Half)InformationMeasures.KullbackLeibler<double>([0.25, 0.75], [0.5, 0.5]));
        InformationMeasures.EntropyFromLogits<Half>(q).Should().Be((Half)Math.Log(2));
    }

    [Fact]
    public void Bad_arguments_name_the_parameter_and_the_index()
    {
        double[] p = [0.5, 0.5], negative = [0.5, -0.25], three = [1, 0, 0], destination = new double[3];
        Fails<ArgumentException>(() => InformationMeasures.Entropy<double>([]), "p", "at least one");
        Fails<ArgumentException>(() => InformationMeasures.CrossEntropy<double>(p, three), "q", "2 values but has 3");
        Fails<ArgumentException>(() => InformationMeasures.KullbackLeiblerFromLogits<double>(p, three), "logitsQ", "2 values but has 3");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.Entropy<double>(negative), "p", "Entry 1 is -0.25");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.KullbackLeibler<double>(p, negative), "q", "Entry 1 is -0.25");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.JensenShannon<double>(negative, p), "p", "Entry 1 is -0.25");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.CrossEntropyFromLogits<double>(negative, p), "p", "Entry 1 is -0.25");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.Entropy(p, 1), "logBase", "not 1");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.Entropy(p, -2), "logBase", "greater than 0");
        Fails<ArgumentException>(() => InformationMeasures.MutualInformation<double>(three, 2), "joint", "not a whole number of rows");
        Fails<ArgumentException>(() => InformationMeasures.Normalize<double>([0, 0], destination), "weights", "all are 0");
        Fails<ArgumentOutOfRangeException>(() => InformationMeasures.Normalize<double>([1, double.NaN], destination), "weights", "Entry 1 is NaN");
        Fails<ArgumentException>(() => InformationMeasures.Normalize<double>(three, new double[2]), "destination", "room for 3");
        destination.Should().Equal(0, 0, 0);
    }

    private static void CheckReference<T>(DivergenceCase c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] p = c.P.As<T>(), q = c.Q.As<T>();
        T two = T.CreateChecked(2);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<T>(p), c.EntropyNats, "entropy");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy(p, two), c.EntropyBits, "entropy in bits");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<T>(p, q), c.CrossEntropyNats, "cross-entropy");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy(p, q, two), c.CrossEntropyBits, "cross-entropy in bits");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<T>(p, q), c.KullbackLeiblerNats, "Kullback-Leibler");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<T>(p, q), c.JensenShannonNats, "Jensen-Shannon");
    }

    private static void CheckAgainstWide(double[] p, double[] q)
    {
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<double>(p), WideReference.Entropy<double>(p), "entropy");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<double>(p, q), WideReference.CrossEntropy<double>(p, q), "cross-entropy");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<double>(p, q), WideReference.KullbackLeibler<double>(p, q), "Kullback-Leibler");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<double>(p, q), WideReference.JensenShannon<double>(p, q), "Jensen-Shannon");
        float[] singleP = p.As<float>(), singleQ = q.As<float>();
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<float>(singleP, singleQ), WideReference.KullbackLeibler<float>(singleP, singleQ), "Kullback-Leibler");
    }

    private static void CheckFloats(float[] p, float[] q)
    {
        string what = $"of {p.Length}";
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<float>(p), WideReference.Entropy<float>(p), "entropy " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<float>(p, q), WideReference.CrossEntropy<float>(p, q), "cross-entropy " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<float>(p, q), WideReference.KullbackLeibler<float>(p, q), "Kullback-Leibler " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<float>(p, q), WideReference.JensenShannon<float>(p, q), "Jensen-Shannon " + what);
    }

    private static void CheckLogits<T>(T[] logitsP, T[] logitsQ, double relative)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double kl = (double)WideReference.KullbackLeiblerFromLogits<T>(logitsP, logitsQ), js = (double)WideReference.JensenShannonFromLogits<T>(logitsP, logitsQ);
        double.CreateChecked(InformationMeasures.KullbackLeiblerFromLogits<T>(logitsP, logitsQ)).Should().BeApproximately(kl, relative * kl);
        double.CreateChecked(InformationMeasures.JensenShannonFromLogits<T>(logitsP, logitsQ)).Should().BeApproximately(js, relative * js);
    }

    private static double[] Normalized(double[] weights)
    {
        double[] p = new double[weights.Length];
        InformationMeasures.Normalize<double>(weights, p);
        return p;
    }

    private static void Fails<TException>(Action action, string parameter, string message)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter).WithMessage($"*{message}*");
}
