namespace SoftmaxCE;

/// <summary>Tails and quantiles of the standard normal distribution.</summary>
internal static class NormalDistribution
{
    /// <summary>Largest relative error of <see cref="UpperTail"/> while the result is a normal number.</summary>
    public const double MaxRelativeError = 2e-15;

    /// <summary>Largest error of <see cref="UpperQuantile"/>, relative to max(|z|, 1).</summary>
    public const double MaxQuantileError = 2e-15;

    // Below this the series of the distribution function is shorter than the tail's sum.
    private const double SeriesLimit = 1;

    // Beyond this the tail is below the smallest positive double.
    private const double Underflow = 39;

    // The trapezoidal sum has step 1/2 in x = z/√2 and therefore an error of e^(−4π²) ≈ 7e-18.
    private const double Step = 0.5;

    // e^(−(n · Step)²); the 13th is below half an ulp of the sum.
    private static readonly double[] Nodes = [.. Enumerable.Range(1, 13).Select(n => Math.Exp(-n * n * Step * Step))];

    /// <summary>Q(z) = P(Z &gt; z) = ½ erfc(z/√2).</summary>
    /// <returns>1 at −∞, 0 at +∞, NaN at NaN.</returns>
    public static double UpperTail(double z)
    {
        if (z < 0) return 1 - UpperTail(-z);
        if (z > Underflow) return 0;
        return z < SeriesLimit ? 0.5 - (Density(z) * OddSeries(z)) : Tail(z);
    }

    /// <summary>P(|Z| &gt; |z|), the p-value of a Wald statistic.</summary>
    public static double TwoSided(double z) => Math.Abs(z) < SeriesLimit ? 1 - (2 * Density(z) * OddSeries(Math.Abs(z))) : 2 * UpperTail(Math.Abs(z));

    /// <summary>φ(z) = e^(−z²/2) / √(2π).</summary>
    public static double Density(double z) => ExpOfHalfSquare(z) / Math.Sqrt(2 * Math.PI);

    /// <summary>The z with P(Z &gt; z) = q, for 0 &lt; q &lt; 1.</summary>
    public static double UpperQuantile(double q)
    {
        if (q > 0.5) return -UpperQuantile(1 - q);

        // Abramowitz, Stegun 26.2.23: off by less than 4.5e-4; Halley's steps cube the error.
        double t = Math.Sqrt(-2 * Math.Log(q));
        double z = t - ((2.515517 + (t * (0.802853 + (t * 0.010328)))) / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
        for (int step = 0; step < 3; step++)
        {
            double ratio = (UpperTail(z) - q) / Density(z);
            z += ratio / (1 - (ratio * z / 2));
        }

        return z;
    }

    /// <summary>z + z³/3 + z⁵/15 + …; times φ(z) it is P(0 &lt; Z &lt; z).</summary>
    private static double OddSeries(double z)
    {
        double term = z, sum = z;
        for (int n = 3; term > 1e-17 * sum; n += 2)
        {
            term *= z * z / n;
            sum += term;
        }

        return sum;
    }

    /// <summary>
    /// erfc(x) = e^(−x²) x/π ∫ e^(−t²) / (x² + t²) dt by the trapezoidal rule, which converges exponentially; the pole at t = ix gives the
    /// correction (Chiarella, Reichel 1968).
    /// </summary>
    private static double Tail(double z)
    {
        double x = z / Math.Sqrt(2), square = x * x, sum = 0;
        for (int n = Nodes.Length; n >= 1; n--) sum += Nodes[n - 1] / (square + (n * n * Step * Step));
        double integral = ExpOfHalfSquare(z) * Step / Math.PI * ((1 / x) + (2 * x * sum));
        double pole = x < Math.PI / Step ? 2 / (Math.Exp(2 * Math.PI * x / Step) - 1) : 0;
        return (integral - pole) / 2;
    }

    /// <summary>e^(−z²/2), with the part of z² that rounding drops.</summary>
    private static double ExpOfHalfSquare(double z)
    {
        double square = z * z, rest = Math.FusedMultiplyAdd(z, z, -square);
        return Math.Exp(-square / 2) * (1 - (rest / 2));
    }
}
