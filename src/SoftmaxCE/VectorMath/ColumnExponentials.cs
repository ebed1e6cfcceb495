using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Exponentials of lines in scratch memory, a line per lane of a register, and their sums.</summary>
/// <param name="lines">[length, lanes of a register] logits.</param>
/// <param name="length">Values of a line.</param>
internal readonly unsafe struct ColumnExponentials<T>(T* lines, int length)
    where T : unmanaged
{
    /// <summary>The sum of the exponentials of each line, and what its rounding lost. They take the place of the logits if <typeparamref name="TFate"/> stores them.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void Sum<TSimd, TVector, TFate>(TVector max, ref StripExchange<T> exchange, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        if (SoftmaxColumns.IsFar<TSimd, TVector, T>(max)) Sum<TSimd, TVector, ShiftedExponential<TVector, T>, TFate>(max, ref exchange, sums, lost);
        else Sum<TSimd, TVector, DirectExponential<TVector, T>, TFate>(max, ref exchange, sums, lost);
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Sum<TSimd, TVector, TExponential, TFate>(TVector max, ref StripExchange<T> others, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TFate : struct, RowPasses.IFate
    {
        nint lanes = TSimd.Lanes;
        bool movesFour = others.Lines % (4 * TSimd.Lanes) == 0;
        StripExchange<T> exchange = others;
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector first = TSimd.Create(default), second = first;
        for (T* x = lines, end = x + (length * lanes); x < end;)
        {
            FactoredSum<TVector, T> sum = FactoredSum<TVector, T>.Create<TSimd>();
            T* endOfBlock = x + nint.Min((nint)(end - x), FactoredSum<TVector, T>.Capacity * lanes);
            for (; x + (3 * lanes) < endOfBlock; x += 4 * lanes)
            {
                Four<TVector> t = Split<TSimd, TVector, TExponential>(exp, x, out Four<TVector> q);
                if (TFate.Stores) Four.Store<TSimd, TVector, T>(x, Four.MultiplyAdd<TSimd, TVector, T>(t, q, t));
                sum.Add<TSimd>(t.A, q.A);
                sum.Add<TSimd>(t.B, q.B);
                sum.Add<TSimd>(t.C, q.C);
                sum.Add<TSimd>(t.D, q.D);
                if (movesFour) exchange.MoveFour<TSimd, TVector, TFate>();
            }

            for (; x < endOfBlock; x += lanes)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *x, 0), out TVector q);
                if (TFate.Stores) TSimd.Store(ref *x, 0, TSimd.MultiplyAdd(t, q, t));
                sum.Add<TSimd>(t, q);
            }

            sum.MoveInto<TSimd>(ref first, ref second);
        }

        others = exchange;
        TSimd.StoreWide(first, second, sums, lost);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four<TVector> Split<TSimd, TVector, TExponential>(in TExponential exp, T* x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        Four<TVector> values = Four.Load<TSimd, TVector, T>(x);
        if (Four.Pays<TSimd, TVector, T>()) return exp.Split<TSimd>(values, out q);
        TVector t0 = exp.SplitTwo<TSimd>(values.A, values.B, out TVector q0, out TVector t1, out TVector q1);
        TVector t2 = exp.SplitTwo<TSimd>(values.C, values.D, out TVector q2, out TVector t3, out TVector q3);
        q = new(q0, q1, q2, q3);
        return new(t0, t1, t2, t3);
    }
}
