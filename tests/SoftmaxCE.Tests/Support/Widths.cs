using System.Runtime.Intrinsics;

namespace SoftmaxCE.Tests;

/// <summary>The vector widths a kernel can be run at in this process: narrower ones than the machine's run natively, down to single values.</summary>
public static class Widths
{
    public static IReadOnlyList<int> Available { get; } = Vector512.IsHardwareAccelerated ? [512, 256, 128, 0] : [256, 128, 0];

    public static IEnumerable<object[]> All => Available.Select(bits => new object[] { bits });
}
