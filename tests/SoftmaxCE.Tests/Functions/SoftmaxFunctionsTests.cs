using System.Numerics;
using CsCheck;

namespace SoftmaxCE.Tests;

public class SoftmaxFunctionsTests
{
    private const double Infinity = double.PositiveInfinity;

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

    [Fact]
    public void Probabilities_are_shift_invariant_sum_to_1_and_follow_permutations() =>
        Gen.Float[-30, 30].Array[1, 100].Sample(logits =>
        {
            float[] probabilities = new float[logits.Length], shifted = new float[logits.Length], reversed = new float[logits.Length];
            SoftmaxFunctions.Softmax<float>(logits, probabilities);
            Math.Abs(probabilities.Sum(p => (double)p) - 1).Should().BeLessThan(1e-6);

            // A shift that is exact: multiples of 2^-10 within 2^13. Both results are within their bound of the same exact value.
            float[] grid = Array.ConvertAll(logits, x => MathF.Round(x * 1024) / 1024);
            SoftmaxFunctions.Softmax<float>(grid, probabilities);
            SoftmaxFunctions.Softmax<float>(Array.ConvertAll(grid, x => x - 8000f), shifted);
            SoftmaxFunctions.Softmax<float>([.. grid.Reverse()], reversed);
            for (int i = 0; i < grid.Length; i++)
            {
                float slack = 2 * (float)SoftmaxKernel.MaxUlpError * (MathF.BitIncrement(probabilities[i]) - probabilities[i]);
                Math.Abs(shifted[i] - probabilities[i]).Should().BeLessThanOrEqualTo(slack);
                Math.Abs(reversed[^(i + 1)] - probabilities[i]).Should().BeLessThanOrEqualTo(slack);
            }
        });

    [Fact]
    public void Two_logits_are_a_sigmoid_of_their_difference() =>
        Gen.Double[-700, 700].Sample(z =>
        {
            double[] softmax = new double[2], logSoftmax = new double[2], sigmoid = new double[1], logSigmoid = new double[1];
            SoftmaxFunctions.Softmax<double>([z, 0], softmax);
            SoftmaxFunctions.LogSoftmax<double>([z, 0], logSoftmax);
            SoftmaxFunctions.Sigmoid<double>([z], sigmoid);
            SoftmaxFunctions.LogSigmoid<double>([z], logSigmoid);
            sigmoid[0].Should().BeApproximately(softmax[0], 4.5e-16 * softmax[0]);
            logSigmoid[0].Should().BeApproximately(logSoftmax[0], 1e-15 * Math.Abs(logSoftmax[0]));
        });

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.7)]
    [InlineData(3)]
    [InlineData(1e6)]
    public void Temperature_divides_the_logits_without_losing_accuracy(double temperature)
    {
        Random random = new(11);
        double[] logits = new double[100], probabilities = new double[100];
        for (int i = 0; i < logits.Length; i++) logits[i] = (1e3 * temperature) - (50 * temperature * random.NextDouble());
        SoftmaxFunctions.Softmax(logits, temperature, probabilities);
        Wide max = logits.Max();
        Wide[] exps = Array.ConvertAll(logits, z => WideMath.Exp((z - max) / temperature));
        Wide sum = WideReference.Sum(exps);
        Ulp.ShouldBeWithin<double>(SoftmaxKernel.MaxUlpError, probabilities, Array.ConvertAll(exps, e => e / sum));
    }

    [Fact]
    public void Masked_infinite_and_missing_logits_follow_the_table_at_every_length()
    {
        for (int length = 1; length <= 80; length++)
        {
            for (int at = 0; at < length; at += Math.Max(1, length / 3))
            {
                Special<float>(length, at);
                Special<double>(length, at);
            }
        }
    }

    [Fact]
    public void Sigmoid_and_log_sigmoid_stay_within_their_bounds()
    {
        Random random = new(13);
        for (int i = 0; i < 3000; i++)
        {
            double x = (i % 3) switch { 0 => 2000 * (random.NextDouble() - 0.5), 1 => 60 * (random.NextDouble() - 0.5), _ => Math.ScaleB(random.NextDouble() - 0.5, -(i % 90)) };
            CheckSigmoid(x);
            CheckSigmoid((float)x);
        }
    }

    [Fact]
    public void Sigmoid_is_exact_at_its_special_values()
    {
        double[] x = [double.NegativeInfinity, Infinity, 0, double.NaN], sigmoid = new double[4], log = new double[4];
        SoftmaxFunctions.Sigmoid<double>(x, sigmoid);
        SoftmaxFunctions.LogSigmoid<double>(x, log);
        sigmoid.Should().Equal(0, 1, 0.5, double.NaN);
        log[0].Should().Be(double.NegativeInfinity);
        log[1].Should().Be(0);
        log[3].Should().Be(double.NaN);
        SoftmaxFunctions.LogSigmoid<double>([-1000], log);
        log[0].Should().Be(-1000);
    }

    [Theory, MemberData(nameof(Lengths.ZeroTo260), MemberType = typeof(Lengths))]
    public void Sigmoid_takes_every_length_in_place_between_guard_pages(int length)
    {
        foreach (GuardSide side in Enum.GetValues<GuardSide>())
        {
            using GuardedMemory<float> values = GuardedMemory.Random<float>(length, seed: length, side), logs = GuardedMemory.Random<float>(length, seed: length, side);
            SoftmaxFunctions.Sigmoid(values.ReadOnlySpan, values.Span);
            SoftmaxFunctions.LogSigmoid(logs.ReadOnlySpan, logs.Span);
            for (int i = 0; i < length; i++)
            {
                values.Span[i].Should().BeApproximately(1 / (1 + MathF.Exp(-values.Original[i])), 1e-6f);
                logs.Span[i].Should().BeApproximately(-float.LogP1(MathF.Exp(-values.Original[i])), 1e-5f * (1 + Math.Abs(values.Original[i])));
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 3)]
    [InlineData(1000, 10)]
    [InlineData(517, 2)]
    [InlineData(517, 8)]
    [InlineData(517, 16)]
    [InlineData(333, 257)]
    [InlineData(3, 70_000)]
    public void Rows_equal_single_calls_bit_for_bit_at_any_thread_count(int rowCount, int classCount)
    {
        float[] logits = new float[rowCount * classCount], expected = new float[logits.Length], rows = new float[logits.Length];
        Random random = new(classCount);
        for (int i = 0; i < logits.Length; i++) logits[i] = (float)(20 * (random.NextDouble() - 0.5));
        for (int i = 0; i < logits.Length; i += 37) logits[i] = i % 2 == 0 ? float.NegativeInfinity : 1e5f;      // masked, and out of the usual reach
        float[] sums = new float[rowCount];
        for (int row = 0; row < rowCount; row++)
        {
            SoftmaxFunctions.Softmax<float>(logits.AsSpan(row * classCount, classCount), expected.AsSpan(row * classCount, classCount));
            sums[row] = SoftmaxFunctions.LogSumExp<float>(logits.AsSpan(row * classCount, classCount));
        }

        foreach (int threads in new[] { 1, 2, 3, -1 })
        {
            SoftmaxFunctions.SoftmaxRows<float>(logits, classCount, rows, threads);
            rows.Should().Equal(expected);
            float[] rowSums = new float[rowCount];
            SoftmaxFunctions.LogSumExpRows<float>(logits, classCount, rowSums, threads);
            rowSums.Should().Equal(sums);
            SoftmaxFunctions.LogSoftmaxRows<float>(logits, classCount, rows, threads);
            for (int i = 1; i < rows.Length; i += 37) MathF.Exp(rows[i]).Should().BeApproximately(expected[i], 1e-5f);
        }
    }

    [Theory]
    [InlineData(70, 1, 4)]
    [InlineData(70, 2, 30)]
    [InlineData(100, 3, 4)]
    [InlineData(100, 8, 30)]
    [InlineData(100, 10, 4)]
    [InlineData(100, 10, 30)]
    [InlineData(100, 16, 100)]
    [InlineData(40, 10, 300)]
    [InlineData(100, 100, 4)]
    [InlineData(100, 100, 100)]
    [InlineData(53, 17, 4)]
    [InlineData(37, 256, 4)]
    [InlineData(40, 33, 300)]
    [InlineData(1, 262_144, 4)]
    [InlineData(2, 300_000, 4)]
    public void Batches_of_rows_and_parts_of_a_row_give_the_bits_of_the_row_alone(int rowCount, int classCount, double spread)
    {
        CheckBatches<float>(rowCount, classCount, spread);
        CheckBatches<double>(rowCount, classCount, spread);
    }

    private static void CheckBatches<T>(int rowCount, int classCount, double spread)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = new T[rowCount * classCount], softmax = new T[logits.Length], log = new T[logits.Length], sums = new T[rowCount], rows = new T[logits.Length + 3];
        Random random = new(classCount);
        for (int i = 0; i < logits.Length; i++) logits[i] = T.CreateChecked(2 * spread * (random.NextDouble() - 0.5));
        AddSpecialRows(logits, classCount);
        for (int row = 0; row < rowCount; row++)
        {
            ReadOnlySpan<T> alone = logits.AsSpan(row * classCount, classCount);
            SoftmaxFunctions.Softmax(alone, softmax.AsSpan(row * classCount, classCount));
            SoftmaxFunctions.LogSoftmax(alone, log.AsSpan(row * classCount, classCount));
            sums[row] = SoftmaxFunctions.LogSumExp(alone);
        }

        foreach (int threads in new[] { 1, 2, -1 })
        {
            // Shifted by one element, so that addresses of rows differ from those above; then in place.
            SoftmaxFunctions.SoftmaxRows<T>(logits, classCount, rows.AsSpan(1), threads);
            rows.AsSpan(1, logits.Length).SequenceEqual(softmax).Should().BeTrue("softmax, {0} threads", threads);
            logits.CopyTo(rows, 2);
            SoftmaxFunctions.SoftmaxRows<T>(rows.AsSpan(2, logits.Length), classCount, rows.AsSpan(2, logits.Length), threads);
            rows.AsSpan(2, logits.Length).SequenceEqual(softmax).Should().BeTrue("softmax, {0} threads in place", threads);
            SoftmaxFunctions.LogSoftmaxRows<T>(logits, classCount, rows.AsSpan(1), threads);
            rows.AsSpan(1, logits.Length).SequenceEqual(log).Should().BeTrue("log-softmax, {0} threads", threads);
            logits.CopyTo(rows, 2);
            SoftmaxFunctions.LogSoftmaxRows<T>(rows.AsSpan(2, logits.Length), classCount, rows.AsSpan(2, logits.Length), threads);
            rows.AsSpan(2, logits.Length).SequenceEqual(log).Should().BeTrue("log-softmax, {0} threads in place", threads);
            SoftmaxFunctions.LogSumExpRows<T>(logits, classCount, rows.AsSpan(1), threads);
            rows.AsSpan(1, rowCount).SequenceEqual(sums).Should().BeTrue("log-sum-exp, {0} threads", threads);
        }
    }

    /// <summary>Ties and masked entries among the first rows, a NaN further on, and, apart from it, rows without a finite maximum.</summary>
    private static void AddSpecialRows<T>(T[] logits, int classCount)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rowCount = logits.Length / classCount;
        if (rowCount < 40 || classCount > 256) return;
        logits.AsSpan(2 * classCount, classCount).Fill(T.One);
        for (int row = 3; row < 7; row++)
        {
            Span<T> values = logits.AsSpan(row * classCount, classCount);
            values[0] = values[classCount - 1];
            values[row % classCount] = T.CreateChecked(12 * row);                 // a confident row
            values[(row + 1) % classCount] = T.NegativeInfinity;
        }

        logits[(17 * classCount) + (classCount / 2)] = T.NaN;
        logits.AsSpan(33 * classCount, classCount).Fill(T.NegativeInfinity);
        logits[(34 * classCount) + (classCount / 2)] = T.PositiveInfinity;
        logits[35 * classCount] = T.PositiveInfinity;
        logits[(36 * classCount) - 1] = T.NaN;
    }

    [Fact]
    public void Half_rounds_the_result_of_float()
    {
        Half[] logits = [.. Enumerable.Range(0, 5000).Select(i => (Half)(((i * 37) % 101 / 10.0) - 5))], probabilities = new Half[5000];
        SoftmaxFunctions.SoftmaxRows<Half>(logits, 50, probabilities);
        float[] single = Array.ConvertAll(logits, x => (float)x);
        SoftmaxFunctions.SoftmaxRows<float>(single, 50, single);
        probabilities.Should().Equal(Array.ConvertAll(single, x => (Half)x));
        SoftmaxFunctions.LogSumExp<Half>(logits.AsSpan(0, 50)).Should().Be((Half)SoftmaxFunctions.LogSumExp<float>(Array.ConvertAll(logits[..50], x => (float)x)));
        SoftmaxFunctions.Sigmoid<Half>(logits, probabilities);
        probabilities[7].Should().Be((Half)(1 / (1 + Math.Exp(-(double)logits[7]))));
    }

    [Fact]
    public void Other_floating_point_types_compute_in_double()
    {
        System.Runtime.InteropServices.NFloat[] logits = [100, 99, 98], probabilities = new System.Runtime.InteropServices.NFloat[3];
        double[] expected = [100, 99, 98];
        SoftmaxFunctions.Softmax<System.Runtime.InteropServices.NFloat>(logits, probabilities);
        SoftmaxFunctions.Softmax<double>(expected, expected);
        Array.ConvertAll(probabilities, p => p.Value).Should().Equal(expected);
    }

    [Fact]
    public void Calls_allocate_nothing()
    {
        float[] logits = new float[1000], destination = new float[1000];
        Half[] halves = new Half[1000];
        Call();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Call();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void Call()
        {
            SoftmaxFunctions.Softmax<float>(logits, destination);
            SoftmaxFunctions.Softmax(logits, 0.5f, destination);
            SoftmaxFunctions.LogSoftmaxRows<float>(logits, 10, destination);
            SoftmaxFunctions.LogSumExp<float>(logits);
            SoftmaxFunctions.Sigmoid<float>(logits, destination);
            SoftmaxFunctions.Softmax<Half>(halves, halves);
            SoftmaxFunctions.SoftmaxBackward<float>(logits, logits, destination);
        }
    }

    [Fact]
    public void Bad_arguments_name_the_parameter_and_what_it_needs_and_write_nothing()
    {
        float[] three = [1, 2, 3], two = [7, 7], memory = [1, 2, 3, 4];
        Fails<ArgumentException>(() => SoftmaxFunctions.Softmax<float>([], two), "logits", "at least one");
        Fails<ArgumentException>(() => SoftmaxFunctions.LogSumExp<float>([]), "logits", "at least one");
        Fails<ArgumentException>(() => SoftmaxFunctions.Softmax<float>(three, two), "destination", "room for 3 values but has 2");
        Fails<ArgumentException>(() => SoftmaxFunctions.LogSoftmax<float>(three, two), "destination", "room for 3 values but has 2");
        Fails<ArgumentException>(() => SoftmaxFunctions.Sigmoid<float>(three, two), "destination", "room for 3 values but has 2");
        Fails<ArgumentException>(() => SoftmaxFunctions.Softmax<float>(memory.AsSpan(0, 3), memory.AsSpan(1, 3)), "destination", "shifted by");
        Fails<ArgumentException>(() => SoftmaxFunctions.SoftmaxRows<float>(three, 2, memory), "logits", "3 values, which is not a whole number of rows of 2 classes");
        Fails<ArgumentOutOfRangeException>(() => SoftmaxFunctions.SoftmaxRows<float>(three, 0, memory), "classCount", "at least 1");
        Fails<ArgumentOutOfRangeException>(() => SoftmaxFunctions.SoftmaxRows<float>(three, 3, memory, 0), "maxDegreeOfParallelism", "at least 1");
        Fails<ArgumentException>(() => SoftmaxFunctions.LogSumExpRows<float>(memory, 2, memory.AsSpan(0, 2)), "destination", "separate memory");
        foreach (float temperature in new[] { 0f, -1f, float.NaN, float.PositiveInfinity })
        {
            Fails<ArgumentOutOfRangeException>(() => SoftmaxFunctions.Softmax(three, temperature, memory), "temperature", "finite and greater than 0");
        }

        two.Should().Equal(7, 7);
        memory.Should().Equal(1, 2, 3, 4);
    }

    private static void Fails<TException>(Action action, string parameter, string message)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter).WithMessage($"*{message}*");

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

    private static void CheckSigmoid<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] value = new T[1];
        SoftmaxFunctions.Sigmoid<T>([x], value);
        Ulp.ShouldBeWithin(SigmoidFunction<T>.MaxUlpError, value[0], WideReference.Sigmoid(x), "sigmoid");
        SoftmaxFunctions.LogSigmoid<T>([x], value);
        Ulp.ShouldBeWithin(LogSigmoidFunction<T>.MaxUlpError, value[0], WideReference.LogSigmoid(x), "log-sigmoid");
    }

    private static void Special<T>(int length, int at)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = new T[length], result = new T[length];
        for (int i = 0; i < length; i++) logits[i] = T.CreateChecked(i % 7);

        logits[at] = T.NegativeInfinity;
        SoftmaxFunctions.Softmax<T>(logits, result);
        (length == 1 ? T.IsNaN(result[at]) : result[at] == T.Zero && result.All(T.IsFinite)).Should().BeTrue();
        SoftmaxFunctions.LogSoftmax<T>(logits, result);
        (length == 1 ? T.IsNaN(result[at]) : T.IsNegativeInfinity(result[at]) && !result.Any(T.IsNaN)).Should().BeTrue();

        foreach (T bad in new[] { T.PositiveInfinity, T.NaN })
        {
            logits[at] = bad;
            SoftmaxFunctions.Softmax<T>(logits, result);
            result.All(T.IsNaN).Should().BeTrue();
            SoftmaxFunctions.LogSoftmax<T>(logits, result);
            result.All(T.IsNaN).Should().BeTrue();
            SoftmaxFunctions.LogSumExp<T>(logits).Equals(bad).Should().BeTrue();
        }

        Array.Fill(logits, T.NegativeInfinity);
        SoftmaxFunctions.Softmax<T>(logits, result);
        result.All(T.IsNaN).Should().BeTrue();
        SoftmaxFunctions.LogSumExp<T>(logits).Should().Be(T.NegativeInfinity);
    }
}
