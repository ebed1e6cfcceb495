using System.Numerics;

namespace SoftmaxCE.Tests;

public class FactoredExpTests
{
    [Theory]
    [InlineData(0, 100)]
    [InlineData(3.3, 10)]
    [InlineData(256, 100)]
    [InlineData(-256, 100)]
    public void The_factors_of_a_float_are_good_to_half_a_unit_beyond_its_last_place(double max, double depth) => Check<float>(max, depth);

    [Theory]
    [InlineData(0, 740)]
    [InlineData(3.3, 10)]
    [InlineData(5e4, 740)]
    [InlineData(-5e4, 740)]
    public void The_factors_of_a_double_are_good_to_half_a_unit_beyond_its_last_place(double max, double depth) => Check<double>(max, depth);

    [Fact]
    public void The_smallest_results_are_normal_numbers_and_minus_infinity_is_the_smallest()
    {
        Smallest<float>();
        Smallest<double>();
    }

    [Fact]
    public void Sums_of_factors_are_good_to_half_a_unit_beyond_the_last_place()
    {
        Sums<float>(Math.ScaleB(1, -25));
        Sums<double>(Math.ScaleB(1, -54));
    }

    private static void Check<T>(double max, double depth)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Random random = new(9);
        Wide scale = Scale<T>();
        double unit = Math.ScaleB(1, typeof(T) == typeof(float) ? -24 : -53), worst = 0;
        for (int i = 0; i < 5000; i++)
        {
            T top = T.CreateChecked(max + (random.NextDouble() * (max < 0 ? 1 : -1)));
            FactoredExp<T, T> exp = default;
            exp.SetMaximum<ScalarSimd<T>>(top);
            T x = i % 10 == 0 ? top : T.CreateChecked(double.CreateChecked(top) - (depth * random.NextDouble()));
            T t = exp.Split<ScalarSimd<T>>(x, out T q);
            Wide exact = WideMath.Exp(Wide.From(x) - Wide.From(top)) * scale;
            Wide product = Wide.From(t) + (Wide.From(t) * Wide.From(q));
            worst = Math.Max(worst, (double)Wide.Abs((product - exact) / exact));
            if (x == top) T.FusedMultiplyAdd(t, q, t).Should().Be(T.CreateChecked(FactoredExp.OfMaximum<T>()));
        }

        worst.Should().BeLessThanOrEqualTo(0.5 * unit);
    }

    /// <summary>κ 2^headroom with κ to more digits than T holds.</summary>
    private static Wide Scale<T>()
        where T : unmanaged =>
        WideMath.Exp(Wide.From(FactoredExp.LogScale<T>()) + Wide.From(FactoredExp.LogScaleLow<T>())).TimesPowerOfTwo((int)FactoredExp.Headroom<T>());

    private static void Smallest<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        FactoredExp<T, T> exp = default;
        exp.SetMaximum<ScalarSimd<T>>(T.One);
        T atInfinity = exp.Split<ScalarSimd<T>>(T.NegativeInfinity, out T q);
        T.IsNormal(atInfinity).Should().BeTrue();
        T.Abs(q).Should().BeLessThan(T.CreateChecked(0.1));
        double.CreateChecked(atInfinity).Should().BeLessThan(Math.ScaleB(FactoredExp.OfMaximum<T>(), 1 - (int)FactoredExp.Depth<T>()));
        atInfinity.Should().Be(exp.Split<ScalarSimd<T>>(T.CreateChecked(-1e6), out _));
        T.IsNaN(exp.Split<ScalarSimd<T>>(T.NaN, out q) + q).Should().BeTrue();
    }

    private static void Sums<T>(double bound)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Random random = new(3);
        for (int kind = 0; kind < 20; kind++)
        {
            FactoredExp<T, T> exp = default;
            exp.SetMaximum<ScalarSimd<T>>(T.Zero);
            FactoredSum<T, T> sum = FactoredSum<T, T>.Create<ScalarSimd<T>>();
            T constant = T.CreateChecked(-20 * random.NextDouble());
            Wide exact = default;
            for (int i = 0; i < FactoredSum<T, T>.Capacity; i++)
            {
                T x = i == 7 ? T.Zero : kind % 2 == 0 ? constant : T.CreateChecked(-kind * random.NextDouble());
                T t = exp.Split<ScalarSimd<T>>(x, out T q);
                exact += Wide.From(t) + (Wide.From(t) * Wide.From(q));
                sum.Add<ScalarSimd<T>>(t, q);
            }

            T first = T.Zero, second = T.Zero;
            sum.MoveInto<ScalarSimd<T>>(ref first, ref second);
            CompensatedSum total = ScalarSimd<T>.TotalOfWide(first, second);
            Wide found = Wide.From(total.High) + Wide.From(total.Low);
            ((double)Wide.Abs((found - exact) / exact)).Should().BeLessThan(bound, "kind {0}", kind);
        }
    }
}
