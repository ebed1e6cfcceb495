using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Noise with the standard Gumbel distribution, one value for each seed and index.</summary>
/// <remarks>The bits come from the finaliser of SplitMix64 (Steele, Lea, Flood 2014), applied to seed and index in turn.</remarks>
internal static class GumbelNoise
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;
    private const double TwoToMinus53 = 1.0 / (1L << 53);

    /// <summary>−ln(−ln u) with the u of <see cref="Uniform"/>: never infinite.</summary>
    public static double At(ulong seed, ulong index) => GumbelFunction.Apply<ScalarSimd<double>, double>(Uniform(seed, index));

    /// <summary>Uniform in (0, 1): never 0 or 1.</summary>
    public static double Uniform(ulong seed, ulong index)
    {
        ulong bits = Mix(Mix(seed + Gamma) + ((index + 1) * Gamma));
        return ((bits >> 11) + 0.5) * TwoToMinus53;
    }

    /// <summary>Turns uniform numbers into Gumbel noise, in place.</summary>
    public static unsafe void FromUniform(Span<double> values)
    {
        fixed (double* start = values)
        {
            Map<GumbelFunction, double> map = new(start, start, values.Length);
            VectorWidth.Run<Map<GumbelFunction, double>, double>(ref map);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>−ln(−ln u).</summary>
internal readonly struct GumbelFunction : IVectorFunction<double>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0);
        TVector exponential = TSimd.Subtract(zero, LogPolynomial.Log<TSimd, TVector, double>(x));
        return TSimd.Subtract(zero, LogPolynomial.Log<TSimd, TVector, double>(exponential));
    }
}
