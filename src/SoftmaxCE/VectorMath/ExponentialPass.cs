using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The exponentials of a row, or of a part of one, and their sum: the pass in which a softmax spends its time.</summary>
/// <remarks>
/// The last vector may overlap the one before. Its logits are read before anything is written and its exponentials are written last, both by way of
/// <paramref name="last"/>, because the lanes are not worked on at the same time everywhere (<see cref="ILaneKernel{T}"/>).
/// </remarks>
/// <param name="logits">At most <see cref="LongRow{T}.PartLength"/> of them.</param>
/// <param name="count">How many.</param>
/// <param name="row">The way to take them.</param>
/// <param name="destination">Where the exponentials go if <typeparamref name="TFate"/> stores them; may be <paramref name="logits"/>.</param>
/// <param name="upcoming">What is needed next.</param>
/// <param name="last">The last vector of logits, aligned; receives its exponentials.</param>
/// <param name="sums">Receives the sums: two vectors as of <see cref="ISimd{TVector,T}.AddWide"/>, aligned.</param>
internal readonly unsafe struct ExponentialPass<T, TFate>(T* logits, nuint count, RowExponential<T> row, T* destination, Upcoming<T> upcoming, T* last, T* sums) : ILaneKernel<T>
    where T : unmanaged
    where TFate : struct, RowPasses.IFate
{
    // What the two sums can take before they move into double.
    private const int BlockVectors = 2 * FactoredSum<T, T>.Capacity;

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
        nuint lanes = (nuint)WholeVector.Lanes<T>(), whole = count - (count % lanes), fours = count - (count % (4 * lanes)), i = 0;
        T* source = logits + firstLane, target = destination + firstLane, next = upcoming.Logits, writtenNext = upcoming.Destination;
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
        TVector first = TSimd.Create(default), second = first;
        while (true)
        {
            nuint end = nuint.Min(fours, i + (BlockVectors * lanes));
            for (; Four.Pays<TSimd, TVector, T>() && i < end; i += 4 * lanes)
            {
                Four<TVector> t = exp.Split<TSimd>(Four.Load<TSimd, TVector, T>(source + i), out Four<TVector> q);
                if (TFate.Stores) Four.Store<TSimd, TVector, T>(target + i, Four.MultiplyAdd<TSimd, TVector, T>(t, q, t));
                CacheHints.FetchFour(next + i, lanes);
                CacheHints.FetchFour(writtenNext + i, lanes);
                even.Add<TSimd>(t.A, q.A);
                odd.Add<TSimd>(t.B, q.B);
                even.Add<TSimd>(t.C, q.C);
                odd.Add<TSimd>(t.D, q.D);
            }

            for (; i < end; i += 2 * lanes)
            {
                TVector t0 = exp.SplitTwo<TSimd>(TSimd.Load(ref *source, i), TSimd.Load(ref *source, i + lanes), out TVector q0, out TVector t1, out TVector q1);
                if (TFate.Stores)
                {
                    TSimd.Store(ref *target, i, TSimd.MultiplyAdd(t0, q0, t0));
                    TSimd.Store(ref *target, i + lanes, TSimd.MultiplyAdd(t1, q1, t1));
                }

                if (firstLane == 0)
                {
                    CacheHints.FetchTwo(next + i, lanes);
                    CacheHints.FetchTwo(writtenNext + i, lanes);
                }

                even.Add<TSimd>(t0, q0);
                odd.Add<TSimd>(t1, q1);
            }

            if (i >= fours) break;
            even.MoveInto<TSimd>(ref first, ref second);
            odd.MoveInto<TSimd>(ref first, ref second);
            even = FactoredSum<TVector, T>.Create<TSimd>();
            odd = even;
        }

        for (; i < whole; i += lanes)
        {
            TVector t = exp.Split<TSimd>(TSimd.Load(ref *source, i), out TVector q);
            if (TFate.Stores) TSimd.Store(ref *target, i, TSimd.MultiplyAdd(t, q, t));
            even.Add<TSimd>(t, q);
        }

        if (whole < count)
        {
            // What the vector before has counted does not count again.
            TVector t = exp.Split<TSimd>(TSimd.Load(ref *last, (nuint)firstLane), out TVector q);
            if (TFate.Stores) TSimd.Store(ref *last, (nuint)firstLane, TSimd.MultiplyAdd(t, q, t));
            TVector isCounted = TSimd.LessThan(TSimd.Indices(firstLane), TSimd.Create(Element.FromDouble<T>(whole > 0 ? lanes - (count - whole) : 0)));
            odd.Add<TSimd>(TSimd.Select(isCounted, TSimd.Create(default), t), q);
        }

        even.MoveInto<TSimd>(ref first, ref second);
        odd.MoveInto<TSimd>(ref first, ref second);
        TSimd.Store(ref *sums, (nuint)firstLane, first);
        TSimd.Store(ref *sums, lanes + (nuint)firstLane, second);
    }
}
