using System.Globalization;
using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>
/// Distances in units in the last place: |actual - exact| divided by the gap between neighbouring numbers of type T at the
/// correctly rounded exact value. 0.5 is the best a rounding can promise. Values that no rounding can explain
/// (a number for NaN or an infinity, or the other way round) are infinitely far.
/// </summary>
public static class Ulp
{
    public static double Distance<T>(T actual, Wide exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Distance(actual, exact, Wide.Zero);

    /// <summary>The same, in units of the last place of max(|exact|, <paramref name="atLeast"/>): for sums that may cancel to nearly 0.</summary>
    public static double Distance<T>(T actual, Wide exact, Wide atLeast)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int bits, int smallest, int largest) = Format<T>();
        if (exact.IsNaN || T.IsNaN(actual)) return exact.IsNaN && T.IsNaN(actual) ? 0 : double.PositiveInfinity;
        if (!exact.IsFinite || IsTooLarge(exact, bits, smallest, largest))
            return T.IsInfinity(actual) && (T.IsNegative(actual) == exact.Sign < 0) ? 0 : double.PositiveInfinity;
        if (!T.IsFinite(actual)) return double.PositiveInfinity;

        Wide difference = Wide.Abs(Wide.From(actual) - exact);
        Wide scale = Wide.Max(Wide.Abs(exact), atLeast);
        Wide rounded = scale.IsZero ? Wide.Zero : scale.RoundTo(bits, smallest);
        int lastBit = rounded.IsZero ? smallest : Math.Max(rounded.BinaryExponent - bits + 1, smallest);
        return (double)difference.TimesPowerOfTwo(-lastBit);
    }

    /// <summary>The largest distance over two equally long lists.</summary>
    public static double MaxDistance<T>(ReadOnlySpan<T> actual, ReadOnlySpan<Wide> exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Worst(actual, exact, Wide.Zero).Distance;

    public static double MaxDistance<T>(Span<T> actual, Wide[] exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => MaxDistance<T>((ReadOnlySpan<T>)actual, exact);

    public static double MaxDistance<T>(T[] actual, Wide[] exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => MaxDistance<T>(actual.AsSpan(), exact);

    /// <summary>Fails, naming the worst place and what stands there, when some value is further than <paramref name="bound"/> ulp from the exact one.</summary>
    public static void ShouldBeWithin<T>(double bound, ReadOnlySpan<T> actual, ReadOnlySpan<Wide> exact, string context = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (double distance, int index) = Worst(actual, exact, Wide.Zero);
        string place = index < 0 ? context : string.Create(CultureInfo.InvariantCulture, $"{context} [{index}] is {actual[index]} for {exact[index]}");
        distance.Should().BeLessThanOrEqualTo(bound, "{0}", place);
    }

    /// <summary>The same for one value, in units of the last place of max(|exact|, <paramref name="atLeast"/>).</summary>
    public static void ShouldBeWithin<T>(double bound, T actual, Wide exact, string context = "", double atLeast = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"{context} is {actual} for {exact}");
        Distance(actual, exact, atLeast).Should().BeLessThanOrEqualTo(bound, "{0}", place);
    }

    private static (double Distance, int Index) Worst<T>(ReadOnlySpan<T> actual, ReadOnlySpan<Wide> exact, Wide atLeast)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        actual.Length.Should().Be(exact.Length, "both lists hold the same values");
        double worst = 0;
        int index = -1;
        for (int i = 0; i < exact.Length; i++)
        {
            double distance = Distance(actual[i], exact[i], atLeast);
            if (distance > worst || index < 0) (worst, index) = (distance, i);
        }

        return (worst, index);
    }

    private static bool IsTooLarge(Wide exact, int bits, int smallest, int largest) =>
        !exact.IsZero && exact.BinaryExponent >= largest
        && (double.IsInfinity(exact.RoundTo(bits, smallest)) || Math.ILogB(exact.RoundTo(bits, smallest)) > largest);

    /// <summary>Significant bits, exponent of the smallest positive number, exponent of the largest finite number.</summary>
    private static (int Bits, int Smallest, int Largest) Format<T>() =>
        typeof(T) == typeof(float) ? (24, -149, 127) :
        typeof(T) == typeof(double) ? (53, -1074, 1023) :
        typeof(T) == typeof(Half) ? (11, -24, 15) :
        throw new NotSupportedException($"No format is known for {typeof(T)}.");
}
