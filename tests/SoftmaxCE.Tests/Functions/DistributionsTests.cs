using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>The four measures over what distributions look like, in float and double, against the wide reference; and what is promised of other weights.</summary>
public class DistributionsTests
{
    private const double MaxUlp = InformationMeasures.MaxUlpError;

    private static readonly int[] FewLengths = [2, 3, 7, 16, 31, 64, 100];

    [Fact]
    public void Every_length_stays_within_the_bound()
    {
        Random random = new(51);
        for (int length = 1; length <= 260; length++)
        {
            double[] p = Normalized(length, _ => random.NextDouble()), q = Normalized(length, _ => random.NextDouble());
            Check<float>(p, q);
            if (length % 4 == 1) Check<double>(p, q);
        }
    }

    /// <summary>From all entries alike to entries that are subnormal or vanish.</summary>
    [Theory]
    [InlineData(0.01)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(95)]
    [InlineData(740)]
    public void Every_spread_stays_within_the_bound(double spread)
    {
        Random random = new(52);
        foreach (int length in FewLengths)
        {
            double[] p = Normalized(length, _ => Math.Exp(-spread * random.NextDouble())), q = Normalized(length, i => p[i] * Math.Exp(3 * random.NextDouble()));
            double[] far = Normalized(length, _ => Math.Exp(-spread * random.NextDouble()));
            Check<double>(p, q);
            Check<float>(p, q);
            Check<double>(p, far);
            Check<float>(p, far);
        }
    }

    [Fact]
    public void Zeros_and_certain_classes_stay_within_the_bound()
    {
        Random random = new(53);
        foreach (int length in FewLengths)
        {
            double[] q = Normalized(length, _ => random.NextDouble() + 1e-3), certain = new double[length], half = Normalized(length, i => i % 2);
            certain[length / 2] = 1;
            foreach (double[] p in new[] { certain, half, Normalized(length, i => i % 3 == 1 ? 5e-324 : 1) })
            {
                Check<double>(p, q);
                Check<float>(p, q);
                Check<double>(p, p);
                Check<float>(p, p);
            }
        }

        Check<double>([1, 0, 5e-324], [1, 5e-324, 1e-310]);
        Check<float>([1, 0, 1e-45], [1, 1e-45, 1e-40]);
    }

    [Theory]
    [InlineData(1e-16)]
    [InlineData(1e-14)]
    [InlineData(1e-11)]
    [InlineData(1e-9)]
    [InlineData(1e-7)]
    [InlineData(1e-5)]
    [InlineData(1e-3)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void Neighbours_stay_within_the_bound(double distance)
    {
        Random random = new(54);
        foreach (int length in FewLengths)
        {
            double[] p = Normalized(length, _ => random.NextDouble()), q = Normalized(length, i => p[i] * (1 + (distance * (random.NextDouble() - 0.5))));
            Check<double>(p, q);
            Check<float>(p, q);
        }
    }

    [Fact]
    public void Entries_one_ulp_apart_stay_within_the_bound()
    {
        Random random = new(55);
        for (int repeat = 0; repeat < 40; repeat++)
        {
            double[] p = Normalized(2 + (repeat % 19), _ => random.NextDouble());
            CheckMoved(p);
            CheckMoved(p.As<float>());
        }

        void CheckMoved<T>(T[] p)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            T[] q = [.. p];
            int up = random.Next(p.Length), down = random.Next(p.Length);
            q[up] = T.BitIncrement(q[up]);
            Check(p, q);
            q[down] = T.BitDecrement(q[down]);
            Check(p, q);
        }
    }

    /// <summary>A million entries: eight different ones, over and over, so that the exact sums are a multiple of theirs.</summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(125_000)]
    public void Long_distributions_stay_within_the_bound(int copies)
    {
        double[] p = Normalized(8, i => i + 1), q = Normalized(8, i => 9 - (i * i % 8));
        CheckCopies<double>();
        CheckCopies<float>();

        void CheckCopies<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            T[] few = Array.ConvertAll(p, v => T.CreateChecked(v / copies)), others = Array.ConvertAll(q, v => T.CreateChecked(v / copies));
            T[] manyP = Repeated(few), manyQ = Repeated(others);
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<T>(manyP), copies * WideReference.Entropy<T>(few), "entropy");
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<T>(manyP, manyQ), copies * WideReference.CrossEntropy<T>(few, others), "cross-entropy");
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<T>(manyP, manyQ), copies * WideReference.KullbackLeibler<T>(few, others), "Kullback-Leibler");
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<T>(manyP, manyQ), copies * WideReference.JensenShannon<T>(few, others), "Jensen-Shannon");
        }

        T[] Repeated<T>(T[] values) => [.. Enumerable.Range(0, 8 * copies).Select(i => values[i % 8])];
    }

    /// <summary>Weights that are no distributions: an entropy in units of Σ |p ln q|, a divergence in those of the larger of itself and what the sums differ by.</summary>
    [Theory]
    [InlineData(0.3)]
    [InlineData(3)]
    [InlineData(50)]
    public void Other_weights_stay_within_what_is_promised_of_them(double spread)
    {
        Random random = new(56);
        for (int repeat = 0; repeat < 150; repeat++)
        {
            double[] p = [.. Enumerable.Range(0, 1 + (repeat % 40)).Select(_ => 3 * Math.Exp(-spread * random.NextDouble()))];
            double[] q = [.. p.Select(v => v * Math.Exp(spread * (random.NextDouble() - 0.5)))];
            double ofEntropy = p.Sum(v => Math.Abs(v * Math.Log(v))), ofCross = p.Select((v, i) => Math.Abs(v * Math.Log(q[i]))).Sum();
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<double>(p), WideReference.Entropy<double>(p), "entropy", ofEntropy);
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<double>(p, q), WideReference.CrossEntropy<double>(p, q), "cross-entropy", ofCross);
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<double>(p, q), WideReference.KullbackLeibler<double>(p, q), "Kullback-Leibler", DifferenceOfSums(p, q));
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<double>(p, q), WideReference.JensenShannon<double>(p, q), "Jensen-Shannon");
            float[] singleP = p.As<float>(), singleQ = q.As<float>();
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<float>(singleP), WideReference.Entropy<float>(singleP), "entropy of floats", 1e-3 * ofEntropy);
            Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<float>(singleP, singleQ), WideReference.KullbackLeibler<float>(singleP, singleQ), "Kullback-Leibler of floats", 1e-3 * DifferenceOfSums(singleP, singleQ));
        }
    }

    /// <summary>Beyond what the scale of the entries leaves room for, and far below.</summary>
    [Theory]
    [InlineData(1e300)]
    [InlineData(1e-290)]
    public void Very_large_and_very_small_weights_stay_within_the_bound(double size)
    {
        double[] p = [3 * size, size, 0, 2 * size], q = [size, 2 * size, 2 * size, size];
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<double>(p), WideReference.Entropy<double>(p), "entropy");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<double>(p, q), WideReference.CrossEntropy<double>(p, q), "cross-entropy");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<double>(p, q), WideReference.KullbackLeibler<double>(p, q), "Kullback-Leibler");
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<double>(p, q), WideReference.JensenShannon<double>(p, q), "Jensen-Shannon");
    }

    private static void Check<T>(double[] p, double[] q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Check(p.As<T>(), q.As<T>());

    private static void Check<T>(T[] p, T[] q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        string what = $"of {p.Length} {typeof(T).Name}";
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.Entropy<T>(p), WideReference.Entropy<T>(p), "entropy " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.CrossEntropy<T>(p, q), WideReference.CrossEntropy<T>(p, q), "cross-entropy " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.KullbackLeibler<T>(p, q), WideReference.KullbackLeibler<T>(p, q), "Kullback-Leibler " + what);
        Ulp.ShouldBeWithin(MaxUlp, InformationMeasures.JensenShannon<T>(p, q), WideReference.JensenShannon<T>(p, q), "Jensen-Shannon " + what);
    }

    /// <summary>|Σ q − Σ p|, rounded once.</summary>
    private static double DifferenceOfSums<T>(T[] p, T[] q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Math.Abs((double)(WideReference.Sum(WideReference.Values<T>(q)) - WideReference.Sum(WideReference.Values<T>(p))));

    private static double[] Normalized(int length, Func<int, double> weight)
    {
        double[] p = [.. Enumerable.Range(0, length).Select(weight)];
        if (p.Sum() == 0) p[0] = 1;
        InformationMeasures.Normalize<double>(p, p);
        return p;
    }
}
