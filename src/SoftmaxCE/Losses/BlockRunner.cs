using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>Work cut into a grid of blocks that depends on the shapes alone, never on the number of threads.</summary>
internal interface IBlocks<TTotals>
{
    int Count { get; }

    TTotals Run(int block);
}

/// <summary>What a block adds up.</summary>
internal interface ITotals<TSelf>
{
    void Add(in TSelf other);
}

/// <summary>Runs blocks on one thread or several and adds their totals in index order, so that the bits do not depend on who computed them.</summary>
internal static class BlockRunner
{
    public static TTotals Run<TBlocks, TTotals>(TBlocks blocks, int maxDegreeOfParallelism)
        where TBlocks : struct, IBlocks<TTotals>
        where TTotals : struct, ITotals<TTotals>
    {
        TTotals totals = default;
        if (maxDegreeOfParallelism == 1 || blocks.Count == 1)
        {
            for (int block = 0; block < blocks.Count; block++) totals.Add(blocks.Run(block));
            return totals;
        }

        TTotals[] partial = ArrayPool<TTotals>.Shared.Rent(blocks.Count);
        Parallel.For(0, blocks.Count, new ParallelOptions { MaxDegreeOfParallelism = maxDegreeOfParallelism }, block => partial[block] = blocks.Run(block));
        for (int block = 0; block < blocks.Count; block++) totals.Add(partial[block]);
        ArrayPool<TTotals>.Shared.Return(partial);
        return totals;
    }
}

/// <summary>Values on their way between the caller's type and the type that has a kernel; null stands for what is absent.</summary>
internal static unsafe class Conversion
{
    public static TKernel* To<T, TKernel>(T* source, TKernel* destination, int count)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel>
    {
        if (source == null) return null;
        TensorPrimitives.ConvertTruncating(new ReadOnlySpan<T>(source, count), new Span<TKernel>(destination, count));
        return destination;
    }

    public static void Back<TKernel, T>(TKernel* source, T* destination, int count)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel>
    {
        if (source != null) TensorPrimitives.ConvertTruncating(new ReadOnlySpan<TKernel>(source, count), new Span<T>(destination, count));
    }
}
