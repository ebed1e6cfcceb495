using System.Numerics;

namespace SoftmaxCE.Tests;

public class ScaledExpTests
{
    [Theory]
    [InlineData(0, 100)]
    [InlineData(500, 100)]
    [InlineData(-500, 100)]
    public void Floats_and_what_rounding_lost_are_good_to_four_more_bits(double max, double depth) => Check<float>(max, depth, 1.0 / 16);

    [Theory]
    [InlineData(0, 740)]
    [InlineData(5e4, 740)]
    [InlineData(-5e4, 740)]
    public void Doubles_and_what_rounding_lost_are_good_to_two_more_bits(double max, double depth) => Check<double>(max, depth, 0.25);

    [Fact]
    public void The_smallest_results_are_normal_numbers_and_minus_infinity_is_the_smallest()
    {
        Smallest<float>();
        Smallest<double>();
    }

    private static void Check<T>(double max, double depth, double bound)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RowExponential<T> row = new(T.CreateChecked(max), T.One, 5000);
        row.IsDirect.Should().BeTrue();
        ScaledExp<T, T> exp = ScaledExp<T, T>.Create<ScalarSimd<T>>(row.Exponent);
        Random random = new(9);
        for (int i = 0; i < 5000; i++)
        {
            T x = T.CreateChecked(max - (depth * random.NextDouble()));
            T power = exp.Of<ScalarSimd<T>>(x, out T lost);
            Wide exact = WideMath.Exp(Wide.From(x)).TimesPowerOfTwo(-(int)row.Exponent);
            Ulp.Distance(power, exact).Should().BeLessThanOrEqualTo(0.5 + bound);
            Wide error = Wide.Abs(Wide.From(power) + Wide.From(lost) - exact);
            ((double)(error / exact)).Should().BeLessThanOrEqualTo(bound * Math.ScaleB(1, typeof(T) == typeof(float) ? -23 : -52));
        }
    }

    private static void Smallest<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ScaledExp<T, T> exp = ScaledExp<T, T>.Create<ScalarSimd<T>>(new RowExponential<T>(T.Zero, T.One, 5000).Exponent);
        T atInfinity = exp.Of<ScalarSimd<T>>(T.NegativeInfinity, out T lost);
        T.IsNormal(atInfinity).Should().BeTrue();
        T.IsNormal(exp.Of<ScalarSimd<T>>(exp.Lowest, out _)).Should().BeTrue();
        atInfinity.Should().Be(exp.Of<ScalarSimd<T>>(exp.Lowest - T.One, out _));
        T.IsNaN(lost).Should().BeFalse();
        T.IsNaN(exp.Of<ScalarSimd<T>>(T.NaN, out _)).Should().BeTrue();
    }
}
