namespace SoftmaxCE.Tests;

/// <summary>Every class count, in place, between guard pages, any number of threads: the same result, bit for bit.</summary>
public class SoftmaxCrossEntropyShapesTests
{
    private const int Rows = 37;       // two groups of rows and a part of a third

    [Theory, MemberData(nameof(Lengths.OneTo260), MemberType = typeof(Lengths))]
    public void Every_class_count_is_right_in_place_and_stays_in_its_memory(int classes)
    {
        Check<float>(classes, smoothing: 0, tolerance: 2e-6);
        Check<double>(classes, smoothing: 0, tolerance: 1e-14);
        if (classes % 3 == 0) Check<float>(classes, smoothing: 0.2, tolerance: 2e-6);
        if (classes % 7 == 0) Check<double>(classes, smoothing: 0.2, tolerance: 1e-14);
    }

    [Theory]
    [InlineData(3, 30000, 0.0, 1.0)]
    [InlineData(10, 9000, 0.0, 0.7)]
    [InlineData(100, 1500, 0.0, 1.0)]
    [InlineData(100, 1500, 0.1, 1.0)]
    [InlineData(700, 300, 0.0, 1.0)]
    [InlineData(9000, 20, 0.0, 0.7)]
    [InlineData(33000, 5, 0.1, 2.0)]
    public void Threads_do_not_change_a_bit(int classes, int rows, double smoothing, double temperature)
    {
        float[] logits = LossValues.Normal(rows * classes, 3, seed: 1).ToFloats();
        int[] labels = LossValues.Labels(rows, classes, seed: 2);
        SoftmaxCrossEntropyLoss loss = new() { LabelSmoothing = smoothing, Temperature = temperature };
        float[] expected = new float[logits.Length], expectedRows = new float[rows];
        LossResult alone = loss.Evaluate<float>(logits, labels, expected, expectedRows);
        foreach (int threads in new[] { 2, 3, -1 })
        {
            float[] gradient = new float[logits.Length], rowLosses = new float[rows];
            (loss with { MaxDegreeOfParallelism = threads }).Evaluate<float>(logits, labels, gradient, rowLosses).Should().Be(alone);
            gradient.AsSpan().SequenceEqual(expected).Should().BeTrue();
            rowLosses.AsSpan().SequenceEqual(expectedRows).Should().BeTrue();
        }
    }

    /// <summary>Hashes of all outputs, made once at 512 bits; the same on every width.</summary>
    [Theory]
    [InlineData(7, 0.0)]
    [InlineData(100, 0.0)]
    [InlineData(1000, 0.0)]
    [InlineData(9000, 0.0)]
    [InlineData(1000, 0.1)]
    public void Results_do_not_depend_on_the_vector_width(int classes, double smoothing)
    {
        BitHash hash = new();
        float[] logits = LossValues.Uniform(Rows * classes, seed: 5), gradient = new float[logits.Length], rowLosses = new float[Rows];
        double[] wide = Array.ConvertAll(logits, v => (double)v), wideGradient = new double[logits.Length];
        int[] labels = LossValues.Labels(Rows, classes, seed: 6);
        SoftmaxCrossEntropyLoss loss = new() { LabelSmoothing = smoothing };
        hash.Add(loss.Evaluate<float>(logits, labels, gradient, rowLosses).Loss).Add(gradient).Add(rowLosses);
        hash.Add(loss.Evaluate<double>(wide, labels, wideGradient).Loss).Add(wideGradient);
        hash.Value.Should().Be(Pinned(classes, smoothing), "the bits of a result are part of the contract");
    }

    [Fact]
    public void Half_computes_in_float()
    {
        const int Classes = 20;
        Half[] logits = Array.ConvertAll(LossValues.Normal(Rows * Classes, 3, seed: 8), v => (Half)v), gradient = new Half[logits.Length], rowLosses = new Half[Rows];
        float[] same = Array.ConvertAll(logits, v => (float)v), expected = new float[logits.Length], expectedRows = new float[Rows];
        int[] labels = LossValues.Labels(Rows, Classes, seed: 9);
        SoftmaxCrossEntropyLoss loss = new() { Reduction = LossReduction.Sum };
        LossResult result = loss.Evaluate<Half>(logits, labels, gradient, rowLosses);
        result.Should().Be(loss.Evaluate<float>(same, labels, expected, expectedRows));
        gradient.Should().Equal(Array.ConvertAll(expected, v => (Half)v));
        rowLosses.Should().Equal(Array.ConvertAll(expectedRows, v => (Half)v));
    }

    [Fact]
    public void Other_types_compute_in_double()
    {
        System.Runtime.InteropServices.NFloat[] logits = [1, 2.5f, -3, 0.25f, 4, -1], gradient = new System.Runtime.InteropServices.NFloat[6];
        double[] same = Array.ConvertAll(logits, v => (double)v), expected = new double[6];
        SoftmaxCrossEntropyLoss loss = new();
        LossResult result = loss.Evaluate<System.Runtime.InteropServices.NFloat>(logits, [1, 0], gradient);
        result.Should().Be(loss.Evaluate<double>(same, [1, 0], expected));
        Array.ConvertAll(gradient, v => (double)v).Should().Equal(expected);
    }

    /// <summary>A row's loss and gradient do not depend on the rows around it.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(5000)]
    public void Rows_do_not_see_each_other(int classes)
    {
        float[] logits = LossValues.Normal(Rows * classes, 3, seed: 3).ToFloats(), together = new float[logits.Length], losses = new float[Rows];
        int[] labels = LossValues.Labels(Rows, classes, seed: 4);
        logits[3] = float.NaN;
        logits[classes] = 1e30f;                                                    // out of reach of the exponential of x itself
        logits[(2 * classes) + labels[2]] = float.NegativeInfinity;
        logits[(18 * classes) + labels[18]] = 90;                                   // confident
        logits[(19 * classes) + labels[19]] = 14;
        SoftmaxCrossEntropyLoss loss = new() { Reduction = LossReduction.Sum };
        loss.Evaluate<float>(logits, labels, together, losses);
        float[] alone = new float[classes], loneLoss = new float[1];
        for (int row = 0; row < Rows; row++)
        {
            loss.Evaluate<float>(logits.AsSpan(row * classes, classes), [labels[row]], alone, loneLoss);
            loneLoss[0].Should().Be(losses[row]);
            alone.Should().Equal(together[(row * classes)..((row + 1) * classes)], (one, other) => one.Equals(other), "row {0}", row);
        }
    }

    private static ulong Pinned(int classes, double smoothing) => (classes, smoothing) switch
    {
        (7, 0.0) => 8780942543112589788,
        (100, 0.0) => 4670750688493642716,
        (1000, 0.0) => 5629776205755790779,
        (9000, 0.0) => 10116152292004176721,
        _ => 2466039746469047245,
    };

    private static void Check<T>(int classes, double smoothing, double tolerance)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        SoftmaxCrossEntropyLoss loss = new() { LabelSmoothing = smoothing, Reduction = LossReduction.Sum };
        using GuardedMemory<T> logits = GuardedMemory.Random<T>(Rows * classes, seed: classes), rowLosses = GuardedMemory.Zeros<T>(Rows);
        int[] labels = LossValues.Labels(Rows, classes, seed: classes);
        labels[3] = -1;
        loss = loss with { IgnoreLabel = -1 };
        T[] apart = new T[Rows * classes];
        LossResult expectedResult = loss.Evaluate<T>(logits.ReadOnlySpan, labels, apart);
        loss.Evaluate<T>(logits.ReadOnlySpan, labels, logits.Span, rowLosses.Span).Should().Be(expectedResult);
        logits.Span.SequenceEqual(apart).Should().BeTrue("in place or not, the bits are the same");

        double total = 0;
        for (int row = 0; row < Rows; row++)
        {
            double[] z = [.. logits.Original.ToArray().Skip(row * classes).Take(classes).Select(v => double.CreateTruncating(v))];
            double expected = 0, logSum = z.Max() + Math.Log(z.Sum(v => Math.Exp(v - z.Max())));
            for (int c = 0; c < classes; c++)
            {
                double share = row == 3 ? 0 : (smoothing / classes) + (c == labels[row] ? 1 - smoothing : 0);
                expected += share * (logSum - z[c]);
                double gradient = row == 3 ? 0 : Math.Exp(z[c] - logSum) - share;
                double.CreateTruncating(apart[(row * classes) + c]).Should().BeApproximately(gradient, tolerance, "row {0} class {1}", row, c);
            }

            double.CreateTruncating(rowLosses.Span[row]).Should().BeApproximately(expected, tolerance * Math.Max(1, expected));
            total += expected;
        }

        expectedResult.Loss.Should().BeApproximately(total, tolerance * Math.Max(1, total));
    }
}
