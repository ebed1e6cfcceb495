using System.Numerics;
using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>Sigmoid and log-sigmoid: bounds, special values, lengths.</summary>
public class SigmoidTests
{
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
        double[] x = [double.NegativeInfinity, double.PositiveInfinity, 0, double.NaN], sigmoid = new double[4], log = new double[4];
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

    private static void CheckSigmoid<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] value = new T[1];
        SoftmaxFunctions.Sigmoid<T>([x], value);
        Ulp.ShouldBeWithin(SigmoidFunction<T>.MaxUlpError, value[0], WideReference.Sigmoid(x), "sigmoid");
        SoftmaxFunctions.LogSigmoid<T>([x], value);
        Ulp.ShouldBeWithin(LogSigmoidFunction<T>.MaxUlpError, value[0], WideReference.LogSigmoid(x), "log-sigmoid");
    }
}
