using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>exp, log, log1p and expm1 of <see cref="Wide"/> numbers, each with a relative error below 2^-140.</summary>
public static class WideMath
{
    // Fixed-point work inside Exp: 160 bits of result, 12 lost in the squarings, the rest is guard.
    private const int FixedBits = Wide.Precision + 48;
    private const int Squarings = 12;

    // Beyond this magnitude of the argument, e^x is 0 or infinite in any format the library meets.
    private const double ExpLimit = 1e5;

    // Below this distance from 1 (or 0) the series is used directly, so that nothing cancels.
    private const double SeriesLimit = 1.0 / 1024;

    private static readonly Wide SeriesEnd = Wide.One.TimesPowerOfTwo(-Wide.Precision - 4);

    /// <summary>ln 2 = 2 atanh(1/3).</summary>
    public static Wide Ln2 { get; } = 2 * AtanhSeries(Wide.One / 3);

    /// <summary>e^x. Below -1e5 the result is 0 and above 1e5 it is +∞.</summary>
    public static Wide Exp(Wide x)
    {
        if (x.IsNaN) return x;
        if (x > ExpLimit) return Wide.PositiveInfinity;
        if (x < -ExpLimit) return Wide.Zero;

        // x = n ln 2 + r, |r| ≤ 0.35. |n| < 2^18, so the error of r is below 2^-142.
        int n = (int)Math.Round((double)x / Math.Log(2));
        Wide r = x - (n * Ln2);
        return ExpNearZero(r).TimesPowerOfTwo(n);
    }

    /// <summary>e^x - 1.</summary>
    public static Wide Expm1(Wide x)
    {
        if (!(Wide.Abs(x) < SeriesLimit)) return Exp(x) - 1;
        Wide term = x, sum = x;
        for (int k = 2; !term.IsZero && Wide.Abs(term) > Wide.Abs(sum) * SeriesEnd; k++)
        {
            term = term * x / k;
            sum += term;
        }

        return sum;
    }

    /// <summary>ln x; -∞ at 0, NaN below.</summary>
    public static Wide Log(Wide x)
    {
        if (x.IsNaN || x.Sign < 0) return Wide.NaN;
        if (x.IsZero) return Wide.NegativeInfinity;
        if (!x.IsFinite) return x;
        Wide aboveOne = x - 1;
        if (Wide.Abs(aboveOne) < SeriesLimit) return 2 * AtanhSeries(aboveOne / (aboveOne + 2));

        // x = m 2^e; y is ln m to double precision; m e^-y is then 1 + tiny.
        int e = x.BinaryExponent;
        Wide m = x.TimesPowerOfTwo(-e);
        Wide y = Math.Log((double)m);
        Wide tiny = (m * Exp(-y)) - 1;
        return (e * Ln2) + (y + (2 * AtanhSeries(tiny / (tiny + 2))));
    }

    /// <summary>ln(1 + x).</summary>
    public static Wide Log1p(Wide x) => Wide.Abs(x) < SeriesLimit ? 2 * AtanhSeries(x / (x + 2)) : Log(x + 1);

    // atanh s = s + s³/3 + s⁵/5 + …
    private static Wide AtanhSeries(Wide s)
    {
        Wide square = s * s, power = s, sum = s;
        for (int k = 3; !power.IsZero && Wide.Abs(power) > Wide.Abs(sum) * SeriesEnd; k += 2)
        {
            power *= square;
            sum += power / k;
        }

        return sum;
    }

    // Taylor series at r / 2^12, then squared 12 times; all in fixed point, which is several times faster than Wide.
    private static Wide ExpNearZero(Wide r)
    {
        BigInteger x = r.ToFixed(FixedBits) >> Squarings;
        BigInteger one = BigInteger.One << FixedBits;
        BigInteger term = one, sum = one;
        for (int k = 1; !term.IsZero && term != BigInteger.MinusOne; k++)
        {
            term = ((term * x) >> FixedBits) / k;
            sum += term;
        }

        for (int i = 0; i < Squarings; i++) sum = (sum * sum) >> FixedBits;
        return Wide.FromFixed(sum, FixedBits);
    }
}
