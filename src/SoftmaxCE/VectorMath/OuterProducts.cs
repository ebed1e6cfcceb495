using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Adds up residuals times rows over a block: sums[c, j] += Σ_i residuals[i, c] · rows[i, j], the gradient of a block.</summary>
/// <remarks>
/// Each pack of features of each c is summed over the rows of the block in order, in the element type, and then added to the sums in
/// double; so neither the tile (5 residuals × 4 packs, × 2 where there are 16 registers) nor the vector width changes a bit.
/// </remarks>
internal unsafe struct OuterProducts<T> : IVectorKernel<T>
    where T : unmanaged
{
    private T* _residuals;
    private T* _rows;
    private double* _sums;
    private int _residualCount;
    private int _rowCount;
    private int _featureCount;
    private long _residualStride;
    private long _rowStride;
    private long _sumStride;
    private T* _upcoming;

    /// <summary>All three matrices without gaps between their rows; and the rows that will be needed next, see <see cref="RowProducts{T}.Run"/>.</summary>
    public static void Add(T* residuals, int residualCount, T* rows, int rowCount, int featureCount, double* sums, T* upcoming = null) =>
        Add(residuals, residualCount, residualCount, rows, rowCount, featureCount, featureCount, sums, featureCount, upcoming);

    /// <summary>Each matrix with the distance between its rows.</summary>
    public static void Add(
        T* residuals, int residualCount, long residualStride, T* rows, int rowCount, int featureCount, long rowStride, double* sums, long sumStride, T* upcoming = null)
    {
        OuterProducts<T> kernel = new()
        {
            _residuals = residuals, _residualCount = residualCount, _residualStride = residualStride, _rows = rows, _rowCount = rowCount,
            _featureCount = featureCount, _rowStride = rowStride, _sums = sums, _sumStride = sumStride, _upcoming = upcoming,
        };
        VectorWidth.RunOnRegister<OuterProducts<T>, T>(ref kernel);
    }

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int j = 0;
        for (; j + (4 * TSimd.Lanes) <= _featureCount; j += 4 * TSimd.Lanes)
        {
            int c = 0;
            for (; c + 5 <= _residualCount; c += 5)
            {
                if (Unsafe.SizeOf<TVector>() == 64)
                {
                    FiveByFourPacks<TSimd, TVector>(c, j);
                    continue;
                }

                FiveByTwoPacks<TSimd, TVector>(c, j);
                FiveByTwoPacks<TSimd, TVector>(c, j + (2 * TSimd.Lanes));
            }

            for (; c < _residualCount; c++) OneByFourPacks<TSimd, TVector>(c, j);
        }

        for (; j < _featureCount; j += TSimd.Lanes)
        {
            int count = Math.Min(TSimd.Lanes, _featureCount - j);
            int c = 0;
            for (; c + 5 <= _residualCount; c += 5) FiveByOnePack<TSimd, TVector>(c, j, count);
            for (; c < _residualCount; c++) OneByOnePack<TSimd, TVector>(c, j, count);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void FiveByFourPacks<TSimd, TVector>(int c, int j)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero, s10 = zero, s11 = zero, s12 = zero, s13 = zero, s20 = zero, s21 = zero;
        TVector s22 = zero, s23 = zero, s30 = zero, s31 = zero, s32 = zero, s33 = zero, s40 = zero, s41 = zero, s42 = zero, s43 = zero;
        T* x = _rows + j, r = _residuals + c, next = Upcoming<TSimd, TVector>(c, j);
        for (int i = 0; i < _rowCount; i++, x += _rowStride, r += _residualStride, next += TSimd.Lanes)
        {
            CacheHints.FetchToSecondLevel(next);
            TVector x0 = TSimd.Load(ref *x, 0), x1 = TSimd.Load(ref *x, (nuint)TSimd.Lanes);
            TVector x2 = TSimd.Load(ref *x, (nuint)(2 * TSimd.Lanes)), x3 = TSimd.Load(ref *x, (nuint)(3 * TSimd.Lanes));
            TVector v = TSimd.Create(r[0]);
            s00 = TSimd.MultiplyAdd(v, x0, s00);
            s01 = TSimd.MultiplyAdd(v, x1, s01);
            s02 = TSimd.MultiplyAdd(v, x2, s02);
            s03 = TSimd.MultiplyAdd(v, x3, s03);
            v = TSimd.Create(r[1]);
            s10 = TSimd.MultiplyAdd(v, x0, s10);
            s11 = TSimd.MultiplyAdd(v, x1, s11);
            s12 = TSimd.MultiplyAdd(v, x2, s12);
            s13 = TSimd.MultiplyAdd(v, x3, s13);
            v = TSimd.Create(r[2]);
            s20 = TSimd.MultiplyAdd(v, x0, s20);
            s21 = TSimd.MultiplyAdd(v, x1, s21);
            s22 = TSimd.MultiplyAdd(v, x2, s22);
            s23 = TSimd.MultiplyAdd(v, x3, s23);
            v = TSimd.Create(r[3]);
            s30 = TSimd.MultiplyAdd(v, x0, s30);
            s31 = TSimd.MultiplyAdd(v, x1, s31);
            s32 = TSimd.MultiplyAdd(v, x2, s32);
            s33 = TSimd.MultiplyAdd(v, x3, s33);
            v = TSimd.Create(r[4]);
            s40 = TSimd.MultiplyAdd(v, x0, s40);
            s41 = TSimd.MultiplyAdd(v, x1, s41);
            s42 = TSimd.MultiplyAdd(v, x2, s42);
            s43 = TSimd.MultiplyAdd(v, x3, s43);
        }

        AddFour<TSimd, TVector>(c, j, s00, s01, s02, s03);
        AddFour<TSimd, TVector>(c + 1, j, s10, s11, s12, s13);
        AddFour<TSimd, TVector>(c + 2, j, s20, s21, s22, s23);
        AddFour<TSimd, TVector>(c + 3, j, s30, s31, s32, s33);
        AddFour<TSimd, TVector>(c + 4, j, s40, s41, s42, s43);
    }

    /// <summary>What a tile fetches, a line per row: of ten residuals the tiles fetch the second half of the upcoming rows, as <see cref="RowProducts{T}"/> did the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T* Upcoming<TSimd, TVector>(int c, int j)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (_upcoming == null || c > 5) return _rows + j;
        int tile = (j / (2 * TSimd.Lanes)) + (c / 5);
        return _upcoming + (_rowCount / 2 * (long)_featureCount) + ((long)tile * _rowCount * TSimd.Lanes);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void FiveByTwoPacks<TSimd, TVector>(int c, int j)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero, s40 = zero, s41 = zero;
        T* x = _rows + j, r = _residuals + c;
        long rowStride = _rowStride, residualStride = _residualStride;
        for (int i = _rowCount; i > 0; i--)
        {
            TVector x0 = TSimd.Load(ref *x, 0), x1 = TSimd.Load(ref *x, (nuint)TSimd.Lanes);
            TVector v = TSimd.Create(r[0]);
            s00 = TSimd.MultiplyAdd(v, x0, s00);
            s01 = TSimd.MultiplyAdd(v, x1, s01);
            v = TSimd.Create(r[1]);
            s10 = TSimd.MultiplyAdd(v, x0, s10);
            s11 = TSimd.MultiplyAdd(v, x1, s11);
            v = TSimd.Create(r[2]);
            s20 = TSimd.MultiplyAdd(v, x0, s20);
            s21 = TSimd.MultiplyAdd(v, x1, s21);
            v = TSimd.Create(r[3]);
            s30 = TSimd.MultiplyAdd(v, x0, s30);
            s31 = TSimd.MultiplyAdd(v, x1, s31);
            v = TSimd.Create(r[4]);
            s40 = TSimd.MultiplyAdd(v, x0, s40);
            s41 = TSimd.MultiplyAdd(v, x1, s41);
            x += rowStride;
            r += residualStride;
        }

        AddTwo<TSimd, TVector>(c, j, s00, s01);
        AddTwo<TSimd, TVector>(c + 1, j, s10, s11);
        AddTwo<TSimd, TVector>(c + 2, j, s20, s21);
        AddTwo<TSimd, TVector>(c + 3, j, s30, s31);
        AddTwo<TSimd, TVector>(c + 4, j, s40, s41);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void OneByFourPacks<TSimd, TVector>(int c, int j)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), s0 = zero, s1 = zero, s2 = zero, s3 = zero;
        T* x = _rows + j, r = _residuals + c;
        for (int i = 0; i < _rowCount; i++, x += _rowStride, r += _residualStride)
        {
            TVector v = TSimd.Create(*r);
            s0 = TSimd.MultiplyAdd(v, TSimd.Load(ref *x, 0), s0);
            s1 = TSimd.MultiplyAdd(v, TSimd.Load(ref *x, (nuint)TSimd.Lanes), s1);
            s2 = TSimd.MultiplyAdd(v, TSimd.Load(ref *x, (nuint)(2 * TSimd.Lanes)), s2);
            s3 = TSimd.MultiplyAdd(v, TSimd.Load(ref *x, (nuint)(3 * TSimd.Lanes)), s3);
        }

        AddFour<TSimd, TVector>(c, j, s0, s1, s2, s3);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void FiveByOnePack<TSimd, TVector>(int c, int j, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero;
        T* x = _rows + j, r = _residuals + c;
        for (int i = 0; i < _rowCount; i++, x += _rowStride, r += _residualStride)
        {
            TVector v = count == TSimd.Lanes ? TSimd.Load(ref *x, 0) : TSimd.LoadPartial(x, count, zero);
            s0 = TSimd.MultiplyAdd(TSimd.Create(r[0]), v, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Create(r[1]), v, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Create(r[2]), v, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Create(r[3]), v, s3);
            s4 = TSimd.MultiplyAdd(TSimd.Create(r[4]), v, s4);
        }

        AddPack<TSimd, TVector>(c, j, count, s0);
        AddPack<TSimd, TVector>(c + 1, j, count, s1);
        AddPack<TSimd, TVector>(c + 2, j, count, s2);
        AddPack<TSimd, TVector>(c + 3, j, count, s3);
        AddPack<TSimd, TVector>(c + 4, j, count, s4);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void OneByOnePack<TSimd, TVector>(int c, int j, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), s = zero;
        T* x = _rows + j, r = _residuals + c;
        for (int i = 0; i < _rowCount; i++, x += _rowStride, r += _residualStride)
        {
            TVector v = count == TSimd.Lanes ? TSimd.Load(ref *x, 0) : TSimd.LoadPartial(x, count, zero);
            s = TSimd.MultiplyAdd(TSimd.Create(*r), v, s);
        }

        AddPack<TSimd, TVector>(c, j, count, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void AddFour<TSimd, TVector>(int c, int j, TVector s0, TVector s1, TVector s2, TVector s3)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        AddTwo<TSimd, TVector>(c, j, s0, s1);
        AddTwo<TSimd, TVector>(c, j + (2 * TSimd.Lanes), s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void AddTwo<TSimd, TVector>(int c, int j, TVector s0, TVector s1)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double* at = _sums + (c * _sumStride) + j;
        TSimd.AddToDoubles(at, s0);
        TSimd.AddToDoubles(at + TSimd.Lanes, s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void AddPack<TSimd, TVector>(int c, int j, int count, TVector sum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double* at = _sums + (c * _sumStride) + j;
        if (count == TSimd.Lanes)
        {
            TSimd.AddToDoubles(at, sum);
            return;
        }

        for (int i = 0; i < count; i++) at[i] += typeof(T) == typeof(float) ? Unsafe.Add(ref Unsafe.As<TVector, float>(ref sum), i) : Unsafe.Add(ref Unsafe.As<TVector, double>(ref sum), i);
    }
}
