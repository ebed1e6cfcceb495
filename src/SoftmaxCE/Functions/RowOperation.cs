using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Runs a row function on any IEEE type: float and double as they are, Half in float, every other type in double.</summary>
internal static class RowOperation
{
    /// <summary>Rows are converted in groups of about this many values, which stay in the first-level cache.</summary>
    private const int ConvertedValues = 2048;

    /// <summary>Groups are a multiple of this many rows, if they can be, so that rows of few classes fill vectors.</summary>
    private const int MostLanes = 16;

    public static void Run<T>(RowResult result, ReadOnlySpan<T> logits, int classCount, T temperature, Span<T> destination, int maxDegreeOfParallelism)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double)) RunKernel(result, logits, classCount, temperature, destination, maxDegreeOfParallelism);
        else if (typeof(T) == typeof(Half)) RunConverted<T, float>(result, logits, classCount, temperature, destination);
        else RunConverted<T, double>(result, logits, classCount, temperature, destination);
    }

    private static unsafe void RunKernel<T>(
        RowResult result, ReadOnlySpan<T> logits, int classCount, T temperature, Span<T> destination, int maxDegreeOfParallelism)
        where T : unmanaged
    {
        int rowCount = logits.Length / classCount;
        fixed (T* source = logits, target = destination)
        {
            if (maxDegreeOfParallelism != 1 && result == RowResult.Softmax && LongRowOperation.Splits<T>(rowCount, classCount))
            {
                for (nint row = 0; row < rowCount; row++)
                    LongRowOperation.Softmax(source + (row * classCount), classCount, temperature, target + (row * classCount), maxDegreeOfParallelism);
            }
            else if (maxDegreeOfParallelism != 1 && rowCount > 1) RunParallel(result, source, rowCount, classCount, temperature, target, maxDegreeOfParallelism);
            else RunRows(result, source, 0, rowCount, classCount, temperature, target);
        }
    }

    private static unsafe void RunParallel<T>(
        RowResult result, T* source, int rowCount, int classCount, T temperature, T* target, int maxDegreeOfParallelism)
        where T : unmanaged
    {
        // About 64 K values in a piece of work; rows do not depend on each other, so any grid gives the same bits.
        int rowsPerBlock = Math.Max(1, 65536 / classCount), blockCount = (rowCount + rowsPerBlock - 1) / rowsPerBlock;
        Parallel.For(0, blockCount, new ParallelOptions { MaxDegreeOfParallelism = maxDegreeOfParallelism }, block =>
        {
            int first = block * rowsPerBlock;
            RunRows(result, source, first, Math.Min(first + rowsPerBlock, rowCount), classCount, temperature, target);
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void RunRows<T>(RowResult result, T* source, int firstRow, int endRow, int classCount, T temperature, T* target)
        where T : unmanaged
    {
        SoftmaxRows<T> kernel = new(source, target, firstRow, endRow, classCount, temperature, result);
        VectorWidth.Run<SoftmaxRows<T>, T>(ref kernel);
    }

    private static void RunConverted<T, TKernel>(RowResult result, ReadOnlySpan<T> logits, int classCount, T temperature, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        int rowCount = logits.Length / classCount, resultsPerRow = destination.Length / rowCount;
        int rowsPerGroup = Math.Clamp(ConvertedValues / classCount, 1, rowCount);
        if (rowsPerGroup > MostLanes) rowsPerGroup -= rowsPerGroup % MostLanes;
        TKernel[] buffer = ArrayPool<TKernel>.Shared.Rent(rowsPerGroup * classCount);
        for (int row = 0; row < rowCount; row += rowsPerGroup)
        {
            int rows = Math.Min(rowsPerGroup, rowCount - row);
            Span<TKernel> values = buffer.AsSpan(0, rows * classCount), results = values[..(rows * resultsPerRow)];
            Conversion.Convert(logits.Slice(row * classCount, values.Length), values);
            RunKernel(result, values, classCount, TKernel.CreateTruncating(temperature), results, 1);
            Conversion.Convert<TKernel, T>(results, destination.Slice(row * resultsPerRow, results.Length));
        }

        ArrayPool<TKernel>.Shared.Return(buffer);
    }
}
