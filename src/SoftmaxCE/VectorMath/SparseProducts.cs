using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// Products of sparse rows with vectors stored feature by feature ([features, stride], so that a stored value meets all vectors in
/// adjacent lanes), and residuals times sparse rows added up in the same order.
/// </summary>
/// <remarks>
/// A row's values are gone through once for every few registers of products, which stay in the registers. No lane meets another one, so single registers
/// serve, see <see cref="VectorWidth.RunOnRegister"/>.
/// </remarks>
internal unsafe ref struct SparseProducts<TValue, T> : IVectorKernel<T>
    where TValue : unmanaged
    where T : unmanaged
{
    // Registers of products at a time.
    private const int Several = 6;

    public required TValue* Values;
    public required int* Columns;

    /// <summary>rowCount + 1 positions in the values.</summary>
    public required long* RowStarts;

    public required int RowCount;
    public required int Count;

    /// <summary>[features, <see cref="Stride"/>]: read in the forward direction, added to in the backward direction. Behind the count are zeros.</summary>
    public required T* Vectors;

    /// <summary>[rows, count]: written in the forward direction, read in the backward direction.</summary>
    public required T* Products;

    /// <summary>Added to each row of products; forward only.</summary>
    public required T* Shifts;

    public required bool Backward;

    /// <summary>Whether the squares of the values are multiplied; backward only.</summary>
    public required bool Squared;

    /// <summary>Distance between the vectors of two features: whole vectors.</summary>
    public static int Stride(int count) => (count + WholeVector.Lanes<T>() - 1) / WholeVector.Lanes<T>() * WholeVector.Lanes<T>();

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int stride = Stride(Count);
        for (int i = 0; i < RowCount; i++)
        {
            T* row = Products + ((long)i * Count);
            long start = RowStarts[i], end = RowStarts[i + 1];
            int c = 0;
            for (; c + (Several * TSimd.Lanes) <= Count; c += Several * TSimd.Lanes)
            {
                if (Backward) AddSeveral<TSimd, TVector>(start, end, row + c, Vectors + c, stride);
                else MultiplySeveral<TSimd, TVector>(start, end, row + c, Vectors + c, stride, Shifts + c);
            }

            for (; c < Count; c += TSimd.Lanes)
            {
                if (Backward) AddOne<TSimd, TVector>(start, end, row, c, stride);
                else MultiplyOne<TSimd, TVector>(start, end, row, c, stride);
            }
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void MultiplySeveral<TSimd, TVector>(long start, long end, T* row, T* vectors, long stride, T* shifts)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TVector s0 = TSimd.Load(ref *shifts, 0), s1 = TSimd.Load(ref *shifts, lanes), s2 = TSimd.Load(ref *shifts, 2 * lanes);
        TVector s3 = TSimd.Load(ref *shifts, 3 * lanes), s4 = TSimd.Load(ref *shifts, 4 * lanes), s5 = TSimd.Load(ref *shifts, 5 * lanes);
        TValue* x = Values + start, endOfValues = Values + end;
        for (int* column = Columns + start; x < endOfValues; x++, column++)
        {
            TVector value = TSimd.Create(AsElement(*x));
            T* v = vectors + (*column * stride);
            s0 = TSimd.MultiplyAdd(value, TSimd.Load(ref *v, 0), s0);
            s1 = TSimd.MultiplyAdd(value, TSimd.Load(ref *v, lanes), s1);
            s2 = TSimd.MultiplyAdd(value, TSimd.Load(ref *v, 2 * lanes), s2);
            s3 = TSimd.MultiplyAdd(value, TSimd.Load(ref *v, 3 * lanes), s3);
            s4 = TSimd.MultiplyAdd(value, TSimd.Load(ref *v, 4 * lanes), s4);
            s5 = TSimd.MultiplyAdd(value, TSimd.Load(ref *v, 5 * lanes), s5);
        }

        TSimd.Store(ref *row, 0, s0);
        TSimd.Store(ref *row, lanes, s1);
        TSimd.Store(ref *row, 2 * lanes, s2);
        TSimd.Store(ref *row, 3 * lanes, s3);
        TSimd.Store(ref *row, 4 * lanes, s4);
        TSimd.Store(ref *row, 5 * lanes, s5);
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void AddSeveral<TSimd, TVector>(long start, long end, T* row, T* vectors, long stride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TVector r0 = TSimd.Load(ref *row, 0), r1 = TSimd.Load(ref *row, lanes), r2 = TSimd.Load(ref *row, 2 * lanes);
        TVector r3 = TSimd.Load(ref *row, 3 * lanes), r4 = TSimd.Load(ref *row, 4 * lanes), r5 = TSimd.Load(ref *row, 5 * lanes);
        TValue* x = Values + start, endOfValues = Values + end;
        for (int* column = Columns + start; x < endOfValues; x++, column++)
        {
            TVector value = ValueOf<TSimd, TVector>(*x);
            T* v = vectors + (*column * stride);
            TSimd.Store(ref *v, 0, TSimd.MultiplyAdd(value, r0, TSimd.Load(ref *v, 0)));
            TSimd.Store(ref *v, lanes, TSimd.MultiplyAdd(value, r1, TSimd.Load(ref *v, lanes)));
            TSimd.Store(ref *v, 2 * lanes, TSimd.MultiplyAdd(value, r2, TSimd.Load(ref *v, 2 * lanes)));
            TSimd.Store(ref *v, 3 * lanes, TSimd.MultiplyAdd(value, r3, TSimd.Load(ref *v, 3 * lanes)));
            TSimd.Store(ref *v, 4 * lanes, TSimd.MultiplyAdd(value, r4, TSimd.Load(ref *v, 4 * lanes)));
            TSimd.Store(ref *v, 5 * lanes, TSimd.MultiplyAdd(value, r5, TSimd.Load(ref *v, 5 * lanes)));
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void MultiplyOne<TSimd, TVector>(long start, long end, T* row, int c, long stride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int rest = Math.Min(Count - c, TSimd.Lanes);
        TVector sum = TSimd.LoadPartial(Shifts + c, rest, TSimd.Create(default));
        for (long k = start; k < end; k++) sum = TSimd.MultiplyAdd(TSimd.Create(AsElement(Values[k])), TSimd.Load(ref Vectors[(Columns[k] * stride) + c], 0), sum);
        TSimd.StorePartial(row + c, rest, sum);
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void AddOne<TSimd, TVector>(long start, long end, T* row, int c, long stride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector residuals = TSimd.LoadPartial(row + c, Math.Min(Count - c, TSimd.Lanes), TSimd.Create(default));
        for (long k = start; k < end; k++)
        {
            ref T sums = ref Vectors[(Columns[k] * stride) + c];
            TSimd.Store(ref sums, 0, TSimd.MultiplyAdd(ValueOf<TSimd, TVector>(Values[k]), residuals, TSimd.Load(ref sums, 0)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector ValueOf<TSimd, TVector>(TValue value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector x = TSimd.Create(AsElement(value));
        return Squared ? TSimd.Multiply(x, x) : x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T AsElement(TValue value)
    {
        double x = typeof(TValue) == typeof(float) ? Unsafe.BitCast<TValue, float>(value) : Unsafe.BitCast<TValue, double>(value);
        return typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)x) : Unsafe.BitCast<double, T>(x);
    }
}
