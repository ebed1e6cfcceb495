using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>The wide functions against the 25 digits of the reference file, and against laws that hold to their last bits.</summary>
public sealed class WideMathTests
{
    // The file's digits are rounded to 25.
    private static readonly Wide FileRounding = Wide.Parse("6e-25");

    private static readonly Wide LastBits = Wide.One.TimesPowerOfTwo(-138);

    [Fact]
    public void Exp_matches_the_reference() => Match(WideMath.Exp, c => c.Exp);

    [Fact]
    public void Expm1_matches_the_reference() => Match(WideMath.Expm1, c => c.Expm1);

    [Fact]
    public void Log1p_of_exp_matches_the_reference() => Match(x => WideMath.Log1p(WideMath.Exp(x)), c => c.Log1p);

    [Fact]
    public void Ln2_is_right() => ShouldAgree(WideMath.Ln2, Wide.Parse("0.693147180559945309417232121458176568075500134360255254120680"), LastBits);

    [Fact]
    public void E_is_right() => ShouldAgree(WideMath.Exp(1), Wide.Parse("2.718281828459045235360287471352662497757247093699959574966968"), LastBits);

    [Fact]
    public void Exp_turns_sums_into_products() => Gen.Select(Gen.Double[-700, 700], Gen.Double[-700, 700]).Sample((a, b) =>
        ShouldAgree(WideMath.Exp((Wide)a + b), WideMath.Exp(a) * WideMath.Exp(b), LastBits));

    [Fact]
    public void Log_undoes_exp() => Gen.Double[-745, 709].Sample(x => ShouldAgree(WideMath.Exp(WideMath.Log(WideMath.Exp(x))), WideMath.Exp(x), LastBits));

    [Fact]
    public void Log_turns_products_into_sums() => Gen.Select(Gen.Double[1e-3, 1e3], Gen.Double[2, 1e3]).Sample((a, b) =>
        (Wide.Abs(WideMath.Log((Wide)a * b) - WideMath.Log(a) - WideMath.Log(b)) < LastBits * 8).Should().BeTrue());

    [Fact]
    public void Small_arguments_keep_relative_accuracy()
    {
        Wide tiny = Wide.Parse("1e-30");

        // x - x²/2 + x³/3 and x + x²/2 + x³/6; what is left out is of order 1e-90.
        ShouldAgree(WideMath.Log1p(tiny), tiny - (tiny * tiny / 2) + (tiny * tiny * tiny / 3), LastBits);
        ShouldAgree(WideMath.Expm1(tiny), tiny + (tiny * tiny / 2) + (tiny * tiny * tiny / 6), LastBits);
        ShouldAgree(WideMath.Log(1 + tiny), WideMath.Log1p(tiny), Wide.One.TimesPowerOfTwo(-50));
    }

    [Fact]
    public void Both_sides_of_a_switch_of_method_agree()
    {
        foreach (double x in new[] { 1.0 / 1024, -1.0 / 1024 })
        {
            Wide inside = x * (1 - Wide.One.TimesPowerOfTwo(-60)), outside = x * (1 + Wide.One.TimesPowerOfTwo(-60));
            ShouldAgree(WideMath.Expm1(inside), WideMath.Expm1(outside), Wide.One.TimesPowerOfTwo(-58));
            ShouldAgree(WideMath.Log1p(WideMath.Expm1(inside)), inside, LastBits * 4096);
            ShouldAgree(WideMath.Log1p(WideMath.Expm1(outside)), outside, LastBits * 4096);
        }
    }

    [Fact]
    public void Ends_of_the_domain()
    {
        WideMath.Exp(Wide.NegativeInfinity).IsZero.Should().BeTrue();
        (WideMath.Exp(Wide.PositiveInfinity) == Wide.PositiveInfinity).Should().BeTrue();
        (WideMath.Log(Wide.Zero) == Wide.NegativeInfinity).Should().BeTrue();
        WideMath.Log(-1).IsNaN.Should().BeTrue();
        (WideMath.Exp(Wide.Zero) == Wide.One).Should().BeTrue();
    }

    private static void Match(Func<Wide, Wide> function, Func<ExpCase, Wide[]> expected)
    {
        foreach (ExpCase c in References.Exp)
            for (int i = 0; i < c.X.Length; i++)
                ShouldAgree(function(c.X[i]), expected(c)[i], FileRounding);
    }

    private static void ShouldAgree(Wide actual, Wide expected, Wide relative) =>
        (Wide.Abs(actual - expected) <= Wide.Abs(expected) * relative).Should().BeTrue("{0} is {1}", actual, expected);
}
