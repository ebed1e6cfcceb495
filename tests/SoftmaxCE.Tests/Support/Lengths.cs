namespace SoftmaxCE.Tests;

/// <summary>
/// Lengths for theories. 260 passes four vectors of 64 bytes of floats four times over, so that every tail of every unrolled
/// loop is met; the longer ones surround the block sizes of the kernels.
/// </summary>
public static class Lengths
{
    public static IEnumerable<object[]> OneTo260 => Range(1, 260);

    public static IEnumerable<object[]> ZeroTo260 => Range(0, 260);

    public static IEnumerable<object[]> OneTo70 => Range(1, 70);

    /// <summary>Around powers of two, from one block to many, each with and without a tail.</summary>
    public static IEnumerable<object[]> Blocks =>
        from power in new[] { 512, 1024, 2048, 4096, 65536 }
        from offset in new[] { -1, 0, 1, 17 }
        select new object[] { power + offset };

    private static IEnumerable<object[]> Range(int first, int last) => Enumerable.Range(first, last - first + 1).Select(n => new object[] { n });
}
