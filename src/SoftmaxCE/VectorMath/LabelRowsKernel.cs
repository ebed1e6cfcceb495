using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax cross-entropy with labels and no other option that touches single classes, one row after the other.</summary>
/// <remarks>
/// A row passes through the cache three times and through memory once: maximum; exponentials, stored where the gradient goes, and their sum;
/// factor; rows longer than a part of the cache in parts (<see cref="LongLabelRow{T}"/>). The logarithms are taken for a batch of rows at once (<see cref="LabelFinishKernel{T}"/>).
/// </remarks>
internal unsafe struct LabelRowsKernel<T>(in CrossEntropyTask<T> task, int rowCount) : IVectorKernel<T>
    where T : unmanaged
{
    private const int BatchRows = 64;

    private readonly CrossEntropyTask<T> _task = task;
    private CrossEntropyTotals _totals;

    public readonly CrossEntropyTotals Totals => _totals;

    /// <summary>Labels without smoothing, focal term or z-loss.</summary>
    public static bool Fits(in CrossEntropyTask<T> task) =>
        task.Labels != null && task.Background == null && task.FocalGamma == 0 && task.ZLoss == 0;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double* others = stackalloc double[BatchRows], atLabel = stackalloc double[BatchRows];
        double* differences = stackalloc double[BatchRows], weights = stackalloc double[BatchRows];
        LabelFinishKernel<T> finish = new()
        {
            Others = others,
            AtLabel = atLabel,
            Differences = differences,
            Weights = weights,
            OfMaximum = 1,
            FactorScale = 1,
            Losses = weights,
            Factors = atLabel,
            LabelGradients = others,
        };
        for (int first = 0; first < rowCount; first += BatchRows)
        {
            int rows = Math.Min(BatchRows, rowCount - first), vectors = (rows + WholeVector.Lanes<double>() - 1) / WholeVector.Lanes<double>();
            finish.Count = vectors * WholeVector.Lanes<double>();
            for (int row = rows; row < finish.Count; row++) (others[row], atLabel[row], differences[row], weights[row]) = (0, 1, 0, 0);
            for (int row = 0; row < rows; row++)
            {
                weights[row] = Row<TSimd, TVector>(first + row, out PivotSum sum, out differences[row]);
                (others[row], atLabel[row]) = (sum.Others, sum.AtPivot);
            }

            VectorWidth.Run<LabelFinishKernel<T>, double>(ref finish);
            _totals.Loss += finish.TotalLoss;
            for (int row = 0; _task.RowLosses != null && row < rows; row++) _task.RowLosses[first + row] = Element.FromDouble<T>(weights[row]);
        }
    }

    /// <summary>Sums and gradient of one row; returns its weight.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private double Row<TSimd, TVector>(nint row, out PivotSum sum, out double difference)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount, label = _task.Labels[row];
        T* logits = _task.Logits + (row * count), gradient = _task.Gradient == null ? null : _task.Gradient + (row * count);
        double weight = label == _task.IgnoreLabel ? 0 : _task.ClassWeight(label) * _task.SampleWeight(row);
        if (weight == 0)
        {
            bool counts = label != _task.IgnoreLabel;
            if (counts && CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(logits, label, RowPasses.Max<TSimd, TVector, T>(logits, (nuint)count))) _totals.Correct++;
            if (gradient != null) new Span<T>(gradient, count).Clear();
            sum = new(0, 1);
            difference = 0;
            return 0;
        }

        double atLabel = Element.ToDouble(logits[label]), scale = weight * _task.GradientScale / _task.Temperature;
        bool isLong = (nuint)count > LongRow<T>.PartLength && count <= LongLabelRow<T>.MostClasses;
        sum = isLong
            ? LongRow<TSimd, TVector>(row, logits, gradient, scale, out T max, out bool isFirstMaximum)
            : ShortRow<TSimd, TVector>(row, logits, gradient, scale, out max, out isFirstMaximum);
        if (isFirstMaximum) _totals.Correct++;
        difference = (atLabel - Element.ToDouble(max)) / _task.Temperature;
        if (gradient != null) gradient[label] = Element.FromDouble<T>(double.IsNegativeInfinity(difference) ? 0 * sum.Total : -scale / sum.Total * sum.Others);
        return weight;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly PivotSum ShortRow<TSimd, TVector>(nint row, T* logits, T* gradient, double scale, out T max, out bool isFirstMaximum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint count = (nuint)_task.ClassCount;
        int label = _task.Labels[row];
        max = RowPasses.Max<TSimd, TVector, T>(logits, count);
        isFirstMaximum = CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(logits, label, max);
        Upcoming<T> upcoming = Upcoming<T>.Next(logits, gradient, count, row + 1 < rowCount);
        PivotSum sum = PivotSum.Of<TSimd, TVector, T>(logits, (int)count, label, new(max, Element.FromDouble<T>(_task.Temperature)), gradient, upcoming);
        if (gradient != null) RowPasses.ScaleByQuotient<TSimd, TVector, T>(gradient, count, new() { High = scale / sum.Total }, new() { High = FactoredExp.OfMaximum<T>() });
        return sum;
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private readonly PivotSum LongRow<TSimd, TVector>(nint row, T* logits, T* gradient, double scale, out T max, out bool isFirstMaximum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        LongLabelRow<T> parts = new(logits, _task.ClassCount, _task.Labels[row], Element.FromDouble<T>(_task.Temperature), gradient);
        T* maxima = stackalloc T[parts.PartCount];
        PivotSum sum = parts.Sum<TSimd, TVector>(maxima, row + 1 == rowCount, out max, out isFirstMaximum);
        if (gradient != null) parts.Scale<TSimd, TVector>(maxima, max, scale / sum.Total);
        return sum;
    }
}
