namespace SoftmaxCE;

/// <summary>The Hessian of all classes together over sampled rows u: Σ s (diag(p) − p pᵀ) ⊗ u uᵀ.</summary>
/// <remarks>
/// Off the diagonal that is −Σ s q qᵀ with q = p ⊗ u, one symmetric product of long rows; the blocks on the diagonal are the sums of the
/// others, because probabilities sum to 1.
/// </remarks>
internal abstract class CoupledHessian
{
    /// <summary>Adds up the Hessian, [C · width, C · width], divided by the weight of the sampled rows.</summary>
    /// <param name="probabilities">[all rows, classes].</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="maxDegreeOfParallelism">Most threads.</param>
    /// <param name="hessian">Overwritten.</param>
    public abstract void Compute(double[] probabilities, int classes, int maxDegreeOfParallelism, Span<double> hessian);
}

/// <inheritdoc/>
/// <typeparam name="T">float where the result only guides the search, double where it is the Hessian itself.</typeparam>
internal sealed unsafe class CoupledHessian<T> : CoupledHessian
    where T : unmanaged
{
    // Rows of the Hessian that are made at a time, by one thread, and rows of the sample that stay in cache meanwhile.
    private const int Strip = 40;
    private const int Block = 64;

    private readonly T[] _features;         // [sampled rows, width]
    private readonly int _width;
    private readonly int[]? _sample;
    private readonly double[]? _weights;
    private readonly int _rowCount;
    private readonly double _weightSum;

    /// <param name="features">[sampled rows, width].</param>
    /// <param name="width">Values per row.</param>
    /// <param name="sample">Which rows they are; null for all.</param>
    /// <param name="weights">One per sampled row; null for all 1.</param>
    public CoupledHessian(double[] features, int width, int[]? sample, double[]? weights)
    {
        _features = PinnedMemory.Allocate<T>(features.Length);
        for (int i = 0; i < features.Length; i++) _features[i] = Convert(features[i]);
        _width = width;
        _sample = sample;
        _weights = weights;
        _rowCount = features.Length / width;
        _weightSum = weights is null ? _rowCount : weights.Sum();
    }

    public override void Compute(double[] probabilities, int classes, int maxDegreeOfParallelism, Span<double> hessian)
    {
        int size = classes * _width, strips = (size + Strip - 1) / Strip;
        T[] rooted = Rooted(probabilities, classes);
        double[] products = PinnedMemory.Allocate<double>(checked(size * size));
        int threads = (double)_rowCount * size * size < 400_000 ? 1 : maxDegreeOfParallelism;
        Parallel.For(0, strips, new ParallelOptions { MaxDegreeOfParallelism = threads }, index =>
        {
            int strip = strips - 1 - index, first = strip * Strip;          // the longest first
            AddStrip(rooted, classes, first, Math.Min(Strip, size - first), size, PinnedMemory.Pointer(products));
        });

        Fill(products, classes, size, hessian);
    }

    /// <summary>√s · p of the sampled rows.</summary>
    private T[] Rooted(double[] probabilities, int classes)
    {
        T[] rooted = PinnedMemory.Allocate<T>(checked(_rowCount * classes));
        for (int i = 0; i < _rowCount; i++)
        {
            int row = (_sample is null ? i : _sample[i]) * classes;
            double root = _weights is null ? 1 : Math.Sqrt(_weights[i]);
            for (int c = 0; c < classes; c++) rooted[(i * classes) + c] = Convert(root * probabilities[row + c]);
        }

        return rooted;
    }

    /// <summary>Rows first, first + 1, … of Σ q qᵀ, up to the diagonal.</summary>
    private void AddStrip(T[] rooted, int classes, int first, int length, int size, double* products)
    {
        int end = first + length, classEnd = (end + _width - 1) / _width, stride = classEnd * _width;
        T[] q = PinnedMemory.Allocate<T>(Block * stride), p = PinnedMemory.Allocate<T>(Block * classEnd);
        for (int i = first; i < end; i++) new Span<double>(products + ((long)i * size), end).Clear();
        for (int start = 0; start < _rowCount; start += Block)
        {
            int rows = Math.Min(Block, _rowCount - start);
            for (int i = 0; i < rows; i++) rooted.AsSpan((start + i) * classes, classEnd).CopyTo(p.AsSpan(i * classEnd));
            KroneckerRows<T> kernel = new()
            {
                Probabilities = PinnedMemory.Pointer(p), Features = PinnedMemory.Pointer(_features) + ((long)start * _width),
                RowCount = rows, ClassCount = classEnd, Width = _width, Destination = PinnedMemory.Pointer(q),
            };
            VectorWidth.Run<KroneckerRows<T>, T>(ref kernel);
            T* of = PinnedMemory.Pointer(q);
            OuterProducts<T>.Add(of + first, length, stride, of, rows, end, stride, products + ((long)first * size), size);
        }
    }

    private void Fill(double[] products, int classes, int size, Span<double> hessian)
    {
        hessian[..(size * size)].Clear();
        double scale = 1 / _weightSum;
        for (int c = 1; c < classes; c++)
        {
            for (int k = 0; k < c; k++)
            {
                for (int i = 0; i < _width; i++)
                {
                    int row = (c * _width) + i, other = (k * _width) + i;
                    ReadOnlySpan<double> source = products.AsSpan((row * size) + (k * _width), _width);
                    for (int j = 0; j < _width; j++)
                    {
                        double value = source[j] * scale;
                        hessian[(row * size) + (k * _width) + j] = -value;
                        hessian[(other * size) + (c * _width) + j] = -value;
                        hessian[(row * size) + (c * _width) + j] += value;
                        hessian[(other * size) + (k * _width) + j] += value;
                    }
                }
            }
        }
    }

    private static T Convert(double value) => typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value;
}
