using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>Softmax, log-softmax and log-sum-exp of one row against the reference values and the wide reference.</summary>
public class SoftmaxAccuracyTests
{
    [Theory, MemberData(nameof(References.FloatSoftmaxCases), MemberType = typeof(References))]
    public void Floats_match_the_reference_values(SoftmaxCase c) => CheckReference<float>(c);

    [Theory, MemberData(nameof(References.DoubleSoftmaxCases), MemberType = typeof(References))]
    public void Doubles_match_the_reference_values(SoftmaxCase c) => CheckReference<double>(c);

    [Theory, MemberData(nameof(Lengths.OneTo260), MemberType = typeof(Lengths))]
    public void Every_length_of_floats_in_place_between_guard_pages(int length) => CheckLength<float>(length);

    [Theory, MemberData(nameof(Lengths.OneTo260), MemberType = typeof(Lengths))]
    public void Every_length_of_doubles_in_place_between_guard_pages(int length) => CheckLength<double>(length);

    [Theory]
    [InlineData(4097, 1e8f, 30)]
    [InlineData(70_001, 0, 100)]
    [InlineData(300_003, -1e6f, 5)]     // few distinct values
    public void Long_rows_with_huge_offsets_stay_within_the_bounds(int length, float offset, double spread)
    {
        float[] logits = new float[length];
        Random random = new(length);
        for (int i = 0; i < length; i++) logits[i] = offset - (float)(spread * random.NextDouble());
        CheckAgainstWide<float>(logits);
        CheckAgainstWide<double>(Array.ConvertAll(logits, x => (double)x));
    }

    [Fact]
    public void A_long_tail_of_tiny_probabilities_is_not_absorbed()
    {
        // Every e^-17 is below half an ulp of the 1 that it is added to; together they are a twelfth of the sum.
        float[] logits = new float[2_000_000];
        Array.Fill(logits, -17f);
        logits[^3] = 0;
        float[] probabilities = new float[logits.Length];
        SoftmaxFunctions.Softmax<float>(logits, probabilities);
        Wide sum = 1 + ((logits.Length - 1) * WideMath.Exp(-17));
        Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpError, probabilities[^3], Wide.One / sum);
        Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpError, probabilities[0], WideMath.Exp(-17) / sum);
        Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpErrorLogSumExp, SoftmaxFunctions.LogSumExp<float>(logits), WideMath.Log(sum), atLeast: 1);
    }

    [Fact]
    public void Adversarial_rows_of_equal_and_mixed_entries_stay_within_the_bounds()
    {
        foreach (float depth in new[] { 1e-7f, 0.1f, 3.7f, 10.1f, 16.7f, 50.3f, 86f })
        {
            foreach (int top in new[] { 1, 16, 17 })
            {
                float[] logits = new float[1000];
                for (int i = top; i < logits.Length; i++) logits[i] = 0.3f - depth;
                Array.Fill(logits, 0.3f, 0, top);
                CheckAgainstWide<float>(logits);
                CheckAgainstWide<double>(Array.ConvertAll(logits, x => (double)x));
            }
        }
    }

    [Fact]
    public void Log_sum_exp_of_log_probabilities_is_0_to_the_last_bit_of_1()
    {
        // ln Σ p cancels completely: max and the logarithm of the sum are equal and opposite.
        Random random = new(3);
        double[] logits = new double[777], logProbabilities = new double[777];
        for (int i = 0; i < logits.Length; i++) logits[i] = 3 * random.NextDouble();
        SoftmaxFunctions.LogSoftmax<double>(logits, logProbabilities);
        Ulp.ShouldBeWithin(
            SoftmaxKernel.MaxUlpErrorLogSumExp, SoftmaxFunctions.LogSumExp<double>(logProbabilities), WideReference.LogSumExp<double>(logProbabilities), atLeast: 1);
    }

    [Theory]
    [InlineData(0.1, 100)]
    [InlineData(0.7, 100)]
    [InlineData(3, 100)]
    [InlineData(1e6, 100)]
    [InlineData(0.5, 9000)]         // more than one part of a long row
    [InlineData(2, 9000)]
    public void Temperature_divides_the_logits_without_losing_accuracy(double temperature, int length)
    {
        Random random = new(11);
        double[] logits = new double[length];
        for (int i = 0; i < logits.Length; i++) logits[i] = (1e3 * temperature) - (50 * temperature * random.NextDouble());
        CheckTemperature(logits, temperature);
        CheckTemperature(Array.ConvertAll(logits, z => (float)z), (float)temperature);
    }

    /// <summary>A part of a long row takes its exponentials against its own maximum: the factor between may be smaller than any float.</summary>
    [Theory]
    [InlineData(30)]
    [InlineData(45)]
    [InlineData(86)]
    [InlineData(700)]
    public void Parts_far_below_the_maximum_keep_their_digits(double distance)
    {
        Random random = new(12);
        double[] logits = new double[9000];
        for (int i = 0; i < logits.Length; i++) logits[i] = random.NextDouble() - (i < 4096 ? distance : 0);
        CheckTemperature(logits, 1);
        if (distance < 100) CheckTemperature(Array.ConvertAll(logits, z => (float)z), 1);
    }

    private static void CheckTemperature<T>(T[] logits, T temperature)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] probabilities = new T[logits.Length];
        SoftmaxFunctions.Softmax<T>(logits, temperature, probabilities);
        Wide heat = double.CreateTruncating(temperature), max = double.CreateTruncating(logits.Max());
        Wide[] exps = Array.ConvertAll(logits, z => WideMath.Exp((double.CreateTruncating(z) - max) / heat));
        Wide sum = WideReference.Sum(exps);
        Ulp.ShouldBeWithin<T>(SoftmaxKernel.MaxUlpError, probabilities, Array.ConvertAll(exps, e => e / sum));
    }

    private static void CheckReference<T>(SoftmaxCase c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = c.Logits.As<T>(), probabilities = new T[logits.Length], logs = new T[logits.Length];
        SoftmaxFunctions.Softmax<T>(logits, probabilities);
        SoftmaxFunctions.LogSoftmax<T>(logits, logs);
        Ulp.ShouldBeWithin<T>(SoftmaxKernel.MaxUlpError, probabilities, c.Softmax);

        // The file subtracts log-sum-exp from the logit with 60 digits: where that leaves nothing, the sum over the others is the better reference.
        bool cancels = c.LogSoftmax.Any(l => l.IsFinite && Wide.Abs(l) < Wide.Abs(c.LogSumExp) * 1e-30);
        Ulp.ShouldBeWithin<T>(SoftmaxKernel.MaxUlpErrorLogSoftmax, logs, cancels ? WideReference.LogSoftmax<T>(logits) : c.LogSoftmax);
        Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpErrorLogSumExp, SoftmaxFunctions.LogSumExp<T>(logits), c.LogSumExp, atLeast: 1);
        Ulp.ShouldBeWithin(8, InformationMeasures.EntropyFromLogits<T>(logits), cancels ? WideReference.EntropyFromLogits<T>(logits) : c.Entropy, "entropy");
    }

    private static void CheckLength<T>(int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (GuardSide side in Enum.GetValues<GuardSide>())
        {
            using GuardedMemory<T> logits = GuardedMemory.Random<T>(length, seed: length, side), logs = GuardedMemory.Random<T>(length, seed: length, side);
            using GuardedMemory<T> separate = GuardedMemory.Zeros<T>(length, side);
            SoftmaxFunctions.LogSumExp(logits.ReadOnlySpan).Should().Be(SoftmaxFunctions.LogSumExp(logits.Original));
            SoftmaxFunctions.Softmax(logits.ReadOnlySpan, separate.Span);
            SoftmaxFunctions.Softmax(logits.ReadOnlySpan, logits.Span);
            SoftmaxFunctions.LogSoftmax(logs.ReadOnlySpan, logs.Span);
            logits.Span.ToArray().Should().Equal(separate.Span.ToArray());
            if (side == GuardSide.Before) continue;
            Ulp.ShouldBeWithin<T>(SoftmaxKernel.MaxUlpError, logits.Span, WideReference.Softmax(logits.Original));
            Ulp.ShouldBeWithin<T>(SoftmaxKernel.MaxUlpErrorLogSoftmax, logs.Span, WideReference.LogSoftmax(logits.Original));
        }
    }

    /// <summary>Long rows: the exact sum, each distinct exponential taken once, and a sample of the outputs.</summary>
    private static void CheckAgainstWide<T>(T[] logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] probabilities = new T[logits.Length], logs = new T[logits.Length];
        SoftmaxFunctions.Softmax<T>(logits, probabilities);
        SoftmaxFunctions.LogSoftmax<T>(logits, logs);

        T top = logits.Max();
        Wide max = Wide.From(top);
        Dictionary<T, int> counts = logits.CountBy(x => x).ToDictionary();
        Wide rest = counts[top] - 1;
        foreach ((T x, int count) in counts)
        {
            if (x != top) rest += count * WideMath.Exp(Wide.From(x) - max);
        }

        Wide log = WideMath.Log1p(rest);
        for (int sample = 0; sample < 100; sample++)
        {
            int i = (int)(sample * (logits.Length - 1L) / 99);
            Wide difference = Wide.From(logits[i]) - max;
            Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpError, probabilities[i], WideMath.Exp(difference) / (1 + rest), "softmax");
            Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpErrorLogSoftmax, logs[i], difference - log, "log-softmax");
        }

        Ulp.ShouldBeWithin(SoftmaxKernel.MaxUlpErrorLogSumExp, SoftmaxFunctions.LogSumExp<T>(logits), max + log, "log-sum-exp", atLeast: 1);
    }
}
