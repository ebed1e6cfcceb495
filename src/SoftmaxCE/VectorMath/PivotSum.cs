using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ e^((x − max)/temperature) over a row with one class, the pivot, kept apart.</summary>
/// <param name="Others">The sum over all classes but the pivot.</param>
/// <param name="AtPivot">The pivot's own exponential.</param>
internal readonly unsafe record struct PivotSum(double Others, double AtPivot)
{
    /// <summary>
    /// Vectors added before the sums move into double. <see cref="FactoredSum{TVector,T}"/> is exact next to the largest exponential; where
    /// that is the pivot's, which is left out, the rest is added up in T, and this many roundings do not show.
    /// </summary>
    private const int BlockVectors = 32;

    public double Total => Others + AtPivot;

    /// <summary>The exponentials, with the factor <see cref="FactoredExp.OfMaximum{T}"/>, go to <paramref name="exponentials"/>, which may be <paramref name="logits"/>, unless it is null.</summary>
    /// <remarks>The vector that holds the pivot is left for the end, so that the loop over the others need not look for it.</remarks>
    public static PivotSum Of<TSimd, TVector, T>(T* logits, int count, int pivot, in RowExponential<T> row, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (exponentials == null)
        {
            return row.IsDirect
                ? Of<TSimd, TVector, T, DirectExponential<TVector, T>, RowPasses.DroppedAmongParts>(logits, count, pivot, row, null)
                : Of<TSimd, TVector, T, ShiftedExponential<TVector, T>, RowPasses.DroppedAmongParts>(logits, count, pivot, row, null);
        }

        return row.IsDirect
            ? Of<TSimd, TVector, T, DirectExponential<TVector, T>, RowPasses.StoredAmongParts>(logits, count, pivot, row, exponentials)
            : Of<TSimd, TVector, T, ShiftedExponential<TVector, T>, RowPasses.StoredAmongParts>(logits, count, pivot, row, exponentials);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PivotSum Of<TSimd, TVector, T, TExponential, TFate>(T* logits, int count, int pivot, in RowExponential<T> row, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TFate : struct, RowPasses.IFate
    {
        int lanes = TSimd.Lanes, wholeEnd = count - (count % lanes), pivotStart = pivot - (pivot % lanes);
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector zero = TSimd.Create(default), first = zero, second = zero;
        for (int i = 0; i < wholeEnd;)
        {
            if (i == pivotStart)
            {
                i += lanes;
                continue;
            }

            // Up to the pivot's vector, or from it to the end, in blocks.
            int end = Math.Min(i < pivotStart ? Math.Min(pivotStart, wholeEnd) : wholeEnd, i + (BlockVectors * lanes));
            FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
            int fours = i + ((end - i) / (4 * lanes) * (4 * lanes));
            for (; !Four.Pays<TSimd, TVector, T>() && i < fours; i += 2 * lanes)
            {
                TVector t0 = exp.Split<TSimd>(TSimd.Load(ref *logits, (nuint)i), out TVector q0);
                if (TFate.Stores) TSimd.Store(ref *exponentials, (nuint)i, TSimd.MultiplyAdd(t0, q0, t0));
                even.Add<TSimd>(t0, q0);
                TVector t1 = exp.Split<TSimd>(TSimd.Load(ref *logits, (nuint)(i + lanes)), out TVector q1);
                if (TFate.Stores) TSimd.Store(ref *exponentials, (nuint)(i + lanes), TSimd.MultiplyAdd(t1, q1, t1));
                odd.Add<TSimd>(t1, q1);
            }

            for (; i < fours; i += 4 * lanes)
            {
                Four<TVector> t = exp.Split<TSimd>(Four.Load<TSimd, TVector, T>(logits + i), out Four<TVector> q);
                if (TFate.Stores) Four.Store<TSimd, TVector, T>(exponentials + i, Four.MultiplyAdd<TSimd, TVector, T>(t, q, t));
                CacheHints.FetchFour(logits + i + ((nint)TFate.LengthsAhead * count), (nuint)lanes);             // the next row
                if (TFate.Stores) CacheHints.FetchFour(exponentials + i + count, (nuint)lanes);
                even.Add<TSimd>(t.A, q.A);
                odd.Add<TSimd>(t.B, q.B);
                even.Add<TSimd>(t.C, q.C);
                odd.Add<TSimd>(t.D, q.D);
            }

            for (; i < end; i += lanes)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *logits, (nuint)i), out TVector q);
                if (TFate.Stores) TSimd.Store(ref *exponentials, (nuint)i, TSimd.MultiplyAdd(t, q, t));
                even.Add<TSimd>(t, q);
            }

            even.MoveInto<TSimd>(ref first, ref second);
            odd.MoveInto<TSimd>(ref first, ref second);
        }

        if (pivotStart < wholeEnd && wholeEnd < count)
        {
            TVector t = Partial<TSimd, TVector, T, TExponential, TFate>(exp, logits, wholeEnd, count - wholeEnd, exponentials, out TVector q);
            Add<TSimd, TVector, T>(ref first, ref second, t, q);
        }

        TVector atPivot = Partial<TSimd, TVector, T, TExponential, TFate>(exp, logits, pivotStart, Math.Min(lanes, count - pivotStart), exponentials, out TVector power);
        TVector isPivot = TSimd.Equal(TSimd.Indices(pivotStart - pivot), zero), lower = zero, upper = zero;
        Add<TSimd, TVector, T>(ref first, ref second, TSimd.Select(isPivot, zero, atPivot), power);
        Add<TSimd, TVector, T>(ref lower, ref upper, TSimd.Select(isPivot, atPivot, zero), power);
        double scale = FactoredExp.OfMaximum<T>(), others = TSimd.TotalOfWide(first, second).Value;
        return new(others < FactoredExp.Nothing<T>(count) ? 0 : others / scale, TSimd.TotalOfWide(lower, upper).Value / scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TSimd, TVector, T>(ref TVector first, ref TVector second, TVector t, TVector q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TSimd.AddWide(ref first, ref second, t);
        TSimd.AddWide(ref first, ref second, TSimd.Multiply(t, q));
    }

    /// <summary>A vector of at most Lanes logits; t is 0 behind them and where a logit is −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Partial<TSimd, TVector, T, TExponential, TFate>(TExponential exp, T* logits, int start, int count, T* exponentials, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TFate : struct, RowPasses.IFate
    {
        TVector lowest = RowPasses.Lowest<TSimd, TVector, T>(), x = TSimd.LoadPartial(logits + start, count, lowest), t = exp.Split<TSimd>(x, out q);
        t = TSimd.Select(TSimd.Equal(x, lowest), TSimd.Create(default), t);
        if (TFate.Stores) TSimd.StorePartial(exponentials + start, count, TSimd.MultiplyAdd(t, q, t));
        return t;
    }
}
