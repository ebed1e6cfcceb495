using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What a row of logits is turned into.</summary>
internal enum RowResult
{
    Softmax,
    LogSoftmax,
    LogSumExp,
}

/// <summary>Rows of logits, one after the other; for <see cref="RowResult.LogSumExp"/> the destination holds one value per row.</summary>
internal readonly unsafe struct SoftmaxRows<T>(T* logits, T* destination, int firstRow, int endRow, int classCount, T temperature, RowResult result)
    : IVectorKernel<T>
    where T : unmanaged
{
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint row = firstRow;
        bool isPlain = Element.ToDouble(temperature) == 1, fitsBatches = classCount <= RowBatch.MostVectors * TSimd.Lanes;
        if (isPlain)
        {
            // Rows that fit one vector: groups of them are transposed, so that a vector holds one class of each. The bits stay those of a single row.
            if (classCount <= TSimd.Lanes) row = RunGroups<TSimd, TVector>();
            else if (fitsBatches) row = RunBatches<TSimd, TVector>();
        }

        if (result == RowResult.Softmax && classCount > TSimd.Lanes && !(isPlain && fitsBatches) && (nuint)classCount <= LongRow<T>.PartLength)
        {
            RunShortRows<TSimd, TVector>();
            return;
        }

        for (; row < endRow; row++) RunRow<TSimd, TVector>(row);
    }

    /// <summary>Whole batches; returns the first row behind them.</summary>
    private nint RunBatches<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint row = firstRow;
        for (; row + TSimd.Lanes <= endRow; row += TSimd.Lanes)
        {
            if (RowBatch.Run<TSimd, TVector, T>(result, logits + (row * classCount), classCount, DestinationOf(row))) continue;
            for (nint i = row; i < row + TSimd.Lanes; i++) RunRow<TSimd, TVector>(i);
        }

        return row;
    }

    /// <summary>Whole groups; returns the first row behind them. As in <see cref="RunShortRows"/> the next group starts before the sums of this one are needed.</summary>
    [SkipLocalsInit]
    private nint RunGroups<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, size = lanes * lanes;
        if (endRow - firstRow < lanes) return firstRow;
        T* memory = stackalloc T[(4 * size) + lanes], group = (T*)(((nuint)memory + 63) & ~(nuint)63), next = group + size, exponentials = next + size;
        double* numbers = stackalloc double[RowLogs<T>.NumbersPerRow * lanes];
        RowLogs<T> logs = new(numbers, lanes);
        nint row = firstRow;
        TVector max = LoadGroup<TSimd, TVector>(row, group);
        while (true)
        {
            bool isLast = row + (2 * lanes) > endRow;
            if (result == RowResult.Softmax)
            {
                SoftmaxColumns.Factors<TVector> factors = SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(group, lanes, classCount, max, exponentials);
                if (!isLast) max = LoadGroup<TSimd, TVector>(row + lanes, next);
                SoftmaxColumns.ScaleFew<TSimd, TVector, T>(exponentials, classCount, factors, group, lanes);
            }
            else
            {
                TVector maxOfGroup = max;
                TakeLogs<TSimd, TVector>(row, max, logs, group, exponentials);
                if (!isLast) max = LoadGroup<TSimd, TVector>(row + lanes, next);
                if (result == RowResult.LogSoftmax)
                {
                    SoftmaxColumns.LogProbabilities<TSimd, TVector, T>(group, classCount, maxOfGroup, TSimd.Load(ref *exponentials, 0));
                }
            }

            if (result != RowResult.LogSumExp)
            {
                SimdTranspose.Block(group, lanes, classCount, lanes, size, destination + (row * classCount), classCount, (nint)lanes * classCount);
            }

            row += lanes;
            if (isLast) return row;
            T* swap = group;
            group = next;
            next = swap;
        }
    }

    /// <summary>The group's log-sum-exp to the destination; or for log-softmax what is to be subtracted, with the maximum, to <paramref name="differences"/>.</summary>
    private void TakeLogs<TSimd, TVector>(nint row, TVector max, RowLogs<T> logs, T* group, T* differences)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (result == RowResult.LogSumExp && SoftmaxColumns.AnyInfinite<TSimd, TVector, T>(max))
        {
            for (nint i = row; i < row + TSimd.Lanes; i++) RunRow<TSimd, TVector>(i);
            return;
        }

        logs.SumFew<TSimd, TVector>(result, group, classCount, max);
        if (result == RowResult.LogSumExp) logs.LogSumExp(destination + row);
        else logs.LogAboveMaximum(differences);
    }

    /// <summary>The group's logits, a vector per class; returns the maxima.</summary>
    private TVector LoadGroup<TSimd, TVector>(nint row, T* group)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        nint at = row * classCount, valuesLeft = ((nint)endRow * classCount) - at;
        SimdTranspose.Block(logits + at, classCount, lanes, classCount, valuesLeft, group, lanes, lanes * lanes);
        return SoftmaxColumns.Max<TSimd, TVector, T>(group, lanes, classCount);
    }

    /// <summary>
    /// The sum of a row, and the maximum of a row, come out of chains of operations that wait for each other. Meanwhile the processor is given work
    /// that does not: the maximum of the next row is looked for before this one is scaled.
    /// </summary>
    private void RunShortRows<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint count = (nuint)classCount;
        T* source = logits + ((nint)firstRow * classCount), target = destination + ((nint)firstRow * classCount);
        T max = RowPasses.Max<TSimd, TVector, T>(source, count);
        for (int row = firstRow; row < endRow; row++, source += classCount, target += classCount)
        {
            RowExponential<T> exponential = new(max, temperature);
            CompensatedSum sum = RowPasses.Exponentials<TSimd, TVector, T, RowPasses.StoredAmongRows>(source, count, exponential, target);
            if (row + 1 < endRow) max = RowPasses.Max<TSimd, TVector, T>(source + classCount, count);
            T factor = RowSum.Reciprocal(sum, out T factorLow);
            RowPasses.Scale<TSimd, TVector, T>(target, count, factor, factorLow, target);
        }
    }

    private void RunRow<TSimd, TVector>(nint row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint count = (nuint)classCount;
        T* source = logits + (row * classCount), target = DestinationOf(row);
        switch (result)
        {
            case RowResult.Softmax:
                SoftmaxKernel.Softmax<TSimd, TVector, T>(source, count, temperature, target);
                break;
            case RowResult.LogSoftmax:
                SoftmaxKernel.LogSoftmax<TSimd, TVector, T>(source, count, temperature, target);
                break;
            default:
                *target = SoftmaxKernel.LogSumExp<TSimd, TVector, T>(source, count);
                break;
        }
    }

    private T* DestinationOf(nint row) => destination + (result == RowResult.LogSumExp ? row : row * classCount);
}
