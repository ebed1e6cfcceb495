using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// Products of sparse rows with vectors stored feature by feature ([features, count], so that a stored value meets all vectors in
/// adjacent lanes), and residuals times sparse rows added up in the same order.
/// </summary>
internal unsafe ref struct SparseProducts<TValue> : IVectorKernel<double>
    where TValue : unmanaged
{
    public required TValue* Values;
    public required int* Columns;

    /// <summary>rowCount + 1 positions in the values.</summary>
    public required long* RowStarts;

    public required int RowCount;
    public required int Count;

    /// <summary>[features, count]: read in the forward direction, added to in the backward direction.</summary>
    public required double* Vectors;

    /// <summary>[rows, count]: written in the forward direction, read in the backward direction.</summary>
    public required double* Products;

    /// <summary>Added to each row of products; forward only.</summary>
    public required double* Shifts;

    public required bool Backward;

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int i = 0; i < RowCount; i++)
        {
            double* row = Products + ((long)i * Count);
            if (Backward) AddRow<TSimd, TVector>(RowStarts[i], RowStarts[i + 1], row);
            else MultiplyRow<TSimd, TVector>(RowStarts[i], RowStarts[i + 1], row);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void MultiplyRow<TSimd, TVector>(long start, long end, double* row)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int c = 0; c < Count; c += TSimd.Lanes)
        {
            TVector sum = LossRows.Take<TSimd, TVector>(Shifts, c, Count, 0);
            for (long k = start; k < end; k++)
            {
                TVector vector = LossRows.Take<TSimd, TVector>(Vectors + ((long)Columns[k] * Count), c, Count, 0);
                sum = TSimd.MultiplyAdd(TSimd.Create(Widen(Values[k])), vector, sum);
            }

            LossRows.Put<TSimd, TVector>(row, c, Count, sum);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void AddRow<TSimd, TVector>(long start, long end, double* row)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (long k = start; k < end; k++)
        {
            double* vector = Vectors + ((long)Columns[k] * Count);
            TVector value = TSimd.Create(Widen(Values[k]));
            for (int c = 0; c < Count; c += TSimd.Lanes)
            {
                TVector sum = TSimd.MultiplyAdd(value, LossRows.Take<TSimd, TVector>(row, c, Count, 0), LossRows.Take<TSimd, TVector>(vector, c, Count, 0));
                LossRows.Put<TSimd, TVector>(vector, c, Count, sum);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Widen(TValue value) => typeof(TValue) == typeof(float) ? Unsafe.BitCast<TValue, float>(value) : Unsafe.BitCast<TValue, double>(value);
}
