namespace SoftmaxCE.Tests;

public class BestPointTests
{
    [Fact]
    public void A_point_that_rounding_puts_higher_still_certifies_the_best_one()
    {
        BestPoint best = new([1], value: 1, gap: 0.5);
        best.Offer([2], 1 + 1e-12, gap: 1e-9);
        best.Point.Should().Equal(1);
        best.Value.Should().Be(1);
        best.Gap.Should().Be(1e-9);
        best.IsLast.Should().BeFalse();
    }

    [Fact]
    public void A_lower_point_is_no_farther_from_the_optimum_than_the_one_before()
    {
        BestPoint best = new([1], value: 1, gap: 1e-3);
        best.Offer([2], 0.9999, gap: 0.2);
        best.Point.Should().Equal(2);
        best.Gap.Should().Be(1e-3);
        best.Offer([3], 2, double.NaN);
        best.Gap.Should().Be(1e-3);
    }
}
