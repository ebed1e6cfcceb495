using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What all widths have in common.</summary>
internal static unsafe class WholeVector
{
    public const int Bytes = 64;

    /// <summary>Lanes of a whole vector, however many registers that is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Lanes<T>()
        where T : unmanaged => Bytes / sizeof(T);

    /// <summary>The first address from here on that vectors are aligned to; up to 63 bytes of the memory are lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Align(byte* memory) => (byte*)(((nuint)memory + (Bytes - 1)) & ~(nuint)(Bytes - 1));
}
