using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Products of a block of rows with a few vectors: output[i, c] = Σ_j rows[i, j] · vectors[c, j] + shifts[c], the logits of the rows.</summary>
/// <remarks>
/// Every output has one accumulator of 512 bits that runs over the features in order, and its lanes are added at the end in double. So
/// how outputs are grouped into tiles (4 rows × 5 vectors keeps 20 registers busy with 9 loads per 20 products) does not change a bit. Narrower
/// registers run <see cref="NarrowRowProducts{T}"/> or <see cref="SteppedRowProducts"/>.
/// </remarks>
internal readonly unsafe struct RowProducts<T>(
    T* rows, int rowCount, int featureCount, T* vectors, int vectorCount, double* shifts, double* outputs, T* upcoming) : IVectorKernel<T>
    where T : unmanaged
{
    private const int TileOutputs = 20;

    /// <inheritdoc cref="RowProducts{T}"/>
    /// <param name="rows">[rows, features].</param>
    /// <param name="rowCount">Number of rows.</param>
    /// <param name="featureCount">Number of features.</param>
    /// <param name="vectors">[vectors, features].</param>
    /// <param name="vectorCount">Number of vectors.</param>
    /// <param name="shifts">One per vector.</param>
    /// <param name="outputs">[rows, vectors], overwritten.</param>
    /// <param name="upcoming">
    /// As many rows that come from memory next, or null. A line per twenty products is fetched into the second-level cache, so that memory streams while the
    /// multiplications go on: fetched on demand they wait for each other. Ten vectors fetch half of the rows, and <see cref="OuterProducts{T}"/> the others;
    /// registers of 256 bits fetch all of them here.
    /// </param>
    public static void Run(T* rows, int rowCount, int featureCount, T* vectors, int vectorCount, double* shifts, double* outputs, T* upcoming = null)
    {
        if (VectorWidth.Bits < 512)
        {
            if (typeof(T) == typeof(double) && SteppedRowProducts.Suits(rowCount, featureCount, vectorCount))
            {
                int done = SteppedRowProducts.Run((double*)rows, rowCount, featureCount, (double*)vectors, vectorCount, shifts, outputs);
                rows += (long)done * featureCount;
                outputs += (long)done * vectorCount;
                rowCount -= done;
            }

            NarrowRowProducts<T> narrow = new(rows, rowCount, featureCount, vectors, vectorCount, shifts, outputs, upcoming);
            VectorWidth.RunOnRegister<NarrowRowProducts<T>, T>(ref narrow);
            return;
        }

        RowProducts<T> kernel = new(rows, rowCount, featureCount, vectors, vectorCount, shifts, outputs, upcoming);
        VectorWidth.Run<RowProducts<T>, T>(ref kernel);
    }

    [MethodImpl(LoopMethod.Compiled)]
    [SkipLocalsInit]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double* totals = stackalloc double[TileOutputs];
        int c = 0;
        for (; c + 5 <= vectorCount; c += 5)
        {
            int i = 0;
            for (; i + 4 <= rowCount; i += 4) FourRowsFiveVectors<TSimd, TVector>(i, c, totals);
            for (; i < rowCount; i++) OneByOne<TSimd, TVector>(i, c, 5);
        }

        for (; c + 2 <= vectorCount; c += 2)
        {
            int i = 0;
            for (; i + 4 <= rowCount; i += 4) FourRowsTwoVectors<TSimd, TVector>(i, c);
            for (; i < rowCount; i++) OneByOne<TSimd, TVector>(i, c, 2);
        }

        for (; c < vectorCount; c++)
        {
            for (int i = 0; i < rowCount; i++) OneByOne<TSimd, TVector>(i, c, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Write<TSimd, TVector>(int row, int vector, TVector sum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => outputs[((long)row * vectorCount) + vector] = TSimd.SumOfLanes(sum) + shifts[vector];

    [MethodImpl(LoopMethod.Compiled)]
    private void OneByOne<TSimd, TVector>(int row, int firstVector, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int c = firstVector; c < firstVector + count; c++)
        {
            T* x = rows + ((long)row * featureCount), w = vectors + ((long)c * featureCount);
            TVector zero = TSimd.Create(default), sum = zero;
            int j = 0;
            for (; j + TSimd.Lanes <= featureCount; j += TSimd.Lanes) sum = TSimd.MultiplyAdd(TSimd.Load(ref *x, (nuint)j), TSimd.Load(ref *w, (nuint)j), sum);
            int rest = featureCount - j;
            if (rest > 0) sum = TSimd.MultiplyAdd(TSimd.LoadPartial(x + j, rest, zero), TSimd.LoadPartial(w + j, rest, zero), sum);
            Write<TSimd, TVector>(row, c, sum);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void FourRowsTwoVectors<TSimd, TVector>(int row, int vector)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* x = rows + ((long)row * featureCount), w = vectors + ((long)vector * featureCount);
        TVector zero = TSimd.Create(default);
        TVector s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
        for (int j = 0; j < featureCount; j += TSimd.Lanes)
        {
            int rest = featureCount - j;
            TVector w0 = Take<TSimd, TVector>(w, 0, j, rest), w1 = Take<TSimd, TVector>(w, 1, j, rest);
            TVector v = Take<TSimd, TVector>(x, 0, j, rest);
            s00 = TSimd.MultiplyAdd(v, w0, s00);
            s01 = TSimd.MultiplyAdd(v, w1, s01);
            v = Take<TSimd, TVector>(x, 1, j, rest);
            s10 = TSimd.MultiplyAdd(v, w0, s10);
            s11 = TSimd.MultiplyAdd(v, w1, s11);
            v = Take<TSimd, TVector>(x, 2, j, rest);
            s20 = TSimd.MultiplyAdd(v, w0, s20);
            s21 = TSimd.MultiplyAdd(v, w1, s21);
            v = Take<TSimd, TVector>(x, 3, j, rest);
            s30 = TSimd.MultiplyAdd(v, w0, s30);
            s31 = TSimd.MultiplyAdd(v, w1, s31);
        }

        Write<TSimd, TVector>(row, vector, s00);
        Write<TSimd, TVector>(row, vector + 1, s01);
        Write<TSimd, TVector>(row + 1, vector, s10);
        Write<TSimd, TVector>(row + 1, vector + 1, s11);
        Write<TSimd, TVector>(row + 2, vector, s20);
        Write<TSimd, TVector>(row + 2, vector + 1, s21);
        Write<TSimd, TVector>(row + 3, vector, s30);
        Write<TSimd, TVector>(row + 3, vector + 1, s31);
    }

    /// <summary>One pack of features of a row or vector; zeros behind its end add nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Take<TSimd, TVector>(T* start, int index, int feature, int rest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* at = start + ((long)index * featureCount) + feature;
        return rest >= TSimd.Lanes ? TSimd.Load(ref *at, 0) : TSimd.LoadPartial(at, rest, TSimd.Create(default));
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void FourRowsFiveVectors<TSimd, TVector>(int row, int vector, double* totals)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint stride = featureCount, j = 0, last = featureCount - TSimd.Lanes;
        T* x0 = rows + (row * stride), x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride, w0 = vectors + (vector * stride);
        T* w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride, w4 = w3 + stride;
        T* next = upcoming == null || vector > 5 ? x0 : upcoming + (((row / 2) + (vector / 5)) * stride);
        TVector zero = TSimd.Create(default);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero, s04 = zero, s10 = zero, s11 = zero, s12 = zero, s13 = zero, s14 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero, s24 = zero, s30 = zero, s31 = zero, s32 = zero, s33 = zero, s34 = zero;
        for (; j <= last; j += TSimd.Lanes)
        {
            CacheHints.FetchToSecondLevel(next + j);
            TVector a0 = TSimd.Load(ref x0[j], 0), a1 = TSimd.Load(ref x1[j], 0), a2 = TSimd.Load(ref x2[j], 0), a3 = TSimd.Load(ref x3[j], 0), v = TSimd.Load(ref w0[j], 0);
            s00 = TSimd.MultiplyAdd(a0, v, s00);
            s10 = TSimd.MultiplyAdd(a1, v, s10);
            s20 = TSimd.MultiplyAdd(a2, v, s20);
            s30 = TSimd.MultiplyAdd(a3, v, s30);
            v = TSimd.Load(ref w1[j], 0);
            s01 = TSimd.MultiplyAdd(a0, v, s01);
            s11 = TSimd.MultiplyAdd(a1, v, s11);
            s21 = TSimd.MultiplyAdd(a2, v, s21);
            s31 = TSimd.MultiplyAdd(a3, v, s31);
            v = TSimd.Load(ref w2[j], 0);
            s02 = TSimd.MultiplyAdd(a0, v, s02);
            s12 = TSimd.MultiplyAdd(a1, v, s12);
            s22 = TSimd.MultiplyAdd(a2, v, s22);
            s32 = TSimd.MultiplyAdd(a3, v, s32);
            v = TSimd.Load(ref w3[j], 0);
            s03 = TSimd.MultiplyAdd(a0, v, s03);
            s13 = TSimd.MultiplyAdd(a1, v, s13);
            s23 = TSimd.MultiplyAdd(a2, v, s23);
            s33 = TSimd.MultiplyAdd(a3, v, s33);
            v = TSimd.Load(ref w4[j], 0);
            s04 = TSimd.MultiplyAdd(a0, v, s04);
            s14 = TSimd.MultiplyAdd(a1, v, s14);
            s24 = TSimd.MultiplyAdd(a2, v, s24);
            s34 = TSimd.MultiplyAdd(a3, v, s34);
        }

        if (j < featureCount)
        {
            int rest = featureCount - (int)j;
            TVector a0 = TSimd.LoadPartial(x0 + j, rest, zero), a1 = TSimd.LoadPartial(x1 + j, rest, zero), a2 = TSimd.LoadPartial(x2 + j, rest, zero), a3 = TSimd.LoadPartial(x3 + j, rest, zero), v = TSimd.LoadPartial(w0 + j, rest, zero);
            s00 = TSimd.MultiplyAdd(a0, v, s00);
            s10 = TSimd.MultiplyAdd(a1, v, s10);
            s20 = TSimd.MultiplyAdd(a2, v, s20);
            s30 = TSimd.MultiplyAdd(a3, v, s30);
            v = TSimd.LoadPartial(w1 + j, rest, zero);
            s01 = TSimd.MultiplyAdd(a0, v, s01);
            s11 = TSimd.MultiplyAdd(a1, v, s11);
            s21 = TSimd.MultiplyAdd(a2, v, s21);
            s31 = TSimd.MultiplyAdd(a3, v, s31);
            v = TSimd.LoadPartial(w2 + j, rest, zero);
            s02 = TSimd.MultiplyAdd(a0, v, s02);
            s12 = TSimd.MultiplyAdd(a1, v, s12);
            s22 = TSimd.MultiplyAdd(a2, v, s22);
            s32 = TSimd.MultiplyAdd(a3, v, s32);
            v = TSimd.LoadPartial(w3 + j, rest, zero);
            s03 = TSimd.MultiplyAdd(a0, v, s03);
            s13 = TSimd.MultiplyAdd(a1, v, s13);
            s23 = TSimd.MultiplyAdd(a2, v, s23);
            s33 = TSimd.MultiplyAdd(a3, v, s33);
            v = TSimd.LoadPartial(w4 + j, rest, zero);
            s04 = TSimd.MultiplyAdd(a0, v, s04);
            s14 = TSimd.MultiplyAdd(a1, v, s14);
            s24 = TSimd.MultiplyAdd(a2, v, s24);
            s34 = TSimd.MultiplyAdd(a3, v, s34);
        }

        WideTotal.OfFour<TSimd, TVector, T>(s00, s01, s02, s03, totals);
        WideTotal.OfFour<TSimd, TVector, T>(s10, s11, s12, s13, totals + 4);
        WideTotal.OfFour<TSimd, TVector, T>(s20, s21, s22, s23, totals + 8);
        WideTotal.OfFour<TSimd, TVector, T>(s30, s31, s32, s33, totals + 12);
        WideTotal.OfFour<TSimd, TVector, T>(s04, s14, s24, s34, totals + 16);
        double* shift = shifts + vector, output = outputs + ((long)row * vectorCount) + vector;
        for (int r = 0; r < 4; r++, output += vectorCount, totals += 4)
        {
            output[0] = totals[0] + shift[0];
            output[1] = totals[1] + shift[1];
            output[2] = totals[2] + shift[2];
            output[3] = totals[3] + shift[3];
            output[4] = totals[16 - (3 * r)] + shift[4];
        }
    }
}
