using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax cross-entropy for rows of few classes: a vector holds one class of as many rows as it has lanes.</summary>
/// <remarks>
/// Row by row such shapes spend their time on sums over lanes, partial vectors and one logarithm per row. Here a group of rows is transposed
/// into scratch memory in the first-level cache, every step works on full vectors, and the groups of a batch share the logarithms.
/// A row's result does not depend on its neighbours, so a vector is one register here.
/// </remarks>
internal unsafe struct FewClassesKernel<T>(in CrossEntropyTask<T> task, int rowCount) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>More classes than this are better off in a <see cref="LabelBatchKernel{T}"/>, whose last vectors are a small part of the work.</summary>
    public static int MostClasses => 3 * WholeVector.Lanes<T>();

    /// <summary>Values of a batch: 16 KB of floats.</summary>
    private const int BatchValues = 4096;

    private const int MostBatchRows = 128;

    private readonly CrossEntropyTask<T> _task = task;
    private CrossEntropyTotals _totals;

    public readonly CrossEntropyTotals Totals => _totals;

    /// <summary>Labels without smoothing, focal term or z-loss.</summary>
    public static bool Fits(in CrossEntropyTask<T> task) =>
        task.ClassCount <= MostClasses && LabelRowsKernel<T>.Fits(task);

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        // The same batches at every width, because losses are added up in batches.
        int lanes = TSimd.Lanes, count = _task.ClassCount, whole = WholeVector.Lanes<T>();
        int groups = Math.Min((rowCount + whole - 1) / whole, Math.Clamp(BatchValues / (whole * count), 1, MostBatchRows / whole)), batchRows = groups * whole;
        T* columns = stackalloc T[(batchRows * count) + GroupTranspose.Slack(lanes)], values = stackalloc T[Batch.Arrays * batchRows];
        double* doubles = stackalloc double[(LabelNumbers.Arrays * batchRows) + lanes];
        Batch batch = new(columns, values, doubles, batchRows);
        new Span<double>(batch.Numbers.Weights, batchRows).Fill(1);
        for (int first = 0; first < rowCount; first += batchRows)
        {
            int rows = Math.Min(batchRows, rowCount - first);
            LoadLabels(first, rows, batch);
            for (int row = 0; row < rows; row += lanes)
            {
                T* group = batch.Columns + (row * count);
                nint place = (nint)(first + row) * count;
                GroupTranspose.Into(_task.Logits + place, ((nint)rowCount * count) - place, Math.Min(lanes, rows - row), count, group, lanes);
                _totals.Correct += FindMaxima<TSimd, TVector>(group, row, batch);
            }

            for (int row = 0; row < rows; row += lanes) SumGroup<TSimd, TVector>(first, row, batch);
            for (int row = 0; row < rows; row += lanes) TakeDifferences<TSimd, TVector>(row, batch);

            _totals.Loss += batch.Numbers.Finish(_task, first, rows, batch.Factors);
            Conversion.ToElements(batch.Numbers.LabelGradients, batch.LabelGradients, batchRows);
            if (_task.Gradient == null) continue;
            for (int row = 0; row < rows; row += lanes)
            {
                T* group = batch.Columns + (row * count);
                ScaleGroup<TSimd, TVector>(group, row, batch);
                GroupTranspose.Back(group, lanes, count, _task.Gradient + ((nint)(first + row) * count), Math.Min(lanes, rows - row));
            }
        }
    }

    /// <summary>Labels as numbers of type T, and weights; rows that only fill up the last vector get label −1 and weight 0.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void LoadLabels(int first, int rows, in Batch batch)
    {
        if (_task.ClassWeights == null && _task.SampleWeights == null && _task.IgnoreLabel == null && rows == batch.Numbers.Rows)
        {
            Conversion.ToElements(_task.Labels + first, batch.Labels, rows);
            return;                 // the weights are 1 from the beginning
        }

        for (int row = 0; row < batch.Numbers.Rows; row++)
        {
            int label = row < rows ? _task.Labels[first + row] : -1;
            bool counts = row < rows && label != _task.IgnoreLabel;
            batch.Labels[row] = Element.FromDouble<T>(counts ? label : -1);
            batch.Numbers.Weights[row] = counts ? _task.ClassWeight(label) * _task.SampleWeight(first + row) : 0;
        }
    }

    /// <summary>Maxima and the labels' logits; returns how many labels are the first maximum of their row.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly int FindMaxima<TSimd, TVector>(T* group, int row, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint end = (nuint)(_task.ClassCount * TSimd.Lanes), lanes = (nuint)TSimd.Lanes;
        TVector labels = TSimd.Load(ref *batch.Labels, (nuint)row), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector max = TSimd.Load(ref *group, 0), atMax = TSimd.Create(default), atLabel = max, index = one;
        for (nuint at = lanes; at < end; at += lanes)
        {
            TVector x = TSimd.Load(ref *group, at);
            atMax = TSimd.Select(TSimd.LessThan(max, x), index, atMax);
            max = TSimd.Max(x, max);
            atLabel = TSimd.Select(TSimd.Equal(labels, index), x, atLabel);
            index = TSimd.Add(index, one);
        }

        TSimd.Store(ref *batch.Maxima, (nuint)row, max);
        TSimd.Store(ref *batch.AtLabels, (nuint)row, atLabel);
        return BitOperations.PopCount(TSimd.Bits(TSimd.Equal(atMax, labels)));
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void SumGroup<TSimd, TVector>(int first, int row, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint place = (nint)(first + row) * _task.ClassCount;
        T* logits = _task.Logits + place, next = first + row + (2 * TSimd.Lanes) <= rowCount + _task.RowsBehind ? logits + (_task.ClassCount * TSimd.Lanes) : logits;
        T* gradient = _task.Gradient == null ? next : _task.Gradient + place;
        TVector far = TSimd.Create(Element.FromDouble<T>(_task.Temperature == 1 ? FactoredExp.Reach<T>() : -1));
        if (TSimd.AnyGreater(TSimd.Abs(TSimd.Load(ref *batch.Maxima, (nuint)row)), far)) SumGroup<TSimd, TVector, ShiftedExponential<TVector, T>>(row, batch, next, gradient);
        else SumGroup<TSimd, TVector, DirectExponential<TVector, T>>(row, batch, next, gradient);
    }

    /// <summary>Exponentials (in place), with the factor <see cref="FactoredExp.OfMaximum{T}"/>, their sums without the labels, and those of the labels.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void SumGroup<TSimd, TVector, TExponential>(
        int row, in Batch batch, T* nextLogits, T* gradient)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        T* group = batch.Columns + (row * _task.ClassCount);
        TExponential exp = default;
        exp.Prepare<TSimd>(TSimd.Load(ref *batch.Maxima, (nuint)row), Element.FromDouble<T>(_task.Temperature));
        TVector labels = TSimd.Load(ref *batch.Labels, (nuint)row), zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector two = TSimd.Add(one, one), index = zero, first = zero, second = zero;
        FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
        nuint end = (nuint)(_task.ClassCount * TSimd.Lanes), lanes = (nuint)TSimd.Lanes, at = 0;
        for (; at + (2 * lanes) <= end; at += 2 * lanes)
        {
            TVector t0 = exp.SplitTwo<TSimd>(TSimd.Load(ref *group, at), TSimd.Load(ref *group, at + lanes), out TVector q0, out TVector t1, out TVector q1);
            TSimd.Store(ref *group, at, TSimd.MultiplyAdd(t0, q0, t0));
            TSimd.Store(ref *group, at + lanes, TSimd.MultiplyAdd(t1, q1, t1));
            even.Add<TSimd>(TSimd.Select(TSimd.Equal(labels, index), zero, t0), q0);
            odd.Add<TSimd>(TSimd.Select(TSimd.Equal(labels, TSimd.Add(index, one)), zero, t1), q1);
            index = TSimd.Add(index, two);
            if (end <= lanes * lanes) continue;             // of so few classes the processor fetches by itself what is needed
            CacheHints.Fetch(nextLogits + at);
            CacheHints.Fetch(nextLogits + at + lanes);
            CacheHints.Fetch(gradient + at);
            CacheHints.Fetch(gradient + at + lanes);
        }

        if (at < end)
        {
            TVector t = exp.Split<TSimd>(TSimd.Load(ref *group, at), out TVector q);
            TSimd.Store(ref *group, at, TSimd.MultiplyAdd(t, q, t));
            even.Add<TSimd>(TSimd.Select(TSimd.Equal(labels, index), zero, t), q);
        }

        even.MoveInto<TSimd>(ref first, ref second);
        odd.MoveInto<TSimd>(ref first, ref second);
        ColumnSums.StoreTotals<TSimd, TVector, T>(first, second, batch.Numbers.Others + row, batch.Numbers.Lost);
        first = zero;
        second = zero;
        TVector atLabel = TSimd.Load(ref *batch.AtLabels, (nuint)row);
        TVector label = TSimd.Select(TSimd.Equal(atLabel, RowPasses.Lowest<TSimd, TVector, T>()), zero, exp.Split<TSimd>(atLabel, out TVector power));
        TSimd.AddWide(ref first, ref second, label);
        TSimd.AddWide(ref first, ref second, TSimd.Multiply(label, power));
        ColumnSums.StoreTotals<TSimd, TVector, T>(first, second, batch.Numbers.AtLabel + row, batch.Numbers.Lost);
    }

    /// <summary>(x − max) / temperature of the labels.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void TakeDifferences<TSimd, TVector>(int row, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), lower = zero, upper = zero, max = TSimd.Load(ref *batch.Maxima, (nuint)row);
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(default, Element.FromDouble<T>(_task.Temperature)) with { Max = max };
        TSimd.AddWide(ref lower, ref upper, shift.Difference<TSimd, T>(TSimd.Load(ref *batch.AtLabels, (nuint)row), out TVector low));
        TSimd.AddWide(ref lower, ref upper, TSimd.Select(TSimd.Equal(low, low), low, zero));        // NaN where the logit is −∞
        ColumnSums.StoreTotals<TSimd, TVector, T>(lower, upper, batch.Numbers.Differences + row, batch.Numbers.Lost);
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void ScaleGroup<TSimd, TVector>(T* group, int row, in Batch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector labels = TSimd.Load(ref *batch.Labels, (nuint)row), factors = TSimd.Load(ref *batch.Factors, (nuint)row);
        TVector labelGradients = TSimd.Load(ref *batch.LabelGradients, (nuint)row), zero = TSimd.Create(default), none = TSimd.Equal(factors, zero);
        TVector index = zero, one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), lower = FactoredExp.Lower<TSimd, TVector, T>();
        nuint end = (nuint)(_task.ClassCount * TSimd.Lanes);
        for (nuint at = 0; at < end; at += (nuint)TSimd.Lanes)
        {
            TVector gradient = TSimd.Select(none, zero, TSimd.Multiply(TSimd.Multiply(TSimd.Load(ref *group, at), factors), lower));
            TSimd.Store(ref *group, at, TSimd.Select(TSimd.Equal(labels, index), labelGradients, gradient));
            index = TSimd.Add(index, one);
        }
    }

    /// <summary>Scratch memory of a batch of rows: its logits class by class, and one value per row of each of the others.</summary>
    private readonly struct Batch(T* columns, T* values, double* doubles, int rows)
    {
        public const int Arrays = 5;

        public T* Columns { get; } = columns;

        public T* Labels { get; } = values;

        public T* Maxima { get; } = values + rows;

        /// <summary>The labels' logits.</summary>
        public T* AtLabels { get; } = values + (2 * rows);

        public T* Factors { get; } = values + (3 * rows);

        public T* LabelGradients { get; } = values + (4 * rows);

        public LabelNumbers Numbers { get; } = new(doubles, rows);
    }
}
