namespace SoftmaxCE;

/// <summary>
/// Mean log-loss as a function of β = 1/T. With p = softmax(β z) of a row: slope E_p[z] − z[label], curvature Var_p[z] ≥ 0, so the mean is
/// convex and its slope rises.
/// </summary>
internal sealed class TemperatureProblem
{
    /// <summary>Bisection alone gets from 1e-3..1e3 to the last bit in 60 steps.</summary>
    private const int MostSteps = 100;

    private const double RelativePrecision = 1e-15;

    private readonly double[] _logits;                            // minus the logit of the row's label
    private readonly int[] _labels;
    private readonly float[] _weights;
    private readonly double[] _scaled;
    private readonly double[] _probabilities;
    private readonly double _weightSum;

    /// <param name="logits">[rows, classes], checked; overwritten.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="sampleWeights">One per row, or empty.</param>
    public TemperatureProblem(double[] logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights)
    {
        _logits = logits;
        _labels = labels.ToArray();
        _weights = sampleWeights.ToArray();
        _scaled = new double[logits.Length / labels.Length];
        _probabilities = new double[_scaled.Length];
        _weightSum = CalibrationLogits.WeightSum(sampleWeights, labels.Length);
        for (int row = 0; row < labels.Length; row++)
        {
            Span<double> own = logits.AsSpan(row * _scaled.Length, _scaled.Length);
            double label = own[labels[row]];
            foreach (ref double logit in own) logit -= label;
        }
    }

    /// <summary>Newton's method, kept between bounds of the root of the slope; a step that leaves them is replaced by halving the interval.</summary>
    public (double Inverse, bool IsAtLimit) Solve(double low, double high)
    {
        double inverse = 1;
        (double slope, double curvature) = SlopeAndCurvature(inverse);
        if (slope == 0 && curvature == 0) return (inverse, false);
        if (SlopeAndCurvature(low).Slope >= 0) return (low, true);
        if (SlopeAndCurvature(high).Slope <= 0) return (high, true);
        for (int step = 0; step < MostSteps && slope != 0; step++)
        {
            if (slope < 0) low = inverse;
            else high = inverse;
            double next = inverse - (slope / curvature);
            if (!(next > low && next < high)) next = Math.Sqrt(low * high);
            bool isLast = Math.Abs(next - inverse) <= RelativePrecision * inverse;
            inverse = next;
            if (isLast) break;
            (slope, curvature) = SlopeAndCurvature(inverse);
        }

        return (inverse, false);
    }

    public double LogLoss(double inverse)
    {
        CompensatedSum loss = default;
        for (int row = 0; row < _labels.Length; row++)
        {
            double weight = WeightOf(row);
            if (weight == 0) continue;
            Scale(row, inverse);
            SoftmaxFunctions.LogSoftmax<double>(_scaled, _probabilities);
            loss.Add(-weight * _probabilities[_labels[row]]);
        }

        return loss.Value / _weightSum;
    }

    private (double Slope, double Curvature) SlopeAndCurvature(double inverse)
    {
        CompensatedSum slope = default;
        CompensatedSum curvature = default;
        for (int row = 0; row < _labels.Length; row++)
        {
            double weight = WeightOf(row);
            if (weight == 0) continue;
            ReadOnlySpan<double> logits = Scale(row, inverse);
            SoftmaxFunctions.Softmax<double>(_scaled, _probabilities);
            double mean = 0;
            double square = 0;
            for (int i = 0; i < logits.Length; i++)
            {
                if (_probabilities[i] == 0) continue;             // 0 · −∞ must not become NaN
                mean += _probabilities[i] * logits[i];
                square += _probabilities[i] * logits[i] * logits[i];
            }

            slope.Add(weight * mean);
            curvature.Add(weight * Math.Max(square - (mean * mean), 0));
        }

        return (slope.Value / _weightSum, curvature.Value / _weightSum);
    }

    private ReadOnlySpan<double> Scale(int row, double inverse)
    {
        ReadOnlySpan<double> logits = _logits.AsSpan(row * _scaled.Length, _scaled.Length);
        for (int i = 0; i < logits.Length; i++) _scaled[i] = logits[i] * inverse;
        return logits;
    }

    private double WeightOf(int row) => _weights.Length == 0 ? 1 : _weights[row];
}
