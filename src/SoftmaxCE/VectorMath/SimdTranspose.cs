using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>Transposes blocks of a 512-bit vector's lanes by as many rows, so that kernels can work on one class of many rows at a time.</summary>
internal static unsafe class SimdTranspose
{
    /// <summary>destination[c, r] = source[r, c] for a block of at most Lanes rows and columns.</summary>
    /// <param name="source">The block; rows lie <paramref name="sourceStride"/> apart.</param>
    /// <param name="sourceStride">See <paramref name="source"/>.</param>
    /// <param name="rows">Rows of the source.</param>
    /// <param name="columns">Columns of the source.</param>
    /// <param name="readable">Values from <paramref name="source"/> on that may be read: whole vectors are, where they fit in.</param>
    /// <param name="destination">Receives <paramref name="columns"/> rows of <paramref name="rows"/> values; rows lie <paramref name="destinationStride"/> apart.</param>
    /// <param name="destinationStride">See <paramref name="destination"/>.</param>
    /// <param name="writable">
    /// Values from <paramref name="destination"/> on that may be written: rows are written whole and in order where they fit in, so that what one
    /// writes past its end the next one mends.
    /// </param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block<T>(T* source, nint sourceStride, int rows, int columns, nint readable, T* destination, nint destinationStride, nint writable)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && Vector512.IsHardwareAccelerated)
        {
            Sixteen((float*)source, sourceStride, rows, columns, readable, (float*)destination, destinationStride, writable);
            return;
        }

        if (typeof(T) == typeof(float) && Vector256.IsHardwareAccelerated)
        {
            EightTranspose.Block((float*)source, sourceStride, rows, columns, readable, (float*)destination, destinationStride, writable);
            return;
        }

        if (typeof(T) == typeof(double) && Avx.IsSupported)
        {
            FourTranspose.Block((double*)source, sourceStride, rows, columns, (double*)destination, destinationStride);
            return;
        }

        for (int c = 0; c < columns; c++)
        {
            for (int r = 0; r < rows; r++) destination[(c * destinationStride) + r] = source[(r * sourceStride) + c];
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static void Sixteen(
        float* source, nint sourceStride, int rows, int columns, nint readable, float* destination, nint destinationStride, nint writable)
    {
        if (rows == 16 && columns <= QuarterTranspose.MostColumns && QuarterTranspose.Reads(columns, sourceStride, readable))
        {
            QuarterTranspose.Into(source, sourceStride, columns, destination, destinationStride);
            return;
        }

        if (columns == 16 && rows <= QuarterTranspose.MostColumns)
        {
            QuarterTranspose.Back(source, sourceStride, rows, destination, destinationStride);
            return;
        }

        Reader from = new(source, sourceStride, rows, columns, readable);
        Four(from, 0, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        Four(from, 4, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        Four(from, 8, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
        Four(from, 12, out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);
        Quarters(a0, b0, c0, d0, out a0, out b0, out c0, out d0);
        Quarters(a1, b1, c1, d1, out a1, out b1, out c1, out d1);
        Quarters(a2, b2, c2, d2, out a2, out b2, out c2, out d2);
        Quarters(a3, b3, c3, d3, out a3, out b3, out c3, out d3);

        Writer to = new(destination, destinationStride, rows, columns, writable);
        to.Write(0, a0, a1, a2, a3);
        to.Write(4, b0, b1, b2, b3);
        to.Write(8, c0, c1, c2, c3);
        to.Write(12, d0, d1, d2, d3);
    }

    /// <summary>Four rows; column 4k + j of them is then quarter k of vector j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(
        in Reader from, int row, out Vector512<float> v0, out Vector512<float> v1, out Vector512<float> v2, out Vector512<float> v3)
    {
        v0 = from.Row(row);
        v1 = from.Row(row + 1);
        v2 = from.Row(row + 2);
        v3 = from.Row(row + 3);
        QuarterTranspose.Four(ref v0, ref v1, ref v2, ref v3);
    }

    /// <summary>Transposes the 4 × 4 matrix whose rows are the vectors and whose elements are their quarters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarters(
        Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3,
        out Vector512<float> first, out Vector512<float> second, out Vector512<float> third, out Vector512<float> fourth)
    {
        const byte Even = 0x88, Odd = 0xDD;
        Vector512<float> even01 = Avx512F.Shuffle4x128(v0, v1, Even), odd01 = Avx512F.Shuffle4x128(v0, v1, Odd);
        Vector512<float> even23 = Avx512F.Shuffle4x128(v2, v3, Even), odd23 = Avx512F.Shuffle4x128(v2, v3, Odd);
        first = Avx512F.Shuffle4x128(even01, even23, Even);
        second = Avx512F.Shuffle4x128(odd01, odd23, Even);
        third = Avx512F.Shuffle4x128(even01, even23, Odd);
        fourth = Avx512F.Shuffle4x128(odd01, odd23, Odd);
    }

    private readonly struct Reader(float* source, nint stride, int rows, int columns, nint readable)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Row(int row)
        {
            if (row >= rows) return Vector512<float>.Zero;
            return (row * stride) + Vector512<float>.Count <= readable
                ? Vector512.Load(source + (row * stride))
                : Simd512<float>.LoadPartial(source + (row * stride), columns, Vector512<float>.Zero);
        }
    }

    private readonly struct Writer(float* destination, nint stride, int rows, int columns, nint writable)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Write(int column, Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3)
        {
            Write(column, v0);
            Write(column + 1, v1);
            Write(column + 2, v2);
            Write(column + 3, v3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Write(int column, Vector512<float> value)
        {
            if (column >= columns) return;
            float* row = destination + (column * stride);
            if ((column * stride) + Vector512<float>.Count <= writable) value.Store(row);
            else Simd512<float>.StorePartial(row, rows, value);
        }
    }
}
