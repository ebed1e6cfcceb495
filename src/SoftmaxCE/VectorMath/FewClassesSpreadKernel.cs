using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// <see cref="FewClassesKernel{T}"/> for the options that it lacks: smoothed labels, target distributions, the z-loss, and the focal loss of plain labels.
/// </summary>
/// <remarks>
/// In each row one class, the pivot, is kept apart (see <see cref="CrossEntropyRow"/>): the label, or the largest logit when the target is a distribution.
/// </remarks>
internal unsafe struct FewClassesSpreadKernel<T>(in CrossEntropyTask<T> task, int rowCount) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>More classes than this are better off row by row.</summary>
    public const int MostClasses = 192;

    /// <summary>Values of a batch: 16 KB of floats, and as many of its targets.</summary>
    private const int BatchValues = 4096;

    private const int MostBatchRows = 128;

    private readonly CrossEntropyTask<T> _task = task;
    private CrossEntropyTotals _totals;

    public readonly CrossEntropyTotals Totals => _totals;

    /// <summary>A focal loss of a spread target needs powers for every class; that is better off class by class.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static bool Fits(in CrossEntropyTask<T> task) =>
        task.ClassCount <= MostClasses && (task.FocalGamma == 0 || task.Background == null);

    /// <summary>No lane needs another one, so a vector is one register.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        // The same batches at every width, because losses are added up in batches.
        int lanes = TSimd.Lanes, count = _task.ClassCount, whole = WholeVector.Lanes<T>();
        int groups = Math.Min((rowCount + whole - 1) / whole, Math.Clamp(BatchValues / (whole * count), 1, MostBatchRows / whole)), batchRows = groups * whole;
        int values = (batchRows * count) + GroupTranspose.Slack(lanes);
        T* columns = stackalloc T[values], targets = stackalloc T[_task.Targets == null ? 0 : values];
        T* pivots = stackalloc T[4 * batchRows];
        double* numbers = stackalloc double[(SpreadBatch.Numbers * batchRows) + lanes];
        SpreadBatch batch = new(numbers, batchRows);
        for (int first = 0; first < rowCount; first += batchRows)
        {
            int rows = Math.Min(batchRows, rowCount - first);
            LoadRows(first, rows, pivots, batch);
            for (int row = 0; row < rows; row += lanes)
            {
                int here = Math.Min(lanes, rows - row);
                T* group = columns + (row * count), groupTargets = targets + (row * count);
                nint place = (nint)(first + row) * count;
                nint readable = ((nint)rowCount * count) - place;
                GroupTranspose.Into(_task.Logits + place, readable, here, count, group, lanes);
                if (_task.Targets != null)
                {
                    GroupTranspose.Into(_task.Targets + place, readable, here, count, groupTargets, lanes);
                    SumGroup<TSimd, TVector, SharedTarget.OfRow>(group, groupTargets, pivots + row, place, row, batch);
                }
                else if (_task.Background != null)
                {
                    SumGroup<TSimd, TVector, SharedTarget.OfClass>(group, _task.Background, pivots + row, place, row, batch);
                }
                else
                {
                    SumGroup<TSimd, TVector, SharedTarget.None>(group, null, pivots + row, place, row, batch);
                }
            }

            Finish(first, rows, pivots, batch);
            if (_task.Gradient == null) continue;
            for (int row = 0; row < rows; row += lanes)
            {
                T* group = columns + (row * count);
                if (_task.Targets != null) Scale<TSimd, TVector, SharedTarget.OfRow>(group, targets + (row * count), pivots + row, batchRows);
                else if (_task.Background != null) Scale<TSimd, TVector, SharedTarget.OfClass>(group, _task.Background, pivots + row, batchRows);
                else Scale<TSimd, TVector, SharedTarget.None>(group, null, pivots + row, batchRows);
                GroupTranspose.Back(group, lanes, count, _task.Gradient + ((nint)(first + row) * count), Math.Min(lanes, rows - row));
            }
        }
    }

    /// <summary>What a row has beside its logits; rows that only fill up the last vector, and those that do not count, get weight 0.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void LoadRows(int first, int rows, T* pivots, in SpreadBatch batch)
    {
        for (int row = 0; row < batch.Rows; row++)
        {
            bool exists = row < rows;
            batch.Weights[row] = exists ? _task.SampleWeight(first + row) : 0;
            batch.ZLosses[row] = _task.ZLoss;
            batch.Own[row] = 0;
            pivots[row] = Element.FromDouble<T>(exists && _task.Labels == null ? 0 : -1);
            if (_task.Labels == null || !exists) continue;

            int label = _task.Labels[first + row];
            if (label == _task.IgnoreLabel)
            {
                batch.Weights[row] = 0;
                continue;
            }

            double classWeight = _task.ClassWeight(label), ofBackground = _task.Background == null ? 0 : Element.ToDouble(_task.Background[label]);
            pivots[row] = Element.FromDouble<T>(label);
            batch.Own[row] = _task.OwnShare * classWeight;
            batch.ZLosses[row] *= classWeight;
            batch.Background[row] = _task.BackgroundSum - ofBackground;
            batch.BackgroundAtPivot[row] = ofBackground;
            if (_task.BackgroundSum == 0 && classWeight == 0) batch.Weights[row] = 0;
        }
    }

    /// <summary>Maxima and pivots, and from them the sums. Meanwhile what the next group needs, and where this one's gradient goes, is fetched from memory.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private void SumGroup<TSimd, TVector, TBackground>(T* group, T* background, T* pivots, nint place, int row, in SpreadBatch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TBackground : struct, ISharedTarget
    {
        TVector zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), label = TSimd.Load(ref *pivots, 0);
        nint size = (nint)TSimd.Lanes * _task.ClassCount, next = place + (2 * size) <= ((nint)rowCount + _task.RowsBehind) * _task.ClassCount ? place + size : place;
        T* gradient = _task.Gradient == null ? group : _task.Gradient + place;
        TVector atMax = IndexOfMax<TSimd, TVector>(group, label, _task.Logits + next, out TVector max, out TVector atLabel), expected = label;
        if (TBackground.IsOfRow)
        {
            expected = IndexOfMax<TSimd, TVector>(background, label, _task.Targets + next, out _, out _);
            atLabel = max;
            TSimd.Store(ref *pivots, 0, atMax);
            MakeBackground<TSimd, TVector>(background);
        }

        TVector far = TSimd.Create(Element.FromDouble<T>(_task.Temperature == 1 ? FactoredExp.Reach<T>() : -1));
        if (TSimd.AnyGreater(TSimd.Abs(max), far)) Sum<TSimd, TVector, TBackground, ShiftedExponential<TVector, T>>(group, background, pivots, max, atLabel, gradient, row, batch);
        else Sum<TSimd, TVector, TBackground, DirectExponential<TVector, T>>(group, background, pivots, max, atLabel, gradient, row, batch);

        TVector lower = zero, upper = zero;
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(default, Element.FromDouble<T>(_task.Temperature)) with { Max = max };
        TSimd.AddWide(ref lower, ref upper, shift.Difference<TSimd, T>(atLabel, out TVector low));
        TSimd.AddWide(ref lower, ref upper, TSimd.Select(TSimd.Equal(low, low), low, zero));        // NaN where the logit is −∞
        Store<TSimd, TVector>(lower, upper, batch.Differences + row, batch);
        Store<TSimd, TVector>(max, batch.Maxima + row, batch);
        TVector isCorrect = TSimd.Select(TSimd.Equal(atMax, expected), one, zero);
        isCorrect = TSimd.Select(TSimd.LessThan(label, zero), zero, isCorrect);         // no such row, or an ignored one
        _totals.Correct += (int)Element.ToDouble(TSimd.MaxOfLanes(TSimd.AddAcross(isCorrect)));
    }

    /// <summary>For each row the place of the first of the largest values, NaN left out (0 when there is none), that value, and the one at the label.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly TVector IndexOfMax<TSimd, TVector>(T* group, TVector label, T* next, out TVector max, out TVector atLabel)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), index = TSimd.Create(default), atMax = index, lowest = RowPasses.Lowest<TSimd, TVector, T>();
        TVector largest = lowest, found = TSimd.Load(ref *group, 0);
        nuint end = (nuint)(_task.ClassCount * TSimd.Lanes);
        for (nuint at = 0; at < end; at += (nuint)TSimd.Lanes)
        {
            CacheHints.Fetch(next + at);
            TVector x = TSimd.Load(ref *group, at);
            atMax = TSimd.Select(TSimd.LessThan(largest, x), index, atMax);
            largest = TSimd.Max(x, largest);
            found = TSimd.Select(TSimd.Equal(label, index), x, found);
            index = TSimd.Add(index, one);
        }

        (max, atLabel) = (largest, found);
        return atMax;
    }

    /// <summary>Targets become w ((1 − ε) t + ε/C), in place.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void MakeBackground<TSimd, TVector>(T* targets)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (_task.ClassWeights == null && _task.SmoothingShare == 0) return;
        TVector own = TSimd.Create(Element.FromDouble<T>(_task.OwnShare)), share = TSimd.Create(Element.FromDouble<T>(_task.SmoothingShare));
        for (int c = 0; c < _task.ClassCount; c++)
        {
            nuint at = (nuint)(c * TSimd.Lanes);
            TVector target = TSimd.MultiplyAdd(own, TSimd.Load(ref *targets, at), share);
            if (_task.ClassWeights != null) target = TSimd.Multiply(target, TSimd.Create(Element.FromDouble<T>(_task.ClassWeights[c])));
            TSimd.Store(ref *targets, at, target);
        }
    }

    /// <summary>
    /// Exponentials in place, with the factor <see cref="FactoredExp.OfMaximum{T}"/>, or −1, which no exponential is, where the logit is −∞ and has a
    /// background; the sums of all but the pivot, and what belongs to it.
    /// </summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void Sum<TSimd, TVector, TBackground, TExponential>(
        T* group, T* background, T* pivots, TVector max, TVector atPivot, T* gradient, int row, in SpreadBatch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TBackground : struct, ISharedTarget
        where TExponential : struct, IRowExponential<TVector, T>
    {
        if (TBackground.Exists) SumBackground<TSimd, TVector, TBackground>(group, background, pivots, max, row, batch);
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(_task.Temperature));
        TVector pivot = TSimd.Load(ref *pivots, 0), zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), index = zero;
        TVector lowest = RowPasses.Lowest<TSimd, TVector, T>(), mark = ExpPolynomial.Constant<TSimd, TVector, T>(-1f, -1.0);
        FactoredSum<TVector, T> sum = FactoredSum<TVector, T>.Create<TSimd>();
        nuint end = (nuint)(_task.ClassCount * TSimd.Lanes);
        for (nuint at = 0; at < end; at += (nuint)TSimd.Lanes)
        {
            CacheHints.Fetch(gradient + at);
            TVector x = TSimd.Load(ref *group, at), t = exp.Split<TSimd>(x, out TVector q), e = TSimd.MultiplyAdd(t, q, t);
            TSimd.Store(ref *group, at, TBackground.Exists ? TSimd.Select(TSimd.Equal(x, lowest), mark, e) : e);
            sum.Add<TSimd>(TSimd.Select(TSimd.Equal(pivot, index), zero, t), q);
            index = TSimd.Add(index, one);
        }

        TVector first = zero, second = zero;
        sum.MoveInto<TSimd>(ref first, ref second);
        Store<TSimd, TVector>(first, second, batch.Others + row, batch);
        TVector own = TSimd.Select(TSimd.Equal(atPivot, lowest), zero, exp.Split<TSimd>(atPivot, out TVector power));
        (first, second) = (zero, zero);
        TSimd.AddWide(ref first, ref second, own);
        TSimd.AddWide(ref first, ref second, TSimd.Multiply(own, power));
        Store<TSimd, TVector>(first, second, batch.AtPivot + row, batch);
    }

    /// <summary>Σ background · (x − max)/temperature with 0 · −∞ = 0 and, of a background of its own, the pivot's and the sum of the others.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void SumBackground<TSimd, TVector, TBackground>(T* group, T* background, T* pivots, TVector max, int row, in SpreadBatch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TBackground : struct, ISharedTarget
    {
        // Few enough additions in T that their roundings do not show.
        const int Chain = 4;
        TVector pivot = TSimd.Load(ref *pivots, 0), zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), index = zero;
        TVector temperature = TSimd.Create(Element.FromDouble<T>(_task.Temperature)), dots = zero, dotsRest = zero, sums = zero, sumsRest = zero, atPivot = zero;
        bool hasTemperature = _task.Temperature != 1;
        for (int c = 0; c < _task.ClassCount;)
        {
            TVector dot = zero, sum = zero;
            for (int end = Math.Min(c + Chain, _task.ClassCount); c < end; c++)
            {
                TVector share = TBackground.IsOfRow ? TSimd.Load(ref *background, (nuint)(c * TSimd.Lanes)) : TSimd.Create(background[c]);
                TVector difference = TSimd.Subtract(TSimd.Load(ref *group, (nuint)(c * TSimd.Lanes)), max);
                if (hasTemperature) difference = TSimd.Divide(difference, temperature);
                dot = TSimd.Add(dot, TSimd.Select(TSimd.Equal(share, zero), zero, TSimd.Multiply(share, difference)));
                if (!TBackground.IsOfRow) continue;
                TVector isPivot = TSimd.Equal(pivot, index);
                atPivot = TSimd.Select(isPivot, share, atPivot);
                sum = TSimd.Add(sum, TSimd.Select(isPivot, zero, share));
                index = TSimd.Add(index, one);
            }

            TSimd.AddWide(ref dots, ref dotsRest, dot);
            if (TBackground.IsOfRow) TSimd.AddWide(ref sums, ref sumsRest, sum);
        }

        Store<TSimd, TVector>(dots, dotsRest, batch.Dots + row, batch);
        if (!TBackground.IsOfRow) return;
        Store<TSimd, TVector>(sums, sumsRest, batch.Background + row, batch);
        Store<TSimd, TVector>(atPivot, batch.BackgroundAtPivot + row, batch);
    }

    /// <summary>Row losses, and behind the pivots the factors of exponentials and of backgrounds, and the pivots' gradients.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private void Finish(int first, int rows, T* pivots, in SpreadBatch batch)
    {
        SpreadFinishKernel kernel = new(batch)
        {
            OfMaximum = FactoredExp.OfMaximum<T>(),
            FactorScale = FactoredExp.Raise<T>(),
            Nothing = FactoredExp.Nothing<T>(_task.ClassCount),
            Temperature = _task.Temperature,
            GradientScale = _task.GradientScale / _task.Temperature,
            FocalGamma = _task.FocalGamma,
            HasBackground = _task.Background != null,
            HasZLoss = _task.ZLoss != 0,
        };
        if (_task.FocalGamma == 0) VectorWidth.Run<SpreadFinishKernel, double>(ref kernel);
        else kernel.RunFocal();
        _totals.Loss += kernel.TotalLoss;
        Conversion.ToElements(batch.Factors, pivots + batch.Rows, batch.Rows);
        Conversion.ToElements(batch.Scales, pivots + (2 * batch.Rows), batch.Rows);
        Conversion.ToElements(batch.PivotGradients, pivots + (3 * batch.Rows), batch.Rows);
        if (_task.RowLosses != null) Conversion.ToElements(batch.Losses, _task.RowLosses + first, rows);
    }

    /// <summary>factor · e − scale · background, 0 where the logit was −∞ or the row does not count, and the pivot's gradient.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void Scale<TSimd, TVector, TBackground>(T* group, T* background, T* pivots, int batchRows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TBackground : struct, ISharedTarget
    {
        TVector pivot = TSimd.Load(ref *pivots, 0), factor = TSimd.Load(ref *pivots, (nuint)batchRows), scale = TSimd.Load(ref *pivots, (nuint)(2 * batchRows));
        TVector atPivot = TSimd.Load(ref *pivots, (nuint)(3 * batchRows)), zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector none = TSimd.Equal(scale, zero), index = zero, lower = FactoredExp.Lower<TSimd, TVector, T>();
        for (int c = 0; c < _task.ClassCount; c++)
        {
            nuint at = (nuint)(c * TSimd.Lanes);
            TVector e = TSimd.Load(ref *group, at), gradient = TSimd.Multiply(TSimd.Multiply(e, factor), lower);
            if (TBackground.Exists)
            {
                TVector share = TBackground.IsOfRow ? TSimd.Load(ref *background, at) : TSimd.Create(background[c]);
                gradient = TSimd.MultiplyAdd(TSimd.Multiply(e, factor), lower, TSimd.Subtract(zero, TSimd.Multiply(share, scale)));
                gradient = TSimd.Select(TSimd.LessThan(e, zero), zero, gradient);
            }

            gradient = TSimd.Select(none, zero, gradient);
            TSimd.Store(ref *group, at, TSimd.Select(TSimd.Equal(pivot, index), atPivot, gradient));
            index = TSimd.Add(index, one);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVector>(TVector value, double* destination, in SpreadBatch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector first = TSimd.Create(default), second = first;
        TSimd.AddWide(ref first, ref second, value);
        Store<TSimd, TVector>(first, second, destination, batch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVector>(TVector first, TVector second, double* destination, in SpreadBatch batch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        ColumnSums.StoreTotals<TSimd, TVector, T>(first, second, destination, batch.Lost);
    }
}
