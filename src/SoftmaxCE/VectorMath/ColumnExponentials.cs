using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax of lines in scratch memory, a line per lane of a register, up to a factor per line.</summary>
/// <param name="lines">[length, lanes of a register] logits; exponentials when done.</param>
/// <param name="length">Values of a line.</param>
internal readonly unsafe struct ColumnExponentials<T>(T* lines, int length)
    where T : unmanaged
{
    /// <param name="factors">Receives 1 / sum of each line: what the values are still to be multiplied by.</param>
    /// <param name="lows">Receives what rounding took from the factors.</param>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(T* factors, T* lows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(lines, lanes, length);
        if (length <= WholeVector.Lanes<T>())
        {
            // The very bits of a row that short: the exponentials are not rounded before they are scaled, and nothing is left to be multiplied by.
            T* few = stackalloc T[2 * WholeVector.Lanes<T>() * lanes];
            SoftmaxColumns.Factors<TVector> result = SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(lines, lanes, length, max, few);
            SoftmaxColumns.ScaleFew<TSimd, TVector, T>(few, length, result, lines, lanes);
            TSimd.Store(ref *factors, 0, ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0));
            TSimd.Store(ref *lows, 0, TSimd.Create(default));
            return;
        }

        double* sums = stackalloc double[2 * lanes], lost = sums + lanes;
        Sum<TSimd, TVector, RowPasses.Stored>(max, sums, lost);
        for (int i = 0; i < lanes; i++) factors[i] = RowSum.Reciprocal(new() { High = sums[i], Low = lost[i] }, out lows[i]);
    }

    /// <summary>The sum of the exponentials of each line, and what its rounding lost. They take the place of the logits if <typeparamref name="TFate"/> stores them.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void Sum<TSimd, TVector, TFate>(TVector max, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        if (SoftmaxColumns.IsFar<TSimd, TVector, T>(max)) Sum<TSimd, TVector, ShiftedExponential<TVector, T>, TFate>(max, sums, lost);
        else Sum<TSimd, TVector, DirectExponential<TVector, T>, TFate>(max, sums, lost);
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Sum<TSimd, TVector, TExponential, TFate>(TVector max, double* sums, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TFate : struct, RowPasses.IFate
    {
        nint lanes = TSimd.Lanes;
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

        TSimd.StoreWide(first, second, sums, lost);
    }
}
