
namespace SoftmaxCE;

/// <summary>Passes over sparse rows, in double. Vectors and sums are held feature by feature, see <see cref="SparseProducts{TValue}"/>.</summary>
internal sealed unsafe class SparsePass(SparseRows rows, int maxDegreeOfParallelism) : RowPass(rows, maxDegreeOfParallelism)
{
    private readonly double[][] _products = new double[maxDegreeOfParallelism][];
    private double[] _vectors = [];
    private double[] _shifts = [];
    private int _productLength;
    private int _neededProducts;        // and room for the step

    protected override int BytesPerRow => 1;

    // A chunk's sums must be worth their memory and adding up: four times as many stored values as features.
    protected override int ChunkLimit => (int)Math.Clamp((long)rows.Columns.Length / (4L * FeatureCount), 2, base.ChunkLimit);

    public override void Moments(double[]? weights, Span<double> origin, Span<double> sums, Span<double> squares)
    {
        origin.Clear();
        sums.Clear();
        squares.Clear();
        ReadOnlySpan<long> starts = rows.RowStarts.Span;
        ReadOnlySpan<int> columns = rows.Columns.Span;
        for (int i = 0; i < rows.RowCount; i++)
        {
            double weight = weights is null ? 1 : weights[i];
            for (int k = (int)starts[i]; k < starts[i + 1]; k++)
            {
                double x = rows.FitSingle ? rows.SingleValues[k] : rows.DoubleValues[k];
                sums[columns[k]] += weight * x;
                squares[columns[k]] += weight * x * x;
            }
        }
    }

    public override double Work(int rowCount, int count) => (double)rows.Columns.Length * rowCount / rows.RowCount * count;

    protected override void Prepare(ReadOnlySpan<double> vectors, ReadOnlySpan<double> shifts, int count, RowGrid grid, RowStep? step)
    {
        if (_vectors.Length < vectors.Length) _vectors = PinnedMemory.Allocate<double>(vectors.Length);
        if (_shifts.Length < count) _shifts = PinnedMemory.Allocate<double>(count);
        for (int c = 0; c < count; c++)
        {
            ReadOnlySpan<double> vector = vectors.Slice(c * FeatureCount, FeatureCount);
            for (int j = 0; j < vector.Length; j++) _vectors[((long)j * count) + c] = vector[j];
            _shifts[c] = shifts.IsEmpty ? 0 : shifts[c];
        }

        _productLength = grid.BlockRows * count;
        _neededProducts = _productLength + RowStep.Room(grid.BlockRows, count);
    }

    protected override void RunBlock(int worker, int first, int length, int count, int[]? sample, RowStep step, double* stepSums, double* sums)
    {
        if (_products[worker] is null || _products[worker].Length < _neededProducts) _products[worker] = PinnedMemory.Allocate<double>(_neededProducts);
        double* products = PinnedMemory.Pointer(_products[worker]);
        Multiply(first, length, count, sample, products, PinnedMemory.Pointer(_vectors), backward: false);
        step.Run(first, length, products, products + _productLength, stepSums, count);
        if (sums != null) Multiply(first, length, count, sample, products, sums, backward: true);
    }

    protected override void Combine(double* chunks, int chunkLength, int chunkCount, int count, double* sums, ReadOnlySpan<double> residualSums)
    {
        int features = FeatureCount;
        for (int chunk = 0; chunk < chunkCount; chunk++)
        {
            double* of = chunks + ((long)chunk * chunkLength);
            for (int j = 0; j < features; j++)
            {
                for (int c = 0; c < count; c++) sums[((long)c * features) + j] += of[((long)j * count) + c];
            }
        }
    }

    private void Multiply(int first, int length, int count, int[]? sample, double* products, double* vectors, bool backward)
    {
        if (sample is null)
        {
            MultiplyRows(first, length, count, products, vectors, backward);
            return;
        }

        for (int i = 0; i < length; i++) MultiplyRows(sample[first + i], 1, count, products + ((long)i * count), vectors, backward);
    }

    private void MultiplyRows(int first, int length, int count, double* products, double* vectors, bool backward)
    {
        fixed (int* columns = rows.Columns.Span)
        fixed (long* starts = rows.RowStarts.Span)
        fixed (float* singles = rows.SingleValues)
        fixed (double* doubles = rows.DoubleValues)
        {
            if (rows.FitSingle) Run(singles, columns, starts + first, length, count, products, vectors, backward);
            else Run(doubles, columns, starts + first, length, count, products, vectors, backward);
        }
    }

    private void Run<TValue>(TValue* values, int* columns, long* starts, int length, int count, double* products, double* vectors, bool backward)
        where TValue : unmanaged
    {
        SparseProducts<TValue> kernel = new()
        {
            Values = values, Columns = columns, RowStarts = starts, RowCount = length, Count = count,
            Vectors = vectors, Products = products, Shifts = PinnedMemory.Pointer(_shifts), Backward = backward,
        };
        VectorWidth.Run<SparseProducts<TValue>, double>(ref kernel);
    }


}
