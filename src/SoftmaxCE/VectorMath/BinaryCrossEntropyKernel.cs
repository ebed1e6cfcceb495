using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// Binary cross-entropy of logits: w [v t ln(1 + e^−x) + (1 − t) ln(1 + e^x)] and its derivative w [(1 − t) σ(x) − v t σ(−x)].
/// </summary>
/// <remarks>
/// With e = e^−|x| both logarithms are max(±x, 0) + log1p(e), and σ(±x) are e/(1 + e) and 1/(1 + e): no term is a difference of large
/// numbers, so a confident and right logit keeps all digits of its loss and derivative.
/// </remarks>
internal unsafe struct BinaryCrossEntropyKernel<T> : IVectorKernel<T>
    where T : unmanaged
{
    public T* Logits;
    public T* Targets;

    /// <summary>Weight w of each element; null: 1.</summary>
    public T* Weights;

    /// <summary>Weight v of the positive class, one per column and a vector's width of them again behind the last; null: 1.</summary>
    public T* PositiveWeights;

    public int Columns;

    /// <summary>The column of the first element.</summary>
    public int FirstColumn;

    public int Count;
    public double GradientScale;

    /// <summary>May be the memory of <see cref="Logits"/>; null: not wanted.</summary>
    public T* Gradient;

    public T* Losses;

    /// <summary>Σ of the losses, and how many logits are on the side of their target.</summary>
    public CrossEntropyTotals Totals;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector half = ExpPolynomial.Constant<TSimd, TVector, T>(0.5f, 0.5), scale = TSimd.Create(Element.FromDouble<T>(GradientScale));
        TVector losses = zero, lossesRest = zero, correct = zero, correctRest = zero;
        int column = FirstColumn;
        for (int i = 0; i < Count; i += TSimd.Lanes)
        {
            int here = Math.Min(TSimd.Lanes, Count - i);
            TVector x = TSimd.LoadPartial(Logits + i, here, zero), t = TSimd.LoadPartial(Targets + i, here, one);
            TVector present = TSimd.Select(TSimd.LessThan(TSimd.Indices(0), ExpPolynomial.Constant<TSimd, TVector, T>(here, here)), one, zero);
            TVector w = Weights == null ? present : TSimd.LoadPartial(Weights + i, here, zero);
            TVector positive = t;
            if (PositiveWeights != null)
            {
                positive = TSimd.Multiply(TSimd.Load(ref *PositiveWeights, (nuint)column), t);
                column = (column + TSimd.Lanes) % Columns;
            }

            TVector negative = TSimd.Subtract(one, t);
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, T>(TSimd.Subtract(zero, TSimd.Abs(x)));
            TVector log = LogPolynomial.Log1p<TSimd, TVector, T>(e);
            TVector loss = TSimd.Add(
                Times<TSimd, TVector>(positive, TSimd.Add(TSimd.Max(TSimd.Subtract(zero, x), zero), log)),
                Times<TSimd, TVector>(negative, TSimd.Add(TSimd.Max(x, zero), log)));
            loss = Times<TSimd, TVector>(w, loss);
            TSimd.AddWide(ref losses, ref lossesRest, loss);

            TVector above = TSimd.Select(TSimd.LessThan(zero, x), one, zero), wanted = TSimd.Select(TSimd.LessThan(half, t), one, zero);
            TSimd.AddWide(ref correct, ref correctRest, TSimd.Select(TSimd.Equal(above, wanted), present, zero));
            if (Losses != null) TSimd.StorePartial(Losses + i, here, loss);
            if (Gradient == null) continue;

            TVector onSide = TSimd.Divide(one, TSimd.Add(one, e)), offSide = TSimd.Multiply(e, onSide);
            TVector isNegative = TSimd.LessThan(x, zero);
            TVector slope = TSimd.Subtract(
                TSimd.Multiply(negative, TSimd.Select(isNegative, offSide, onSide)),
                TSimd.Multiply(positive, TSimd.Select(isNegative, onSide, offSide)));
            TSimd.StorePartial(Gradient + i, here, Times<TSimd, TVector>(TSimd.Multiply(w, scale), slope));
        }

        CompensatedSum total = TSimd.TotalOfWide(losses, lossesRest);
        Totals.Loss = total.Value;
        Totals.Correct = (int)TSimd.TotalOfWide(correct, correctRest).High;
    }

    /// <summary>weight · value, and 0 where the weight is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Times<TSimd, TVector>(TVector weight, TVector value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        return TSimd.Select(TSimd.Equal(weight, zero), zero, TSimd.Multiply(weight, value));
    }
}
