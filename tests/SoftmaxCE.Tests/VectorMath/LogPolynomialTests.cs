using System.Numerics;

namespace SoftmaxCE.Tests;

public class LogPolynomialTests
{
    [Fact]
    public void Log_of_a_float_is_within_its_bound_over_its_bit_patterns()
    {
        for (uint bits = 1; bits < 0x7F800000; bits += 40_009)
        {
            float x = BitConverter.UInt32BitsToSingle(bits);
            Wide exact = Wide.From(Math.Log(x));        // good to 1e-16, which does not show in float
            if (x is > 0.999f and < 1.001f) exact = WideMath.Log(x);
            Ulp.ShouldBeWithin(LogPolynomial.MaxUlpError, LogPolynomial.Log<ScalarSimd<float>, float, float>(x), exact, "ln");
        }
    }

    [Fact]
    public void Log_of_a_double_is_within_its_bound_from_subnormal_to_huge()
    {
        Random random = new(6);
        for (int i = 0; i < 20_000; i++)
        {
            double x = i % 3 == 0 ? 1 + Math.ScaleB(random.NextDouble() - 0.5, -(i % 53)) : Math.ScaleB(1 + random.NextDouble(), random.Next(-1070, 1023));
            Ulp.ShouldBeWithin(LogPolynomial.MaxUlpError, LogPolynomial.Log<ScalarSimd<double>, double, double>(x), WideMath.Log(x), "ln");
        }
    }

    [Fact]
    public void Log1p_is_within_its_bound_from_minus_1_to_huge_and_close_to_0()
    {
        Random random = new(7);
        for (int i = 0; i < 20_000; i++)
        {
            double x = (i % 4) switch
            {
                0 => Math.ScaleB(random.NextDouble(), -random.Next(1070)),
                1 => -Math.ScaleB(random.NextDouble(), -random.Next(60)),
                2 => Math.ScaleB(1 + random.NextDouble(), random.Next(60)),
                _ => random.NextDouble(),
            };
            Ulp.ShouldBeWithin(LogPolynomial.MaxUlpErrorLog1p, LogPolynomial.Log1p<ScalarSimd<double>, double, double>(x), WideMath.Log1p(x), "ln(1 + x)");
            Ulp.ShouldBeWithin(LogPolynomial.MaxUlpErrorLog1p, LogPolynomial.Log1p<ScalarSimd<float>, float, float>((float)x), WideMath.Log1p((float)x), "ln(1 + x)");
        }
    }

    [Fact]
    public void F_minus_log1p_keeps_its_relative_accuracy_down_to_0()
    {
        Random random = new(8);
        for (int i = 0; i < 5_000; i++)
        {
            double f = Math.ScaleB((random.NextDouble() * 0.7) - 0.29, -(i % 100));
            Wide exact = f - WideMath.Log1p(f);
            Ulp.ShouldBeWithin(4, LogPolynomial.FMinusLog1p<ScalarSimd<double>, double, double>(f), exact, "f - ln(1 + f)");
        }
    }

    [Fact]
    public void Logarithms_are_exact_at_their_special_values()
    {
        Special<float>();
        Special<double>();
    }

    private static void Special<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        static T Log(T x) => LogPolynomial.Log<ScalarSimd<T>, T, T>(x);
        static T Log1p(T x) => LogPolynomial.Log1p<ScalarSimd<T>, T, T>(x);
        Log(T.One).Should().Be(T.Zero);
        Log(T.Zero).Should().Be(T.NegativeInfinity);
        Log(T.PositiveInfinity).Should().Be(T.PositiveInfinity);
        T.IsNaN(Log(-T.One)).Should().BeTrue();
        T.IsNaN(Log(T.NegativeInfinity)).Should().BeTrue();
        T.IsNaN(Log(T.NaN)).Should().BeTrue();
        Log1p(T.Zero).Should().Be(T.Zero);
        Log1p(T.Epsilon).Should().Be(T.Epsilon);
        Log1p(-T.One).Should().Be(T.NegativeInfinity);
        Log1p(T.PositiveInfinity).Should().Be(T.PositiveInfinity);
        T.IsNaN(Log1p(T.NegativeInfinity)).Should().BeTrue();
        T.IsNaN(Log1p(T.NaN)).Should().BeTrue();
    }
}
