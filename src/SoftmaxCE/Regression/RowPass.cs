
namespace SoftmaxCE;

/// <summary>
/// One reading of all rows (or of a sample): for each block of rows, products with a few vectors, a step that turns the products into
/// residuals, and the residuals times the rows added up. Logits, gradients, Hessian and Gram products are all such passes.
/// </summary>
/// <remarks>
/// Rows are cut into chunks and chunks into blocks, by a grid that depends on the sizes alone. Each chunk has its own sums in double,
/// added in index order at the end: any number of threads gives the same bits.
/// </remarks>
internal abstract class RowPass(FeatureRows rows, int maxDegreeOfParallelism)
{
    // Rows, products and residuals of a block stay in the second-level cache while they are read twice.
    private const int BlockBytes = 256 * 1024;
    private const int MaxBlockRows = 240;        // an odd multiple of 16, see LaneBlock.Stride

    // Sums of all chunks together; more chunks serve more threads.
    private const long SumBytes = 64L << 20;
    private const int MaxChunks = 32;

    // Below this many multiplications starting threads costs more than it saves.
    private const double WorthThreads = 200_000;

    private double[] _sums = [];

    public int FeatureCount => rows.FeatureCount;

    public int MaxDegreeOfParallelism => maxDegreeOfParallelism;

    /// <summary>A pass over dense or sparse rows.</summary>
    public static RowPass Over(FeatureRows rows, int maxDegreeOfParallelism, bool single) => rows switch
    {
        DenseRows dense when single => new DensePass<float>(dense, maxDegreeOfParallelism),
        DenseRows dense => new DensePass<double>(dense, maxDegreeOfParallelism),
        SparseRows sparse when single => new SparsePass<float>(sparse, maxDegreeOfParallelism),
        SparseRows sparse => new SparsePass<double>(sparse, maxDegreeOfParallelism),
        _ => throw new NotSupportedException($"Rows of type {rows.GetType().Name} are not supported."),
    };

    /// <summary>Runs the pass.</summary>
    /// <param name="vectors">[count, features].</param>
    /// <param name="shifts">count values, added to the products.</param>
    /// <param name="count">Number of vectors.</param>
    /// <param name="step">What happens to the products of a block.</param>
    /// <param name="sums">[count, features], overwritten with Σ residual · row; empty where only the products matter.</param>
    /// <param name="sample">The rows to take, in order; null for all.</param>
    /// <returns>The sums that the step made: count residual sums, then one more value.</returns>
    public unsafe double[] Run(ReadOnlySpan<double> vectors, ReadOnlySpan<double> shifts, int count, RowStep step, Span<double> sums, int[]? sample = null)
    {
        int rowCount = sample?.Length ?? rows.RowCount;
        RowGrid grid = Grid(rowCount, count, !sums.IsEmpty);
        Prepare(vectors, shifts, count, grid, step);
        int stepLength = count + 1, sumLength = sums.IsEmpty ? 0 : SumLength(count);
        int chunkLength = sumLength + stepLength;
        if (_sums.Length < (long)chunkLength * grid.ChunkCount) _sums = PinnedMemory.Allocate<double>(checked(chunkLength * grid.ChunkCount));
        double* all = PinnedMemory.Pointer(_sums);

        bool backward = !sums.IsEmpty;
        grid.Run(Work(rowCount, count) < WorthThreads ? 1 : maxDegreeOfParallelism, (chunk, worker) =>
        {
            double* chunkSums = all + ((long)chunk * chunkLength);
            new Span<double>(chunkSums, chunkLength).Clear();
            foreach ((int first, int length) in grid.BlocksOf(chunk))
            {
                RunBlock(worker, first, length, count, sample, step, chunkSums + sumLength, backward ? chunkSums : null);
            }
        });

        double[] stepSums = new double[stepLength];
        for (int chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            double* of = all + ((long)chunk * chunkLength) + sumLength;
            for (int i = 0; i < stepLength; i++) stepSums[i] += of[i];
        }

        if (backward)
        {
            sums.Clear();
            fixed (double* total = sums) Combine(all, chunkLength, grid.ChunkCount, count, total, stepSums);
        }

        return stepSums;
    }

    /// <summary>
    /// Weighted Σ (x − origin) and Σ (x − origin)² of every feature, origin being row 0; what is not finite shows in the sums.
    /// </summary>
    public abstract void Moments(double[]? weights, Span<double> origin, Span<double> sums, Span<double> squares);

    /// <summary>Makes the vectors ready for the kernels, and room for each worker.</summary>
    protected abstract void Prepare(ReadOnlySpan<double> vectors, ReadOnlySpan<double> shifts, int count, RowGrid grid, RowStep? step);

    protected abstract unsafe void RunBlock(int worker, int first, int length, int count, int[]? sample, RowStep step, double* stepSums, double* sums);

    /// <summary>Adds the sums of the chunks in index order.</summary>
    protected abstract unsafe void Combine(double* chunks, int chunkLength, int chunkCount, int count, double* sums, ReadOnlySpan<double> residualSums);

    /// <summary>Length of a chunk's sums.</summary>
    protected virtual int SumLength(int count) => checked(count * FeatureCount);

    /// <summary>Bytes of features that one row brings into the cache.</summary>
    protected abstract int BytesPerRow { get; }

    /// <summary>Multiplications of a pass.</summary>
    public abstract double Work(int rowCount, int count);

    /// <summary>Most chunks that pay.</summary>
    protected virtual int ChunkLimit => MaxChunks;

    protected RowGrid Grid(int rowCount, int count, bool backward)
    {
        long rowBytes = Math.Max(BytesPerRow, 16L * count);
        int blockRows = (int)Math.Clamp(BlockBytes / rowBytes, 8, MaxBlockRows) / 4 * 4;
        long perChunk = backward ? 8L * SumLength(count) : 8L;
        int chunks = (int)Math.Clamp(SumBytes / perChunk, 2, ChunkLimit);
        return new RowGrid(rowCount, blockRows, chunks);
    }
}

/// <summary>What happens between the two halves of a pass.</summary>
internal abstract unsafe class RowStep
{
    // Rows that are turned at a time where a pass works along them.
    private const int TurnedRows = 32;

    /// <summary>Whether the step works on a <see cref="LaneBlock"/>.</summary>
    public virtual bool TakesLanes => false;

    /// <summary>Whether the step reads no products and makes what the squares of the features are multiplied by; for sparse rows alone.</summary>
    public virtual bool IsForSquares => false;

    /// <summary>Doubles that a step over so many rows needs as room.</summary>
    public static int Room(int rows, int count) => 2 * Math.Max(count <= LaneBlock.MaxClasses ? LaneBlock.Stride(rows) : 1, 1) * count;

    /// <summary>Turns the products of some rows into residuals, in place.</summary>
    /// <param name="first">Index of the first row (its place in the sample, if there is one).</param>
    /// <param name="length">Rows.</param>
    /// <param name="products">[length, count].</param>
    /// <param name="room">See <see cref="Room"/>.</param>
    /// <param name="stepSums">count residual sums and one more value, to be added to.</param>
    /// <param name="count">Products per row.</param>
    public void Run(int first, int length, double* products, double* room, double* stepSums, int count)
    {
        if (!TakesLanes)
        {
            Run(first, length, products, room, stepSums);
            return;
        }

        for (int i = 0; i < length; i += TurnedRows)
        {
            int rows = Math.Min(TurnedRows, length - i), stride = LaneBlock.Stride(rows);
            double* ofRows = products + ((long)i * count);
            LaneBlock.Turn(ofRows, rows, count, room, stride);
            RunLanes(first + i, rows, room, stride, room + ((long)stride * count), stepSums, ofRows);
            LaneBlock.TurnBack(room, stride, count, ofRows, rows);
        }
    }

    /// <inheritdoc cref="Run(int, int, double*, double*, double*, int)"/>
    protected abstract void Run(int first, int length, double* products, double* room, double* stepSums);

    /// <summary>The same with the rows in lanes.</summary>
    /// <param name="first">Index of the first row.</param>
    /// <param name="length">Rows.</param>
    /// <param name="products">[count, stride].</param>
    /// <param name="stride">Of the block.</param>
    /// <param name="room">[count, stride].</param>
    /// <param name="stepSums">count residual sums and one more value, to be added to.</param>
    /// <param name="ofRows">The products as [length, count], where they have been that before; else null.</param>
    public virtual void RunLanes(int first, int length, double* products, int stride, double* room, double* stepSums, double* ofRows = null) => throw new NotSupportedException();

    /// <summary>Writes the products that <see cref="RunLanes"/> gets as [length, count].</summary>
    protected static void Copy(double* products, int stride, int count, int length, double* ofRows, double* destination)
    {
        if (ofRows == null) LaneBlock.TurnBack(products, stride, count, destination, length);
        else new ReadOnlySpan<double>(ofRows, length * count).CopyTo(new Span<double>(destination, length * count));
    }
}
