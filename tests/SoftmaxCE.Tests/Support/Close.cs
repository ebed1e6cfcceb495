namespace SoftmaxCE.Tests;

/// <summary>Equality of scores up to rounding: relative to the larger of the value and 1, with NaN equal to NaN and ±∞ exact.</summary>
internal static class Close
{
    public static void ShouldBeCloseTo(this double actual, double expected, double tolerance, string because = "")
    {
        if (double.IsFinite(expected)) actual.Should().BeApproximately(expected, tolerance * Math.Max(1, Math.Abs(expected)), because);
        else actual.Should().Be(expected, because);
    }

    public static void ShouldBeCloseTo(this IEnumerable<double> actual, double[] expected, double tolerance, string because = "")
    {
        double[] values = [.. actual];
        values.Should().HaveSameCount(expected, because);
        for (int i = 0; i < expected.Length; i++) values[i].ShouldBeCloseTo(expected[i], tolerance, $"{because}[{i}]");
    }
}
