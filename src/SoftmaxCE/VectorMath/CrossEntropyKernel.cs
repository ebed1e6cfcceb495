using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax cross-entropy of rows of logits: loss and gradient in one sweep, one exponential per logit.</summary>
/// <remarks>
/// A row passes through the cache three times and through memory once: maximum; exponentials, stored where the gradient goes, and their sum;
/// factor. The pivot's gradient is written last, from the parts that <see cref="CrossEntropyRow"/> keeps apart.
/// </remarks>
internal unsafe struct CrossEntropyKernel<T>(in CrossEntropyTask<T> task, int rowCount) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>Largest error in ulp of a row's loss for a label, and of its gradient in every class, while the exact value is a normal number.</summary>
    public const double MaxUlpError = 4.0;

    private readonly CrossEntropyTask<T> _task = task;
    private CrossEntropyTotals _totals;

    public readonly CrossEntropyTotals Totals => _totals;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (nint row = 0; row < rowCount; row++)
        {
            double loss = _task.SampleWeight(row) == 0 || (_task.Labels != null && HasNoWeight(_task.Labels[row]))
                ? SkippedRow<TSimd, TVector>(row)
                : _task.Targets == null ? LabelRow<TSimd, TVector>(row) : TargetRow<TSimd, TVector>(row);
            _totals.Loss += loss;
            if (_task.RowLosses != null) _task.RowLosses[row] = Element.FromDouble<T>(loss);
        }
    }

    private readonly T Temperature => Element.FromDouble<T>(_task.Temperature);

    /// <summary>The label is the ignored one, or its class has weight 0 and no other class has a share in the target.</summary>
    private readonly bool HasNoWeight(int label) =>
        label == _task.IgnoreLabel || (_task.BackgroundSum == 0 && _task.ClassWeight(label) == 0);

    /// <summary>A row of weight 0 has loss 0 and gradient 0, whatever its logits are.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private double SkippedRow<TSimd, TVector>(nint row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount;
        T* logits = _task.Logits + (row * count);
        if (_task.Targets != null)
        {
            CountCorrect(TargetSweep.IndexOfMax<TSimd, TVector, T>(logits, count) == TargetSweep.IndexOfMax<TSimd, TVector, T>(_task.Targets + (row * count), count));
        }
        else if (_task.Labels[row] != _task.IgnoreLabel)
        {
            T max = RowPasses.Max<TSimd, TVector, T>(logits, (nuint)count);
            CountCorrect(IsFirstMaximum<TSimd, TVector>(logits, _task.Labels[row], max));
        }

        if (_task.Gradient != null) new Span<T>(_task.Gradient + (row * count), count).Clear();
        return 0;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private double LabelRow<TSimd, TVector>(nint row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount, label = _task.Labels[row];
        T* logits = _task.Logits + (row * count), gradient = _task.Gradient == null ? null : _task.Gradient + (row * count);
        double classWeight = _task.ClassWeight(label), own = _task.OwnShare * classWeight, zLoss = _task.ZLoss * classWeight;
        T max = RowPasses.Max<TSimd, TVector, T>(logits, (nuint)count), atLabel = logits[label];
        CountCorrect(IsFirstMaximum<TSimd, TVector>(logits, label, max));

        if (_task.Background == null)
        {
            PivotSum sum = PivotSum.Of<TSimd, TVector, T>(logits, count, label, new(max, Temperature), gradient, Upcoming<T>.Next(logits, gradient, (nuint)count, row + 1 < rowCount + _task.RowsBehind));
            PivotProbability pivot = Pivot(sum, max, atLabel);
            CrossEntropyRow result = _task.FocalGamma == 0
                ? CrossEntropyRow.Plain(pivot, own, 0, 0, 0, zLoss)
                : CrossEntropyRow.Focal(pivot, own, _task.FocalGamma, zLoss);
            double weight = _task.SampleWeight(row);
            if (gradient != null) WriteGradient<TSimd, TVector>(gradient, null, result, pivot, weight, label, atLabel, true);
            return weight * result.Loss;
        }

        double backgroundAtLabel = Element.ToDouble(_task.Background[label]);
        SpreadTarget target = new(_task.Background, _task.BackgroundSum - backgroundAtLabel, backgroundAtLabel, own, label);
        TargetTerms terms = TargetTerms.Of<TSimd, TVector, T>(logits, _task.Background, count, label, max);
        return SpreadRow<TSimd, TVector>(row, target, terms, max, zLoss);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private double TargetRow<TSimd, TVector>(nint row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount;
        T* logits = _task.Logits + (row * count), targets = _task.Targets + (row * count);
        int pivot = TargetSweep.IndexOfMax<TSimd, TVector, T>(logits, count);
        CountCorrect(pivot == TargetSweep.IndexOfMax<TSimd, TVector, T>(targets, count));
        T* background = TargetSweep.Background<TSimd, TVector, T>(
            targets, _task.ClassWeights, count, _task.OwnShare, _task.SmoothingShare, _task.Background);
        TargetTerms terms = TargetTerms.Of<TSimd, TVector, T>(logits, background, count, pivot, logits[pivot]);
        SpreadTarget target = new(background, terms.Others, Element.ToDouble(background[pivot]), 0, pivot);
        return SpreadRow<TSimd, TVector>(row, target, terms, logits[pivot], _task.ZLoss);
    }

    /// <summary>A target with a share for every class.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private double SpreadRow<TSimd, TVector>(nint row, in SpreadTarget target, in TargetTerms terms, T max, double zLoss)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount;
        T* logits = _task.Logits + (row * count), gradient = _task.Gradient == null ? null : _task.Gradient + (row * count);
        T atPivot = logits[target.Pivot];
        T* exponentials = _task.FocalGamma == 0 ? gradient : null;      // the focal pass reads the logits once more
        double dot = terms.Dot / _task.Temperature;
        bool isPlain = !terms.HasMasked && double.IsFinite(Element.ToDouble(max));
        PivotSum sum = isPlain
            ? PivotSum.Of<TSimd, TVector, T>(logits, count, target.Pivot, new(max, Temperature), exponentials, Upcoming<T>.Next(logits, exponentials, (nuint)count, row + 1 < rowCount + _task.RowsBehind))
            : TargetSweep.Sum<TSimd, TVector, T>(logits, target.Background, count, target.Pivot, max, Temperature, exponentials, out dot);
        PivotProbability pivot = Pivot(sum, max, atPivot);
        double weight = _task.SampleWeight(row);
        if (_task.FocalGamma != 0)
        {
            FocalSweep<T> sweep = new(logits, count, max, _task.Temperature, _task.FocalGamma, target, pivot);
            return weight * sweep.Run(zLoss, gradient, weight * _task.GradientScale / _task.Temperature);
        }

        CrossEntropyRow result = CrossEntropyRow.Plain(pivot, target.Own, target.Others, target.BackgroundAtPivot, dot, zLoss);
        if (gradient != null) WriteGradient<TSimd, TVector>(gradient, target.Background, result, pivot, weight, target.Pivot, atPivot, isPlain);
        return weight * result.Loss;
    }

    private readonly PivotProbability Pivot(PivotSum sum, T max, T atPivot)
    {
        double largest = Element.ToDouble(max);
        return PivotProbability.Of(sum, largest / _task.Temperature, (Element.ToDouble(atPivot) - largest) / _task.Temperature);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void WriteGradient<TSimd, TVector>(
        T* exponentials, T* background, in CrossEntropyRow result, in PivotProbability pivot, double weight, int pivotIndex, T atPivot, bool isPlain)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double scale = weight * _task.GradientScale / _task.Temperature;
        double factor = scale * result.ProbabilityFactor / pivot.Sum;
        if (background == null)
        {
            CompensatedSum numerator = new() { High = factor }, denominator = new() { High = FactoredExp.OfMaximum<T>() };
            RowPasses.ScaleByQuotient<TSimd, TVector, T>(exponentials, (nuint)_task.ClassCount, numerator, denominator);
        }
        else if (isPlain)
        {
            T raised = Element.FromDouble<T>(factor * FactoredExp.Raise<T>() / FactoredExp.OfMaximum<T>());
            TargetSweep.PlainGradient<TSimd, TVector, T>(exponentials, background, _task.ClassCount, raised, Element.FromDouble<T>(scale));
        }
        else
        {
            TargetSweep.Gradient<TSimd, TVector, T>(exponentials, background, _task.ClassCount, Element.FromDouble<T>(factor), Element.FromDouble<T>(scale));
        }

        bool masked = double.IsNegativeInfinity(Element.ToDouble(atPivot)) && !double.IsNaN(pivot.Sum);
        exponentials[pivotIndex] = Element.FromDouble<T>(masked ? 0 : scale * result.PivotGradient);
    }

    /// <summary>No class has a larger logit than the label, and none before it has the same.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static bool IsFirstMaximum<TSimd, TVector>(T* logits, int label, T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double atLabel = Element.ToDouble(logits[label]);
        return atLabel == Element.ToDouble(max)
            && (label == 0 || Element.ToDouble(RowPasses.Max<TSimd, TVector, T>(logits, (nuint)label)) < atLabel);
    }

    private void CountCorrect(bool correct) => _totals.Correct += Unsafe.BitCast<bool, byte>(correct);

    /// <summary>See <see cref="CrossEntropyTask{T}"/>: the shares of the classes, of the pivot and of the others together.</summary>
    internal readonly struct SpreadTarget(T* background, double others, double backgroundAtPivot, double own, int pivot)
    {
        public T* Background { get; } = background;

        public double Others { get; } = others;

        public double BackgroundAtPivot { get; } = backgroundAtPivot;

        public double Own { get; } = own;

        public int Pivot { get; } = pivot;
    }
}
