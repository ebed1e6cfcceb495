using System.Runtime.ExceptionServices;

namespace SoftmaxCE;

/// <summary>Rows cut into chunks, each of whole blocks. The cut depends on the sizes alone, so that sums by chunk do not depend on the threads.</summary>
internal readonly struct RowGrid
{
    private readonly int _rowCount;
    private readonly int _blockCount;

    public RowGrid(int rowCount, int blockRows, int maxChunks)
    {
        _rowCount = rowCount;
        BlockRows = blockRows;
        _blockCount = (rowCount + blockRows - 1) / blockRows;
        ChunkCount = Math.Clamp(_blockCount, 1, maxChunks);
    }

    public int BlockRows { get; }

    public int ChunkCount { get; }

    /// <summary>First row and length of each block of a chunk.</summary>
    public IEnumerable<(int First, int Length)> BlocksOf(int chunk)
    {
        int end = (int)((long)_blockCount * (chunk + 1) / ChunkCount);
        for (int block = (int)((long)_blockCount * chunk / ChunkCount); block < end; block++)
        {
            int first = block * BlockRows;
            yield return (first, Math.Min(BlockRows, _rowCount - first));
        }
    }

    /// <summary>Runs body(chunk, worker) for each chunk; workers are numbered from 0 and take the next chunk when they are free.</summary>
    public void Run(int maxDegreeOfParallelism, Action<int, int> body)
    {
        int workers = Math.Min(maxDegreeOfParallelism, ChunkCount), chunks = ChunkCount;
        if (workers == 1)
        {
            for (int chunk = 0; chunk < chunks; chunk++) body(chunk, 0);
            return;
        }

        int next = -1;
        try
        {
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, worker =>
            {
                for (int chunk = Interlocked.Increment(ref next); chunk < chunks; chunk = Interlocked.Increment(ref next)) body(chunk, worker);
            });
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);       // what a reader of rows throws reaches the caller as it is
        }
    }
}
