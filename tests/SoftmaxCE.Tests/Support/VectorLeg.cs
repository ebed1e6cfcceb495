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

    /// <summary>
    /// The trait of tests that run at the widest width alone: <c>[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]</c>.
    /// For tests of code without vectors that take long (a training run, file formats); never for a kernel.
    /// </summary>
    public const string Trait = "Leg";

    /// <inheritdoc cref="Trait"/>
    public const string WidestOnly = "WidestOnly";

    /// <summary>The width in bits this run must use: the one asked for, or else the widest the hardware has.</summary>
    public static int ExpectedBits => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } asked
        ? int.Parse(asked, CultureInfo.InvariantCulture)
        : WidestAccelerated;

    private static int WidestAccelerated =>
        Vector512.IsHardwareAccelerated ? 512 :
        Vector256.IsHardwareAccelerated ? 256 :
        Vector128.IsHardwareAccelerated ? 128 : 0;
}
