namespace SoftmaxCE;

/// <summary>Tails of the chi-square distribution with whole degrees of freedom.</summary>
internal static class ChiSquaredDistribution
{
    /// <summary>Largest relative error of <see cref="UpperTail"/> while the result is a normal number.</summary>
    public const double MaxRelativeError = 5e-13;

    // Up to here the density's factors are multiplied as they are; beyond it they would overflow, and Stirling's series is exact.
    private const double SmallShape = 16;

    /// <summary>
    /// P(χ² &gt; x) = Γ(a, x/2) / Γ(a) with a = degrees/2. Above the mean the finite sum over a − 1, a − 2, … of Poisson-like terms, all
    /// positive; below it one minus the series of the lower tail.
    /// </summary>
    /// <param name="x">≥ 0 (1 for what is below).</param>
    /// <param name="degrees">Degrees of freedom, at least 1.</param>
    /// <returns>1 at 0, 0 at +∞, NaN at NaN.</returns>
    public static double UpperTail(double x, int degrees)
    {
        Argument.Positive(degrees);
        double a = degrees / 2.0, half = x / 2;
        if (half <= 0) return 1;
        if (double.IsPositiveInfinity(half)) return 0;
        return half < a ? 1 - LowerSeries(a, half) : UpperSum(a, half);
    }

    /// <summary>Σ over i ≥ 0 of x^(a+i) e^(−x) / Γ(a + i + 1).</summary>
    private static double LowerSeries(double a, double x)
    {
        double term = PoissonTerm(a, x), sum = term;
        for (int i = 1; term > 1e-17 * sum; i++)
        {
            term *= x / (a + i);
            sum += term;
        }

        return sum;
    }

    /// <summary>Σ over k = a − 1, a − 2, … ≥ 0 of x^k e^(−x) / Γ(k + 1); for odd degrees, where k ends at ½, erfc(√x) is what remains.</summary>
    private static double UpperSum(double a, double x)
    {
        double k = a - 1, sum = 0;
        for (double term = k >= 0 ? PoissonTerm(k, x) : 0; k >= 0; k--)
        {
            sum += term;
            term *= k / x;
            if (term <= 1e-17 * sum) return sum;
        }

        return k == -0.5 ? sum + NormalDistribution.TwoSided(Math.Sqrt(2 * x)) : sum;
    }

    /// <summary>x^k e^(−x) / Γ(k + 1) for a multiple k of ½.</summary>
    private static double PoissonTerm(double k, double x)
    {
        if (k < SmallShape)
        {
            double factorial = k == Math.Floor(k) ? 1 : Math.Sqrt(Math.PI);     // Γ(½) or Γ(1)
            for (double i = k; i > 0; i--) factorial *= i;
            double root = Math.Exp(-x / 2);                                     // e^(−x) may underflow before the product does
            return root * Math.Pow(x, k) * root / factorial;
        }

        // Loader 2000: Stirling's formula and its error, and the deviance k ln(k/x) + x − k, so that nothing large cancels.
        return Math.Exp(-StirlingError(k) - Deviance(k, x)) / Math.Sqrt(2 * Math.PI * k);
    }

    /// <summary>ln Γ(k + 1) − (k + ½) ln k + k − ½ ln 2π; the first term left out is below 1e-16 from k = 16 on.</summary>
    private static double StirlingError(double k)
    {
        double inverse = 1 / (k * k);
        return ((1.0 / 12) - (inverse * ((1.0 / 360) - (inverse * ((1.0 / 1260) - (inverse * ((1.0 / 1680) - (inverse / 1188)))))))) / k;
    }

    /// <summary>k ln(k/x) + x − k ≥ 0. Near k = x by Σ of powers of v = (k − x)/(k + x): (k − x) v + 2k Σ v^(2j+1)/(2j + 1).</summary>
    private static double Deviance(double k, double x)
    {
        double difference = k - x, v = difference / (k + x);
        if (Math.Abs(v) > 0.1) return (k * Math.Log(k / x)) - difference;
        double sum = difference * v, power = 2 * k * v;
        for (int j = 3; ; j += 2)
        {
            power *= v * v;
            double next = sum + (power / j);
            if (next == sum) return sum;
            sum = next;
        }
    }
}
