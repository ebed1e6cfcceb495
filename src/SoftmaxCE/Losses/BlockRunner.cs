using System.Buffers;

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
