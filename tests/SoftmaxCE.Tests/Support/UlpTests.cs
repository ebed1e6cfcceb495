using CsCheck;

namespace SoftmaxCE.Tests;

public sealed class UlpTests
{
    [Fact]
    public void Neighbours_are_one_ulp_apart() => Gen.Double.Where(x => double.IsFinite(x) && x != 0 && Math.Abs(x) < 1e300).Sample(x =>
        Ulp.Distance(x, x) == 0 && Ulp.Distance(double.IsNegative(x) ? Math.BitDecrement(x) : Math.BitIncrement(x), x) == 1);

    [Fact]
    public void Casting_to_float_costs_half_an_ulp_at_most() => Gen.Double[-1e38, 1e38].Sample(x => Ulp.Distance((float)x, x) <= 0.5);

    [Fact]
    public void Below_the_normal_range_the_unit_is_the_smallest_number()
    {
        Ulp.Distance(0f, (Wide)float.Epsilon / 4).Should().Be(0.25);
        Ulp.Distance(float.Epsilon * 3, 0).Should().Be(3);
        Ulp.Distance(double.Epsilon * 5, (Wide)double.Epsilon * 4).Should().Be(1);
        Ulp.Distance(Half.Epsilon, 0).Should().Be(1);
    }

    [Fact]
    public void Special_values_match_only_themselves()
    {
        Ulp.Distance(float.NaN, Wide.NaN).Should().Be(0);
        Ulp.Distance(1f, Wide.NaN).Should().Be(double.PositiveInfinity);
        Ulp.Distance(float.NaN, 1).Should().Be(double.PositiveInfinity);
        Ulp.Distance(float.NegativeInfinity, Wide.NegativeInfinity).Should().Be(0);
        Ulp.Distance(float.PositiveInfinity, Wide.NegativeInfinity).Should().Be(double.PositiveInfinity);
        Ulp.Distance(float.MaxValue, Wide.PositiveInfinity).Should().Be(double.PositiveInfinity);
        Ulp.Distance(float.PositiveInfinity, 1e39).Should().Be(0, "the exact value rounds to infinity");
        Ulp.Distance(float.PositiveInfinity, (Wide)float.MaxValue).Should().Be(double.PositiveInfinity);
        Ulp.Distance(float.MaxValue, (Wide)float.MaxValue).Should().Be(0);
    }

    [Fact]
    public void A_floor_for_the_unit_forgives_cancellation()
    {
        Ulp.Distance(0f, 1e-9).Should().BeGreaterThan(1e6);
        Ulp.Distance(0f, 1e-9, 1).Should().BeLessThan(0.01);
    }

    [Fact]
    public void The_message_names_the_worst_place() =>
        FluentActions.Invoking(() => Ulp.ShouldBeWithin<float>(1, [1f, 2.001f, 3f], [1, 2, 3], "example"))
            .Should().Throw<Xunit.Sdk.XunitException>().WithMessage("*example [1] is 2.001 for 2*");
}
