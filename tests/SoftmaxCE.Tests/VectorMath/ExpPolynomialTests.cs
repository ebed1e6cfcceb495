using System.Numerics;

namespace SoftmaxCE.Tests;

public class ExpPolynomialTests
{
    /// <summary>Set to 1 to check every float in [−∞, 0]; the usual run takes one of this many, a prime so that all low bits occur.</summary>
    private static readonly uint Stride = Environment.GetEnvironmentVariable("SOFTMAXCE_EXHAUSTIVE") == "1" ? 1u : 4099u;

    [Fact]
    public void Exp_of_a_float_is_within_its_bound_over_the_bit_patterns_up_to_0()
    {
        const uint MinusZero = 0x80000000, MinusInfinity = 0xFF800000, Slice = 1 << 22;
        int slices = (int)((MinusInfinity - MinusZero) / Slice) + 1;
        double[] worst = new double[slices];
        Parallel.For(0, slices, slice =>
        {
            for (uint bits = MinusZero + ((uint)slice * Slice); bits < Math.Min(MinusZero + (((ulong)slice + 1) * Slice), MinusInfinity); bits += Stride)
            {
                float x = BitConverter.UInt32BitsToSingle(bits);
                float e = ExpPolynomial.OfNonPositive<ScalarSimd<float>, float, float>(x);
                double exact = Math.Exp(x);                 // its own error of 1e-16 does not show here
                double unit = exact >= 1.1754943508222875e-38 ? Math.ScaleB(1, Math.ILogB(exact) - 23) : 1.401298464324817e-45;
                worst[slice] = Math.Max(worst[slice], Math.Abs(e - exact) / unit);
            }
        });

        worst.Max().Should().BeLessThanOrEqualTo(ExpPolynomial.MaxUlpErrorFloat);
    }

    [Fact]
    public void Exp_of_the_reference_points_is_within_its_bound()
    {
        foreach (ExpCase c in References.Exp)
        {
            for (int i = 0; i < c.X.Length; i++)
            {
                if (c.Type == "float")
                {
                    Ulp.ShouldBeWithin(ExpPolynomial.MaxUlpErrorFloat, ExpPolynomial.OfNonPositive<ScalarSimd<float>, float, float>((float)c.X[i]), c.Exp[i]);
                }
                else
                {
                    Ulp.ShouldBeWithin(ExpPolynomial.MaxUlpErrorDouble, ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>(c.X[i]), c.Exp[i]);
                }
            }
        }
    }

    [Fact]
    public void Exp_of_a_double_is_within_its_bound_from_tiny_to_subnormal_results()
    {
        Random random = new(5);
        for (int i = 0; i < 20_000; i++)
        {
            double x = i % 3 == 0 ? -Math.ScaleB(random.NextDouble(), -(i % 60)) : -750 * random.NextDouble();
            Ulp.ShouldBeWithin(
                ExpPolynomial.MaxUlpErrorDouble, ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>(x), WideMath.Exp(x), "e^x");
        }
    }

    [Fact]
    public void Exp_is_exact_at_its_special_values()
    {
        Special<float>();
        Special<double>();
    }

    private static void Special<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        static T Exp(T x) => ExpPolynomial.OfNonPositive<ScalarSimd<T>, T, T>(x);
        Exp(T.Zero).Should().Be(T.One);
        Exp(T.NegativeZero).Should().Be(T.One);
        Exp(T.NegativeInfinity).Should().Be(T.Zero);
        Exp(-T.CreateChecked(1e30)).Should().Be(T.Zero);
        Exp(-T.Epsilon).Should().Be(T.One);
        T.IsNaN(Exp(T.NaN)).Should().BeTrue();
    }
}
