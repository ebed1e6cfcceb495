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
        StripExchange<T> exchange = others;
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector first = TSimd.Create(default), second = first;
        for (T* x = lines, end = x + (length * lanes); x < end;)
        {
            FactoredSum<TVector, T> sum = FactoredSum<TVector, T>.Create<TSimd>();
            T* endOfBlock = x + nint.Min((nint)(end - x), FactoredSum<TVector, T>.Capacity * lanes);
            for (; x + lanes < endOfBlock; x += 2 * lanes)
            {
                TVector t0 = exp.SplitTwo<TSimd>(TSimd.Load(ref *x, 0), TSimd.Load(ref *(x + lanes), 0), out TVector q0, out TVector t1, out TVector q1);
                if (TFate.Stores)
                {
                    TSimd.Store(ref *x, 0, TSimd.MultiplyAdd(t0, q0, t0));
                    TSimd.Store(ref *(x + lanes), 0, TSimd.MultiplyAdd(t1, q1, t1));
                }

                sum.Add<TSimd>(t0, q0);
                sum.Add<TSimd>(t1, q1);
                exchange.Move<TSimd, TVector, TFate>();
                exchange.Move<TSimd, TVector, TFate>();
            }

            if (x < endOfBlock)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *x, 0), out TVector q);
                if (TFate.Stores) TSimd.Store(ref *x, 0, TSimd.MultiplyAdd(t, q, t));
                sum.Add<TSimd>(t, q);
                x += lanes;
            }

            sum.MoveInto<TSimd>(ref first, ref second);
        }

        others = exchange;
        TSimd.StoreWide(first, second, sums, lost);
    }
}
