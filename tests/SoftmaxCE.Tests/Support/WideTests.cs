using System.Globalization;
using CsCheck;

namespace SoftmaxCE.Tests;

public sealed class WideTests
{
    private static readonly Gen<double> Finite = Gen.Double.Where(double.IsFinite);

    [Fact]
    public void Doubles_survive_the_way_there_and_back() => Finite.Sample(x => (double)(Wide)x == x);

    [Fact]
    public void Operations_on_doubles_round_like_doubles() => Gen.Select(Finite, Finite).Sample((a, b) =>
        Same((double)((Wide)a + b), a + b) && Same((double)((Wide)a - b), a - b) && Same((double)((Wide)a * b), a * b)
        && (b == 0 || Same((double)((Wide)a / b), a / b)));

    // The exact result has at most 130 bits here, so that it is rounded once, as by the instruction.
    [Fact]
    public void Fused_multiply_add_agrees() => Gen.Select(Gen.Double[0.01, 9], Gen.Double[-9, -0.01], Gen.Int[-9999, 9999]).Sample((a, b, c) =>
        (double)(((Wide)a * b) + (c / 1024.0)) == Math.FusedMultiplyAdd(a, b, c / 1024.0));

    [Fact]
    public void Order_is_that_of_doubles() => Gen.Select(Finite, Finite).Sample((a, b) => ((Wide)a).CompareTo(b) == a.CompareTo(b));

    [Fact]
    public void Decimals_parse_to_the_nearest() => Finite.Sample(x => (double)Wide.Parse(x.ToString("R", CultureInfo.InvariantCulture)) == x);

    [Theory]
    [InlineData("inf", double.PositiveInfinity)]
    [InlineData("-inf", double.NegativeInfinity)]
    [InlineData("nan", double.NaN)]
    [InlineData("0.0", 0.0)]
    [InlineData("-2.50e+1", -25.0)]
    [InlineData("4.9406564584124654e-324", double.Epsilon)]
    public void Special_texts_parse(string text, double expected) => ((double)Wide.Parse(text)).Should().Be(expected);

    [Fact]
    public void Rounding_to_float_matches_the_cast() => Finite.Sample(x =>
        float.IsInfinity((float)x) || (float)((Wide)x).RoundTo(24, -149) == (float)x);

    [Fact]
    public void Infinities_and_nan_follow_the_rules()
    {
        (Wide.PositiveInfinity - Wide.PositiveInfinity).IsNaN.Should().BeTrue();
        (Wide.Zero * Wide.PositiveInfinity).IsNaN.Should().BeTrue();
        (Wide.One / Wide.NegativeInfinity).IsZero.Should().BeTrue();
        (Wide.NaN == Wide.NaN).Should().BeFalse();
        (Wide.NaN < Wide.One).Should().BeFalse();
        (Wide.One < Wide.PositiveInfinity).Should().BeTrue();
        ((-3 * Wide.PositiveInfinity) == Wide.NegativeInfinity).Should().BeTrue();
    }

    [Fact]
    public void A_third_holds_160_bits()
    {
        Wide error = Wide.Abs((Wide.One / 3 * 3) - 1);

        (error <= Wide.One.TimesPowerOfTwo(1 - Wide.Precision)).Should().BeTrue();
    }

    private static bool Same(double actual, double expected) => actual == expected || (double.IsNaN(actual) && double.IsNaN(expected));
}
