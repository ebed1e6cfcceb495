using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The scalar part of many rows with labels at once, one row per lane: see <see cref="CrossEntropyRow"/> for the formulas.</summary>
/// <remarks>
/// With r = Σ e^(x − max) without the label, e and d the label's exponential and its distance from the maximum: ln Σ e^(x − max) is log1p(r)
/// when the label is the maximum and log1p((r − 1) + e) when it is not, for then r contains the maximum's 1. Everything is in units of the maximum's
/// exponential, which is 1 here, until the logarithm is taken. <typeparamref name="T"/> is what the results are rounded to.
/// </remarks>
internal unsafe struct LabelFinishKernel<T> : IVectorKernel<double>, ILaneKernel<double>
    where T : unmanaged
{
    /// <summary>r of each row; the other arrays are as long. All are read and written in whole vectors.</summary>
    public double* Others;

    public double* AtLabel;
    public double* Differences;

    /// <summary>Weight of the row's loss; a row of weight 0 has loss and gradient 0 whatever the rest is.</summary>
    public double* Weights;

    public int Count;

    /// <summary>The exponential of the maximum, in whose units the sums are, and the factors.</summary>
    public double OfMaximum;

    /// <summary>An r below this is 0.</summary>
    public double Nothing;

    public double GradientScale;

    /// <summary>The factors are multiplied by this, so that T holds them however small they are.</summary>
    public double FactorScale;

    /// <summary>Receive the weighted loss, the factor of e^(x − max) in the gradient and the label's gradient; may be the inputs.</summary>
    public double* Losses;

    public double* Factors;
    public double* LabelGradients;

    public double TotalLoss;

    /// <summary>The sum of the losses in each lane: two vectors as of <see cref="ISimd{TVector,T}.AddWide"/>.</summary>
    private double* _sums;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        byte* memory = stackalloc byte[3 * WholeVector.Bytes];
        _sums = (double*)WholeVector.Align(memory);
        TSimd.RunLanes(ref this, 0);
        TotalLoss = TSimd.TotalOfWide(TSimd.Load(ref *_sums, 0), TSimd.Load(ref *_sums, (nuint)TSimd.Lanes)).Value;
    }

    [MethodImpl(LoopMethod.Apart)]
    public readonly void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        nuint lanes = (nuint)WholeVector.Lanes<double>();
        TVector zero = TSimd.Create(0), scale = TSimd.Create(GradientScale), high = zero, low = zero;
        TVector lowest = TSimd.Create(double.NegativeInfinity), ofMaximum = TSimd.Create(OfMaximum), perMaximum = TSimd.Create(1 / OfMaximum), nothing = TSimd.Create(Nothing);
        for (nuint i = (nuint)firstLane; i < (nuint)Count; i += lanes)
        {
            TVector others = TSimd.Load(ref *Others, i), atLabel = TSimd.Load(ref *AtLabel, i);
            others = TSimd.Select(TSimd.LessThan(others, nothing), zero, others);
            TVector difference = TSimd.Load(ref *Differences, i), weight = TSimd.Load(ref *Weights, i);
            TVector weightless = TSimd.Equal(weight, zero), isMaximum = TSimd.Equal(difference, zero);
            TVector rest = TSimd.Select(isMaximum, others, TSimd.Add(TSimd.Subtract(others, ofMaximum), atLabel));
            TVector logSum = typeof(T) == typeof(float)
                ? LogPolynomial.Log1pForFloats<TSimd, TVector>(TSimd.Multiply(rest, perMaximum))
                : LogPolynomial.Log1p<TSimd, TVector, double>(TSimd.Divide(rest, ofMaximum));
            TVector minusLog = TSimd.Subtract(logSum, difference);
            TVector loss = TSimd.Select(weightless, zero, TSimd.Multiply(weight, minusLog));
            TVector factor = TSimd.Divide(TSimd.Multiply(weight, scale), TSimd.Add(others, atLabel));
            factor = TSimd.Select(weightless, zero, factor);
            TVector masked = TSimd.Select(TSimd.Equal(difference, lowest), zero, others);
            TVector gradient = TSimd.Subtract(zero, TSimd.Multiply(factor, TSimd.Select(weightless, zero, masked)));
            TSimd.AddWide(ref high, ref low, loss);
            TSimd.Store(ref *Losses, i, loss);
            TSimd.Store(ref *Factors, i, TSimd.Multiply(factor, TSimd.Create(FactorScale)));
            TSimd.Store(ref *LabelGradients, i, gradient);
        }

        TSimd.Store(ref *_sums, (nuint)firstLane, high);
        TSimd.Store(ref *_sums, lanes + (nuint)firstLane, low);
    }
}
