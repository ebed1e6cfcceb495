using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

/// <summary>Mean cross-entropy of softmax regression plus L2/2 ‖W‖² over rows in memory.</summary>
internal sealed partial class SoftmaxRegressionObjective : IObjective
{
    private readonly Examples _examples;
    private Penalty _penalty;
    private readonly FeatureRows _rows;
    private readonly RowPass _fast;
    private readonly RowPass _precise;
    private readonly LossStep _lossStep;
    private readonly double[] _logits;              // at the point
    private long _passes;
    private long _rowsRead;                         // in samples and batches

    public FeatureRows Rows => _rows;

    public SoftmaxRegressionObjective(FeatureRows rows, Examples examples, SoftmaxRegressionOptions options)
    {
        _rows = rows;
        _examples = examples;
        _penalty = new Penalty(options.L1, options.L2, options.PenaltyFactors.Span, rows.FeatureCount);
        PenaltyFactors = options.PenaltyFactors;
        HasIntercepts = options.FitIntercepts;
        _precise = RowPass.Over(rows, options.MaxDegreeOfParallelism, single: false);
        bool inSingle = rows is SparseRows sparse ? sparse.AllowsSingle() : rows.FitSingle;
        _fast = inSingle ? RowPass.Over(rows, options.MaxDegreeOfParallelism, single: true) : _precise;
        _logits = PinnedMemory.Allocate<double>(checked(rows.RowCount * examples.ClassCount));
        _lossStep = new LossStep(examples, _logits, withOffsets: true);
        _sample = SampleOf(rows.RowCount);
    }

    public int ClassCount => _examples.ClassCount;

    public int FeatureCount => _rows.FeatureCount;

    public bool HasIntercepts { get; }

    public double L2 => _penalty.L2;

    public ReadOnlyMemory<double> PenaltyFactors { get; }

    public double MeanOffsetRange => _examples.MeanOffsetRange;

    public double Density => _rows is SparseRows sparse ? (double)sparse.Columns.Length / ((double)_rows.RowCount * FeatureCount) : 1;

    public double PassesOverData => _passes + ((double)_rowsRead / _rows.RowCount);

    /// <summary>Makes it the objective of other penalties, for a path of them.</summary>
    public void SetPenalty(double l1, double l2) => _penalty = new Penalty(l1, l2, PenaltyFactors.Span, FeatureCount);

    /// <summary>L1 Σ f |W| at a point.</summary>
    public double L1Term(ReadOnlySpan<double> point) => _penalty.L1Term(point[..CoefficientCount], point[..CoefficientCount], 0);

    private int CoefficientCount => ClassCount * FeatureCount;

    public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, bool precise) =>
        Evaluate(point, gradient, precise ? _precise : _fast, _lossStep);

    public double EvaluateWithoutOffsets(ReadOnlySpan<double> point, Span<double> gradient) =>
        Evaluate(point, gradient, _precise, new LossStep(_examples, _logits, withOffsets: false));

    private double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, RowPass pass, LossStep step)
    {
        ReadOnlySpan<double> coefficients = point[..CoefficientCount];
        Span<double> products = gradient[..CoefficientCount];
        double[] sums = pass.Run(coefficients, point[CoefficientCount..], ClassCount, step, products);
        _passes++;
        StartLine();
        double scale = 1 / _examples.WeightSum;
        FinishProduct(coefficients, products, sums, gradient[CoefficientCount..]);
        return (sums[ClassCount] * scale) + (_penalty.L2Product(coefficients, coefficients) / 2);
    }

    public void MultiplyHessian(ReadOnlySpan<double> direction, Span<double> product, bool precise = false)
    {
        ReadOnlySpan<double> coefficients = direction[..CoefficientCount];
        Span<double> products = product[..CoefficientCount];
        CurvatureStep step = new(_examples, _logits, _directionLogits ??= TakeLogits());
        double[] sums = (precise ? _precise : _fast).Run(coefficients, direction[CoefficientCount..], ClassCount, step, products);
        _passes++;
        FinishProduct(coefficients, products, sums, product[CoefficientCount..]);
    }

    public bool HessianDiagonal(Span<double> diagonal)
    {
        if (_rows is not SparseRows) return false;
        _fast.Run([], [], ClassCount, new VarianceStep(_examples, _logits), diagonal);
        _passes++;
        for (int i = 0; i < diagonal.Length; i++) diagonal[i] /= _examples.WeightSum;
        return true;
    }

    public void FeatureMoments(Span<double> means, Span<double> variances)
    {
        double[] origin = new double[FeatureCount];
        _fast.Moments(_examples.WeightArray, origin, means, variances);
        if (!DoubleVectors.AllFinite(variances)) _precise.Moments(_examples.WeightArray, origin, means, variances);
        _passes++;
        if (!DoubleVectors.AllFinite(means) || !DoubleVectors.AllFinite(variances)) ThrowNotFinite();
        double scale = 1 / _examples.WeightSum;
        for (int j = 0; j < FeatureCount; j++)
        {
            double shift = means[j] * scale;
            variances[j] = Math.Max((variances[j] * scale) - (shift * shift), 0);
            means[j] = origin[j] + shift;
        }
    }

    public void ClassShares(Span<double> shares) => _examples.Shares.CopyTo(shares);

    /// <summary>Sums over rows become means, and the penalty's part is added.</summary>
    private void FinishProduct(ReadOnlySpan<double> coefficients, Span<double> products, double[] sums, Span<double> intercepts)
    {
        double scale = 1 / _examples.WeightSum;
        if (_penalty.IsUniform)
        {
            for (int i = 0; i < products.Length; i++) products[i] = Math.FusedMultiplyAdd(products[i], scale, L2 * coefficients[i]);
        }
        else
        {
            for (int i = 0; i < products.Length; i++) products[i] = Math.FusedMultiplyAdd(products[i], scale, _penalty.L2Of(i % FeatureCount) * coefficients[i]);
        }

        for (int c = 0; c < intercepts.Length; c++) intercepts[c] = sums[c] * scale;
    }

    [DoesNotReturn]
    private void ThrowNotFinite()
    {
        ExampleChecks.RequireFinite(_rows, "rows");
        throw new ArgumentException("Features are so large that their squares overflow a double.", "rows");
    }
}
