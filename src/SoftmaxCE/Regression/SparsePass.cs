
namespace SoftmaxCE;

/// <summary>Passes over sparse rows, in double. Vectors and sums are held feature by feature, see <see cref="SparseProducts{TValue}"/>.</summary>
internal sealed unsafe class SparsePass(SparseRows rows, int maxDegreeOfParallelism) : RowPass(rows, maxDegreeOfParallelism)
{
    private readonly double[][] _products = new double[maxDegreeOfParallelism][];
    private double[] _vectors = [];             // [features, stride]
    private double[] _shifts = [];
    private int _productLength;
    private int _neededProducts;        // and room for the step

    protected override int BytesPerRow => 1;

    // A chunk's sums must be worth their memory and adding up: eight times as many stored values as features.
    protected override int ChunkLimit => (int)Math.Clamp((long)rows.Columns.Length / (8L * FeatureCount), 2, base.ChunkLimit);

    protected override int SumLength(int count) => checked(SparseProducts<double>.Stride(count) * FeatureCount);

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
        int stride = SparseProducts<double>.Stride(count), length = SumLength(count);
        if (_vectors.Length < length) _vectors = PinnedMemory.Allocate<double>(length);
        if (_shifts.Length < count) _shifts = PinnedMemory.Allocate<double>(count);
        for (int c = 0; c < count; c++) _shifts[c] = shifts.IsEmpty ? 0 : shifts[c];
        fixed (double* source = vectors)
        {
            double* target = PinnedMemory.Pointer(_vectors);
            for (int j = 0; j < FeatureCount; j++, target += stride)
            {
                for (int c = 0; c < count; c++) target[c] = source[((long)c * FeatureCount) + j];
                for (int c = count; c < stride; c++) target[c] = 0;
            }
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
        int features = FeatureCount, stride = SparseProducts<double>.Stride(count);
        for (int j = 0; j < features; j++)
        {
            double* first = chunks + ((long)j * stride);
            for (int chunk = 1; chunk < chunkCount; chunk++)
            {
                DoubleVectors.AddScaled(new ReadOnlySpan<double>(first + ((long)chunk * chunkLength), count), 1, new Span<double>(first, count));
            }

            for (int c = 0; c < count; c++) sums[((long)c * features) + j] = first[c];
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
        VectorWidth.RunOnRegister<SparseProducts<TValue>, double>(ref kernel);
    }
}
