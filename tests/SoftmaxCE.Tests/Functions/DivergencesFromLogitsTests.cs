using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>Divergences straight from logits, from one ulp between p and q to far apart, against the wide reference.</summary>
public class DivergencesFromLogitsTests
{
    private const double MaxUlp = InformationMeasures.MaxUlpError;

    [Theory]
    [InlineData(1e-15)]
    [InlineData(1e-13)]
    [InlineData(1e-9)]
    [InlineData(1e-7)]
    [InlineData(2e-7)]
    [InlineData(1e-6)]
    [InlineData(1e-5)]
    [InlineData(1e-3)]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(2.8)]
    [InlineData(5)]
    [InlineData(50)]
    public void Every_distance_stays_within_the_bound(double distance)
    {
        Random random = new(41);
        foreach (int length in new[] { 2, 2, 2, 3, 8, 33 })
        {
            foreach (double offset in new[] { 0, 130, -1e4 })
            {
                foreach (double spread in new[] { 0.01, 5, 40 })
                {
                    double[] logitsP = [.. Enumerable.Range(0, length).Select(_ => spread * random.NextDouble())];
                    double[] logitsQ = [.. logitsP.Select(z => z + offset + (distance * (random.NextDouble() - 0.5)))];
                    Check<double>(logitsP, logitsQ);
                    Check<float>(logitsP, logitsQ);
                }
            }
        }
    }

    [Fact]
    public void Logits_one_ulp_apart_stay_within_the_bound()
    {
        Random random = new(42);
        for (int repeat = 0; repeat < 60; repeat++)
        {
            double[] logitsP = [.. Enumerable.Range(0, 2 + (repeat % 20)).Select(_ => Math.Pow(10, -repeat % 7) * (random.NextDouble() - 0.3))];
            double[] logitsQ = [.. logitsP.Select((z, i) => i % 3 == repeat % 3 ? Math.BitIncrement(z) : z)];
            Check<double>(logitsP, logitsQ);
            float[] singleP = logitsP.As<float>(), singleQ = [.. singleP.Select((z, i) => i % 3 == repeat % 3 ? MathF.BitIncrement(z) : z)];
            Check(singleP, singleQ);
        }
    }

    /// <summary>The rare class is far from its counterpart, all others are close: the sum over the close ones must not cancel against it.</summary>
    [Theory]
    [InlineData(1e-12)]
    [InlineData(1e-8)]
    [InlineData(1e-6)]
    [InlineData(1e-4)]
    public void A_rare_class_far_from_its_counterpart_leaves_the_others_their_digits(double distance)
    {
        Random random = new(43);
        foreach (double rare in new[] { -70, -45, -35, -30, -25 })
        {
            double[] logitsP = [.. Enumerable.Range(0, 20).Select(i => i == 7 ? rare : 3 * random.NextDouble())];
            double[] logitsQ = [.. logitsP.Select((z, i) => z + (i == 7 ? 3 : distance * random.NextDouble()))];
            Check<double>(logitsP, logitsQ);
            Check<double>(logitsQ, logitsP);
            Check<float>(logitsP, logitsQ);
        }
    }

    /// <summary>More than one part, masked logits, and every way that a divergence may be taken: far, close, and close in the first part alone.</summary>
    [Theory]
    [InlineData(6, 6)]
    [InlineData(0.5, 0.5)]
    [InlineData(0.1, 6)]
    [InlineData(6, 0.1)]
    public void Long_and_masked_rows_stay_within_the_bound(double first, double then)
    {
        Random random = new(44);
        double[] logitsP = [.. Enumerable.Range(0, 2100).Select(_ => 4 * random.NextDouble())];
        double[] logitsQ = [.. logitsP.Select((z, i) => z + 3 + ((i < 1024 ? first : then) * (random.NextDouble() - 0.5)))];
        logitsP[3] = logitsQ[3] = logitsP[1500] = double.NegativeInfinity;
        Check<float>(logitsP, logitsQ);
        Check<double>(logitsP, logitsQ);
    }

    [Fact]
    public void Half_gives_the_rounded_result_of_floats()
    {
        Half[] logitsP = [(Half)1, (Half)(-2.5), (Half)0.25], logitsQ = [(Half)0.5, (Half)1, (Half)(-1)];
        float[] singleP = Array.ConvertAll(logitsP, z => (float)z), singleQ = Array.ConvertAll(logitsQ, z => (float)z);
        InformationMeasures.KullbackLeiblerFromLogits<Half>(logitsP, logitsQ).Should().Be((Half)InformationMeasures.KullbackLeiblerFromLogits<float>(singleP, singleQ));
        InformationMeasures.JensenShannonFromLogits<Half>(logitsP, logitsQ).Should().Be((Half)InformationMeasures.JensenShannonFromLogits<float>(singleP, singleQ));
    }

    [Fact]
    public void Missing_and_infinite_logits_are_where_the_table_says()
    {
        float minus = float.NegativeInfinity, plus = float.PositiveInfinity;
        InformationMeasures.JensenShannonFromLogits<float>([0, minus], [minus, 0]).Should().BeApproximately(MathF.Log(2), 1e-7f);
        InformationMeasures.JensenShannonFromLogits<float>([3, 4, minus], [13, 14, minus]).Should().Be(0);
        InformationMeasures.JensenShannonFromLogits<double>([3, 4, double.NegativeInfinity], [13, 14, double.NegativeInfinity]).Should().Be(0);
        float.IsNaN(InformationMeasures.JensenShannonFromLogits<float>([0, float.NaN], [0, 1])).Should().BeTrue();
        float.IsNaN(InformationMeasures.JensenShannonFromLogits<float>([0, 1], [plus, 1])).Should().BeTrue();
        float.IsNaN(InformationMeasures.JensenShannonFromLogits<float>([minus, minus], [1, 1])).Should().BeTrue();
        InformationMeasures.KullbackLeiblerFromLogits<double>([0, 0], [0, double.NegativeInfinity]).Should().Be(double.PositiveInfinity);
    }

    private static void Check<T>(double[] logitsP, double[] logitsQ)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Check(logitsP.As<T>(), logitsQ.As<T>());

    private static void Check<T>(T[] p, T[] q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        string what = $"of {p.Length} {typeof(T).Name}";
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeiblerFromLogits<T>(p, q), WideReference.KullbackLeiblerFromLogits<T>(p, q), "Kullback-Leibler " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannonFromLogits<T>(p, q), WideReference.JensenShannonFromLogits<T>(p, q), "Jensen-Shannon " + what);
        T[] weights = new T[p.Length];
        SoftmaxFunctions.Softmax<T>(p, weights);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropyFromLogits<T>(weights, q), WideReference.CrossEntropyFromLogits<T>(weights, q), "cross-entropy " + what);
    }
}
