using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary><see cref="RowProducts{T}"/>, bit for bit, where a register holds only a part of 512 bits.</summary>
/// <remarks>
/// The parts of the accumulators are made one after the other: all first halves of a tile over all features, then all second halves. So 2 rows × 5 vectors
/// need 13 of 16 registers (7 loads per 10 products), where accumulators made of pairs would need 20 and live on the stack.
/// </remarks>
internal readonly unsafe struct NarrowRowProducts<T>(
    T* rows, int rowCount, int featureCount, T* vectors, int vectorCount, double* shifts, double* outputs, T* upcoming) : IVectorKernel<T>
    where T : unmanaged
{
    private const int MostOutputs = 10;

    /// <summary>Lanes of 512 bits.</summary>
    private static int AllLanes => 64 / sizeof(T);

    [MethodImpl(LoopMethod.Compiled)]
    [SkipLocalsInit]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* lanes = stackalloc T[MostOutputs * AllLanes];
        int c = 0;
        for (; c + 5 <= vectorCount; c += 5)
        {
            int i = 0;
            for (; i + 2 <= rowCount; i += 2)
            {
                TwoRowsFiveVectors<TSimd, TVector>(i, c, lanes);
                Write<TSimd, TVector>(i, 2, c, 5, lanes);
            }

            Rest<TSimd, TVector>(i, c, 5, lanes);
        }

        for (; c + 2 <= vectorCount; c += 2)
        {
            int i = 0;
            for (; i + 4 <= rowCount; i += 4)
            {
                FourRowsTwoVectors<TSimd, TVector>(i, c, lanes);
                Write<TSimd, TVector>(i, 4, c, 2, lanes);
            }

            Rest<TSimd, TVector>(i, c, 2, lanes);
        }

        if (c < vectorCount) Rest<TSimd, TVector>(0, c, 1, lanes);
    }

    /// <summary>The rows from one on, with some vectors, one by one.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private void Rest<TSimd, TVector>(int firstRow, int firstVector, int count, T* lanes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int i = firstRow; i < rowCount; i++)
        {
            if (count == 5)
            {
                OneRowFiveVectors<TSimd, TVector>(i, firstVector, lanes);
                Write<TSimd, TVector>(i, 1, firstVector, 5, lanes);
                continue;
            }

            for (int c = firstVector; c < firstVector + count; c++)
            {
                OneByOne<TSimd, TVector>(i, c, lanes);
                Write<TSimd, TVector>(i, 1, c, 1, lanes);
            }
        }
    }

    /// <summary>Adds up the lanes of each output of a tile, in the order of <see cref="ISimd{TVector,T}.SumOfLanes"/> at 512 bits.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private void Write<TSimd, TVector>(int firstRow, int tileRows, int firstVector, int tileVectors, T* lanes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int i = firstRow; i < firstRow + tileRows; i++)
        {
            for (int c = firstVector; c < firstVector + tileVectors; c++, lanes += AllLanes)
            {
                double sum = 2 * TSimd.Lanes == AllLanes
                    ? PairSimd<TSimd, TVector, T>.SumOfLanes(PairSimd<TSimd, TVector, T>.Load(ref *lanes, 0))
                    : PartialLanes.Sum(lanes, AllLanes);
                outputs[((long)i * vectorCount) + c] = sum + shifts[c];
            }
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void TwoRowsFiveVectors<TSimd, TVector>(int row, int vector, T* lanes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* x0 = rows + ((long)row * featureCount), x1 = x0 + featureCount, w0 = vectors + ((long)vector * featureCount);
        T* w1 = w0 + featureCount, w2 = w1 + featureCount, w3 = w2 + featureCount, w4 = w3 + featureCount;
        for (int part = 0; part < AllLanes; part += TSimd.Lanes, lanes += TSimd.Lanes)
        {
            TVector zero = TSimd.Create(default);
            TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero, s04 = zero, s10 = zero, s11 = zero, s12 = zero, s13 = zero, s14 = zero;
            nint j = part, last = featureCount - TSimd.Lanes;
            T* next = upcoming == null || part > 0 || vector > 5 ? x0 : upcoming + ((long)(row + (vector / 5)) * featureCount);
            for (; j <= last; j += AllLanes)
            {
                CacheHints.FetchToSecondLevel(next + j);
                TVector a = TSimd.Load(ref x0[j], 0), b = TSimd.Load(ref x1[j], 0), v = TSimd.Load(ref w0[j], 0);
                s00 = TSimd.MultiplyAdd(a, v, s00);
                s10 = TSimd.MultiplyAdd(b, v, s10);
                v = TSimd.Load(ref w1[j], 0);
                s01 = TSimd.MultiplyAdd(a, v, s01);
                s11 = TSimd.MultiplyAdd(b, v, s11);
                v = TSimd.Load(ref w2[j], 0);
                s02 = TSimd.MultiplyAdd(a, v, s02);
                s12 = TSimd.MultiplyAdd(b, v, s12);
                v = TSimd.Load(ref w3[j], 0);
                s03 = TSimd.MultiplyAdd(a, v, s03);
                s13 = TSimd.MultiplyAdd(b, v, s13);
                v = TSimd.Load(ref w4[j], 0);
                s04 = TSimd.MultiplyAdd(a, v, s04);
                s14 = TSimd.MultiplyAdd(b, v, s14);
            }

            if (j < featureCount)
            {
                int rest = featureCount - (int)j;
                TVector a = TSimd.LoadPartial(x0 + j, rest, zero), b = TSimd.LoadPartial(x1 + j, rest, zero), v = TSimd.LoadPartial(w0 + j, rest, zero);
                s00 = TSimd.MultiplyAdd(a, v, s00);
                s10 = TSimd.MultiplyAdd(b, v, s10);
                v = TSimd.LoadPartial(w1 + j, rest, zero);
                s01 = TSimd.MultiplyAdd(a, v, s01);
                s11 = TSimd.MultiplyAdd(b, v, s11);
                v = TSimd.LoadPartial(w2 + j, rest, zero);
                s02 = TSimd.MultiplyAdd(a, v, s02);
                s12 = TSimd.MultiplyAdd(b, v, s12);
                v = TSimd.LoadPartial(w3 + j, rest, zero);
                s03 = TSimd.MultiplyAdd(a, v, s03);
                s13 = TSimd.MultiplyAdd(b, v, s13);
                v = TSimd.LoadPartial(w4 + j, rest, zero);
                s04 = TSimd.MultiplyAdd(a, v, s04);
                s14 = TSimd.MultiplyAdd(b, v, s14);
            }

            Keep<TSimd, TVector>(lanes, s00, s01, s02, s03, s04);
            Keep<TSimd, TVector>(lanes + (5 * AllLanes), s10, s11, s12, s13, s14);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TSimd, TVector>(T* lanes, TVector s0, TVector s1, TVector s2, TVector s3, TVector s4)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TSimd.Store(ref *lanes, 0, s0);
        TSimd.Store(ref lanes[AllLanes], 0, s1);
        TSimd.Store(ref lanes[2 * AllLanes], 0, s2);
        TSimd.Store(ref lanes[3 * AllLanes], 0, s3);
        TSimd.Store(ref lanes[4 * AllLanes], 0, s4);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void FourRowsTwoVectors<TSimd, TVector>(int row, int vector, T* lanes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* x0 = rows + ((long)row * featureCount), x1 = x0 + featureCount, x2 = x1 + featureCount, x3 = x2 + featureCount;
        T* w0 = vectors + ((long)vector * featureCount), w1 = w0 + featureCount;
        for (int part = 0; part < AllLanes; part += TSimd.Lanes, lanes += TSimd.Lanes)
        {
            TVector zero = TSimd.Create(default), s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
            for (nint j = part; j < featureCount; j += AllLanes)
            {
                int rest = featureCount - (int)j;
                TVector a = Take<TSimd, TVector>(w0 + j, rest), b = Take<TSimd, TVector>(w1 + j, rest), v = Take<TSimd, TVector>(x0 + j, rest);
                s00 = TSimd.MultiplyAdd(v, a, s00);
                s01 = TSimd.MultiplyAdd(v, b, s01);
                v = Take<TSimd, TVector>(x1 + j, rest);
                s10 = TSimd.MultiplyAdd(v, a, s10);
                s11 = TSimd.MultiplyAdd(v, b, s11);
                v = Take<TSimd, TVector>(x2 + j, rest);
                s20 = TSimd.MultiplyAdd(v, a, s20);
                s21 = TSimd.MultiplyAdd(v, b, s21);
                v = Take<TSimd, TVector>(x3 + j, rest);
                s30 = TSimd.MultiplyAdd(v, a, s30);
                s31 = TSimd.MultiplyAdd(v, b, s31);
            }

            TSimd.Store(ref *lanes, 0, s00);
            Keep<TSimd, TVector>(lanes + AllLanes, s01, s10, s11, s20, s21);
            TSimd.Store(ref lanes[6 * AllLanes], 0, s30);
            TSimd.Store(ref lanes[7 * AllLanes], 0, s31);
        }
    }

    /// <summary>Two parts at a time: the vectors are read once, which for a single row is what takes the time.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private void OneRowFiveVectors<TSimd, TVector>(int row, int vector, T* lanes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* x = rows + ((long)row * featureCount), w0 = vectors + ((long)vector * featureCount);
        T* w1 = w0 + featureCount, w2 = w1 + featureCount, w3 = w2 + featureCount, w4 = w3 + featureCount;
        for (int part = 0; part < AllLanes; part += 2 * TSimd.Lanes, lanes += 2 * TSimd.Lanes)
        {
            nuint second = (nuint)TSimd.Lanes;
            TVector zero = TSimd.Create(default);
            TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero, s04 = zero, s10 = zero, s11 = zero, s12 = zero, s13 = zero, s14 = zero;
            nint j = part, last = featureCount - (2 * TSimd.Lanes);
            for (; j <= last; j += AllLanes)
            {
                TVector a = TSimd.Load(ref x[j], 0), b = TSimd.Load(ref x[j], second);
                s00 = TSimd.MultiplyAdd(a, TSimd.Load(ref w0[j], 0), s00);
                s10 = TSimd.MultiplyAdd(b, TSimd.Load(ref w0[j], second), s10);
                s01 = TSimd.MultiplyAdd(a, TSimd.Load(ref w1[j], 0), s01);
                s11 = TSimd.MultiplyAdd(b, TSimd.Load(ref w1[j], second), s11);
                s02 = TSimd.MultiplyAdd(a, TSimd.Load(ref w2[j], 0), s02);
                s12 = TSimd.MultiplyAdd(b, TSimd.Load(ref w2[j], second), s12);
                s03 = TSimd.MultiplyAdd(a, TSimd.Load(ref w3[j], 0), s03);
                s13 = TSimd.MultiplyAdd(b, TSimd.Load(ref w3[j], second), s13);
                s04 = TSimd.MultiplyAdd(a, TSimd.Load(ref w4[j], 0), s04);
                s14 = TSimd.MultiplyAdd(b, TSimd.Load(ref w4[j], second), s14);
            }

            if (j < featureCount)
            {
                int rest = featureCount - (int)j, behind = rest - TSimd.Lanes;
                TVector a = Take<TSimd, TVector>(x + j, rest);
                s00 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w0 + j, rest), s00);
                s01 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w1 + j, rest), s01);
                s02 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w2 + j, rest), s02);
                s03 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w3 + j, rest), s03);
                s04 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w4 + j, rest), s04);
                if (behind > 0)
                {
                    j += TSimd.Lanes;
                    a = Take<TSimd, TVector>(x + j, behind);
                    s10 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w0 + j, behind), s10);
                    s11 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w1 + j, behind), s11);
                    s12 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w2 + j, behind), s12);
                    s13 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w3 + j, behind), s13);
                    s14 = TSimd.MultiplyAdd(a, Take<TSimd, TVector>(w4 + j, behind), s14);
                }
            }

            Keep<TSimd, TVector>(lanes, s00, s01, s02, s03, s04);
            Keep<TSimd, TVector>(lanes + TSimd.Lanes, s10, s11, s12, s13, s14);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void OneByOne<TSimd, TVector>(int row, int vector, T* lanes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* x = rows + ((long)row * featureCount), w = vectors + ((long)vector * featureCount);
        for (int part = 0; part < AllLanes; part += TSimd.Lanes)
        {
            TVector sum = TSimd.Create(default);
            for (int j = part; j < featureCount; j += AllLanes) sum = TSimd.MultiplyAdd(Take<TSimd, TVector>(x + j, featureCount - j), Take<TSimd, TVector>(w + j, featureCount - j), sum);
            TSimd.Store(ref lanes[part], 0, sum);
        }
    }

    /// <summary>One register of features; zeros behind the end add nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Take<TSimd, TVector>(T* at, int rest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => rest >= TSimd.Lanes ? TSimd.Load(ref *at, 0) : TSimd.LoadPartial(at, rest, TSimd.Create(default));
}
