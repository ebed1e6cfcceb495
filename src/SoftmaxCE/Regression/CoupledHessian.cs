namespace SoftmaxCE;

/// <summary>The Hessian of all classes together over sampled rows u: Σ s (diag(p) − p pᵀ) ⊗ u uᵀ.</summary>
/// <remarks>
/// Off the diagonal that is −Σ s p_c p_k u_i u_j: products of pairs of probabilities with pairs of features, each pair once. The blocks on the
/// diagonal are the sums of the others, because probabilities sum to 1.
/// </remarks>
internal abstract class CoupledHessian
{
    /// <summary>Adds up the Hessian, [C · width, C · width], divided by the weight of the sampled rows.</summary>
    /// <param name="values">Logits or probabilities, [all rows, classes].</param>
    /// <param name="areLogits">Which of them.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="maxDegreeOfParallelism">Most threads.</param>
    /// <param name="hessian">Overwritten.</param>
    public abstract void Compute(double[] values, bool areLogits, int classes, int maxDegreeOfParallelism, Span<double> hessian);
}

/// <inheritdoc/>
/// <typeparam name="T">float where the result only guides the search, double where it is the Hessian itself.</typeparam>
internal sealed unsafe class CoupledHessian<T> : CoupledHessian
    where T : unmanaged
{
    // Rows of the sample, and pairs of them, that stay in cache while one thread works on them.
    private const int Block = 64;
    private const int ClassPairs = 320;
    private const int FeaturePairs = 160;

    // Pairs of features are made up to this multiple, so that there are no ends of vectors.
    private const int Whole = 16;

    private readonly T[] _features;         // [sampled rows, width]
    private readonly int _width;
    private readonly int[]? _sample;
    private readonly double[]? _weights;
    private readonly int _rowCount;
    private readonly double _weightSum;
    private T[] _rooted = [];
    private T[][] _rooms = [];
    private double[] _products = [];

    /// <param name="features">[sampled rows, width].</param>
    /// <param name="width">Values per row.</param>
    /// <param name="sample">Which rows they are; null for all.</param>
    /// <param name="weights">One per sampled row; null for all 1.</param>
    public CoupledHessian(double[] features, int width, int[]? sample, double[]? weights)
    {
        _features = PinnedMemory.Allocate<T>(features.Length + WholeVector.Lanes<T>());
        for (int i = 0; i < features.Length; i++) _features[i] = Convert(features[i]);
        Array.Clear(_features, features.Length, WholeVector.Lanes<T>());
        _width = width;
        _sample = sample;
        _weights = weights;
        _rowCount = features.Length / width;
        _weightSum = weights is null ? _rowCount : weights.Sum();
    }

    public override void Compute(double[] values, bool areLogits, int classes, int maxDegreeOfParallelism, Span<double> hessian)
    {
        Root(values, areLogits, classes);
        int[] classCuts = Cuts(classes, diagonal: 0, ClassPairs), featureCuts = Cuts(_width, diagonal: 1, FeaturePairs), places = Places(featureCuts, out int stride);
        int pairs = TriangleRows<T>.CountBefore(classes, 0), strips = featureCuts.Length - 1, tiles = (classCuts.Length - 1) * strips;
        if (_products.Length < (long)pairs * stride) _products = PinnedMemory.Allocate<double>(checked(pairs * stride));
        Array.Clear(_products);
        int threads = (double)_rowCount * pairs * stride < 400_000 ? 1 : maxDegreeOfParallelism;
        if (_rooms.Length < threads) _rooms = new T[threads][];
        new RowGrid(tiles, blockRows: 1, tiles).Run(threads, (index, worker) =>
        {
            int tile = tiles - 1 - index, c = tile / strips, j = tile % strips;        // the longest first
            AddTile(worker, classes, classCuts[c], classCuts[c + 1], featureCuts[j], featureCuts[j + 1], places[featureCuts[j]], stride);
        });

        Fill(classes, places, stride, hessian);
    }

    /// <summary>√s · p of the sampled rows.</summary>
    private void Root(double[] values, bool areLogits, int classes)
    {
        int lanes = WholeVector.Lanes<T>(), length = checked(_rowCount * classes);
        if (_rooted.Length < length + lanes)
        {
            _rooted = PinnedMemory.Allocate<T>(length + lanes);
            Array.Clear(_rooted, length, lanes);
        }

        double[] p = PinnedMemory.Allocate<double>(ProbabilityBlock.Room(classes));
        for (int first = 0; first < _rowCount; first += ProbabilityBlock.Rows)
        {
            int rows = Math.Min(ProbabilityBlock.Rows, _rowCount - first);
            for (int i = 0; i < rows; i++) values.AsSpan((_sample is null ? first + i : _sample[first + i]) * classes, classes).CopyTo(p.AsSpan(i * classes));
            if (areLogits) ProbabilityBlock.Run(PinnedMemory.Pointer(p), rows, classes);
            for (int i = 0; i < rows; i++)
            {
                double root = _weights is null ? 1 : Math.Sqrt(_weights[first + i]);
                for (int c = 0; c < classes; c++) _rooted[((first + i) * classes) + c] = Convert(root * p[(i * classes) + c]);
            }
        }
    }

    /// <summary>Where to cut the rows of a triangle so that about so many products lie between two cuts.</summary>
    private static int[] Cuts(int count, int diagonal, int most)
    {
        List<int> cuts = [0];
        for (int i = 1; i < count; i++)
        {
            if (TriangleRows<T>.CountBefore(i + 1, diagonal) - TriangleRows<T>.CountBefore(cuts[^1], diagonal) > most && i > cuts[^1] + diagonal) cuts.Add(i);
        }

        return [.. cuts, count];
    }

    /// <summary>Where the products of each feature with those before it begin in a row of all products.</summary>
    private int[] Places(int[] cuts, out int stride)
    {
        int[] places = new int[_width];
        stride = 0;
        for (int cut = 0; cut + 1 < cuts.Length; cut++)
        {
            int before = TriangleRows<T>.CountBefore(cuts[cut], 1);
            for (int j = cuts[cut]; j < cuts[cut + 1]; j++) places[j] = stride + TriangleRows<T>.CountBefore(j, 1) - before;
            stride += Padded(TriangleRows<T>.CountBefore(cuts[cut + 1], 1) - before);
        }

        return places;
    }

    /// <summary>Σ s p_c p_k u_i u_j for some c and all k before them, and some i and all j up to them.</summary>
    private void AddTile(int worker, int classes, int firstClass, int endClass, int firstFeature, int endFeature, int place, int stride)
    {
        int before = TriangleRows<T>.CountBefore(firstClass, 0), pairs = TriangleRows<T>.CountBefore(endClass, 0) - before;
        int columns = Padded(TriangleRows<T>.CountBefore(endFeature, 1) - TriangleRows<T>.CountBefore(firstFeature, 1)), lanes = WholeVector.Lanes<T>();
        if (pairs == 0) return;
        int needed = (Block * (pairs + columns)) + (2 * lanes);
        if (_rooms[worker] is null || _rooms[worker].Length < needed)
        {
            _rooms[worker] = PinnedMemory.Allocate<T>(needed);
            Array.Clear(_rooms[worker]);
        }

        T* ofClasses = PinnedMemory.Pointer(_rooms[worker]), ofFeatures = ofClasses + (Block * pairs) + lanes;
        for (int start = 0; start < _rowCount; start += Block)
        {
            int rows = Math.Min(Block, _rowCount - start);
            Multiply(PinnedMemory.Pointer(_rooted) + ((long)start * classes), rows, classes, firstClass, endClass, 0, ofClasses, pairs);
            Multiply(PinnedMemory.Pointer(_features) + ((long)start * _width), rows, _width, firstFeature, endFeature, 1, ofFeatures, columns);
            OuterProducts<T>.Add(ofClasses, pairs, pairs, ofFeatures, rows, columns, columns, PinnedMemory.Pointer(_products) + ((long)before * stride) + place, stride);
        }
    }

    private static void Multiply(T* source, int rows, int width, int first, int end, int diagonal, T* destination, int stride)
    {
        TriangleRows<T> kernel = new()
        {
            Source = source, RowCount = rows, Width = width, First = first, End = end, Diagonal = diagonal, Destination = destination, Stride = stride,
        };
        VectorWidth.RunOnRegister<TriangleRows<T>, T>(ref kernel);
    }

    private void Fill(int classes, int[] places, int stride, Span<double> hessian)
    {
        int size = classes * _width;
        hessian[..(size * size)].Clear();
        double scale = 1 / _weightSum;
        for (int c = 1; c < classes; c++)
        {
            for (int k = 0; k < c; k++)
            {
                ReadOnlySpan<double> pair = _products.AsSpan((TriangleRows<T>.CountBefore(c, 0) + k) * stride, stride);
                int own = c * _width, other = k * _width;
                for (int i = 0; i < _width; i++)
                {
                    ReadOnlySpan<double> source = pair.Slice(places[i], i + 1);
                    Span<double> ownRow = hessian.Slice((own + i) * size, size), otherRow = hessian.Slice((other + i) * size, size);
                    for (int j = 0; j < source.Length; j++)
                    {
                        double value = source[j] * scale;
                        ownRow[other + j] = -value;
                        ownRow[own + j] += value;
                        otherRow[own + j] = -value;
                        otherRow[other + j] += value;
                    }
                }
            }
        }

        // What is above the diagonal of each block.
        for (int row = 0; row < size; row++)
        {
            int i = row % _width;
            for (int block = 0; block < size; block += _width)
            {
                for (int j = i + 1; j < _width; j++) hessian[(row * size) + block + j] = hessian[((row - i + j) * size) + block + i];
            }
        }
    }

    private static int Padded(int count) => (count + Whole - 1) / Whole * Whole;

    private static T Convert(double value) => typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value;
}
