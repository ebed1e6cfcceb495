namespace SoftmaxCE;

/// <content>What the preconditioner needs, from a fixed sample of rows: products with XᵀX and the Hessian in a subspace.</content>
internal sealed unsafe partial class SoftmaxRegressionObjective
{
    // Enough rows for the curvature of the leading directions: doubling it changed the number of passes on Fashion-MNIST by less than a tenth.
    private const int MaxSampleRows = 6000;

    private readonly int[]? _sample;        // null: every row
    private double[] _projected = [];       // [sample rows, _projectedWidth]
    private int _projectedWidth;

    private int SampleRows => _sample?.Length ?? _rows.RowCount;

    public void MultiplyGram(ReadOnlySpan<double> vectors, int count, Span<double> products)
    {
        double[]? weights = SampleWeights(out double sum);
        _fast.Run(vectors, [], count, new GramStep(weights, count), products, _sample);
        PassesOverData += (double)SampleRows / _rows.RowCount;
        for (int i = 0; i < products.Length; i++) products[i] /= sum;
    }

    public void ProjectSample(ReadOnlySpan<double> basis, ReadOnlySpan<double> origin)
    {
        int rank = origin.Length;
        _projectedWidth = HasIntercepts ? rank + 1 : rank;
        double[] shifts = new double[_projectedWidth];
        for (int k = 0; k < rank; k++) shifts[k] = -origin[k];
        double[] vectors = new double[_projectedWidth * FeatureCount];
        basis.CopyTo(vectors);
        if (HasIntercepts) shifts[rank] = 1;        // behind the projections stands the constant 1
        _projected = PinnedMemory.Allocate<double>(checked(SampleRows * _projectedWidth));
        _precise.Run(vectors, shifts, _projectedWidth, new KeepStep(_projected, _projectedWidth), [], _sample);
        PassesOverData += (double)SampleRows / _rows.RowCount;
    }

    public void SubspaceHessian(Span<double> hessian)
    {
        int classes = ClassCount, width = _projectedWidth, size = classes * width, block = width * width;
        (int First, int Second)[] pairs = [.. from i in Enumerable.Range(0, classes) from k in Enumerable.Range(i + 1, classes - i - 1) select (i, k)];
        double[] blocks = PinnedMemory.Allocate<double>(checked(pairs.Length * block));
        Array.Clear(blocks);
        double[]? weights = SampleWeights(out double sum);
        int threads = (double)SampleRows * pairs.Length * block < 200_000 ? 1 : _precise.MaxDegreeOfParallelism;
        Parallel.For(0, pairs.Length, new ParallelOptions { MaxDegreeOfParallelism = threads },
            pair => AddPair(pairs[pair].First, pairs[pair].Second, weights, PinnedMemory.Pointer(blocks) + ((long)pair * block)));

        hessian.Clear();
        for (int pair = 0; pair < pairs.Length; pair++)
        {
            (int c, int k) = pairs[pair];
            for (int i = 0; i < width; i++)
            {
                for (int j = 0; j < width; j++)
                {
                    // Off the diagonal −p_c p_k; on it p_c (1 − p_c), which is the sum of the others.
                    double value = blocks[(pair * block) + (i * width) + j] / sum;
                    int row = (c * width) + i, other = (k * width) + i;
                    hessian[(row * size) + (k * width) + j] = -value;
                    hessian[(other * size) + (c * width) + j] = -value;
                    hessian[(row * size) + (c * width) + j] += value;
                    hessian[(other * size) + (k * width) + j] += value;
                }
            }
        }
    }

    /// <summary>block += Σ s p_c p_k u uᵀ over the sampled rows u.</summary>
    private void AddPair(int c, int k, double[]? weights, double* block)
    {
        const int Rows = 64;
        int width = _projectedWidth, classes = ClassCount;
        double* scaled = stackalloc double[Rows * Math.Min(width, 256)];
        double[]? large = width > 256 ? PinnedMemory.Allocate<double>(Rows * width) : null;
        if (large is not null) scaled = PinnedMemory.Pointer(large);
        for (int first = 0; first < SampleRows; first += Rows)
        {
            int length = Math.Min(Rows, SampleRows - first);
            double* u = PinnedMemory.Pointer(_projected) + ((long)first * width);
            for (int i = 0; i < length; i++)
            {
                long row = (long)(_sample is null ? first + i : _sample[first + i]) * classes;
                double factor = _probabilities[row + c] * _probabilities[row + k] * (weights is null ? 1 : weights[first + i]);
                Span<double> target = new(scaled + ((long)i * width), width);
                target.Clear();
                DoubleVectors.AddScaled(new ReadOnlySpan<double>(u + ((long)i * width), width), factor, target);
            }

            OuterProducts<double>.Add(scaled, width, u, length, width, block);
        }
    }

    private double[]? SampleWeights(out double sum)
    {
        sum = SampleRows;
        if (_examples.WeightArray is not { } all) return null;
        double[] weights = new double[SampleRows];
        sum = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = all[_sample is null ? i : _sample[i]];
            sum += weights[i];
        }

        return weights;
    }

    /// <summary>Rows spread evenly over the table, each moved at random within its stretch, so that no period in the data is met.</summary>
    private static int[]? SampleOf(int rowCount)
    {
        if (rowCount <= MaxSampleRows) return null;
        int[] sample = new int[MaxSampleRows];
        RandomStream random = new(0);
        for (int i = 0; i < sample.Length; i++)
        {
            int start = (int)((long)rowCount * i / sample.Length), end = (int)((long)rowCount * (i + 1) / sample.Length);
            sample[i] = start + random.Below(end - start);
        }

        return sample;
    }
}
