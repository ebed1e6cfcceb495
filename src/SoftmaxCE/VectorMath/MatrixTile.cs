using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>C += A · B on small matrices that lie in the cache, with a zero-padded layout that needs no special edges.</summary>
/// <remarks>
/// Element (i, j) of C takes its products in the order of the inner index k, one fused multiply-add each, so its bits do not depend on how the
/// work is cut. Eight rows by two vectors of C stay in registers while k runs: per k two loads of B and eight broadcasts of A feed sixteen
/// multiply-adds. Where a vector is made of narrower registers, two rows by two vectors fill them.
/// </remarks>
internal static unsafe class MatrixTile
{
    /// <summary>The rows of C are a multiple of this.</summary>
    public const int Rows = 8;

    /// <summary>The columns of C are a multiple of this many vectors.</summary>
    public const int Vectors = 2;

    /// <summary>Runs over k in steps of this, so that the rows of B in use stay in the first-level cache.</summary>
    private const int DepthStep = 256;

    /// <param name="rows">Rows of C, a multiple of <see cref="Rows"/>.</param>
    /// <param name="columns">Columns of C, a multiple of <see cref="Vectors"/> vectors.</param>
    /// <param name="depth">The inner length.</param>
    /// <param name="a">A(i, k) is a[i · aRow + k · aDepth].</param>
    /// <param name="aRow">See <paramref name="a"/>.</param>
    /// <param name="aDepth">See <paramref name="a"/>.</param>
    /// <param name="b">B(k, j) is b[k · bStride + j].</param>
    /// <param name="bStride">See <paramref name="b"/>.</param>
    /// <param name="c">C(i, j) is c[i · cStride + j].</param>
    /// <param name="cStride">See <paramref name="c"/>.</param>
    public static void MultiplyAdd<TSimd, TVector, T>(
        int rows, int columns, int depth, T* a, nint aRow, nint aDepth, T* b, nint bStride, T* c, nint cStride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int columnStep = Vectors * TSimd.Lanes;
        for (int k = 0; k < depth; k += DepthStep)
        {
            int here = Math.Min(DepthStep, depth - k);
            for (int j = 0; j < columns; j += columnStep)
            {
                T* bTile = b + (k * bStride) + j;
                for (int i = 0; i < rows; i += Rows)
                {
                    T* aTile = a + (i * aRow) + (k * aDepth), cTile = c + (i * cStride) + j;
                    if (VectorWidth.Bits == 512) EightRows<TSimd, TVector, T>(here, aTile, aRow, aDepth, bTile, bStride, cTile, cStride);
                    else for (int pair = 0; pair < Rows; pair += 2)
                    {
                        TwoRows<TSimd, TVector, T>(here, aTile + (pair * aRow), aRow, aDepth, bTile, bStride, cTile + (pair * cStride), cStride);
                    }
                }
            }
        }
    }

    private static void EightRows<TSimd, TVector, T>(int depth, T* a, nint aRow, nint aDepth, T* b, nint bStride, T* c, nint cStride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        T* c4 = c + (4 * cStride);
        TVector c00 = TSimd.Load(ref *c, 0), c01 = TSimd.Load(ref *c, lanes);
        TVector c10 = TSimd.Load(ref *(c + cStride), 0), c11 = TSimd.Load(ref *(c + cStride), lanes);
        TVector c20 = TSimd.Load(ref *(c + (2 * cStride)), 0), c21 = TSimd.Load(ref *(c + (2 * cStride)), lanes);
        TVector c30 = TSimd.Load(ref *(c + (3 * cStride)), 0), c31 = TSimd.Load(ref *(c + (3 * cStride)), lanes);
        TVector c40 = TSimd.Load(ref *c4, 0), c41 = TSimd.Load(ref *c4, lanes);
        TVector c50 = TSimd.Load(ref *(c4 + cStride), 0), c51 = TSimd.Load(ref *(c4 + cStride), lanes);
        TVector c60 = TSimd.Load(ref *(c4 + (2 * cStride)), 0), c61 = TSimd.Load(ref *(c4 + (2 * cStride)), lanes);
        TVector c70 = TSimd.Load(ref *(c4 + (3 * cStride)), 0), c71 = TSimd.Load(ref *(c4 + (3 * cStride)), lanes);

        T* a4 = a + (4 * aRow);
        nint twoRows = 2 * aRow, threeRows = 3 * aRow;
        for (int k = 0; k < depth; k++)
        {
            TVector b0 = TSimd.Load(ref *b, 0), b1 = TSimd.Load(ref *b, lanes);
            TVector factor = TSimd.Create(*a);
            c00 = TSimd.MultiplyAdd(factor, b0, c00);
            c01 = TSimd.MultiplyAdd(factor, b1, c01);
            factor = TSimd.Create(a[aRow]);
            c10 = TSimd.MultiplyAdd(factor, b0, c10);
            c11 = TSimd.MultiplyAdd(factor, b1, c11);
            factor = TSimd.Create(a[twoRows]);
            c20 = TSimd.MultiplyAdd(factor, b0, c20);
            c21 = TSimd.MultiplyAdd(factor, b1, c21);
            factor = TSimd.Create(a[threeRows]);
            c30 = TSimd.MultiplyAdd(factor, b0, c30);
            c31 = TSimd.MultiplyAdd(factor, b1, c31);
            factor = TSimd.Create(*a4);
            c40 = TSimd.MultiplyAdd(factor, b0, c40);
            c41 = TSimd.MultiplyAdd(factor, b1, c41);
            factor = TSimd.Create(a4[aRow]);
            c50 = TSimd.MultiplyAdd(factor, b0, c50);
            c51 = TSimd.MultiplyAdd(factor, b1, c51);
            factor = TSimd.Create(a4[twoRows]);
            c60 = TSimd.MultiplyAdd(factor, b0, c60);
            c61 = TSimd.MultiplyAdd(factor, b1, c61);
            factor = TSimd.Create(a4[threeRows]);
            c70 = TSimd.MultiplyAdd(factor, b0, c70);
            c71 = TSimd.MultiplyAdd(factor, b1, c71);
            a += aDepth;
            a4 += aDepth;
            b += bStride;
        }

        Store<TSimd, TVector, T>(c, c00, c01);
        Store<TSimd, TVector, T>(c + cStride, c10, c11);
        Store<TSimd, TVector, T>(c + (2 * cStride), c20, c21);
        Store<TSimd, TVector, T>(c + (3 * cStride), c30, c31);
        Store<TSimd, TVector, T>(c4, c40, c41);
        Store<TSimd, TVector, T>(c4 + cStride, c50, c51);
        Store<TSimd, TVector, T>(c4 + (2 * cStride), c60, c61);
        Store<TSimd, TVector, T>(c4 + (3 * cStride), c70, c71);
    }

    private static void TwoRows<TSimd, TVector, T>(int depth, T* a, nint aRow, nint aDepth, T* b, nint bStride, T* c, nint cStride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TVector c00 = TSimd.Load(ref *c, 0), c01 = TSimd.Load(ref *c, lanes);
        TVector c10 = TSimd.Load(ref *(c + cStride), 0), c11 = TSimd.Load(ref *(c + cStride), lanes);
        for (int k = 0; k < depth; k++)
        {
            TVector b0 = TSimd.Load(ref *b, 0), b1 = TSimd.Load(ref *b, lanes);
            TVector factor = TSimd.Create(*a);
            c00 = TSimd.MultiplyAdd(factor, b0, c00);
            c01 = TSimd.MultiplyAdd(factor, b1, c01);
            factor = TSimd.Create(a[aRow]);
            c10 = TSimd.MultiplyAdd(factor, b0, c10);
            c11 = TSimd.MultiplyAdd(factor, b1, c11);
            a += aDepth;
            b += bStride;
        }

        Store<TSimd, TVector, T>(c, c00, c01);
        Store<TSimd, TVector, T>(c + cStride, c10, c11);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVector, T>(T* c, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TSimd.Store(ref *c, 0, first);
        TSimd.Store(ref *c, (nuint)TSimd.Lanes, second);
    }
}
