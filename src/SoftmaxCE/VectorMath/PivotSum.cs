using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ e^((x − max)/temperature) over a row with one class, the pivot, kept apart.</summary>
/// <param name="Others">The sum over all classes but the pivot.</param>
/// <param name="AtPivot">The pivot's own exponential.</param>
internal readonly unsafe record struct PivotSum(double Others, double AtPivot)
{
    public double Total => Others + AtPivot;

    /// <summary>The exponentials, with the factor <see cref="FactoredExp.OfMaximum{T}"/>, go to <paramref name="exponentials"/>, which may be <paramref name="logits"/>, unless it is null.</summary>
    /// <remarks>The vector that holds the pivot is left for the end, so that the loop over the others need not look for it.</remarks>
    [MethodImpl(LoopMethod.Compiled)]
    public static PivotSum Of<TSimd, TVector, T>(T* logits, int count, int pivot, in RowExponential<T> row, T* exponentials, Upcoming<T> upcoming)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (exponentials == null) return Of<TSimd, TVector, T, RowPasses.Dropped>(logits, count, pivot, row, null, upcoming);
        return Of<TSimd, TVector, T, RowPasses.Stored>(logits, count, pivot, row, exponentials, upcoming);
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private static PivotSum Of<TSimd, TVector, T, TFate>(T* logits, int count, int pivot, in RowExponential<T> row, T* exponentials, Upcoming<T> upcoming)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TFate : struct, RowPasses.IFate
    {
        byte* memory = stackalloc byte[5 * WholeVector.Bytes];
        T* sums = (T*)WholeVector.Align(memory);
        PivotPass<T, TFate> pass = new(logits, count, pivot, row, exponentials, upcoming, sums);
        TSimd.RunLanes(ref pass, 0);
        nuint lanes = (nuint)TSimd.Lanes;
        double scale = FactoredExp.OfMaximum<T>(), others = TSimd.TotalOfWide(TSimd.Load(ref *sums, 0), TSimd.Load(ref *sums, lanes)).Value;
        double atPivot = TSimd.TotalOfWide(TSimd.Load(ref *sums, 2 * lanes), TSimd.Load(ref *sums, 3 * lanes)).Value;
        return new(others < FactoredExp.Nothing<T>(count) ? 0 : others / scale, atPivot / scale);
    }
}

/// <summary>The pass over a row behind <see cref="PivotSum"/>.</summary>
/// <remarks>The vector that holds the pivot is left for the end, so that the loop over the others need not look for it.</remarks>
/// <param name="logits">The row.</param>
/// <param name="count">Its classes.</param>
/// <param name="pivot">The one kept apart.</param>
/// <param name="row">The way to take exponentials.</param>
/// <param name="exponentials">Where they go if <typeparamref name="TFate"/> stores them.</param>
/// <param name="upcoming">What is needed next.</param>
/// <param name="sums">Receives, aligned, the sum of the others and that of the pivot, two vectors each (see <see cref="ISimd{TVector,T}.AddWide"/>).</param>
internal readonly unsafe struct PivotPass<T, TFate>(T* logits, int count, int pivot, RowExponential<T> row, T* exponentials, Upcoming<T> upcoming, T* sums) : ILaneKernel<T>
    where T : unmanaged
    where TFate : struct, RowPasses.IFate
{
    /// <summary>
    /// Vectors added before the sums move into double. <see cref="FactoredSum{TVector,T}"/> is exact next to the largest exponential; where
    /// that is the pivot's, which is left out, the rest is added up in T, and this many roundings do not show.
    /// </summary>
    private const int BlockVectors = 32;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (row.IsDirect) Run<TSimd, TVector, DirectExponential<TVector, T>>(firstLane);
        else Run<TSimd, TVector, ShiftedExponential<TVector, T>>(firstLane);
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Run<TSimd, TVector, TExponential>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        int lanes = WholeVector.Lanes<T>(), wholeEnd = count - (count % lanes), pivotStart = pivot - (pivot % lanes);
        T* source = logits + firstLane, target = exponentials + firstLane, next = upcoming.Logits, writtenNext = upcoming.Destination;
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
            for (; Four.Pays<TSimd, TVector, T>() && i < fours; i += 4 * lanes)
            {
                Four<TVector> t = exp.Split<TSimd>(Four.Load<TSimd, TVector, T>(source + i), out Four<TVector> q);
                if (TFate.Stores) Four.Store<TSimd, TVector, T>(target + i, Four.MultiplyAdd<TSimd, TVector, T>(t, q, t));
                CacheHints.FetchFour(next + i, (nuint)lanes);
                CacheHints.FetchFour(writtenNext + i, (nuint)lanes);
                even.Add<TSimd>(t.A, q.A);
                odd.Add<TSimd>(t.B, q.B);
                even.Add<TSimd>(t.C, q.C);
                odd.Add<TSimd>(t.D, q.D);
            }

            for (; i < fours; i += 2 * lanes)
            {
                TVector x0 = TSimd.Load(ref *source, (nuint)i), x1 = TSimd.Load(ref *source, (nuint)(i + lanes));
                TVector t0 = exp.SplitTwo<TSimd>(x0, x1, out TVector q0, out TVector t1, out TVector q1);
                if (TFate.Stores)
                {
                    TSimd.Store(ref *target, (nuint)i, TSimd.MultiplyAdd(t0, q0, t0));
                    TSimd.Store(ref *target, (nuint)(i + lanes), TSimd.MultiplyAdd(t1, q1, t1));
                }

                if (firstLane == 0)
                {
                    CacheHints.FetchTwo(next + i, (nuint)lanes);
                    CacheHints.FetchTwo(writtenNext + i, (nuint)lanes);
                }

                even.Add<TSimd>(t0, q0);
                odd.Add<TSimd>(t1, q1);
            }

            for (; i < end; i += lanes)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *source, (nuint)i), out TVector q);
                if (TFate.Stores) TSimd.Store(ref *target, (nuint)i, TSimd.MultiplyAdd(t, q, t));
                even.Add<TSimd>(t, q);
            }

            even.MoveInto<TSimd>(ref first, ref second);
            odd.MoveInto<TSimd>(ref first, ref second);
        }

        if (pivotStart < wholeEnd && wholeEnd < count)
        {
            TVector t = Partial<TSimd, TVector, TExponential>(exp, wholeEnd + firstLane, out TVector q);
            Add<TSimd, TVector>(ref first, ref second, t, q);
        }

        TVector atPivot = Partial<TSimd, TVector, TExponential>(exp, pivotStart + firstLane, out TVector power);
        TVector isPivot = TSimd.Equal(TSimd.Indices(pivotStart + firstLane - pivot), zero), lower = zero, upper = zero;
        Add<TSimd, TVector>(ref first, ref second, TSimd.Select(isPivot, zero, atPivot), power);
        Add<TSimd, TVector>(ref lower, ref upper, TSimd.Select(isPivot, atPivot, zero), power);
        TSimd.Store(ref *sums, (nuint)firstLane, first);
        TSimd.Store(ref *sums, (nuint)(lanes + firstLane), second);
        TSimd.Store(ref *sums, (nuint)((2 * lanes) + firstLane), lower);
        TSimd.Store(ref *sums, (nuint)((3 * lanes) + firstLane), upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TSimd, TVector>(ref TVector first, ref TVector second, TVector t, TVector q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TSimd.AddWide(ref first, ref second, t);
        TSimd.AddWide(ref first, ref second, TSimd.Multiply(t, q));
    }

    /// <summary>A vector of logits of which some may lie behind the end; t is 0 there and where a logit is −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Partial<TSimd, TVector, TExponential>(TExponential exp, int start, out TVector q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        int here = Math.Clamp(count - start, 0, TSimd.Lanes);
        TVector lowest = RowPasses.Lowest<TSimd, TVector, T>(), x = TSimd.LoadPartial(logits + start, here, lowest), t = exp.Split<TSimd>(x, out q);
        t = TSimd.Select(TSimd.Equal(x, lowest), TSimd.Create(default), t);
        if (TFate.Stores) TSimd.StorePartial(exponentials + start, here, TSimd.MultiplyAdd(t, q, t));
        return t;
    }
}
