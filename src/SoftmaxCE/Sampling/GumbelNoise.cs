using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Noise with the standard Gumbel distribution, one value for each seed and index.</summary>
/// <remarks>The bits come from the finaliser of SplitMix64 (Steele, Lea, Flood 2014), applied to seed and index in turn.</remarks>
internal static class GumbelNoise
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;
    private const double TwoToMinus53 = 1.0 / (1L << 53);

    /// <summary>−ln(−ln u): never infinite.</summary>
    public static double At(ulong seed, ulong index) => Of(Bits(Start(seed), index));

    /// <summary>What the bits of all indices have in common.</summary>
    public static ulong Start(ulong seed) => Mix(seed + Gamma);

    /// <summary>Uniform bits, one word for each index.</summary>
    public static ulong Bits(ulong start, ulong index) => Mix(start + ((index + 1) * Gamma));

    /// <summary>The first index from <paramref name="first"/> on whose bits are at least <paramref name="least"/>; <paramref name="end"/> when there is none.</summary>
    public static int IndexOfAtLeast(ulong least, ulong start, int first, int end)
    {
        ulong state = start + (((ulong)first + 1) * Gamma);
        while (first < end && Mix(state) < least)
        {
            first++;
            state += Gamma;
        }

        return first;
    }

    /// <summary>−ln(−ln u) with the u in (0, 1), never 0 or 1, that the upper 53 of the bits give.</summary>
    public static double Of(ulong bits)
    {
        double u = ((bits >> 11) + 0.5) * TwoToMinus53;
        return -Log(-Log(u));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static double Log(double value) => LogPolynomial.Log<ScalarSimd<double>, double, double>(value);
}
