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
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint row = firstRow;
        bool isPlain = Element.ToDouble(temperature) == 1, fitsBatches = classCount <= RowBatch.MostVectors * TSimd.Lanes;
        if (isPlain)
        {
            if (classCount <= SoftmaxGroups<T>.MostClasses)
            {
                SoftmaxGroups<T> groups = new(logits, destination, firstRow, endRow, classCount, result);
                TSimd.RunOnRegister(ref groups);
                row = groups.Next;
            }
            else if (fitsBatches)
            {
                row = RunBatches<TSimd, TVector>();
            }
        }

        if (!(isPlain && fitsBatches) && classCount > TSimd.Lanes && (nuint)classCount <= LongRow<T>.PartLength / 2 && row < endRow)
        {
            T* source = logits + (row * classCount), target = DestinationOf(row);
            if (result == RowResult.Softmax)
            {
                RunPipeline<TSimd, TVector>(source, target, endRow - row);
                return;
            }

            if (!fitsBatches && row + 1 < endRow)
            {
                new LogRows<T>(source, (nuint)classCount, temperature, target, result == RowResult.LogSumExp).Run<TSimd, TVector>(endRow - row);
                return;
            }
        }

        for (; row < endRow; row++) RunRow<TSimd, TVector>(row);
    }

    /// <summary>Whole batches; returns the first row behind them.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private nint RunBatches<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint row = firstRow;
        for (; row + TSimd.Lanes <= endRow; row += TSimd.Lanes)
        {
            if (RowBatch.Run<TSimd, TVector, T>(result, logits + (row * classCount), classCount, DestinationOf(row), endRow - row)) continue;
            for (nint i = row; i < row + TSimd.Lanes; i++) RunRow<TSimd, TVector>(i);
        }

        return row;
    }

    /// <summary>Softmax of rows so short that three of them are in the first-level cache.</summary>
    /// <remarks>
    /// The sum of a row, and the maximum of a row, come out of chains of operations that wait for each other. Meanwhile the processor is given work
    /// that does not: the maximum is looked for one row ahead, and a row is scaled after the exponentials of the next.
    /// </remarks>
    [MethodImpl(LoopMethod.Compiled)]
    private void RunPipeline<TSimd, TVector>(T* source, T* target, nint rows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint count = (nuint)classCount;
        RowsAhead<T> ahead = new(source, target, count, rows);
        T* previous = target;
        T max = RowPasses.Max<TSimd, TVector, T>(source, count), factor = default, factorLow = default;
        for (nint row = 0; row < rows; row++, source += count, target += count)
        {
            T nextMax = row + 1 < rows ? RowPasses.Max<TSimd, TVector, T>(source + count, count) : max;
            CompensatedSum sum = RowPasses.Exponentials<TSimd, TVector, T>(source, count, new(max, temperature), target, ahead.Of(source, target));
            max = nextMax;
            if (row > 0) RowPasses.Scale<TSimd, TVector, T>(previous, count, factor, factorLow, previous);
            previous = target;
            factor = RowSum.Reciprocal(sum, out factorLow);
        }

        RowPasses.Scale<TSimd, TVector, T>(previous, count, factor, factorLow, previous);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void RunRow<TSimd, TVector>(nint row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint count = (nuint)classCount;
        T* source = logits + (row * classCount), target = DestinationOf(row);
        bool isLast = row + 1 == endRow;
        switch (result)
        {
            case RowResult.Softmax:
                SoftmaxKernel.Softmax<TSimd, TVector, T>(source, count, temperature, target, isLast);
                break;
            case RowResult.LogSoftmax:
                SoftmaxKernel.LogSoftmax<TSimd, TVector, T>(source, count, temperature, target, isLast);
                break;
            default:
                *target = SoftmaxKernel.LogSumExp<TSimd, TVector, T>(source, count, isLast);
                break;
        }
    }

    private T* DestinationOf(nint row) => destination + (result == RowResult.LogSumExp ? row : row * classCount);
}
