using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>C += A · B on small matrices that lie in the cache, with a zero-padded layout that needs no special edges.</summary>
/// <remarks>
/// Element (i, j) of C takes its products in the order of the inner index k, one fused multiply-add each, so its bits do not depend on how the
/// work is cut. Rows of C by two registers stay in registers while k runs: of 32 registers eight rows (per k two loads of B and eight
/// broadcasts of A feed sixteen multiply-adds), of 16 registers four rows.
/// </remarks>
/// <param name="rows">Rows of C, a multiple of <see cref="Rows"/>.</param>
/// <param name="columns">Columns of C, a multiple of two vectors of 512 bits.</param>
/// <param name="depth">The inner length.</param>
/// <param name="a">A(i, k) is a[i · aRow + k · aDepth].</param>
/// <param name="aRow">See <paramref name="a"/>.</param>
/// <param name="aDepth">See <paramref name="a"/>.</param>
/// <param name="b">B(k, j) is b[k · bStride + j].</param>
/// <param name="bStride">See <paramref name="b"/>.</param>
/// <param name="c">C(i, j) is c[i · cStride + j].</param>
/// <param name="cStride">See <paramref name="c"/>.</param>
internal readonly unsafe struct MatrixTile<T>(
    int rows, int columns, int depth, T* a, nint aRow, nint aDepth, T* b, nint bStride, T* c, nint cStride) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>The rows of C are a multiple of this.</summary>
    public const int Rows = 8;

    /// <summary>Runs over k in steps of this, so that the rows of B in use stay in the first-level cache.</summary>
    private const int DepthStep = 128;

    /// <summary>The columns of C are a multiple of this.</summary>
    public static int Columns => 2 * 64 / sizeof(T);

    /// <inheritdoc cref="MatrixTile{T}"/>
    public static void MultiplyAdd(int rows, int columns, int depth, T* a, nint aRow, nint aDepth, T* b, nint bStride, T* c, nint cStride)
    {
        MatrixTile<T> tile = new(rows, columns, depth, a, aRow, aDepth, b, bStride, c, cStride);
        VectorWidth.RunOnRegister<MatrixTile<T>, T>(ref tile);
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int k = 0; k < depth; k += DepthStep)
        {
            int here = Math.Min(DepthStep, depth - k);
            for (int j = 0; j < columns; j += 2 * TSimd.Lanes)
            {
                T* bTile = b + (k * bStride) + j;
                for (int i = 0; i < rows; i += TSimd.HasManyRegisters ? 8 : 4)
                {
                    T* aTile = a + (i * aRow) + (k * aDepth), cTile = c + (i * cStride) + j;
                    if (TSimd.HasManyRegisters) EightRows<TSimd, TVector>(here, aTile, bTile, cTile);
                    else FourRows<TSimd, TVector>(here, aTile, bTile, cTile);
                }
            }
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void EightRows<TSimd, TVector>(int count, T* a, T* b, T* c)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
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
        nint row = aRow, twoRows = 2 * aRow, threeRows = 3 * aRow, aStep = aDepth, bStep = bStride;
        for (int k = 0; k < count; k++)
        {
            TVector b0 = TSimd.Load(ref *b, 0), b1 = TSimd.Load(ref *b, lanes);
            TVector factor = TSimd.Create(*a);
            c00 = TSimd.MultiplyAdd(factor, b0, c00);
            c01 = TSimd.MultiplyAdd(factor, b1, c01);
            factor = TSimd.Create(a[row]);
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
            factor = TSimd.Create(a4[row]);
            c50 = TSimd.MultiplyAdd(factor, b0, c50);
            c51 = TSimd.MultiplyAdd(factor, b1, c51);
            factor = TSimd.Create(a4[twoRows]);
            c60 = TSimd.MultiplyAdd(factor, b0, c60);
            c61 = TSimd.MultiplyAdd(factor, b1, c61);
            factor = TSimd.Create(a4[threeRows]);
            c70 = TSimd.MultiplyAdd(factor, b0, c70);
            c71 = TSimd.MultiplyAdd(factor, b1, c71);
            a += aStep;
            a4 += aStep;
            b += bStep;
        }

        Store<TSimd, TVector>(c, c00, c01);
        Store<TSimd, TVector>(c + cStride, c10, c11);
        Store<TSimd, TVector>(c + (2 * cStride), c20, c21);
        Store<TSimd, TVector>(c + (3 * cStride), c30, c31);
        Store<TSimd, TVector>(c4, c40, c41);
        Store<TSimd, TVector>(c4 + cStride, c50, c51);
        Store<TSimd, TVector>(c4 + (2 * cStride), c60, c61);
        Store<TSimd, TVector>(c4 + (3 * cStride), c70, c71);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void FourRows<TSimd, TVector>(int count, T* a, T* b, T* c)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint lanes = (nuint)TSimd.Lanes;
        T* c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        TVector c00 = TSimd.Load(ref *c, 0), c01 = TSimd.Load(ref *c, lanes), c10 = TSimd.Load(ref *c1, 0), c11 = TSimd.Load(ref *c1, lanes);
        TVector c20 = TSimd.Load(ref *c2, 0), c21 = TSimd.Load(ref *c2, lanes), c30 = TSimd.Load(ref *c3, 0), c31 = TSimd.Load(ref *c3, lanes);
        nint row = aRow, twoRows = 2 * aRow, threeRows = 3 * aRow, aStep = aDepth, bStep = bStride;
        for (int k = 0; k < count; k++)
        {
            TVector b0 = TSimd.Load(ref *b, 0), b1 = TSimd.Load(ref *b, lanes);
            TVector factor = TSimd.Create(*a);
            c00 = TSimd.MultiplyAdd(factor, b0, c00);
            c01 = TSimd.MultiplyAdd(factor, b1, c01);
            factor = TSimd.Create(a[row]);
            c10 = TSimd.MultiplyAdd(factor, b0, c10);
            c11 = TSimd.MultiplyAdd(factor, b1, c11);
            factor = TSimd.Create(a[twoRows]);
            c20 = TSimd.MultiplyAdd(factor, b0, c20);
            c21 = TSimd.MultiplyAdd(factor, b1, c21);
            factor = TSimd.Create(a[threeRows]);
            c30 = TSimd.MultiplyAdd(factor, b0, c30);
            c31 = TSimd.MultiplyAdd(factor, b1, c31);
            a += aStep;
            b += bStep;
        }

        Store<TSimd, TVector>(c, c00, c01);
        Store<TSimd, TVector>(c1, c10, c11);
        Store<TSimd, TVector>(c2, c20, c21);
        Store<TSimd, TVector>(c3, c30, c31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVector>(T* c, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TSimd.Store(ref *c, 0, first);
        TSimd.Store(ref *c, (nuint)TSimd.Lanes, second);
    }
}
