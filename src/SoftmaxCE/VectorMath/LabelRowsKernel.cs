using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax cross-entropy with labels and no other option that touches single classes, one row after the other.</summary>
/// <remarks>
/// A row passes through the cache three times and through memory once: maximum; exponentials, stored where the gradient goes, and their sum;
/// factor. The logarithms are taken for a batch of rows at once (<see cref="LabelFinishKernel"/>).
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
        LabelFinishKernel finish = new()
        {
            Others = others,
            AtLabel = atLabel,
            Differences = differences,
            Weights = weights,
            OfMaximum = 1,
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

            VectorWidth.Run<LabelFinishKernel, double>(ref finish);
            _totals.Loss += finish.TotalLoss;
            for (int row = 0; _task.RowLosses != null && row < rows; row++) _task.RowLosses[first + row] = Element.FromDouble<T>(weights[row]);
        }
    }

    /// <summary>Sums and gradient of one row; returns its weight.</summary>
    private double Row<TSimd, TVector>(nint row, out PivotSum sum, out double difference)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount, label = _task.Labels[row];
        T* logits = _task.Logits + (row * count), gradient = _task.Gradient == null ? null : _task.Gradient + (row * count);
        sum = new(0, 1);
        difference = 0;
        if (label == _task.IgnoreLabel)
        {
            if (gradient != null) new Span<T>(gradient, count).Clear();
            return 0;
        }

        T max = RowPasses.Max<TSimd, TVector, T>(logits, (nuint)count), atLabel = logits[label];
        if (CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(logits, label, max)) _totals.Correct++;
        double weight = _task.ClassWeight(label) * _task.SampleWeight(row);
        if (weight == 0)
        {
            if (gradient != null) new Span<T>(gradient, count).Clear();
            return 0;
        }

        difference = (Element.ToDouble(atLabel) - Element.ToDouble(max)) / _task.Temperature;
        Upcoming<T> upcoming = Upcoming<T>.Next(logits, gradient, (nuint)count, row + 1 < rowCount);
        sum = PivotSum.Of<TSimd, TVector, T>(logits, count, label, new(max, Element.FromDouble<T>(_task.Temperature)), gradient, upcoming);
        if (gradient == null) return weight;
        double factor = weight * _task.GradientScale / (_task.Temperature * sum.Total);
        RowPasses.Scale<TSimd, TVector, T>(gradient, (nuint)count, Element.FromDouble<T>(factor / FactoredExp.OfMaximum<T>()), default, gradient);
        gradient[label] = Element.FromDouble<T>(double.IsNegativeInfinity(difference) ? 0 * sum.Total : -factor * sum.Others);
        return weight;
    }
}
