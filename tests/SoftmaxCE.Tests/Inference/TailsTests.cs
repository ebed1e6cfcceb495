using System.Text.Json;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class TailsTests
{
    private static readonly JsonElement Reference = JsonDocument.Parse(File.ReadAllText(References.PathOf("tails.json"))).RootElement;

    [Fact]
    public void The_normal_tail_keeps_its_digits_down_to_the_smallest_doubles()
    {
        foreach (JsonElement item in Reference.GetProperty("normal").EnumerateArray())
        {
            double z = item.GetProperty("z").GetDouble();
            Wide upper = Wide.Parse(item.GetProperty("upper").GetString()!);
            RelativeError(NormalDistribution.UpperTail(z), upper).Should().BeLessThanOrEqualTo(NormalDistribution.MaxRelativeError, "z = {0:R}", z);
            if (z >= 0) RelativeError(NormalDistribution.TwoSided(-z), 2 * upper).Should().BeLessThanOrEqualTo(NormalDistribution.MaxRelativeError, "|z| = {0:R}", z);
        }
    }

    [Fact]
    public void The_chi_square_tail_keeps_its_digits_for_few_and_many_degrees_of_freedom()
    {
        foreach (JsonElement item in Reference.GetProperty("chiSquared").EnumerateArray())
        {
            double x = item.GetProperty("x").GetDouble();
            int degrees = item.GetProperty("degrees").GetInt32();
            RelativeError(ChiSquaredDistribution.UpperTail(x, degrees), Wide.Parse(item.GetProperty("upper").GetString()!))
                .Should().BeLessThanOrEqualTo(ChiSquaredDistribution.MaxRelativeError, "x = {0:R}, {1} degrees of freedom", x, degrees);
        }
    }

    [Fact]
    public void Quantiles_invert_the_tail()
    {
        foreach (double q in (double[])[1e-300, 1e-100, 1e-20, 1e-9, 0.001, 0.005, 0.025, 0.05, 0.2, 0.4, 0.499999, 0.5, 0.6, 0.9, 0.999, 1 - 1e-12])
        {
            double z = NormalDistribution.UpperQuantile(q), upper = NormalDistribution.UpperTail(z);

            // An error of z shows in the tail times the density over the tail, about max(|z|, 1).
            (Math.Abs(upper - q) / NormalDistribution.Density(z)).Should().BeLessThanOrEqualTo(2 * NormalDistribution.MaxQuantileError * Math.Max(Math.Abs(z), 1), "q = {0:R}", q);
        }

        NormalDistribution.UpperQuantile(0.025).Should().BeApproximately(1.959963984540054235524594, 1e-15 * 2);      // mpmath
        NormalDistribution.UpperQuantile(0.975).Should().BeApproximately(-1.959963984540054235524594, 1e-14);       // 0.975 itself is rounded
    }

    [Fact]
    public void Edges()
    {
        NormalDistribution.UpperTail(double.NegativeInfinity).Should().Be(1);
        NormalDistribution.UpperTail(double.PositiveInfinity).Should().Be(0);
        NormalDistribution.UpperTail(0).Should().Be(0.5);
        NormalDistribution.TwoSided(0).Should().Be(1);
        NormalDistribution.TwoSided(double.NegativeInfinity).Should().Be(0);
        NormalDistribution.UpperTail(double.NaN).Should().Be(double.NaN);
        NormalDistribution.TwoSided(double.NaN).Should().Be(double.NaN);
        ChiSquaredDistribution.UpperTail(0, 3).Should().Be(1);
        ChiSquaredDistribution.UpperTail(double.PositiveInfinity, 3).Should().Be(0);
        ChiSquaredDistribution.UpperTail(double.NaN, 3).Should().Be(double.NaN);
        ((Action)(() => ChiSquaredDistribution.UpperTail(1, 0))).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void One_degree_of_freedom_is_the_square_of_a_normal_and_two_are_an_exponential() => Gen.Double[1e-3, 30].Sample(z =>
    {
        RelativeError(ChiSquaredDistribution.UpperTail(z * z, 1), NormalDistribution.TwoSided(z)).Should().BeLessThan(1e-13 * 5);      // z² is rounded
        RelativeError(ChiSquaredDistribution.UpperTail(z, 2), Math.Exp(-z / 2)).Should().BeLessThan(2e-15);
    });

    private static double RelativeError(double actual, Wide expected) => Math.Abs((double)(((Wide)actual - expected) / expected));
}
