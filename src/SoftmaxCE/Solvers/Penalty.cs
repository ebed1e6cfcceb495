namespace SoftmaxCE;

/// <summary>L2/2 Σ f_j W_cj² + L1 Σ f_j |W_cj|, f_j ≥ 0 the penalty factor of feature j.</summary>
internal sealed class Penalty
{
    private readonly double _l1;
    private readonly double _l2;
    private readonly double[] _factors;     // empty for all 1
    private readonly int _featureCount;

    /// <param name="l1">L1.</param>
    /// <param name="l2">L2.</param>
    /// <param name="factors">One per feature; empty for all 1.</param>
    /// <param name="featureCount">Number of features.</param>
    public Penalty(double l1, double l2, ReadOnlySpan<double> factors, int featureCount)
    {
        _l1 = l1;
        _l2 = l2;
        _factors = factors.ContainsAnyExcept(1.0) ? factors.ToArray() : [];
        _featureCount = featureCount;
        HasL2 = l2 > 0 && IsAnyPositive;
        HasL1 = l1 > 0 && IsAnyPositive;
        CoversAll = (l1 > 0 || l2 > 0) && !_factors.Contains(0);
    }

    public static Penalty Of(IObjective objective, double l1 = 0) => new(l1, objective.L2, objective.PenaltyFactors.Span, objective.FeatureCount);

    public bool HasL1 { get; }

    public bool HasL2 { get; }

    /// <summary>Whether every coefficient is penalised, so that an optimum exists and the duality gap is finite.</summary>
    public bool CoversAll { get; }

    /// <summary>Whether all features have the factor 1.</summary>
    public bool IsUniform => _factors.Length == 0;

    public double L1 => _l1;

    public double L2 => _l2;

    public double L1Of(int feature) => _factors.Length == 0 ? _l1 : _l1 * _factors[feature];

    public double L2Of(int feature) => _factors.Length == 0 ? _l2 : _l2 * _factors[feature];

    public double FactorOf(int feature) => _factors.Length == 0 ? 1 : _factors[feature];

    /// <summary>L2 Σ f x y over coefficients: the second derivative of the quadratic part along x and y.</summary>
    public double L2Product(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (_l2 == 0) return 0;
        if (_factors.Length == 0) return DoubleVectors.Dot(x, y) * _l2;
        double sum = 0;
        for (int i = 0; i < x.Length; i++) sum += _factors[i % _featureCount] * x[i] * y[i];
        return sum * _l2;
    }

    /// <summary>Σ g² / (2 L2 f): the duality gap of a gradient g when there is no L1 and the intercepts are exact. +∞ where a coefficient has no L2.</summary>
    public double GapOf(ReadOnlySpan<double> gradient)
    {
        if (_factors.Length == 0) return _l2 == 0 ? double.PositiveInfinity : DoubleVectors.Dot(gradient, gradient) / (2 * _l2);
        double sum = 0;
        for (int i = 0; i < gradient.Length; i++) sum += gradient[i] == 0 ? 0 : gradient[i] * gradient[i] / (2 * L2Of(i % _featureCount));
        return sum;
    }

    /// <summary>L1 Σ f |x + step · d| over coefficients.</summary>
    public double L1Term(ReadOnlySpan<double> x, ReadOnlySpan<double> d, double step)
    {
        double sum = 0;
        if (_factors.Length == 0)
        {
            for (int i = 0; i < x.Length; i++) sum += Math.Abs(x[i] + (step * d[i]));
        }
        else
        {
            for (int i = 0; i < x.Length; i++) sum += _factors[i % _featureCount] * Math.Abs(x[i] + (step * d[i]));
        }

        return _l1 * sum;
    }

    private bool IsAnyPositive => _factors.Length == 0 || _factors.Any(factor => factor > 0);
}
