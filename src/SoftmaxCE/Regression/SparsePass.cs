using System.Numerics;

namespace SoftmaxCE;

/// <summary>Passes over sparse rows. Vectors and sums are held feature by feature, see <see cref="SparseProducts{TValue, T}"/>.</summary>
/// <typeparam name="T">What is multiplied in: double, or float, which takes half the room in the caches.</typeparam>
internal sealed unsafe class SparsePass<T>(SparseRows rows, int maxDegreeOfParallelism) : RowPass(rows, maxDegreeOfParallelism)
    where T : unmanaged, INumberBase<T>
{
    private readonly double[][] _products = new double[maxDegreeOfParallelism][];
    private readonly T[][] _elements = new T[maxDegreeOfParallelism][];     // the products as they are multiplied
    private T[] _vectors = [];                  // [features, stride]
    private T[] _shifts = [];
    private int _productLength;
    private int _neededProducts;        // and room for the step

    protected override int BytesPerRow => 1;

    // A chunk's sums must be worth their memory and adding up: eight times as many stored values as features.
    protected override int ChunkLimit => (int)Math.Clamp((long)rows.Columns.Length / (8L * FeatureCount), 2, base.ChunkLimit);

    protected override int SumLength(int count) => checked(((Stride(count) * FeatureCount * sizeof(T)) + sizeof(double) - 1) / sizeof(double));

    private static int Stride(int count) => SparseProducts<double, T>.Stride(count);

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
        int stride = Stride(count), length = checked(stride * FeatureCount);
        if (_vectors.Length < length) _vectors = PinnedMemory.Allocate<T>(length);
        if (_shifts.Length < count) _shifts = PinnedMemory.Allocate<T>(count);
        for (int c = 0; c < count; c++) _shifts[c] = shifts.IsEmpty ? T.Zero : T.CreateTruncating(shifts[c]);
        if (!vectors.IsEmpty) Turn(vectors, count, stride);
        _productLength = grid.BlockRows * count;
        _neededProducts = _productLength + RowStep.Room(grid.BlockRows, count);
    }

    private void Turn(ReadOnlySpan<double> vectors, int count, int stride)
    {
        fixed (double* source = vectors)
        {
            T* target = PinnedMemory.Pointer(_vectors);
            for (int j = 0; j < FeatureCount; j++, target += stride)
            {
                for (int c = 0; c < count; c++) target[c] = T.CreateTruncating(source[((long)c * FeatureCount) + j]);
                for (int c = count; c < stride; c++) target[c] = T.Zero;
            }
        }
    }

    protected override void RunBlock(int worker, int first, int length, int count, int[]? sample, RowStep step, double* stepSums, double* sums)
    {
        if (_products[worker] is null || _products[worker].Length < _neededProducts) _products[worker] = PinnedMemory.Allocate<double>(_neededProducts);
        if (_elements[worker] is null || _elements[worker].Length < _productLength) _elements[worker] = PinnedMemory.Allocate<T>(_productLength);
        double* products = PinnedMemory.Pointer(_products[worker]);
        T* elements = typeof(T) == typeof(double) ? (T*)products : PinnedMemory.Pointer(_elements[worker]);
        if (!step.IsForSquares) Multiply(first, length, count, sample, elements, PinnedMemory.Pointer(_vectors), backward: false, squared: false);
        if (typeof(T) != typeof(double) && !step.IsForSquares) Conversion.To(elements, products, length * count);
        step.Run(first, length, products, products + _productLength, stepSums, count);
        if (sums == null) return;
        if (typeof(T) != typeof(double)) Conversion.To(products, elements, length * count);
        Multiply(first, length, count, sample, elements, (T*)sums, backward: true, step.IsForSquares);
    }

    protected override void Combine(double* chunks, int chunkLength, int chunkCount, int count, double* sums, ReadOnlySpan<double> residualSums)
    {
        int features = FeatureCount, stride = Stride(count);
        for (int j = 0; j < features; j++)
        {
            for (int c = 0; c < count; c++)
            {
                double total = 0;
                for (int chunk = 0; chunk < chunkCount; chunk++) total += double.CreateTruncating(((T*)(chunks + ((long)chunk * chunkLength)))[((long)j * stride) + c]);
                sums[((long)c * features) + j] = total;
            }
        }
    }

    private void Multiply(int first, int length, int count, int[]? sample, T* products, T* vectors, bool backward, bool squared)
    {
        if (sample is null)
        {
            MultiplyRows(first, length, count, products, vectors, backward, squared);
            return;
        }

        for (int i = 0; i < length; i++) MultiplyRows(sample[first + i], 1, count, products + ((long)i * count), vectors, backward, squared);
    }

    private void MultiplyRows(int first, int length, int count, T* products, T* vectors, bool backward, bool squared)
    {
        fixed (int* columns = rows.Columns.Span)
        fixed (long* starts = rows.RowStarts.Span)
        fixed (float* singles = rows.SingleValues)
        fixed (double* doubles = rows.DoubleValues)
        {
            if (rows.FitSingle) Run(singles, columns, starts + first, length, count, products, vectors, backward, squared);
            else Run(doubles, columns, starts + first, length, count, products, vectors, backward, squared);
        }
    }

    private void Run<TValue>(TValue* values, int* columns, long* starts, int length, int count, T* products, T* vectors, bool backward, bool squared)
        where TValue : unmanaged
    {
        SparseProducts<TValue, T> kernel = new()
        {
            Values = values, Columns = columns, RowStarts = starts, RowCount = length, Count = count,
            Vectors = vectors, Products = products, Shifts = PinnedMemory.Pointer(_shifts), Backward = backward, Squared = squared,
        };
        VectorWidth.RunOnRegister<SparseProducts<TValue, T>, T>(ref kernel);
    }
}
