using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Passes over dense rows, multiplied in <typeparamref name="T"/> (float or double). Scale and offset of the rows are moved into the vectors.</summary>
internal sealed unsafe class DensePass<T>(DenseRows rows, int maxDegreeOfParallelism) : RowPass(rows, maxDegreeOfParallelism)
    where T : unmanaged
{
    // Up to this many features a row is mostly ends of vectors; it is better to have several rows in a vector, though they must be turned first.
    private const int MaxLaneFeatures = 64;

    private readonly Worker?[] _workers = new Worker?[maxDegreeOfParallelism];
    private T[] _vectors = [];
    private double[] _shifts = [];
    private bool _inLanes;

    protected override int BytesPerRow => FeatureCount * sizeof(T);

    public override void Moments(double[]? weights, Span<double> origin, Span<double> sums, Span<double> squares)
    {
        RowGrid grid = Grid(rows.RowCount, 2, backward: true);
        Prepare([], [], 0, grid, step: null);
        rows.CopyRow(0, origin);
        T[] rawOrigin = PinnedMemory.Allocate<T>(FeatureCount);
        Read(Room(0), 0, 1, null)[..FeatureCount].CopyTo(rawOrigin);
        double[] all = PinnedMemory.Allocate<double>(checked(2 * FeatureCount * grid.ChunkCount));
        Array.Clear(all);
        grid.Run((double)rows.RowCount * FeatureCount < 200_000 ? 1 : MaxDegreeOfParallelism, (chunk, worker) =>
        {
            double* of = PinnedMemory.Pointer(all) + (2L * FeatureCount * chunk);
            foreach ((int first, int length) in grid.BlocksOf(chunk))
            {
                fixed (T* x = Read(Room(worker), first, length, null))
                fixed (double* s = weights)
                {
                    ColumnMoments<T>.Add(x, length, FeatureCount, s == null ? null : s + first, PinnedMemory.Pointer(rawOrigin), of, of + FeatureCount);
                }
            }
        });

        sums.Clear();
        squares.Clear();
        for (int chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            ReadOnlySpan<double> of = all.AsSpan(2 * FeatureCount * chunk, 2 * FeatureCount);
            for (int j = 0; j < FeatureCount; j++)
            {
                sums[j] += rows.Scale * of[j];
                squares[j] += rows.Scale * rows.Scale * of[FeatureCount + j];
            }
        }
    }

    public override double Work(int rowCount, int count) => (double)rowCount * FeatureCount * count;

    protected override void Prepare(ReadOnlySpan<double> vectors, ReadOnlySpan<double> shifts, int count, RowGrid grid, RowStep? step)
    {
        if (_vectors.Length < vectors.Length) _vectors = PinnedMemory.Allocate<T>(vectors.Length);
        if (_shifts.Length < count) _shifts = PinnedMemory.Allocate<double>(count);
        _inLanes = step is { TakesLanes: true } && FeatureCount <= MaxLaneFeatures;
        int vectorStep = _inLanes ? 1 : FeatureCount, featureStep = _inLanes ? count : 1;
        for (int c = 0; c < count; c++)
        {
            ReadOnlySpan<double> vector = vectors.Slice(c * FeatureCount, FeatureCount);
            double sum = 0;
            for (int j = 0; j < vector.Length; j++)
            {
                double scaled = vector[j] * rows.Scale;
                _vectors[(c * vectorStep) + (j * featureStep)] = typeof(T) == typeof(float) ? (T)(object)(float)scaled : (T)(object)scaled;
                sum += vector[j];
            }

            _shifts[c] = (shifts.IsEmpty ? 0 : shifts[c]) + (rows.Offset == 0 ? 0 : rows.Offset * sum);
        }

        int stride = LaneBlock.Stride(grid.BlockRows);
        for (int w = 0; w < _workers.Length; w++)
        {
            Worker worker = _workers[w] ??= new Worker();
            worker.NeededRows = grid.BlockRows * FeatureCount;
            worker.NeededTurned = _inLanes ? stride * FeatureCount : 0;
            worker.NeededProducts = _inLanes ? stride * count : grid.BlockRows * count;
            worker.NeededRoom = Math.Max(RowStep.Room(grid.BlockRows, count), _inLanes ? (count + 1) * FeatureCount : 0);
        }
    }

    protected override void RunBlock(int worker, int first, int length, int count, int[]? sample, RowStep step, double* stepSums, double* sums)
    {
        Worker room = Room(worker);
        fixed (T* x = Read(room, first, length, sample))
        {
            double* products = PinnedMemory.Pointer(room.Products);
            if (_inLanes)
            {
                RunLanes(room, x, first, length, count, step, stepSums, sums);
                return;
            }

            // Rows that are multiplied where they lie; those converted first are in the cache.
            bool isMore = sample is null && rows is DenseRows<T> && first + (2L * length) <= rows.RowCount;
            T* upcoming = isMore ? x + ((long)length * FeatureCount) : null;
            RowProducts<T>.Run(x, length, FeatureCount, PinnedMemory.Pointer(_vectors), count, PinnedMemory.Pointer(_shifts), products, upcoming);
            step.Run(first, length, products, PinnedMemory.Pointer(room.Room), stepSums, count);
            if (sums == null) return;
            OuterProducts<T>.Add(InElementType(room, products, length * count), count, x, length, FeatureCount, sums, upcoming);
        }
    }

    /// <summary>The same with the rows in lanes: both products run along the rows of the block.</summary>
    private void RunLanes(Worker room, T* x, int first, int length, int count, RowStep step, double* stepSums, double* sums)
    {
        int stride = LaneBlock.Stride(length);
        T* turned = PinnedMemory.Pointer(room.Turned);
        LaneBlock.Turn(x, length, FeatureCount, turned, stride);
        double* products = PinnedMemory.Pointer(room.Products), scratch = PinnedMemory.Pointer(room.Room);
        for (int c = 0; c < count; c++) new Span<double>(products + ((long)c * stride), stride).Fill(_shifts[c]);
        OuterProducts<T>.Add(PinnedMemory.Pointer(_vectors), count, turned, FeatureCount, stride, products);
        step.RunLanes(first, length, products, stride, scratch, stepSums);
        if (sums == null) return;
        double* zeros = scratch, ofBlock = scratch + FeatureCount;
        new Span<double>(zeros, FeatureCount).Clear();
        RowProducts<T>.Run(InElementType(room, products, stride * count), count, stride, turned, FeatureCount, zeros, ofBlock);
        for (int i = 0; i < count * FeatureCount; i++) sums[i] += ofBlock[i];
    }

    protected override void Combine(double* chunks, int chunkLength, int chunkCount, int count, double* sums, ReadOnlySpan<double> residualSums)
    {
        for (int chunk = 0; chunk < chunkCount; chunk++)
        {
            double* of = chunks + ((long)chunk * chunkLength);
            for (int i = 0; i < count * FeatureCount; i++) sums[i] += of[i];
        }

        if (rows.Scale == 1 && rows.Offset == 0) return;
        for (int c = 0; c < count; c++)
        {
            for (int j = 0; j < FeatureCount; j++)
            {
                ref double sum = ref sums[(c * FeatureCount) + j];
                sum = (rows.Scale * sum) + (rows.Offset * residualSums[c]);
            }
        }
    }

    private static T* InElementType(Worker room, double* products, int count)
    {
        if (typeof(T) == typeof(double)) return (T*)products;
        float* singles = (float*)PinnedMemory.Pointer(room.Residuals);
        for (int i = 0; i < count; i++) singles[i] = (float)products[i];
        return (T*)singles;
    }

    private ReadOnlySpan<T> Read(Worker room, int first, int length, int[]? sample)
    {
        if (sample is null) return Read(first, length, room.Rows);
        for (int i = 0; i < length; i++)
        {
            Span<T> place = room.Rows.AsSpan(i * FeatureCount, FeatureCount);
            ReadOnlySpan<T> row = Read(sample[first + i], 1, place);
            if (row != place) row.CopyTo(place);
        }

        return room.Rows;
    }

    private ReadOnlySpan<T> Read(int first, int length, Span<T> scratch) => typeof(T) == typeof(float)
        ? MemoryMarshal.Cast<float, T>(rows.ReadSingles(first, length, MemoryMarshal.Cast<T, float>(scratch)))
        : MemoryMarshal.Cast<double, T>(rows.ReadDoubles(first, length, MemoryMarshal.Cast<T, double>(scratch)));

    private Worker Room(int worker)
    {
        Worker room = _workers[worker]!;
        if (room.Rows.Length < room.NeededRows) room.Rows = PinnedMemory.Allocate<T>(room.NeededRows);
        if (room.Products.Length < room.NeededProducts)
        {
            room.Products = PinnedMemory.Allocate<double>(room.NeededProducts);
            if (typeof(T) == typeof(float)) room.Residuals = PinnedMemory.Allocate<T>(room.NeededProducts);
        }

        if (room.Turned.Length < room.NeededTurned) room.Turned = PinnedMemory.Allocate<T>(room.NeededTurned);
        if (room.Room.Length < room.NeededRoom) room.Room = PinnedMemory.Allocate<double>(room.NeededRoom);
        return room;
    }

    private sealed class Worker
    {
        public int NeededRows { get; set; }

        public int NeededProducts { get; set; }

        public int NeededTurned { get; set; }

        public int NeededRoom { get; set; }

        public T[] Rows { get; set; } = [];

        public T[] Turned { get; set; } = [];

        public double[] Room { get; set; } = [];

        public double[] Products { get; set; } = [];

        public T[] Residuals { get; set; } = [];
    }
}
