using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary><see cref="SimdTranspose"/> on 256-bit vectors: a block of 16 by 16 in four pieces of 8 by 8.</summary>
internal static unsafe class EightTranspose
{
    private const int Size = 8;

    /// <inheritdoc cref="SimdTranspose.Block{T}"/>
    [MethodImpl(LoopMethod.Compiled)]
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
        if (((Size - 1) * sourceStride) + Size > readable)
        {
            PieceOfCopy(source, sourceStride, rows, columns, readable, destination, destinationStride, writable);
            return;
        }

        FourColumns(source, sourceStride, rows, columns, destination, destinationStride, writable);
        if (columns <= Size / 2) return;
        nint skipped = Size / 2 * destinationStride;
        FourColumns(source + (Size / 2), sourceStride, rows, columns - (Size / 2), destination + skipped, destinationStride, writable - skipped);
    }

    /// <summary>The first up to four columns of up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourColumns(float* source, nint sourceStride, int rows, int columns, float* destination, nint destinationStride, nint writable)
    {
        // Rows r and r + 4 go into the halves of one vector as they are read, which no port for moving lanes is needed for.
        Vector256<float> v0 = Halves(source, sourceStride, 0), v1 = Halves(source, sourceStride, 1);
        Vector256<float> v2 = Halves(source, sourceStride, 2), v3 = Halves(source, sourceStride, 3);
        Four(ref v0, ref v1, ref v2, ref v3);
        if (columns < Size / 2 || (3 * destinationStride) + Size > writable)
        {
            Write(destination, destinationStride, 0, rows, columns, writable, v0);
            Write(destination, destinationStride, 1, rows, columns, writable, v1);
            Write(destination, destinationStride, 2, rows, columns, writable, v2);
            Write(destination, destinationStride, 3, rows, columns, writable, v3);
            return;
        }

        v0.Store(destination);
        v1.Store(destination + destinationStride);
        v2.Store(destination + (2 * destinationStride));
        v3.Store(destination + (3 * destinationStride));
    }

    /// <summary>Not all rows can be read as they are; what is not there is 0.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Apart)]
    private static void PieceOfCopy(
        float* source, nint sourceStride, int rows, int columns, nint readable, float* destination, nint destinationStride, nint writable)
    {
        float* copy = stackalloc float[Size * Size];
        for (int row = 0; row < Size; row++)
        {
            Vector256<float> values = row < rows ? Row(source, sourceStride, row, columns, readable) : Vector256<float>.Zero;
            values.Store(copy + (row * Size));
        }

        Piece(copy, Size, rows, columns, Size * Size, destination, destinationStride, writable);
    }

    /// <summary>Four values of a row, and four of the row four below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves(float* source, nint stride, int row) =>
        Vector256.Create(Vector128.Load(source + (row * stride)), Vector128.Load(source + ((row + 4) * stride)));

    /// <summary>Transposes each half of four vectors: vector j then holds column j of the rows in its lower half and of those four below in its upper one.</summary>
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
    private static Vector256<float> Row(float* source, nint stride, int row, int columns, nint readable) => (row * stride) + Size <= readable
        ? Vector256.Load(source + (row * stride))
        : Simd256<float>.LoadPartial(source + (row * stride), columns, Vector256<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(float* destination, nint stride, int column, int rows, int columns, nint writable, Vector256<float> value)
    {
        if (column >= columns) return;
        float* row = destination + (column * stride);
        if ((column * stride) + Size <= writable) value.Store(row);
        else Simd256<float>.StorePartial(row, rows, value);
    }
}
