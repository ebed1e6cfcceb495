using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Exponentials of rows of more than one vector and at most <see cref="RowBatch.MostVectors"/>, and their sums in each lane.</summary>
/// <param name="rows">The rows.</param>
/// <param name="destination">Where the exponentials go if <typeparamref name="TFate"/> stores them, but for the last vector of each row; may be the logits.</param>
/// <param name="last">If they are stored: the last vector of logits of each row, aligned; receives its exponentials (<see cref="ShortRowPass.Last"/>).</param>
/// <param name="highs">Receives a vector per row: the high parts of the sums.</param>
/// <param name="lows">Receives the low parts.</param>
internal readonly unsafe struct ShortRowSums<T, TFate>(in ShortRowPass.Rows<T> rows, T* destination, T* last, T* highs, T* lows) : ILaneKernel<T>
    where T : unmanaged
    where TFate : struct, RowPasses.IFate
{
    private readonly ShortRowPass.Rows<T> _rows = rows;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (_rows.AreDirect) Run<TSimd, TVector, DirectExponential<TVector, T>>(firstLane);
        else Run<TSimd, TVector, ShiftedExponential<TVector, T>>(firstLane);
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Run<TSimd, TVector, TExponential>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        nuint lanes = (nuint)WholeVector.Lanes<T>(), count = _rows.Count, whole = count - (count % lanes);
        T* source = _rows.Logits + firstLane, target = destination + firstLane;
        bool hasLast = whole < count && firstLane + TSimd.Lanes > ShortRowPass.Overlap<T>(count);
        TVector isCountedBefore = ShortRowPass.IsCountedBefore<TSimd, TVector, T>(firstLane, count);
        TExponential exp = default;
        exp.SetConstants<TSimd>();
        for (nuint row = 0, at = (nuint)firstLane; row < _rows.RowCount; row++, at += lanes, source += count, target += TFate.Stores ? count : 0)
        {
            if (firstLane == 0) _rows.FetchNext(row);
            exp.Prepare<TSimd>(_rows, row);
            FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
            nuint i = 0;
            for (; i + (2 * lanes) <= count; i += 2 * lanes)
            {
                TVector t0 = exp.SplitTwo<TSimd>(TSimd.Load(ref *source, i), TSimd.Load(ref *source, i + lanes), out TVector q0, out TVector t1, out TVector q1);
                if (TFate.Stores)
                {
                    TSimd.Store(ref *target, i, TSimd.MultiplyAdd(t0, q0, t0));
                    TSimd.Store(ref *target, i + lanes, TSimd.MultiplyAdd(t1, q1, t1));
                }

                even.Add<TSimd>(t0, q0);
                odd.Add<TSimd>(t1, q1);
            }

            if (i < whole)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *source, i), out TVector q);
                if (TFate.Stores) TSimd.Store(ref *target, i, TSimd.MultiplyAdd(t, q, t));
                even.Add<TSimd>(t, q);
            }

            if (hasLast)
            {
                // The last vector overlaps the one before; what that has counted does not count again.
                TVector t = exp.Split<TSimd>(TFate.Stores ? TSimd.Load(ref *last, at) : TSimd.Load(ref *source, count - lanes), out TVector q);
                if (TFate.Stores) TSimd.Store(ref *last, at, TSimd.MultiplyAdd(t, q, t));
                odd.Add<TSimd>(TSimd.Select(isCountedBefore, TSimd.Create(default), t), q);
            }

            TSimd.Store(ref *highs, at, TSimd.Add(even.High<TSimd>(), odd.High<TSimd>()));
            TSimd.Store(ref *lows, at, TSimd.Add(even.Low<TSimd>(), odd.Low<TSimd>()));
        }
    }
}

/// <summary>What <see cref="ShortRowSums{T,TFate}"/> is given.</summary>
internal static unsafe class ShortRowPass
{
    /// <summary>Rows one after the other, with their maxima.</summary>
    public readonly struct Rows<T>(T* logits, nuint count, nuint rowCount, T* maxima, T temperature, bool areDirect)
        where T : unmanaged
    {
        public T* Logits { get; } = logits;

        public nuint Count { get; } = count;

        public nuint RowCount { get; } = rowCount;

        /// <summary>How far from a row the one is that is fetched meanwhile: a batch, unless that is too short a time for memory to answer.</summary>
        public nuint RowsAhead { get; init; } = rowCount;

        public T* Maxima { get; } = maxima;

        public T Temperature { get; } = temperature;

        /// <summary>Three vectors of <see cref="FactoredExp{TVector,T}.StoreMaxima"/> for rows that are direct; null: every row finds its own.</summary>
        public T* Prepared { get; init; }

        /// <summary>Whether all of them are taken by <see cref="DirectExponential{TVector,T}"/>.</summary>
        public bool AreDirect { get; } = areDirect;

        /// <summary>Rows from the first of these to the end of what is in memory; 0: nothing is fetched.</summary>
        public nuint Following { get; init; }

        /// <summary>Where the results of the rows go, a row after the other; null: not into rows.</summary>
        public T* Results { get; init; }

        /// <summary>Fetches the row that lies <see cref="RowsAhead"/> behind this one.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void FetchNext(nuint row)
        {
            nuint next = row + RowsAhead;
            if (next >= Following) return;
            CacheHints.Fetch(Logits + (next * Count), Count);
            if (Results != null) CacheHints.Fetch(Results + (next * Count), Count);
        }
    }

    /// <summary>How many lanes of the last vector of a row belong to the one before, too; 0 where they do not overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Overlap<T>(nuint count)
        where T : unmanaged => (int)((nuint)WholeVector.Lanes<T>() - (count % (nuint)WholeVector.Lanes<T>())) % WholeVector.Lanes<T>();

    /// <summary>A mask: those lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector IsCountedBefore<TSimd, TVector, T>(int firstLane, nuint count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.LessThan(TSimd.Indices(firstLane), TSimd.Create(Element.FromDouble<T>(Overlap<T>(count))));

    /// <summary>The exponentials at the end of a row: those counted before lie in the row, the others in <paramref name="last"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Last<TSimd, TVector, T>(T* exponentials, nuint count, T* last)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector end = TSimd.Load(ref *exponentials, count - (nuint)TSimd.Lanes);
        return Overlap<T>(count) == 0 ? end : TSimd.Select(IsCountedBefore<TSimd, TVector, T>(0, count), end, TSimd.Load(ref *last, 0));
    }
}
