namespace SoftmaxCE;

/// <summary>Approximates the inverse Hessian in two levels, after centring and scaling the features (in formulas only, the data stay as they are).</summary>
/// <remarks>
/// Scaled features are x̂ = (x − mean) / h with h² = κ · variance + L2, κ the mean of p (1 − p): then the Hessian's diagonal is about 1.
/// V holds the leading eigenvectors of x̂ x̂ᵀ. Inside span V (with the intercepts) the Hessian of a sample of rows, which couples all
/// classes, is factored; outside it the diagonal κ_c · (variance of x̂ that V leaves) + L2 / h² is inverted, and without V, for sparse rows, the
/// Hessian's own diagonal: words are met in the rows of few classes, whose p is not the mean one. With so few coefficients
/// that V can be the whole space, this is the Hessian itself, and steps are Newton's.
/// </remarks>
internal sealed class SpectralPreconditioner
{
    // The coupled matrix has (classes · (rank + 1))² entries and is factored once per Newton step.
    private const int MaxCoupledSize = 800;

    // Rows with fewer values that are not 0 have no few directions along which they vary most, once every feature is scaled: V costs as much as a Hessian
    // product and saves none.
    private const double LeastDensity = 0.01;

    // A feature whose rows are all told apart has no curvature left, and would move without end where there is no L2.
    private const double LeastOfMean = 1e-3;

    private readonly IObjective _objective;
    private readonly Penalty _regularizer;
    private readonly int _features;
    private readonly int _classes;
    private readonly int _rank;
    private readonly int _width;                // rank, + 1 for the intercepts
    private readonly bool _coupledIntercepts;   // otherwise there are so many classes that intercepts get a diagonal
    private readonly double[] _means;
    private readonly double[] _inverseScale;    // 1 / h; 0 for a column that carries nothing
    private readonly double[] _tail;            // variance of x̂ that V leaves, per feature
    private readonly double[] _basis;           // [rank, features], orthonormal; empty if it is the identity
    private readonly double[] _penalty;         // L2 · V h⁻² Vᵀ, [rank, rank]
    private readonly double[] _matrix;          // the coupled Hessian, then its factors
    private ScaledCholesky? _factors;
    private readonly double[] _curvatures;
    private readonly double[]? _diagonal;       // of the Hessian over the coefficients, where there is no V
    private bool _hasDiagonal;
    private readonly double[] _scaled;
    private readonly double[] _inside;
    private readonly int _maxDegreeOfParallelism;

    public SpectralPreconditioner(IObjective objective, SolverStart start, SolverSettings settings)
    {
        _objective = objective;
        _regularizer = Penalty.Of(objective);
        _features = objective.FeatureCount;
        _classes = objective.ClassCount;
        _maxDegreeOfParallelism = settings.MaxDegreeOfParallelism;
        _means = objective.HasIntercepts ? start.Means : new double[_features];
        double[] variances = [.. start.Variances];
        if (!objective.HasIntercepts)
        {
            for (int j = 0; j < _features; j++) variances[j] += start.Means[j] * start.Means[j];
        }

        _inverseScale = InverseScales(objective, variances);
        _tail = new double[_features];
        for (int j = 0; j < _features; j++) _tail[j] = variances[j] * _inverseScale[j] * _inverseScale[j];
        // 0 leaves the diagonal and, up to that many classes, the intercepts.
        int most = objective.Density < LeastDensity ? 0 : Math.Max((MaxCoupledSize / _classes) - 1, 0);
        if (_features <= most)
        {
            _rank = _features;
            _basis = [];
            Array.Clear(_tail);
        }
        else
        {
            _basis = RangeFinder.LeadingEigenvectors(new ScaledGram(objective, _means, _inverseScale), _features, most, settings.Seed, out double[] values);
            _rank = values.Length;
            for (int k = 0; k < _rank; k++)
            {
                for (int j = 0; j < _features; j++) _tail[j] -= values[k] * _basis[(k * _features) + j] * _basis[(k * _features) + j];
            }

            // What sampling and rounding took below 0 is small beside the column's own variance.
            for (int j = 0; j < _features; j++) _tail[j] = Math.Max(_tail[j], 1e-3 * variances[j] * _inverseScale[j] * _inverseScale[j]);
        }

        _coupledIntercepts = objective.HasIntercepts && _classes <= MaxCoupledSize;
        _width = _coupledIntercepts ? _rank + 1 : _rank;
        _penalty = PenaltyInside();
        _matrix = new double[checked(_classes * _width * _classes * _width)];
        _curvatures = new double[_classes];
        _diagonal = most == 0 && objective.Density < LeastDensity ? new double[_classes * _features] : null;
        _scaled = new double[_classes * _features];
        _inside = new double[_classes * _width];
        Project();
    }

    /// <summary>Whether the Hessian in here is all of it, for the point where it was taken.</summary>
    public bool IsWhole => _rank == _features;

    /// <summary>Hessian products since the Hessian in here was taken; +∞ before that.</summary>
    public double ProductsSinceRefresh { get; set; } = double.PositiveInfinity;

    /// <summary>Whether the products that an old Hessian may have cost have become as dear as a new one.</summary>
    public bool IsDue => _width == 0 || ProductsSinceRefresh >= _objective.SubspaceHessianCost;

    /// <summary>Takes the Hessian anew at the objective's point.</summary>
    public void Refresh(ReadOnlySpan<double> point)
    {
        ProductsSinceRefresh = 0;

        // Without coefficients all rows have the same p, and κ_c · variance is the diagonal.
        _hasDiagonal = _diagonal is not null && point[.._diagonal.Length].ContainsAnyExcept(0) && _objective.HessianDiagonal(_diagonal);
        if (!_coupledIntercepts) _objective.ClassCurvatures(_curvatures);
        if (_width == 0) return;

        // A sampled Hessian is good to float only: lower pivots are noise. Its own diagonal is the measure, as a row far out, once it is told
        // apart, may leave a column a tiny part of the curvature that it began with.
        _factors = ScaledCholesky.Damped(_matrix, _classes * _width, TakeHessian, _objective.SubspaceHessianIsExact ? 1e-14 : 1e-6, _maxDegreeOfParallelism);
    }

    /// <summary>The coupled Hessian with the penalty.</summary>
    private void TakeHessian(double[] matrix)
    {
        int size = _classes * _width;
        _objective.SubspaceHessian(matrix);
        for (int c = 0; _coupledIntercepts && c < _classes; c++) _curvatures[c] = matrix[((c * _width) + _rank) * (size + 1)];
        for (int c = 0; c < _classes; c++)
        {
            for (int i = 0; i < _rank; i++)
            {
                for (int k = 0; k < _rank; k++) matrix[(((c * _width) + i) * size) + (c * _width) + k] += _penalty[(i * _rank) + k];
            }
        }

        // A shift common to all classes changes no probability. With coefficients that sum to 0 over the classes there is no gradient
        // either; but rounding makes one, which curvature of L2 alone would blow up.
        for (int i = 0; i < _width; i++)
        {
            double shift = 0;
            for (int c = 0; c < _classes; c++) shift += matrix[((c * _width) + i) * (size + 1)] / (_classes * _classes);
            for (int c = 0; c < _classes; c++)
            {
                for (int k = 0; k < _classes; k++) matrix[(((c * _width) + i) * size) + (k * _width) + i] += shift;
            }
        }
    }

    /// <summary>result = M⁻¹ · gradient.</summary>
    public void Apply(ReadOnlySpan<double> gradient, Span<double> result)
    {
        int count = _classes * _features;
        ReadOnlySpan<double> intercepts = gradient[count..];
        for (int c = 0; c < _classes; c++)
        {
            double g = intercepts.IsEmpty ? 0 : intercepts[c];
            Span<double> row = _scaled.AsSpan(c * _features, _features);
            for (int j = 0; j < _features; j++) row[j] = (gradient[(c * _features) + j] - (g * _means[j])) * _inverseScale[j];
            ToInside(row, _inside.AsSpan(c * _width, _rank));
            if (_coupledIntercepts) _inside[(c * _width) + _rank] = g;
            Outside(c, row);
        }

        _factors?.Solve(_inside);
        for (int c = 0; c < _classes; c++)
        {
            Span<double> row = _scaled.AsSpan(c * _features, _features), target = result.Slice(c * _features, _features);
            AddFromInside(_inside.AsSpan(c * _width, _rank), row);
            double shift = 0;
            for (int j = 0; j < _features; j++)
            {
                target[j] = row[j] * _inverseScale[j];
                shift += target[j] * _means[j];
            }

            if (intercepts.IsEmpty) continue;
            double ownIntercept = _coupledIntercepts ? _inside[(c * _width) + _rank] : intercepts[c] / Math.Max(_curvatures[c], 1e-12);
            result[count + c] = ownIntercept - shift;
        }
    }

    /// <summary>row ← (1 − VVᵀ) D⁻¹ (1 − VVᵀ) row, D the diagonal outside span V.</summary>
    private void Outside(int c, Span<double> row)
    {
        if (_basis.Length == 0)
        {
            if (_rank == _features)
            {
                row.Clear();
                return;
            }
        }

        Span<double> inside = stackalloc double[Math.Min(_rank, 512)];
        if (_rank > 512) inside = new double[_rank];
        ToInside(row, inside);
        RemoveInside(inside, row);
        for (int j = 0; j < _features; j++)
        {
            double square = _inverseScale[j] * _inverseScale[j], mean = _curvatures[c] * _tail[j];
            if (_hasDiagonal) mean = Math.Max(_diagonal![(c * _features) + j] * square, LeastOfMean * mean);
            double curvature = mean + (_regularizer.L2Of(j) * square);
            row[j] = curvature > 0 ? row[j] / curvature : 0;
        }

        ToInside(row, inside);
        RemoveInside(inside, row);
    }

    private void ToInside(ReadOnlySpan<double> row, Span<double> inside)
    {
        if (_basis.Length == 0)
        {
            row[.._rank].CopyTo(inside);
            return;
        }

        for (int k = 0; k < _rank; k++) inside[k] = DoubleVectors.Dot(_basis.AsSpan(k * _features, _features), row);
    }

    private void AddFromInside(ReadOnlySpan<double> inside, Span<double> row)
    {
        if (_basis.Length == 0)
        {
            DoubleVectors.AddScaled(inside, 1, row);
            return;
        }

        for (int k = 0; k < _rank; k++) DoubleVectors.AddScaled(_basis.AsSpan(k * _features, _features), inside[k], row);
    }

    private void RemoveInside(ReadOnlySpan<double> inside, Span<double> row)
    {
        for (int k = 0; k < _rank; k++) DoubleVectors.AddScaled(_basis.AsSpan(k * _features, _features), -inside[k], row);
    }

    private double[] InverseScales(IObjective objective, double[] variances)
    {
        double[] shares = new double[objective.ClassCount], inverse = new double[objective.FeatureCount];
        objective.ClassShares(shares);
        double curvature = 0;
        foreach (double share in shares) curvature += share * (1 - share) / shares.Length;
        for (int j = 0; j < inverse.Length; j++)
        {
            double square = (curvature * variances[j]) + _regularizer.L2Of(j);
            inverse[j] = square > 0 ? 1 / Math.Sqrt(square) : 0;
        }

        return inverse;
    }

    private double[] PenaltyInside()
    {
        double[] penalty = new double[_rank * _rank], scaled = new double[_features];
        if (!_regularizer.HasL2) return penalty;
        for (int i = 0; i < _rank; i++)
        {
            if (_basis.Length == 0)
            {
                penalty[(i * _rank) + i] = _regularizer.L2Of(i) * _inverseScale[i] * _inverseScale[i];
                continue;
            }

            for (int j = 0; j < _features; j++) scaled[j] = _regularizer.L2Of(j) * _inverseScale[j] * _inverseScale[j] * _basis[(i * _features) + j];
            for (int k = 0; k < _rank; k++) penalty[(i * _rank) + k] = DoubleVectors.Dot(scaled, _basis.AsSpan(k * _features, _features));
        }

        return penalty;
    }

    /// <summary>Lets the objective keep V x̂ of the sampled rows.</summary>
    private void Project()
    {
        double[] basis = new double[_rank * _features], origin = new double[_rank];
        for (int k = 0; k < _rank; k++)
        {
            Span<double> row = basis.AsSpan(k * _features, _features);
            if (_basis.Length == 0) row[k] = 1;
            else _basis.AsSpan(k * _features, _features).CopyTo(row);
            for (int j = 0; j < _features; j++)
            {
                row[j] *= _inverseScale[j];
                origin[k] += row[j] * _means[j];
            }
        }

        if (_width > 0) _objective.ProjectSample(basis, origin, _coupledIntercepts);
    }
}

/// <summary>Products with the mean of x̂ x̂ᵀ, from products with the mean of x xᵀ.</summary>
internal sealed class ScaledGram(IObjective objective, double[] means, double[] inverseScale)
{
    /// <summary>products = vectors · mean of x̂ x̂ᵀ.</summary>
    public void Multiply(double[] vectors, int count, double[] products)
    {
        int features = means.Length;
        double[] raw = new double[count * features];
        for (int i = 0; i < raw.Length; i++) raw[i] = vectors[i] * inverseScale[i % features];
        objective.MultiplyGram(raw, count, products);
        for (int k = 0; k < count; k++)
        {
            double along = DoubleVectors.Dot(raw.AsSpan(k * features, features), means);
            for (int j = 0; j < features; j++)
            {
                ref double product = ref products[(k * features) + j];
                product = (product - (along * means[j])) * inverseScale[j];
            }
        }
    }
}
