using System.Numerics;
using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Laws, special values, element types and arguments of the softmax functions.</summary>
public class SoftmaxFunctionsTests
{
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
