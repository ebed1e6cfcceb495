using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What kernels over a <see cref="LaneBlock"/> share: a group of rows, one in each lane, up to the loss.</summary>
/// <remarks>As in <see cref="LossRows"/>, the sum over the other classes is kept apart from the label's own term.</remarks>
internal static unsafe class LaneExponentials
{
    /// <summary>Vectors that <see cref="Of"/> writes: the sum over the other classes, the label's own term, and max − z of the label.</summary>
    public const int Results = 3;

    /// <summary>Labels and weights as vectors can be loaded from, [stride] each; behind the rows there is no label and the weight 0.</summary>
    public static void Spread(int* labels, double* weights, int rows, int stride, double* spreadLabels, double* spreadWeights)
    {
        for (int i = 0; i < stride; i++)
        {
            spreadLabels[i] = i < rows && labels != null ? labels[i] : -1;
            spreadWeights[i] = i >= rows ? 0 : weights == null ? 1 : weights[i];
        }
    }

    /// <summary>z becomes e^(z − max) in place.</summary>
    /// <param name="logits">First of the group's lanes in the block.</param>
    /// <param name="stride">Of the block.</param>
    /// <param name="classes">Their number.</param>
    /// <param name="labels">The group's.</param>
    /// <param name="results">See <see cref="Results"/>.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Of<TSimd, TVector>(double* logits, nint stride, int classes, double* labels, double* results)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), max = Max<TSimd, TVector>(logits, stride, classes), label = TSimd.Load(ref *labels, 0);
        TVector others = zero, own = zero, labelLogit = zero;
        double* z = logits;
        for (int c = 0; c < classes; c++, z += stride)
        {
            TVector isLabel = TSimd.Equal(label, TSimd.Create(c)), logit = TSimd.Load(ref *z, 0);
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, double>(TSimd.Subtract(logit, max));
            TSimd.Store(ref *z, 0, e);
            labelLogit = TSimd.Select(isLabel, logit, labelLogit);
            own = TSimd.Select(isLabel, e, own);
            others = TSimd.Add(others, TSimd.Select(isLabel, zero, e));
        }

        TSimd.Store(ref *results, 0, others);
        TSimd.Store(ref *results, (nuint)TSimd.Lanes, own);
        TSimd.Store(ref *results, (nuint)(2 * TSimd.Lanes), TSimd.Subtract(max, labelLogit));
    }

    /// <summary>−ln p of the labels, from what <see cref="Of"/> has written.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Losses<TSimd, TVector>(double* results, double* losses)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), others = TSimd.Load(ref *results, 0), gapToMax = TSimd.Load(ref *results, (nuint)(2 * TSimd.Lanes));
        TVector loss = LogPolynomial.Log1p<TSimd, TVector, double>(others);
        if (TSimd.AnyGreater(gapToMax, zero))
        {
            TVector total = TSimd.Add(others, TSimd.Load(ref *results, (nuint)TSimd.Lanes));
            TVector far = TSimd.Add(LogPolynomial.Log<TSimd, TVector, double>(total), gapToMax);
            loss = TSimd.Select(TSimd.Equal(gapToMax, zero), loss, far);
        }

        TSimd.Store(ref *losses, 0, loss);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Max<TSimd, TVector>(double* logits, nint stride, int classes)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector max = TSimd.Load(ref *logits, 0);
        for (int c = 1; c < classes; c++) max = TSimd.Max(max, TSimd.Load(ref logits[c * stride], 0));
        return max;
    }

    /// <summary>sums += value, one accumulator per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<TSimd, TVector>(double* sums, TVector value)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct => TSimd.Store(ref *sums, 0, TSimd.Add(TSimd.Load(ref *sums, 0), value));
}
