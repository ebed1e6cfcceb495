namespace SoftmaxCE;

/// <summary>
/// Mean log-loss of softmax(a ∘ z + b) plus prior/2 · Σ_c ((a[c] − a₀)² m[c] + b[c]²), m[c] the mean of z[c]²: convex in (a, b).
/// A point is a, then b.
/// </summary>
/// <remarks>
/// With p the probabilities of a row and r = p − y, the gradient is the mean of (r ∘ z, r), and the Hessian times (u, v) the mean of
/// (q ∘ z, q) with q = p ∘ (d − pᵀd), d = u ∘ z + v. Masked entries of a row (z = −∞, so p = 0) add nothing.
/// </remarks>
internal sealed class VectorProblem
{
    private readonly double[] _logits;
    private readonly int[] _labels;
    private readonly float[] _weights;
    private readonly double[] _probabilities;                     // of every row, at the last point
    private readonly double[] _row;
    private readonly double[] _squares;                           // m
    private readonly double _weightSum;
    private readonly double _prior;
    private readonly double _centre;

    /// <param name="logits">[rows, classes], checked.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="sampleWeights">One per row, or empty.</param>
    /// <param name="priorRows">Weight of the prior, in rows.</param>
    /// <param name="centre">a₀.</param>
    public VectorProblem(double[] logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights, double priorRows, double centre)
    {
        _logits = logits;
        _labels = labels.ToArray();
        _weights = sampleWeights.ToArray();
        _probabilities = new double[logits.Length];
        _row = new double[logits.Length / labels.Length];
        _squares = new double[ClassCount];
        _weightSum = CalibrationLogits.WeightSum(sampleWeights, labels.Length);
        _prior = priorRows / _weightSum;
        _centre = centre;
        for (int i = 0; i < logits.Length; i++)
            if (double.IsFinite(logits[i])) _squares[i % ClassCount] += WeightOf(i / ClassCount) * logits[i] * logits[i] / _weightSum;
        for (int c = 0; c < ClassCount; c++)
            if (!(_squares[c] > 0)) _squares[c] = 1;              // a class whose logit is always 0: any m makes its a be a₀
    }

    public int ClassCount => _row.Length;

    /// <summary>The largest |a z + b| at the point of the last <see cref="LogLoss"/>: the losses are no better than its rounding.</summary>
    public double LargestLogit { get; private set; }

    /// <summary>Whether each class is the label of some weight: without a prior, the b of a class that never is falls for ever.</summary>
    public bool HasEveryClass
    {
        get
        {
            bool[] occurs = new bool[ClassCount];
            for (int row = 0; row < _labels.Length; row++) occurs[_labels[row]] |= WeightOf(row) > 0;
            return Array.TrueForAll(occurs, occurring => occurring);
        }
    }

    /// <summary>Mean log-loss alone, at a point that becomes the one that <see cref="Gradient"/> and the Hessian speak of.</summary>
    public double LogLoss(ReadOnlySpan<double> point)
    {
        CompensatedSum loss = default;
        LargestLogit = 0;
        for (int row = 0; row < _labels.Length; row++)
        {
            double weight = WeightOf(row);
            if (weight == 0) continue;
            ReadOnlySpan<double> logits = Logits(row);
            VectorScaling.Scale<double>(logits, point[..ClassCount], point[ClassCount..], _row);
            foreach (double logit in _row)
                if (double.IsFinite(logit)) LargestLogit = Math.Max(LargestLogit, Math.Abs(logit));
            Span<double> probabilities = Probabilities(row);
            SoftmaxFunctions.LogSoftmax<double>(_row, probabilities);
            loss.Add(-weight * probabilities[_labels[row]]);
            SoftmaxFunctions.Softmax<double>(_row, probabilities);
        }

        return loss.Value / _weightSum;
    }

    public double Penalty(ReadOnlySpan<double> point)
    {
        double sum = 0;
        for (int c = 0; c < ClassCount; c++)
        {
            double away = point[c] - _centre;
            sum += (away * away * _squares[c]) + (point[ClassCount + c] * point[ClassCount + c]);
        }

        return _prior / 2 * sum;
    }

    /// <summary>Gradient at the point of the last <see cref="LogLoss"/>, which is given again.</summary>
    public void Gradient(ReadOnlySpan<double> point, Span<double> gradient)
    {
        CompensatedSum[] sums = new CompensatedSum[2 * ClassCount];
        for (int row = 0; row < _labels.Length; row++)
        {
            double weight = WeightOf(row);
            if (weight == 0) continue;
            ReadOnlySpan<double> logits = Logits(row), probabilities = Probabilities(row);
            for (int c = 0; c < logits.Length; c++)
            {
                double residual = weight * (probabilities[c] - (c == _labels[row] ? 1 : 0));
                if (residual == 0) continue;                      // 0 · −∞ must not become NaN
                sums[c].Add(residual * logits[c]);
                sums[ClassCount + c].Add(residual);
            }
        }

        for (int c = 0; c < ClassCount; c++)
        {
            gradient[c] = (sums[c].Value / _weightSum) + (_prior * _squares[c] * (point[c] - _centre));
            gradient[ClassCount + c] = (sums[ClassCount + c].Value / _weightSum) + (_prior * point[ClassCount + c]);
        }
    }

    /// <summary>Hessian at the point of the last <see cref="LogLoss"/>, times a direction.</summary>
    public void MultiplyHessian(ReadOnlySpan<double> direction, Span<double> product)
    {
        product.Clear();
        for (int row = 0; row < _labels.Length; row++)
        {
            double weight = WeightOf(row) / _weightSum;
            if (weight == 0) continue;
            ReadOnlySpan<double> logits = Logits(row), probabilities = Probabilities(row);
            double mean = 0;
            for (int c = 0; c < logits.Length; c++)
            {
                if (probabilities[c] == 0) continue;
                _row[c] = (direction[c] * logits[c]) + direction[ClassCount + c];
                mean += probabilities[c] * _row[c];
            }

            for (int c = 0; c < logits.Length; c++)
            {
                if (probabilities[c] == 0) continue;
                double change = weight * probabilities[c] * (_row[c] - mean);
                product[c] += change * logits[c];
                product[ClassCount + c] += change;
            }
        }

        for (int c = 0; c < ClassCount; c++)
        {
            product[c] += _prior * _squares[c] * direction[c];
            product[ClassCount + c] += _prior * direction[ClassCount + c];
        }
    }

    /// <summary>The Hessian's 2 × 2 block of each class: [c, 0] for a, [c, 1] for a and b, [c, 2] for b.</summary>
    public void ClassBlocks(Span<double> blocks)
    {
        blocks.Clear();
        for (int row = 0; row < _labels.Length; row++)
        {
            double weight = WeightOf(row) / _weightSum;
            if (weight == 0) continue;
            ReadOnlySpan<double> logits = Logits(row), probabilities = Probabilities(row);
            for (int c = 0; c < logits.Length; c++)
            {
                double curvature = weight * probabilities[c] * (1 - probabilities[c]);
                if (curvature == 0) continue;
                blocks[3 * c] += curvature * logits[c] * logits[c];
                blocks[(3 * c) + 1] += curvature * logits[c];
                blocks[(3 * c) + 2] += curvature;
            }
        }

        for (int c = 0; c < ClassCount; c++)
        {
            blocks[3 * c] += _prior * _squares[c];
            blocks[(3 * c) + 2] += _prior;
        }
    }

    private ReadOnlySpan<double> Logits(int row) => _logits.AsSpan(row * ClassCount, ClassCount);

    private Span<double> Probabilities(int row) => _probabilities.AsSpan(row * ClassCount, ClassCount);

    private double WeightOf(int row) => _weights.Length == 0 ? 1 : _weights[row];
}
