using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>For each of as many vectors as there are lanes, one after the other in memory, the sum or the maximum of its lanes, as a vector.</summary>
/// <remarks>
/// Lane i meets i + half, then i + quarter, … as in <see cref="ISimd{TVector,T}.AddAcross"/>. Where there are 16 lanes two vectors become one with
/// every addition: 30 permutations instead of the 64 of a transposition. Elsewhere the square is transposed first.
/// </remarks>
internal static unsafe class RowsAcross
{
    /// <param name="rows">The vectors.</param>
    /// <param name="turned">Scratch of the same size.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public static TVector Sum<TSimd, TVector, T>(T* rows, T* turned)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (typeof(TVector) == typeof(Vector512<float>)) return Unsafe.BitCast<Vector512<float>, TVector>(Across<Addition>((float*)rows));
        Turn<TSimd, TVector, T>(rows, turned);
        return TSimd.Lanes == 16
            ? TSimd.Add(
                TSimd.Add(FourApart<TSimd, TVector, T>(turned, 0), FourApart<TSimd, TVector, T>(turned, 2)),
                TSimd.Add(FourApart<TSimd, TVector, T>(turned, 1), FourApart<TSimd, TVector, T>(turned, 3)))
            : TSimd.Add(
                TSimd.Add(TwoApart<TSimd, TVector, T>(turned, 0, 4), TwoApart<TSimd, TVector, T>(turned, 2, 4)),
                TSimd.Add(TwoApart<TSimd, TVector, T>(turned, 1, 4), TwoApart<TSimd, TVector, T>(turned, 3, 4)));
    }

    /// <inheritdoc cref="Sum"/>
    [MethodImpl(LoopMethod.Compiled)]
    public static TVector Max<TSimd, TVector, T>(T* rows, T* turned)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (typeof(TVector) == typeof(Vector512<float>)) return Unsafe.BitCast<Vector512<float>, TVector>(Across<Maximum>((float*)rows));
        Turn<TSimd, TVector, T>(rows, turned);
        return SoftmaxColumns.Max<TSimd, TVector, T>(turned, TSimd.Lanes, TSimd.Lanes);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static void Turn<TSimd, TVector, T>(T* rows, T* turned)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, size = lanes * lanes;
        SimdTranspose.Block(rows, lanes, lanes, lanes, size, turned, lanes, size);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector FourApart<TSimd, TVector, T>(T* vectors, int i)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.Add(TwoApart<TSimd, TVector, T>(vectors, i, 8), TwoApart<TSimd, TVector, T>(vectors, i + 4, 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector TwoApart<TSimd, TVector, T>(T* vectors, int i, int distance)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.Add(TSimd.Load(ref *vectors, (nuint)(i * TSimd.Lanes)), TSimd.Load(ref *vectors, (nuint)((i + distance) * TSimd.Lanes)));

    // Rows 4 apart meet first, then 8 apart, neighbours, and 2 apart: so the results come in the order of the rows.
    [MethodImpl(LoopMethod.Apart)]
    private static Vector512<float> Across<TOperation>(float* rows)
        where TOperation : struct, IOperation => Pairs<TOperation>(
            Halves<TOperation>(Quarters<TOperation>(rows, 0), Quarters<TOperation>(rows, 1)),
            Halves<TOperation>(Quarters<TOperation>(rows, 2), Quarters<TOperation>(rows, 3)));

    /// <summary>Rows i, i + 4, i + 8 and i + 12: a quarter of the lanes for each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters<TOperation>(float* rows, int i)
        where TOperation : struct, IOperation
    {
        Vector512<float> first = Eights<TOperation>(rows + (16 * i)), second = Eights<TOperation>(rows + (16 * (i + 8)));
        return TOperation.Of(Avx512F.Shuffle4x128(first, second, 0b10_00_10_00), Avx512F.Shuffle4x128(first, second, 0b11_01_11_01));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Eights<TOperation>(float* row)
        where TOperation : struct, IOperation
    {
        Vector512<float> first = Vector512.Load(row), second = Vector512.Load(row + (4 * 16));
        return TOperation.Of(Avx512F.Shuffle4x128(first, second, 0b01_00_01_00), Avx512F.Shuffle4x128(first, second, 0b11_10_11_10));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Halves<TOperation>(Vector512<float> first, Vector512<float> second)
        where TOperation : struct, IOperation => TOperation.Of(
            Avx512F.UnpackLow(first.AsDouble(), second.AsDouble()).AsSingle(), Avx512F.UnpackHigh(first.AsDouble(), second.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Pairs<TOperation>(Vector512<float> first, Vector512<float> second)
        where TOperation : struct, IOperation => TOperation.Of(Avx512F.Shuffle(first, second, 0b10_00_10_00), Avx512F.Shuffle(first, second, 0b11_01_11_01));

    private interface IOperation
    {
        static abstract Vector512<float> Of(Vector512<float> left, Vector512<float> right);
    }

    private readonly struct Addition : IOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> left, Vector512<float> right) => left + right;
    }

    private readonly struct Maximum : IOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> left, Vector512<float> right) => Simd512<float>.Max(left, right);
    }
}
