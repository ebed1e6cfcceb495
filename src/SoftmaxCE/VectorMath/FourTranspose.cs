using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary><see cref="SimdTranspose"/> of doubles: four rows at a time, then two, then one, by two columns. Nothing but the block is read or written.</summary>
internal static unsafe class FourTranspose
{
    /// <summary>destination[c, r] = source[r, c].</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Block(double* source, nint sourceStride, int rows, int columns, double* destination, nint destinationStride)
    {
        for (; rows >= 4; rows -= 4, source += 4 * sourceStride, destination += 4) FourRows(source, sourceStride, columns, destination, destinationStride);
        if (rows >= 2)
        {
            TwoRows(source, sourceStride, columns, destination, destinationStride);
            source += 2 * sourceStride;
            destination += 2;
        }

        for (int c = 0; rows % 2 == 1 && c < columns; c++) destination[c * destinationStride] = source[c];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(double* source, nint stride, int columns, double* destination, nint destinationStride)
    {
        for (; columns >= 2; columns -= 2, source += 2, destination += 2 * destinationStride)
        {
            // Rows r and r + 2 go into the halves of one vector as they are read.
            Vector256<double> even = Vector256.Create(Vector128.Load(source), Vector128.Load(source + (2 * stride)));
            Vector256<double> odd = Vector256.Create(Vector128.Load(source + stride), Vector128.Load(source + (3 * stride)));
            Avx.UnpackLow(even, odd).Store(destination);
            Avx.UnpackHigh(even, odd).Store(destination + destinationStride);
        }

        for (int r = 0; columns == 1 && r < 4; r++) destination[r] = source[r * stride];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TwoRows(double* source, nint stride, int columns, double* destination, nint destinationStride)
    {
        for (; columns >= 2; columns -= 2, source += 2, destination += 2 * destinationStride)
        {
            Vector128<double> first = Vector128.Load(source), second = Vector128.Load(source + stride);
            Sse2.UnpackLow(first, second).Store(destination);
            Sse2.UnpackHigh(first, second).Store(destination + destinationStride);
        }

        for (int r = 0; columns == 1 && r < 2; r++) destination[r] = source[r * stride];
    }
}
