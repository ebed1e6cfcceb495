using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Exponentials times (factor + factorLow), rounded almost once and written past the caches: the second pass over a row too long to keep them. The caller orders the stores.</summary>
/// <remarks>No value needs another one, so a vector is one register here (<see cref="ISimd{TVector,T}.RunOnRegister"/>).</remarks>
/// <param name="logits">The logits.</param>
/// <param name="count">How many.</param>
/// <param name="row">The way to take exponentials.</param>
/// <param name="factor">1 / the row's sum.</param>
/// <param name="factorLow">What rounding took from it.</param>
/// <param name="destination">Receives the probabilities; may be <paramref name="logits"/>.</param>
/// <param name="ahead">Logits so far behind those at work are fetched; 0 where none follow.</param>
internal readonly unsafe struct ScaledExponentialPass<T>(T* logits, nuint count, RowExponential<T> row, T factor, T factorLow, T* destination, nuint ahead)
    : IVectorKernel<T>
    where T : unmanaged
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (row.IsDirect) Run<TSimd, TVector, DirectExponential<TVector, T>>();
        else Run<TSimd, TVector, ShiftedExponential<TVector, T>>();
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Run<TSimd, TVector, TExponential>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector high = TSimd.Create(factor), low = TSimd.Create(factorLow);
        nuint lanes = (nuint)TSimd.Lanes;

        // A partial vector first, so that what follows is aligned.
        bool canBeAligned = ((nuint)destination & (nuint)(sizeof(T) - 1)) == 0;
        nuint head = canBeAligned ? nuint.Min(count, RowPasses.ElementsToBoundary(destination, lanes)) : count, i = head;
        Partial<TSimd, TVector, TExponential>(0, head);
        for (; Four.Pays<TSimd, TVector, T>() && i + (4 * lanes) <= count; i += 4 * lanes)
        {
            Four<TVector> t = exp.Split<TSimd>(Four.Load<TSimd, TVector, T>(logits + i), out Four<TVector> q);
            TSimd.StorePastCaches(destination + i, Scaled<TSimd, TVector>(t.A, q.A, high, low));
            TSimd.StorePastCaches(destination + i + lanes, Scaled<TSimd, TVector>(t.B, q.B, high, low));
            TSimd.StorePastCaches(destination + i + (2 * lanes), Scaled<TSimd, TVector>(t.C, q.C, high, low));
            TSimd.StorePastCaches(destination + i + (3 * lanes), Scaled<TSimd, TVector>(t.D, q.D, high, low));
            CacheHints.FetchFour(logits + i + ahead, lanes);
        }

        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector x0 = TSimd.Load(ref *logits, i), x1 = TSimd.Load(ref *logits, i + lanes);
            TVector t0 = exp.SplitTwo<TSimd>(x0, x1, out TVector q0, out TVector t1, out TVector q1);
            TSimd.StorePastCaches(destination + i, Scaled<TSimd, TVector>(t0, q0, high, low));
            TSimd.StorePastCaches(destination + i + lanes, Scaled<TSimd, TVector>(t1, q1, high, low));
            CacheHints.FetchTwo(logits + i + ahead, lanes);
        }

        Partial<TSimd, TVector, TExponential>(i, count);
    }

    /// <summary>The exponential t (1 + q), rounded as where it is stored, times (factor + factorLow): <see cref="RowPasses.Scale"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scaled<TSimd, TVector>(TVector t, TVector q, TVector high, TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector e = TSimd.MultiplyAdd(t, q, t);
        return TSimd.MultiplyAdd(e, high, TSimd.Multiply(e, low));
    }

    /// <summary>A few values at either end, whose constants are apart from the loop's, so that those stay in registers.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private void Partial<TSimd, TVector, TExponential>(nuint start, nuint end)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector high = TSimd.Create(factor), low = TSimd.Create(factorLow);
        for (nuint i = start; i < end; i += (nuint)TSimd.Lanes)
        {
            int here = (int)nuint.Min((nuint)TSimd.Lanes, end - i);
            TVector t = exp.Split<TSimd>(TSimd.LoadPartial(logits + i, here, RowPasses.Lowest<TSimd, TVector, T>()), out TVector q);
            TSimd.StorePartial(destination + i, here, Scaled<TSimd, TVector>(t, q, high, low));
        }
    }
}
