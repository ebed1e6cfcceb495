using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>Transposes 16 rows of few columns, and back: 20 moves between lanes for four columns, where <see cref="SimdTranspose"/> takes 64 for up to 16.</summary>
/// <remarks>
/// Four values of the rows i, i + 4, i + 8, i + 12 are the quarters of vector i. Four such vectors need to be transposed within the quarters alone, and
/// hold a column of 16 rows each. Columns are taken by fours, the last four of them may overlap the first.
/// </remarks>
internal static unsafe class QuarterTranspose
{
    /// <summary>With more columns nothing is gained.</summary>
    public const int MostColumns = 8;

    private const int Rows = 16, Size = 4;

    /// <summary>Whether <see cref="Into"/> reads no more than so many values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Reads(int columns, nint stride, nint readable) => ((Rows - 1) * stride) + Math.Max(Size, columns) <= readable;

    /// <summary>destination[c, r] = source[r, c].</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void Into(float* source, nint sourceStride, int columns, float* destination, nint destinationStride)
    {
        IntoFour(source, sourceStride, columns, destination, destinationStride);
        int last = columns - Size;
        if (last > 0) IntoFour(source + last, sourceStride, Size, destination + (last * destinationStride), destinationStride);
    }

    /// <summary>destination[r, c] = source[c, r]. What a row of less than four writes past its end is mended by the next one.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void Back(float* source, nint sourceStride, int columns, float* destination, nint destinationStride)
    {
        BackFour(source, sourceStride, columns, destination, destinationStride);
        int last = columns - Size;
        if (last > 0) BackFour(source + (last * sourceStride), sourceStride, Size, destination + last, destinationStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void IntoFour(float* source, nint sourceStride, int columns, float* destination, nint destinationStride)
    {
        Vector512<float> v0 = Quarters(source, sourceStride), v1 = Quarters(source + sourceStride, sourceStride);
        Vector512<float> v2 = Quarters(source + (2 * sourceStride), sourceStride), v3 = Quarters(source + (3 * sourceStride), sourceStride);
        Four(ref v0, ref v1, ref v2, ref v3);
        v0.Store(destination);
        if (columns > 1) v1.Store(destination + destinationStride);
        if (columns > 2) v2.Store(destination + (2 * destinationStride));
        if (columns > 3) v3.Store(destination + (3 * destinationStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BackFour(float* source, nint sourceStride, int columns, float* destination, nint destinationStride)
    {
        Vector512<float> v0 = Vector512.Load(source), v1 = columns > 1 ? Vector512.Load(source + sourceStride) : v0;
        Vector512<float> v2 = columns > 2 ? Vector512.Load(source + (2 * sourceStride)) : v0, v3 = columns > 3 ? Vector512.Load(source + (3 * sourceStride)) : v0;
        Four(ref v0, ref v1, ref v2, ref v3);
        StoreFour(v0.GetLower().GetLower(), v1.GetLower().GetLower(), v2.GetLower().GetLower(), v3.GetLower().GetLower(), destination, destinationStride);
        destination += Size * destinationStride;
        StoreFour(v0.GetLower().GetUpper(), v1.GetLower().GetUpper(), v2.GetLower().GetUpper(), v3.GetLower().GetUpper(), destination, destinationStride);
        destination += Size * destinationStride;
        StoreFour(v0.GetUpper().GetLower(), v1.GetUpper().GetLower(), v2.GetUpper().GetLower(), v3.GetUpper().GetLower(), destination, destinationStride);
        destination += Size * destinationStride;
        v0.GetUpper().GetUpper().Store(destination);
        v1.GetUpper().GetUpper().Store(destination + destinationStride);
        v2.GetUpper().GetUpper().Store(destination + (2 * destinationStride));
        Simd128<float>.StorePartial(destination + (3 * destinationStride), Math.Min(columns, Size), v3.GetUpper().GetUpper());
    }

    /// <summary>Four values of each fourth row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(float* source, nint stride)
    {
        Vector512<float> quarters = Vector128.Load(source).ToVector256Unsafe().ToVector512Unsafe();
        quarters = Avx512F.InsertVector128(quarters, Vector128.Load(source + (4 * stride)), 1);
        quarters = Avx512F.InsertVector128(quarters, Vector128.Load(source + (8 * stride)), 2);
        return Avx512F.InsertVector128(quarters, Vector128.Load(source + (12 * stride)), 3);
    }

    /// <summary>Transposes each quarter of four vectors: four rows of four values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(ref Vector512<float> v0, ref Vector512<float> v1, ref Vector512<float> v2, ref Vector512<float> v3)
    {
        Vector512<double> low01 = Avx512F.UnpackLow(v0, v1).AsDouble(), high01 = Avx512F.UnpackHigh(v0, v1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(v2, v3).AsDouble(), high23 = Avx512F.UnpackHigh(v2, v3).AsDouble();
        v0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        v1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        v2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        v3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFour(Vector128<float> v0, Vector128<float> v1, Vector128<float> v2, Vector128<float> v3, float* destination, nint stride)
    {
        v0.Store(destination);
        v1.Store(destination + stride);
        v2.Store(destination + (2 * stride));
        v3.Store(destination + (3 * stride));
    }
}
