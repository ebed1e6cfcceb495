using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax cross-entropy with labels and no other option that touches single classes, one row after the other.</summary>
/// <remarks>
/// A row passes through the cache three times and through memory once: maximum; exponentials, stored where the gradient goes, and their sum; factor.
/// Maximum and factor come out of chains of operations that wait for each other, so the one is looked for a row ahead and the other is applied a row
/// behind. Rows longer than a part of the cache are taken in parts (<see cref="LongLabelRow{T}"/>). What is left are a few numbers per row, which a batch
/// of rows turns into losses and the labels' gradients together (<see cref="LabelFinishKernel{T}"/>).
///
/// The loop over the exponentials need not know the label: its exponential is taken off the sum. Where it has more than four fifths of that,
/// digits would be missing; there the other exponentials are added up once more as they are stored.
/// </remarks>
internal unsafe struct LabelRowsKernel<T>(in CrossEntropyTask<T> task, int rowCount) : IVectorKernel<T>
    where T : unmanaged
{
    private const int MostBatchRows = 64;
    private const double Confident = 0.25;

    private readonly CrossEntropyTask<T> _task = task;
    private CrossEntropyTotals _totals;

    public readonly CrossEntropyTotals Totals => _totals;

    /// <summary>Labels without smoothing, focal term or z-loss.</summary>
    public static bool Fits(in CrossEntropyTask<T> task) =>
        task.Labels != null && task.Background == null && task.FocalGamma == 0 && task.ZLoss == 0 && task.ClassCount <= LongLabelRow<T>.MostClasses;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount, lanes = TSimd.Lanes;
        int batchRows = Math.Min(MostBatchRows, (rowCount + lanes - 1) / lanes * lanes);
        bool isLong = (nuint)count > LongRow<T>.PartLength;
        double* doubles = stackalloc double[((LabelNumbers.Arrays + 3) * batchRows) + lanes];
        T* values = stackalloc T[(2 * batchRows) + (isLong || _task.Gradient != null ? 0 : count) + lanes];
        Batch batch = new((T*)WholeVector.Align((byte*)values), doubles, batchRows);
        RowsAhead<T> ahead = new(_task.Logits, _task.Gradient, (nuint)count, rowCount + _task.RowsBehind);
        T max = isLong ? default : RowPasses.Max<TSimd, TVector, T>(_task.Logits, (nuint)count);
        for (int first = 0; first < rowCount; first += batchRows)
        {
            int rows = Math.Min(batchRows, rowCount - first);
            for (int row = rows; row < batchRows; row++) batch.SetWeightless(row);
            if (isLong)
            {
                for (int row = 0; row < rows; row++) LongRow<TSimd, TVector>(first + row, row, batch);
            }
            else
            {
                max = ShortRows<TSimd, TVector>(first, rows, max, ahead, batch);
                SplitSums<TSimd, TVector>(batch);
            }

            _totals.Loss += batch.Numbers.Finish(_task, first, rows, batch.Maxima);
            for (int row = 0; _task.Gradient != null && row < rows; row++)
            {
                T* gradient = _task.Gradient + ((nint)(first + row) * count);
                if (WeightOf(first + row) != 0) gradient[_task.Labels[first + row]] = Element.FromDouble<T>(batch.Numbers.LabelGradients[row]);
            }
        }
    }

    /// <summary>Sums of rows that fit the first-level cache, and their gradients but for the labels'; returns the maximum of the row behind them.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private T ShortRows<TSimd, TVector>(int first, int rows, T max, in RowsAhead<T> ahead, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount;
        bool hasGradient = _task.Gradient != null;
        T* logits = _task.Logits + ((nint)first * count), gradient = hasGradient ? _task.Gradient + ((nint)first * count) : batch.Scratch, unscaled = null;
        T temperature = Element.FromDouble<T>(_task.Temperature);
        double factor = 0;
        for (int row = 0; row < rows; row++, logits += count, gradient += hasGradient ? count : 0)
        {
            int label = _task.Labels[first + row];
            T here = max;
            if (first + row + 1 < rowCount) max = RowPasses.Max<TSimd, TVector, T>(logits + count, (nuint)count);
            if (label != _task.IgnoreLabel && CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(logits, label, here)) _totals.Correct++;
            double weight = WeightOf(first + row);
            if (weight == 0)
            {
                batch.SetWeightless(row);
                if (hasGradient) new Span<T>(gradient, count).Clear();
                continue;
            }

            T atLabel = logits[label];
            CompensatedSum sum = RowPasses.Exponentials<TSimd, TVector, T>(logits, (nuint)count, new(here, temperature), gradient, ahead.Of(logits, hasGradient ? gradient : logits));
            batch.Set(row, sum, here, atLabel, weight, (Element.ToDouble(atLabel) - Element.ToDouble(here)) / _task.Temperature);
            double ofLabel = Element.ToDouble(gradient[label]);
            if (sum.Value - ofLabel < Confident * ofLabel) batch.Numbers.Others[row] = OthersOf<TSimd, TVector>(gradient, label);
            if (!hasGradient) continue;
            Scale<TSimd, TVector>(unscaled, factor);
            unscaled = gradient;
            factor = weight * _task.GradientScale / _task.Temperature / sum.Value;
        }

        Scale<TSimd, TVector>(unscaled, factor);
        return max;
    }

    /// <summary>Takes the labels' exponentials off the sums, where that has not been done.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void SplitSums<TSimd, TVector>(in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), lowest = RowPasses.Lowest<TSimd, TVector, T>();
        for (int row = 0; row < batch.Numbers.Rows; row += TSimd.Lanes)
        {
            TVector atLabels = TSimd.Load(ref *batch.AtLabels, (nuint)row), lower = zero, upper = zero;
            ShiftedExponential<TVector, T> exp = default;
            exp.Prepare<TSimd>(TSimd.Load(ref *batch.Maxima, (nuint)row), Element.FromDouble<T>(_task.Temperature));
            TVector t = exp.Split<TSimd>(atLabels, out TVector q);
            t = TSimd.Select(TSimd.Equal(atLabels, lowest), zero, t);
            TSimd.AddWide(ref lower, ref upper, t);
            ColumnSums.StoreTotals<TSimd, TVector, T>(lower, upper, batch.Numbers.AtLabel + row, batch.Numbers.Lost);
            (lower, upper) = (zero, zero);
            TSimd.AddWide(ref lower, ref upper, TSimd.Multiply(t, q));
            ColumnSums.StoreTotals<TSimd, TVector, T>(lower, upper, batch.Rests + row, batch.Numbers.Lost);
        }

        for (int row = 0; row < batch.Numbers.Rows; row++)
        {
            ref double others = ref batch.Numbers.Others[row], atLabel = ref batch.Numbers.AtLabel[row];
            if (others == Batch.Unknown)
            {
                CompensatedSum rest = batch.Sums[row];
                rest.Add(-atLabel);
                rest.Add(-batch.Rests[row]);
                others = rest.Value;
            }

            atLabel += batch.Rests[row];
        }
    }

    /// <summary>The sum of the stored exponentials without the label's, which becomes 0.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly double OthersOf<TSimd, TVector>(T* exponentials, int label)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        exponentials[label] = default;
        TVector zero = TSimd.Create(default), lower0 = zero, upper0 = zero, lower1 = zero, upper1 = zero;
        int lanes = TSimd.Lanes, i = 0;
        for (; i + (2 * lanes) <= _task.ClassCount; i += 2 * lanes)
        {
            TSimd.AddWide(ref lower0, ref upper0, TSimd.Load(ref *exponentials, (nuint)i));
            TSimd.AddWide(ref lower1, ref upper1, TSimd.Load(ref *exponentials, (nuint)(i + lanes)));
        }

        for (; i < _task.ClassCount; i += lanes) TSimd.AddWide(ref lower0, ref upper0, TSimd.LoadPartial(exponentials + i, Math.Min(lanes, _task.ClassCount - i), default));
        CompensatedSum sum = TSimd.TotalOfWide(lower0, upper0);
        sum.Add(TSimd.TotalOfWide(lower1, upper1));
        return sum.Value;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Scale<TSimd, TVector>(T* exponentials, double factor)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (exponentials == null) return;
        RowPasses.ScaleByQuotient<TSimd, TVector, T>(exponentials, (nuint)_task.ClassCount, new() { High = factor }, new() { High = 1 });
    }

    /// <summary>Sums and gradient of a row that does not fit the first-level cache.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private void LongRow<TSimd, TVector>(nint row, int place, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int count = _task.ClassCount, label = _task.Labels[row];
        T* logits = _task.Logits + (row * count), gradient = _task.Gradient == null ? null : _task.Gradient + (row * count);
        double weight = WeightOf(row);
        if (weight == 0)
        {
            bool counts = label != _task.IgnoreLabel;
            if (counts && CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(logits, label, RowPasses.Max<TSimd, TVector, T>(logits, (nuint)count))) _totals.Correct++;
            batch.SetWeightless(place);
            if (gradient != null) new Span<T>(gradient, count).Clear();
            return;
        }

        double atLabel = Element.ToDouble(logits[label]), ofMaximum = FactoredExp.OfMaximum<T>();
        LongLabelRow<T> parts = new(logits, count, label, Element.FromDouble<T>(_task.Temperature), gradient);
        T* maxima = stackalloc T[parts.PartCount];
        PivotSum sum = parts.Sum<TSimd, TVector>(maxima, row + 1 == rowCount + _task.RowsBehind, out T max, out bool isFirstMaximum);
        if (isFirstMaximum) _totals.Correct++;
        batch.Set(place, sum.Others * ofMaximum, sum.AtPivot * ofMaximum, weight, (atLabel - Element.ToDouble(max)) / _task.Temperature);
        if (gradient != null) parts.Scale<TSimd, TVector>(maxima, max, weight * _task.GradientScale / _task.Temperature / sum.Total);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly double WeightOf(nint row)
    {
        int label = _task.Labels[row];
        return label == _task.IgnoreLabel ? 0 : _task.ClassWeight(label) * _task.SampleWeight(row);
    }

    /// <summary>What is kept of the rows of a batch.</summary>
    private readonly struct Batch(T* values, double* doubles, int rows)
    {
        /// <summary>A sum without the label that has not been found yet.</summary>
        public const double Unknown = -1;

        public LabelNumbers Numbers { get; } = new(doubles + (3 * rows), rows);

        /// <summary>The sums with the labels.</summary>
        public CompensatedSum* Sums { get; } = (CompensatedSum*)doubles;

        /// <summary>t q of the labels.</summary>
        public double* Rests { get; } = doubles + (2 * rows);

        public T* Maxima { get; } = values;

        public T* AtLabels { get; } = values + rows;

        /// <summary>Where the exponentials of a row go when no gradient is wanted.</summary>
        public T* Scratch { get; } = values + (2 * rows);

        public void SetWeightless(int row)
        {
            (Maxima[row], AtLabels[row]) = (default, default);
            Set(row, 0, 1, 0, 0);
        }

        public void Set(int row, CompensatedSum sum, T max, T atLabel, double weight, double difference)
        {
            Sums[row] = sum;
            (Maxima[row], AtLabels[row]) = (max, atLabel);
            Set(row, Unknown, 0, weight, difference);
        }

        public void Set(int row, double others, double atLabel, double weight, double difference)
        {
            (Numbers.Others[row], Numbers.AtLabel[row]) = (others, atLabel);
            (Numbers.Weights[row], Numbers.Differences[row]) = (weight, difference);
        }
    }
}
