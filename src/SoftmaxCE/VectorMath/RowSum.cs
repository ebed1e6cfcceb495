using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What follows from the sum s = Σ e^(x[i] − max) of a row and, apart from it, the sum r over all entries but one maximum: s = 1 + r.</summary>
/// <remarks>
/// Keeping r apart saves the last digits of a confident row: with logits {50, 0} the sum is 1 + 2e-22, which no float or double holds, but
/// the loss of the first class is ln(1 + 2e-22) = 2e-22 and has all its digits here.
/// </remarks>
internal static class RowSum
{
    /// <summary>1 / s, rounded to T, and what that rounding lost: e · (reciprocal + low) is then off by less than one rounding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Reciprocal<T>(CompensatedSum sum, out T low)
        where T : unmanaged => Quotient(new() { High = 1 }, sum, out low);

    /// <summary>numerator / denominator, rounded to T, and what that rounding lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Quotient<T>(CompensatedSum numerator, CompensatedSum denominator, out T low)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            double quotient = numerator.High / denominator.Value;
            T rounded = Element.FromDouble<T>(quotient);
            low = Element.FromDouble<T>(quotient - Element.ToDouble(rounded));
            return rounded;
        }

        double total = denominator.Value, leading = numerator.High / total;
        double remainder = Math.FusedMultiplyAdd(-total, leading, numerator.High) + (numerator.Low - ((denominator.High - total + denominator.Low) * leading));
        low = Element.FromDouble<T>(remainder / total);
        return Element.FromDouble<T>(leading);
    }

    /// <summary>ln(s · 2^exponent) as a leading part and a rest that together carry more digits than a double.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Log(CompensatedSum sum, double exponent, out double rest)
    {
        double total = sum.Value;
        return LogPolynomial.LogOfSum<ScalarSimd<double>, double>(total, (sum.High - total + sum.Low) / total, exponent, out rest);
    }

    /// <summary>ln(1 + r) to full relative accuracy.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Log1p(double rest) => LogPolynomial.Log1p<ScalarSimd<double>, double, double>(rest);
}
