using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ChartAxisTests
{
    [Theory]
    [InlineData(new double[] { 0, 1 }, "0.0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(new double[] { 0, 17 }, "0 5 10 15 20")]
    [InlineData(new double[] { -3, 2.5 }, "-4 -2 0 2 4")]
    [InlineData(new double[] { 0.123, 0.1234 }, "0.1230 0.1231 0.1232 0.1233 0.1234")]
    [InlineData(new double[] { 5 }, "5 6")]
    [InlineData(new double[] { 0 }, "0.0 0.2")]
    [InlineData(new double[] { }, "0.0 0.2")]
    [InlineData(new double[] { 2e6, 4e6 }, "2e+6 2.5e+6 3e+6 3.5e+6 4e+6")]
    public void A_linear_axis_has_round_ticks(double[] values, string ticks) =>
        string.Join(' ', ChartAxis.Linear(values, 0, 100).Ticks.Select(tick => tick.Label)).Should().Be(ticks);

    [Theory]
    [InlineData(new double[] { 0.002, 30 }, "1e-3 1e-2 1e-1 1e0 1e1 1e2")]
    [InlineData(new double[] { 1 }, "1e0 1e1")]
    [InlineData(new double[] { }, "1e0 1e1")]
    [InlineData(new double[] { 1e-12, 1 }, "1e-12 1e-10 1e-8 1e-6 1e-4 1e-2 1e0")]
    public void A_logarithmic_axis_has_powers_of_ten(double[] values, string ticks) =>
        string.Join(' ', ChartAxis.Logarithmic(values, 0, 100).Ticks.Select(tick => tick.Label)).Should().Be(ticks);

    [Fact]
    public void Every_value_has_its_place_between_the_ends_and_in_order()
    {
        Gen.Double[-1e9, 1e9].Array[1, 10].Sample(values =>
        {
            Array.Sort(values);
            ChartAxis axis = ChartAxis.Linear(values, 200, 20);
            ChartAxis logarithmic = ChartAxis.Logarithmic([.. values.Select(value => Math.Exp(value / 1e8))], 20, 200);
            double[] places = [.. values.Select(axis.PlaceOf)];
            double[] others = [.. values.Select(value => logarithmic.PlaceOf(Math.Exp(value / 1e8)))];
            return places.All(place => place is >= 19.999 and <= 200.001) && places.SequenceEqual(places.OrderDescending())
                && others.All(place => place is >= 19.999 and <= 200.001) && others.SequenceEqual(others.Order());
        });
    }
}
