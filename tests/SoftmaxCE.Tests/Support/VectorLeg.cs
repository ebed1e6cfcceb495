using System.Globalization;
using System.Runtime.Intrinsics;

namespace SoftmaxCE.Tests;

/// <summary>
/// The vector width a test run was started for. A run that sets <c>DOTNET_EnableAVX512=0</c> and the like also sets
/// <c>SOFTMAXCE_EXPECTED_VECTOR_WIDTH</c> to 512, 256, 128 or 0 (no vectors in hardware), so that a switch which has no effect is noticed.
/// </summary>
public static class VectorLeg
{
    public const string Variable = "SOFTMAXCE_EXPECTED_VECTOR_WIDTH";

    /// <summary>The width in bits this run must use: the one asked for, or else the widest the hardware has.</summary>
    public static int ExpectedBits => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } asked
        ? int.Parse(asked, CultureInfo.InvariantCulture)
        : HardwareBits;

    /// <summary>The widest vectors that the runtime compiles to vector instructions in this process.</summary>
    public static int HardwareBits =>
        Vector512.IsHardwareAccelerated ? 512 :
        Vector256.IsHardwareAccelerated ? 256 :
        Vector128.IsHardwareAccelerated ? 128 : 0;
}
