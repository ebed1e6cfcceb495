using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary><see cref="NarrowRowProducts{T}"/> of doubles, bit for bit, for vectors that together do not fit into the first-level cache.</summary>
/// <remarks>
/// Features are taken in steps: a part of three or four vectors stays in the first-level cache while rows pass by, and between steps the accumulators wait in
/// memory. 3 rows × 4 vectors take exactly 16 registers, and 7 loads per 12 products, which is what keeps the multipliers busy; the rows are fetched
/// ahead by the processor itself (instructions for it cost more than they gain, as the rows lie in the second-level cache).
/// </remarks>
internal readonly unsafe struct SteppedRowProducts(
    double* rows, int rowCount, int featureCount, double* vectors, int vectorCount, double* shifts, double* outputs) : IVectorKernel<double>
{
    private const int GroupRows = 24;
    private const int MostVectors = 4;

    /// <summary>Lanes of 512 bits.</summary>
    private const int AllLanes = 8;

    // 7 times 3.5 KB are in use at once.
    private const int MostStepLines = 56;

    /// <summary>Whether it pays: several steps, and vectors in threes and fours.</summary>
    public static bool Suits(int rowCount, int featureCount, int vectorCount) =>
        rowCount >= 3 && featureCount > MostStepLines * AllLanes && vectorCount >= 3 && vectorCount != 5;

    /// <summary>Does whole groups of three rows, and returns how many rows that are.</summary>
    public static int Run(double* rows, int rowCount, int featureCount, double* vectors, int vectorCount, double* shifts, double* outputs)
    {
        SteppedRowProducts kernel = new(rows, rowCount - (rowCount % 3), featureCount, vectors, vectorCount, shifts, outputs);
        VectorWidth.RunOnRegister<SteppedRowProducts, double>(ref kernel);
        return rowCount - (rowCount % 3);
    }

    [MethodImpl(LoopMethod.Compiled)]
    [SkipLocalsInit]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* lanes = stackalloc double[GroupRows * MostVectors * AllLanes];
        for (int c = 0, count; c < vectorCount; c += count)
        {
            count = (vectorCount - c) % 4 == 0 ? 4 : 3;
            for (int i = 0; i < rowCount; i += GroupRows)
            {
                int length = Math.Min(GroupRows, rowCount - i);
                Triples<TSimd, TVector>(i, length, c, count, lanes);
                Write(i, length, c, count, lanes);
            }
        }
    }

    /// <summary>Adds up the lanes of each output, in the order of <see cref="ISimd{TVector,T}.SumOfLanes"/> at 512 bits.</summary>
    private void Write(int firstRow, int length, int firstVector, int count, double* lanes)
    {
        for (int i = firstRow; i < firstRow + length; i++)
        {
            for (int c = firstVector; c < firstVector + count; c++, lanes += AllLanes)
            {
                double even = lanes[0] + lanes[4] + (lanes[2] + lanes[6]), odd = lanes[1] + lanes[5] + (lanes[3] + lanes[7]);
                outputs[((long)i * vectorCount) + c] = even + odd + shifts[c];
            }
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void Triples<TSimd, TVector>(int firstRow, int length, int vector, int count, double* lanes)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        int lines = (featureCount + AllLanes - 1) / AllLanes, steps = (lines + MostStepLines - 1) / MostStepLines;
        int step = (lines + steps - 1) / steps * AllLanes;
        for (int from = 0; from < featureCount; from += step)
        {
            int to = Math.Min(from + step, featureCount);
            double* at = lanes;
            for (int i = firstRow; i < firstRow + length; i += 3, at += 3 * count * AllLanes)
            {
                if (count == 4) ThreeRowsFourVectors<TSimd, TVector>(i, vector, from, to, at);
                else ThreeRowsThreeVectors<TSimd, TVector>(i, vector, from, to, at);
            }
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void ThreeRowsFourVectors<TSimd, TVector>(int row, int vector, int from, int to, double* lanes)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* x0 = rows + ((long)row * featureCount), x1 = x0 + featureCount, x2 = x1 + featureCount, w0 = vectors + ((long)vector * featureCount);
        double* w1 = w0 + featureCount, w2 = w1 + featureCount, w3 = w2 + featureCount;
        for (int part = 0; part < AllLanes; part += TSimd.Lanes, lanes += TSimd.Lanes)
        {
            TVector zero = TSimd.Create(default);
            TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
            TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
            TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
            if (from > 0)
            {
                double* kept = lanes;
                s00 = TSimd.Load(ref *kept, 0);
                s01 = TSimd.Load(ref kept[AllLanes], 0);
                s02 = TSimd.Load(ref kept[2 * AllLanes], 0);
                s03 = TSimd.Load(ref kept[3 * AllLanes], 0);
                kept += 4 * AllLanes;
                s10 = TSimd.Load(ref *kept, 0);
                s11 = TSimd.Load(ref kept[AllLanes], 0);
                s12 = TSimd.Load(ref kept[2 * AllLanes], 0);
                s13 = TSimd.Load(ref kept[3 * AllLanes], 0);
                kept += 4 * AllLanes;
                s20 = TSimd.Load(ref *kept, 0);
                s21 = TSimd.Load(ref kept[AllLanes], 0);
                s22 = TSimd.Load(ref kept[2 * AllLanes], 0);
                s23 = TSimd.Load(ref kept[3 * AllLanes], 0);
            }

            nint j = from + part, last = to - TSimd.Lanes;
            for (; j <= last; j += AllLanes)
            {
                TVector a = TSimd.Load(ref x0[j], 0), b = TSimd.Load(ref x1[j], 0), c = TSimd.Load(ref x2[j], 0), v = TSimd.Load(ref w0[j], 0);
                s00 = TSimd.MultiplyAdd(a, v, s00);
                s10 = TSimd.MultiplyAdd(b, v, s10);
                s20 = TSimd.MultiplyAdd(c, v, s20);
                v = TSimd.Load(ref w1[j], 0);
                s01 = TSimd.MultiplyAdd(a, v, s01);
                s11 = TSimd.MultiplyAdd(b, v, s11);
                s21 = TSimd.MultiplyAdd(c, v, s21);
                v = TSimd.Load(ref w2[j], 0);
                s02 = TSimd.MultiplyAdd(a, v, s02);
                s12 = TSimd.MultiplyAdd(b, v, s12);
                s22 = TSimd.MultiplyAdd(c, v, s22);
                v = TSimd.Load(ref w3[j], 0);
                s03 = TSimd.MultiplyAdd(a, v, s03);
                s13 = TSimd.MultiplyAdd(b, v, s13);
                s23 = TSimd.MultiplyAdd(c, v, s23);
            }

            if (j < to)
            {
                int rest = to - (int)j;
                TVector a = TSimd.LoadPartial(x0 + j, rest, zero), b = TSimd.LoadPartial(x1 + j, rest, zero), c = TSimd.LoadPartial(x2 + j, rest, zero);
                TVector v = TSimd.LoadPartial(w0 + j, rest, zero);
                s00 = TSimd.MultiplyAdd(a, v, s00);
                s10 = TSimd.MultiplyAdd(b, v, s10);
                s20 = TSimd.MultiplyAdd(c, v, s20);
                v = TSimd.LoadPartial(w1 + j, rest, zero);
                s01 = TSimd.MultiplyAdd(a, v, s01);
                s11 = TSimd.MultiplyAdd(b, v, s11);
                s21 = TSimd.MultiplyAdd(c, v, s21);
                v = TSimd.LoadPartial(w2 + j, rest, zero);
                s02 = TSimd.MultiplyAdd(a, v, s02);
                s12 = TSimd.MultiplyAdd(b, v, s12);
                s22 = TSimd.MultiplyAdd(c, v, s22);
                v = TSimd.LoadPartial(w3 + j, rest, zero);
                s03 = TSimd.MultiplyAdd(a, v, s03);
                s13 = TSimd.MultiplyAdd(b, v, s13);
                s23 = TSimd.MultiplyAdd(c, v, s23);
            }

            Keep<TSimd, TVector>(lanes, s00, s01, s02, s03);
            Keep<TSimd, TVector>(lanes + (4 * AllLanes), s10, s11, s12, s13);
            Keep<TSimd, TVector>(lanes + (8 * AllLanes), s20, s21, s22, s23);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void ThreeRowsThreeVectors<TSimd, TVector>(int row, int vector, int from, int to, double* lanes)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* x0 = rows + ((long)row * featureCount), x1 = x0 + featureCount, x2 = x1 + featureCount, w0 = vectors + ((long)vector * featureCount);
        double* w1 = w0 + featureCount, w2 = w1 + featureCount;
        for (int part = 0; part < AllLanes; part += TSimd.Lanes, lanes += TSimd.Lanes)
        {
            TVector zero = TSimd.Create(default);
            TVector s00 = zero, s01 = zero, s02 = zero;
            TVector s10 = zero, s11 = zero, s12 = zero;
            TVector s20 = zero, s21 = zero, s22 = zero;
            if (from > 0)
            {
                double* kept = lanes;
                s00 = TSimd.Load(ref *kept, 0);
                s01 = TSimd.Load(ref kept[AllLanes], 0);
                s02 = TSimd.Load(ref kept[2 * AllLanes], 0);
                kept += 3 * AllLanes;
                s10 = TSimd.Load(ref *kept, 0);
                s11 = TSimd.Load(ref kept[AllLanes], 0);
                s12 = TSimd.Load(ref kept[2 * AllLanes], 0);
                kept += 3 * AllLanes;
                s20 = TSimd.Load(ref *kept, 0);
                s21 = TSimd.Load(ref kept[AllLanes], 0);
                s22 = TSimd.Load(ref kept[2 * AllLanes], 0);
            }

            nint j = from + part, last = to - TSimd.Lanes;
            for (; j <= last; j += AllLanes)
            {
                TVector a = TSimd.Load(ref x0[j], 0), b = TSimd.Load(ref x1[j], 0), c = TSimd.Load(ref x2[j], 0), v = TSimd.Load(ref w0[j], 0);
                s00 = TSimd.MultiplyAdd(a, v, s00);
                s10 = TSimd.MultiplyAdd(b, v, s10);
                s20 = TSimd.MultiplyAdd(c, v, s20);
                v = TSimd.Load(ref w1[j], 0);
                s01 = TSimd.MultiplyAdd(a, v, s01);
                s11 = TSimd.MultiplyAdd(b, v, s11);
                s21 = TSimd.MultiplyAdd(c, v, s21);
                v = TSimd.Load(ref w2[j], 0);
                s02 = TSimd.MultiplyAdd(a, v, s02);
                s12 = TSimd.MultiplyAdd(b, v, s12);
                s22 = TSimd.MultiplyAdd(c, v, s22);
            }

            if (j < to)
            {
                int rest = to - (int)j;
                TVector a = TSimd.LoadPartial(x0 + j, rest, zero), b = TSimd.LoadPartial(x1 + j, rest, zero), c = TSimd.LoadPartial(x2 + j, rest, zero);
                TVector v = TSimd.LoadPartial(w0 + j, rest, zero);
                s00 = TSimd.MultiplyAdd(a, v, s00);
                s10 = TSimd.MultiplyAdd(b, v, s10);
                s20 = TSimd.MultiplyAdd(c, v, s20);
                v = TSimd.LoadPartial(w1 + j, rest, zero);
                s01 = TSimd.MultiplyAdd(a, v, s01);
                s11 = TSimd.MultiplyAdd(b, v, s11);
                s21 = TSimd.MultiplyAdd(c, v, s21);
                v = TSimd.LoadPartial(w2 + j, rest, zero);
                s02 = TSimd.MultiplyAdd(a, v, s02);
                s12 = TSimd.MultiplyAdd(b, v, s12);
                s22 = TSimd.MultiplyAdd(c, v, s22);
            }

            Keep<TSimd, TVector>(lanes, s00, s01, s02);
            Keep<TSimd, TVector>(lanes + (3 * AllLanes), s10, s11, s12);
            Keep<TSimd, TVector>(lanes + (6 * AllLanes), s20, s21, s22);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TSimd, TVector>(double* lanes, TVector s0, TVector s1, TVector s2)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TSimd.Store(ref *lanes, 0, s0);
        TSimd.Store(ref lanes[AllLanes], 0, s1);
        TSimd.Store(ref lanes[2 * AllLanes], 0, s2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TSimd, TVector>(double* lanes, TVector s0, TVector s1, TVector s2, TVector s3)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        Keep<TSimd, TVector>(lanes, s0, s1, s2);
        TSimd.Store(ref lanes[3 * AllLanes], 0, s3);
    }
}
