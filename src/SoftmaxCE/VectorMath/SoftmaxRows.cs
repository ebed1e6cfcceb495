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

        if (result == RowResult.Softmax && classCount > TSimd.Lanes && !(isPlain && fitsBatches) && (nuint)classCount <= LongRow<T>.PartLength)
        {
            RunShortRows<TSimd, TVector>();
            return;
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
            bool another = row + (2 * TSimd.Lanes) <= endRow;
            if (RowBatch.Run<TSimd, TVector, T>(result, logits + (row * classCount), classCount, DestinationOf(row), another)) continue;
            for (nint i = row; i < row + TSimd.Lanes; i++) RunRow<TSimd, TVector>(i);
        }

        return row;
    }

    /// <summary>
    /// The sum of a row, and the maximum of a row, come out of chains of operations that wait for each other. Meanwhile the processor is given work
    /// that does not: the maximum of the next row is looked for before this one is scaled.
    /// </summary>
    [MethodImpl(LoopMethod.Compiled)]
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
            T* afterNext = row + 2 < endRow ? source + (2 * count) : source, writtenNext = row + 1 < endRow ? target + count : target;
            CompensatedSum sum = RowPasses.Exponentials<TSimd, TVector, T>(source, count, exponential, target, new(afterNext, writtenNext));
            if (row + 1 < endRow) max = RowPasses.Max<TSimd, TVector, T>(source + classCount, count);
            T factor = RowSum.Reciprocal(sum, out T factorLow);
            RowPasses.Scale<TSimd, TVector, T>(target, count, factor, factorLow, target);
        }
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
