namespace SoftmaxCE;

/// <content>What the preconditioner needs, from a fixed sample of rows: products with XᵀX and the Hessian in a subspace.</content>
internal sealed partial class SoftmaxRegressionObjective
{
    // On Fashion-MNIST 10,000 rows with 100 directions, instead of 6,000 with 80, took a tenth fewer passes, but matrices twice as dear.
    private const int MaxSampleRows = 6000;

    private readonly int[]? _sample;        // null: every row
    private CoupledHessian? _coupled;
    private int _coupledWidth;

    // Up to this many products the Hessian itself is made, in double; beyond it, float halves the time and only guides the search.
    private const double MaxExactProducts = 2e8;

    public bool SubspaceHessianIsExact => _coupled is CoupledHessian<double>;

    /// <summary>In cycles of a processor with 256-bit vectors; what matters is whether it is one product or hundreds.</summary>
    public double SubspaceHessianCost
    {
        get
        {
            double size = (double)_coupledWidth * ClassCount, perCycle = SubspaceHessianIsExact ? 12 : 24;      // each pair of classes and of features once
            double hessian = (SampleRows * size * ((size / perCycle) + 1)) + (size * size * ((size / 12) + 4)) + 50_000;
            double product = (2 * _fast.Work(_rows.RowCount, ClassCount) / (_rows.FitSingle && _rows is DenseRows ? 8 : 4)) + (10.0 * _rows.RowCount * ClassCount) + 50_000;
            return hessian / product;
        }
    }

    private int SampleRows => _sample?.Length ?? _rows.RowCount;

    public void MultiplyGram(ReadOnlySpan<double> vectors, int count, Span<double> products)
    {
        double[]? weights = SampleWeights(out double sum);
        _fast.Run(vectors, [], count, new GramStep(weights, count), products, _sample);
        _rowsRead += SampleRows;
        for (int i = 0; i < products.Length; i++) products[i] /= sum;
    }

    public void ProjectSample(ReadOnlySpan<double> basis, ReadOnlySpan<double> origin, bool withConstant)
    {
        int rank = origin.Length;
        int width = withConstant ? rank + 1 : rank;
        double[] shifts = new double[width];
        for (int k = 0; k < rank; k++) shifts[k] = -origin[k];
        double[] vectors = new double[width * FeatureCount];
        basis.CopyTo(vectors);
        if (withConstant) shifts[rank] = 1;        // behind the projections stands the constant 1
        double[] projected = PinnedMemory.Allocate<double>(checked(SampleRows * width));
        _precise.Run(vectors, shifts, width, new KeepStep(projected, width), [], _sample);
        _rowsRead += SampleRows;
        double[]? weights = SampleWeights(out _);
        double size = (double)width * ClassCount;
        _coupledWidth = width;
        _coupled = _sample is null && SampleRows * size * size <= MaxExactProducts
            ? new CoupledHessian<double>(projected, width, _sample, weights)
            : new CoupledHessian<float>(projected, width, _sample, weights);
    }

    public void SubspaceHessian(Span<double> hessian) =>
        _coupled!.Compute(_logits, areLogits: true, ClassCount, _precise.MaxDegreeOfParallelism, hessian);

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
