using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Numbers of each row of a batch, as doubles: what the loops over the classes leave, and what becomes of it.</summary>
internal readonly unsafe struct SpreadBatch(double* numbers, int rows)
{
    /// <summary>Arrays of one number per row; behind them lies one number per lane.</summary>
    public const int Numbers = 10;

    public int Rows { get; } = rows;

    /// <summary>Σ e^(x − max) without the pivot, and the pivot's own, in units of the maximum's.</summary>
    public double* Others { get; } = numbers;

    public double* AtPivot { get; } = numbers + rows;

    /// <summary>(x − max)/temperature of the pivot.</summary>
    public double* Differences { get; } = numbers + (2 * rows);

    public double* Maxima { get; } = numbers + (3 * rows);

    /// <summary>Sample weights; 0 where the row does not count.</summary>
    public double* Weights { get; } = numbers + (4 * rows);

    /// <summary>The pivot's target beyond the background.</summary>
    public double* Own { get; } = numbers + (5 * rows);

    public double* ZLosses { get; } = numbers + (6 * rows);

    /// <summary>Σ background without the pivot; the pivot's; Σ background (x − max)/temperature.</summary>
    public double* Background { get; } = numbers + (7 * rows);

    public double* BackgroundAtPivot { get; } = numbers + (8 * rows);

    public double* Dots { get; } = numbers + (9 * rows);

    /// <summary>Scratch, one per lane.</summary>
    public double* Lost { get; } = numbers + (Numbers * rows);

    /// <summary>Results, in place of the inputs: ∂loss/∂x = factor · e − scale · background, apart from the pivot's.</summary>
    public double* Losses => Dots;

    public double* Factors => Others;

    public double* Scales => Weights;

    public double* PivotGradients => AtPivot;
}

/// <summary><see cref="CrossEntropyRow"/> for many rows at once, one row per lane; see there for the formulas.</summary>
internal unsafe struct SpreadFinishKernel(in SpreadBatch batch) : IVectorKernel<double>, ILaneKernel<double>
{
    private readonly SpreadBatch _batch = batch;
    private LaneSum<double> _losses;

    /// <summary>The exponential of the maximum.</summary>
    public double OfMaximum;

    /// <summary>See <see cref="LabelFinishKernel{T}.FactorScale"/>.</summary>
    public double FactorScale;

    /// <summary>A sum of exponentials below this is 0.</summary>
    public double Nothing;

    public double Temperature;

    /// <summary>The temperature is in it.</summary>
    public double GradientScale;

    public double FocalGamma;
    public bool HasBackground;
    public bool HasZLoss;
    public double TotalLoss;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TSimd.RunLanes(ref this, 0);
        TotalLoss = _losses.Total.Value;
    }

    [MethodImpl(LoopMethod.Apart)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), one = TSimd.Create(1), ofMaximum = TSimd.Create(OfMaximum), nothing = TSimd.Create(Nothing);
        TVector gradientScale = TSimd.Create(GradientScale), lowest = TSimd.Create(double.NegativeInfinity), high = zero, low = zero;
        for (nuint i = (nuint)firstLane; i < (nuint)_batch.Rows; i += (nuint)WholeVector.Lanes<double>())
        {
            TVector others = TSimd.Load(ref *_batch.Others, i), difference = TSimd.Load(ref *_batch.Differences, i), own = TSimd.Load(ref *_batch.Own, i);
            others = TSimd.Divide(TSimd.Select(TSimd.LessThan(others, nothing), zero, others), ofMaximum);
            TVector e = TSimd.Divide(TSimd.Load(ref *_batch.AtPivot, i), ofMaximum), sum = TSimd.Add(others, e);

            // The sum less 1, which is the maximum's own: the pivot's, or one of the others'.
            TVector rest = TSimd.Select(TSimd.Equal(difference, zero), others, TSimd.Add(TSimd.Subtract(others, one), e));
            TVector logSum = LogPolynomial.Log1p<TSimd, TVector, double>(rest), p = TSimd.Divide(e, sum), oneMinusP = TSimd.Divide(others, sum);
            TVector loss = TSimd.Select(TSimd.Equal(own, zero), zero, TSimd.Multiply(own, TSimd.Subtract(logSum, difference)));
            TVector factor = own, background = zero, share = own;
            if (HasBackground)
            {
                background = TSimd.Load(ref *_batch.Background, i);
                TVector backgroundAtPivot = TSimd.Load(ref *_batch.BackgroundAtPivot, i), all = TSimd.Add(background, backgroundAtPivot);
                TVector spread = TSimd.Subtract(TSimd.Multiply(all, logSum), TSimd.Load(ref *_batch.Dots, i));
                loss = TSimd.Add(loss, TSimd.Select(TSimd.Equal(all, zero), zero, spread));
                factor = TSimd.Add(factor, all);
                share = TSimd.Add(share, backgroundAtPivot);
            }

            // As in CrossEntropyRow.AtPivot.
            TVector near = TSimd.NegatedMultiplyAdd(factor, oneMinusP, background), far = TSimd.Subtract(TSimd.Multiply(factor, p), share);
            TVector gradient = TSimd.Select(TSimd.LessThan(p, TSimd.Create(0.5)), far, near);
            if (HasZLoss)
            {
                TVector logSumExp = TSimd.Add(TSimd.Divide(TSimd.Load(ref *_batch.Maxima, i), TSimd.Create(Temperature)), logSum);
                TVector product = TSimd.Multiply(TSimd.Load(ref *_batch.ZLosses, i), logSumExp), slope = TSimd.Add(product, product);
                loss = TSimd.MultiplyAdd(product, logSumExp, loss);
                factor = TSimd.Add(factor, slope);
                gradient = TSimd.MultiplyAdd(slope, p, gradient);
            }

            // A masked pivot has no gradient, unless the row is NaN.
            gradient = TSimd.Select(TSimd.Equal(difference, lowest), TSimd.Multiply(sum, zero), gradient);
            TVector weight = TSimd.Load(ref *_batch.Weights, i), scale = TSimd.Multiply(weight, gradientScale), none = TSimd.Equal(weight, zero);
            loss = TSimd.Select(none, zero, TSimd.Multiply(weight, loss));
            TSimd.AddWide(ref high, ref low, loss);
            TSimd.Store(ref *_batch.Losses, i, loss);
            TSimd.Store(ref *_batch.Scales, i, TSimd.Select(none, zero, scale));
            TSimd.Store(ref *_batch.Factors, i, TSimd.Divide(TSimd.Multiply(scale, factor), TSimd.Multiply(sum, TSimd.Create(OfMaximum / FactorScale))));
            TSimd.Store(ref *_batch.PivotGradients, i, TSimd.Select(none, zero, TSimd.Multiply(scale, gradient)));
        }

        _losses.Set<TSimd, TVector>(firstLane, high, low);
    }

    /// <summary>The focal loss of labels: a power per row, by the platform.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void RunFocal()
    {
        CompensatedSum total = default;
        for (int row = 0; row < _batch.Rows; row++)
        {
            double weight = _batch.Weights[row], scale = weight * GradientScale, others = _batch.Others[row], difference = _batch.Differences[row];
            PivotSum sum = new(others < Nothing ? 0 : others / OfMaximum, _batch.AtPivot[row] / OfMaximum);
            PivotProbability pivot = PivotProbability.Of(sum, _batch.Maxima[row] / Temperature, difference);
            CrossEntropyRow result = CrossEntropyRow.Focal(pivot, _batch.Own[row], FocalGamma, _batch.ZLosses[row]);
            bool masked = double.IsNegativeInfinity(difference) && !double.IsNaN(pivot.Sum);
            double loss = weight == 0 ? 0 : weight * result.Loss;
            total.Add(loss);
            _batch.Losses[row] = loss;
            _batch.Scales[row] = scale;
            _batch.Factors[row] = scale * result.ProbabilityFactor / (pivot.Sum * (OfMaximum / FactorScale));
            _batch.PivotGradients[row] = weight == 0 || masked ? 0 : scale * result.PivotGradient;
        }

        TotalLoss = total.Value;
    }
}
