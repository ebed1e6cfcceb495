using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary><see cref="SimdTranspose"/> on 256-bit vectors: a block of 16 by 16 in four pieces of 8 by 8.</summary>
internal static unsafe class EightTranspose
{
    private const int Size = 8;

    /// <inheritdoc cref="SimdTranspose.Block{T}"/>
    public static void Block(float* source, nint sourceStride, int rows, int columns, nint readable, float* destination, nint destinationStride, nint writable)
    {
        // What a row of the result writes past its end is the beginning of the next, so beginnings are written after ends.
        for (int c = 0; c < columns; c += Size)
        {
            for (int r = rows > Size ? Size : 0; r >= 0; r -= Size)
            {
                nint from = (r * sourceStride) + c, to = (c * destinationStride) + r;
                Piece(
                    source + from, sourceStride, Math.Min(Size, rows - r), Math.Min(Size, columns - c), readable - from,
                    destination + to, destinationStride, writable - to);
            }
        }
    }

    private static void Piece(float* source, nint sourceStride, int rows, int columns, nint readable, float* destination, nint destinationStride, nint writable)
    {
        Vector256<float> a0 = Row(source, sourceStride, 0, rows, columns, readable), a1 = Row(source, sourceStride, 1, rows, columns, readable);
        Vector256<float> a2 = Row(source, sourceStride, 2, rows, columns, readable), a3 = Row(source, sourceStride, 3, rows, columns, readable);
        Vector256<float> b0 = Row(source, sourceStride, 4, rows, columns, readable), b1 = Row(source, sourceStride, 5, rows, columns, readable);
        Vector256<float> b2 = Row(source, sourceStride, 6, rows, columns, readable), b3 = Row(source, sourceStride, 7, rows, columns, readable);
        Four(ref a0, ref a1, ref a2, ref a3);
        Four(ref b0, ref b1, ref b2, ref b3);

        const byte Lower = 0x20, Upper = 0x31;
        Write(destination, destinationStride, 0, rows, columns, writable, Avx.Permute2x128(a0, b0, Lower));
        Write(destination, destinationStride, 1, rows, columns, writable, Avx.Permute2x128(a1, b1, Lower));
        Write(destination, destinationStride, 2, rows, columns, writable, Avx.Permute2x128(a2, b2, Lower));
        Write(destination, destinationStride, 3, rows, columns, writable, Avx.Permute2x128(a3, b3, Lower));
        Write(destination, destinationStride, 4, rows, columns, writable, Avx.Permute2x128(a0, b0, Upper));
        Write(destination, destinationStride, 5, rows, columns, writable, Avx.Permute2x128(a1, b1, Upper));
        Write(destination, destinationStride, 6, rows, columns, writable, Avx.Permute2x128(a2, b2, Upper));
        Write(destination, destinationStride, 7, rows, columns, writable, Avx.Permute2x128(a3, b3, Upper));
    }

    /// <summary>Transposes each half of four rows: vector j then holds column j in its lower half and column j + 4 in its upper one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(ref Vector256<float> v0, ref Vector256<float> v1, ref Vector256<float> v2, ref Vector256<float> v3)
    {
        Vector256<double> low01 = Avx.UnpackLow(v0, v1).AsDouble(), high01 = Avx.UnpackHigh(v0, v1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(v2, v3).AsDouble(), high23 = Avx.UnpackHigh(v2, v3).AsDouble();
        v0 = Avx.UnpackLow(low01, low23).AsSingle();
        v1 = Avx.UnpackHigh(low01, low23).AsSingle();
        v2 = Avx.UnpackLow(high01, high23).AsSingle();
        v3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Row(float* source, nint stride, int row, int rows, int columns, nint readable)
    {
        if (row >= rows) return Vector256<float>.Zero;
        return (row * stride) + Size <= readable
            ? Vector256.Load(source + (row * stride))
            : Simd256<float>.LoadPartial(source + (row * stride), columns, Vector256<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(float* destination, nint stride, int column, int rows, int columns, nint writable, Vector256<float> value)
    {
        if (column >= columns) return;
        float* row = destination + (column * stride);
        if ((column * stride) + Size <= writable) value.Store(row);
        else Simd256<float>.StorePartial(row, rows, value);
    }
}
