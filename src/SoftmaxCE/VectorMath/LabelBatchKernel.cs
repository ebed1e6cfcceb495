using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax cross-entropy with labels for rows of 4 to 16 vectors: as many rows at once as a vector has lanes, stage by stage as in <see cref="RowBatch"/>.</summary>
/// <remarks>
/// The sum of a row is that of its softmax, and the label's exponential is taken off it: the high parts add up without rounding, the low parts nearly so.
/// Where less than a sixteenth is left, digits would be missing; there the stored exponentials are added up once more, without the label's.
/// </remarks>
internal unsafe struct LabelBatchKernel<T>(in CrossEntropyTask<T> task, int rowCount) : IVectorKernel<T>
    where T : unmanaged
{
    private readonly CrossEntropyTask<T> _task = task;
    private CrossEntropyTotals _totals;

    public readonly CrossEntropyTotals Totals => _totals;

    /// <summary>Labels without smoothing, focal term or z-loss; and more classes than <see cref="FewClassesKernel{T}"/> is good for.</summary>
    public static bool Fits(in CrossEntropyTask<T> task) =>
        task.ClassCount > FewClassesKernel<T>.MostClasses && task.ClassCount <= RowBatch.MostVectors * WholeVector.Lanes<T>() && LabelRowsKernel<T>.Fits(task);

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, count = _task.ClassCount;
        byte* memory = stackalloc byte[Batch.Bytes(lanes)];
        Batch batch = new((T*)WholeVector.Align(memory), lanes);
        T* dropped = stackalloc T[_task.Gradient == null ? lanes * count : 0];
        for (int first = 0; first < rowCount; first += lanes)
        {
            int rows = Math.Min(lanes, rowCount - first);
            T* exponentials = _task.Gradient == null ? dropped : _task.Gradient + ((nint)first * count);
            bool direct = FindMaxima<TSimd, TVector>(first, rows, batch), allCount = LoadLabels<TSimd, TVector>(first, rows, batch);
            if (direct) Sum<TSimd, TVector, DirectExponential<TVector, T>>(first, rows, exponentials, batch, direct);
            else Sum<TSimd, TVector, ShiftedExponential<TVector, T>>(first, rows, exponentials, batch, direct);
            AddConfidentRows<TSimd, TVector>(first, rows, exponentials, batch);
            _totals.Loss += batch.Numbers.Finish(_task, first, rows, batch.Factors);
            if (_task.Gradient == null) continue;
            Scale<TSimd, TVector>(exponentials, rows, batch);
            FinishGradient(first, rows, exponentials, batch, allCount);
        }
    }

    /// <summary>The largest logit of each row, and the last vectors; returns whether all exponentials can be taken of the logits as they are.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly bool FindMaxima<TSimd, TVector>(int first, int rows, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        for (int row = rows; row < lanes; row++) TSimd.Store(ref *batch.Highs, (nuint)(row * lanes), TSimd.Create(default));
        RowBatch.Maxima<TSimd, TVector, T>(_task.Logits + ((nint)first * _task.ClassCount), _task.ClassCount, rows, batch.Highs, batch.Last);
        TVector maxima = RowsAcross.Max<TSimd, TVector, T>(batch.Highs, batch.Turned);
        TSimd.Store(ref *batch.Maxima, 0, maxima);
        return _task.Temperature == 1 && !SoftmaxColumns.IsFar<TSimd, TVector, T>(maxima);
    }

    /// <summary>The labels' logits, their distances from the maxima, and the weights, before anything is written; returns whether all rows have one.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private bool LoadLabels<TSimd, TVector>(int first, int rows, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        bool allCount = true;
        int ignored = _task.IgnoreLabel ?? -1;
        T* logits = _task.Logits + ((nint)first * _task.ClassCount);
        for (int row = 0; row < TSimd.Lanes; row++, logits += _task.ClassCount)
        {
            int label = row < rows ? _task.Labels[first + row] : -1;
            bool counts = row < rows && label != ignored;
            T max = batch.Maxima[row], atLabel = counts ? logits[label] : max;
            batch.AtLabels[row] = atLabel;
            bool isMaximum = counts && Element.ToDouble(atLabel) == Element.ToDouble(max);
            if (isMaximum && CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(logits, label, max)) _totals.Correct++;
            double weight = counts ? _task.ClassWeight(label) * _task.SampleWeight(first + row) : 0;
            batch.Numbers.Weights[row] = weight;
            allCount &= weight != 0;
        }

        TVector zero = TSimd.Create(default), lower = zero, upper = zero;
        TSimd.AddWide(ref lower, ref upper, TSimd.Load(ref *batch.AtLabels, 0));
        TSimd.AddWide(ref lower, ref upper, TSimd.Subtract(zero, TSimd.Load(ref *batch.Maxima, 0)));
        ColumnSums.StoreTotals<TSimd, TVector, T>(lower, upper, batch.Numbers.Differences, batch.Numbers.Lost);
        for (int row = 0; row < TSimd.Lanes && _task.Temperature != 1; row++) batch.Numbers.Differences[row] /= _task.Temperature;
        return allCount;
    }

    /// <summary>The exponentials, their sums less those of the labels, and those of the labels.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Sum<TSimd, TVector, TExponential>(int first, int rows, T* exponentials, in Batch batch, bool direct)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TVector maxima = TSimd.Load(ref *batch.Maxima, 0), atLabels = TSimd.Load(ref *batch.AtLabels, 0);
        FactoredExp<TVector, T> exp = default;
        exp.SetMaximum<TSimd>(maxima);
        exp.StoreMaxima<TSimd>(batch.Prepared);
        T* logits = _task.Logits + ((nint)first * _task.ClassCount);
        ShortRowPass.Rows<T> passed = new(logits, (nuint)_task.ClassCount, (nuint)rows, batch.Maxima, Element.FromDouble<T>(_task.Temperature), direct)
        {
            Prepared = batch.Prepared,
            Following = (nuint)(rowCount + _task.RowsBehind - first),
            Results = _task.Gradient == null ? null : exponentials,
        };
        ShortRowSums<T, RowPasses.Stored> sums = new(passed, exponentials, batch.Last, batch.Highs, batch.Lows);
        TSimd.RunLanes(ref sums, 0);
        TVector high = RowsAcross.Sum<TSimd, TVector, T>(batch.Highs, batch.Turned), low = RowsAcross.Sum<TSimd, TVector, T>(batch.Lows, batch.Turned);

        TExponential ofLabels = default;
        ofLabels.Prepare<TSimd>(maxima, Element.FromDouble<T>(_task.Temperature));
        TVector zero = TSimd.Create(default), t = ofLabels.Split<TSimd>(atLabels, out TVector q);
        t = TSimd.Select(TSimd.Equal(atLabels, RowPasses.Lowest<TSimd, TVector, T>()), zero, t);
        SplitColumnSum<TVector, T>.Of<TSimd>(atLabels, maxima, t, q, out TVector labelHigh, out TVector labelLow);
        TVector lower = zero, upper = zero;
        TSimd.AddWide(ref lower, ref upper, TSimd.Subtract(high, labelHigh));
        TSimd.AddWide(ref lower, ref upper, TSimd.Subtract(low, labelLow));
        ColumnSums.StoreTotals<TSimd, TVector, T>(lower, upper, batch.Numbers.Others, batch.Numbers.Lost);
        (lower, upper) = (zero, zero);
        TSimd.AddWide(ref lower, ref upper, t);
        TSimd.AddWide(ref lower, ref upper, TSimd.Multiply(t, q));
        ColumnSums.StoreTotals<TSimd, TVector, T>(lower, upper, batch.Numbers.AtLabel, batch.Numbers.Lost);
    }

    /// <summary>Where little is left beside the label, the sum of the other exponentials as they are stored; the label's becomes 0.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void AddConfidentRows<TSimd, TVector>(int first, int rows, T* exponentials, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int row = 0; row < rows; row++, exponentials += _task.ClassCount)
        {
            if (!(batch.Numbers.Others[row] < SoftmaxKernel.Confident * batch.Numbers.AtLabel[row]) || batch.Numbers.Weights[row] == 0) continue;
            batch.Numbers.Others[row] = OthersOf<TSimd, TVector>(exponentials, _task.Labels[first + row], batch.Last + (row * TSimd.Lanes));
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly double OthersOf<TSimd, TVector>(T* exponentials, int label, T* last)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, count = _task.ClassCount, whole = count - (count % lanes);
        exponentials[label] = default;
        if (label >= whole) last[label - (count - lanes)] = default;
        TVector lower = TSimd.Create(default), upper = lower;
        for (int i = 0; i < whole; i += lanes) TSimd.AddWide(ref lower, ref upper, TSimd.Load(ref *exponentials, (nuint)i));
        if (whole < count)
        {
            TVector isCounted = ShortRowPass.IsCountedBefore<TSimd, TVector, T>(0, (nuint)count);
            TSimd.AddWide(ref lower, ref upper, TSimd.Select(isCounted, TSimd.Create(default), TSimd.Load(ref *last, 0)));
        }

        return TSimd.TotalOfWide(lower, upper).Value;
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void Scale<TSimd, TVector>(T* values, int rows, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint lanes = (nuint)TSimd.Lanes, count = (nuint)_task.ClassCount;
        TVector lower = FactoredExp.Lower<TSimd, TVector, T>();
        for (int row = 0; row < rows; row++, values += count)
        {
            TVector factor = TSimd.Create(batch.Factors[row]), last = ShortRowPass.Last<TSimd, TVector, T>(values, count, batch.Last + (row * TSimd.Lanes));
            for (nuint i = 0; i + lanes <= count; i += lanes)
            {
                TSimd.Store(ref *values, i, TSimd.Multiply(TSimd.Multiply(TSimd.Load(ref *values, i), factor), lower));
            }

            TSimd.Store(ref *values, count - lanes, TSimd.Multiply(TSimd.Multiply(last, factor), lower));
        }
    }

    /// <summary>The labels' gradients; rows of weight 0 have none, whatever their logits are.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void FinishGradient(int first, int rows, T* gradient, in Batch batch, bool allCount)
    {
        for (int row = 0; row < rows; row++, gradient += _task.ClassCount)
        {
            if (allCount || batch.Numbers.Weights[row] != 0) gradient[_task.Labels[first + row]] = Element.FromDouble<T>(batch.Numbers.LabelGradients[row]);
            else new Span<T>(gradient, _task.ClassCount).Clear();
        }
    }

    /// <summary>Scratch memory of a batch of rows.</summary>
    private readonly struct Batch
    {
        private readonly T* _vectors;

        public Batch(T* memory, int lanes)
        {
            Rows = lanes;
            _vectors = memory;
            Numbers = new((double*)(memory + (Vectors(lanes) * lanes)), lanes);
        }

        public int Rows { get; }

        /// <summary>A vector per row: maxima of its lanes, then high parts of its sums.</summary>
        public T* Highs => _vectors;

        public T* Lows => _vectors + (Rows * Rows);

        public T* Turned => _vectors + (2 * Rows * Rows);

        /// <summary>The last vector of each row, which overlaps the one before.</summary>
        public T* Last => _vectors + (3 * Rows * Rows);

        /// <summary>What the exponentials are multiplied by.</summary>
        public T* Factors => _vectors + (4 * Rows * Rows);

        public T* Maxima => Factors + Rows;

        /// <summary>The labels' logits.</summary>
        public T* AtLabels => Factors + (2 * Rows);

        /// <summary>See <see cref="FactoredExp{TVector,T}.StoreMaxima"/>.</summary>
        public T* Prepared => Factors + (3 * Rows);

        public LabelNumbers Numbers { get; }

        public static int Bytes(int lanes) => ((Vectors(lanes) + 1) * WholeVector.Bytes) + ((LabelNumbers.Arrays + 1) * lanes * sizeof(double));

        private static int Vectors(int lanes) => (4 * lanes) + 6;
    }
}
