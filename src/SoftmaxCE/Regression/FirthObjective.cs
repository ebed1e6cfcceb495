namespace SoftmaxCE;

/// <summary>
/// Mean loss − ln det I / (2 S): the negative log-likelihood with Jeffreys' penalty, by the sum S of the weights. I is the information of
/// the differences to class 0, which are the parameters, in the coordinates of <see cref="StandardFeatures"/>.
/// </summary>
/// <remarks>
/// Firth 1993; for several classes Bull, Mak, Greenwood 2002. With Q_i[c, k] = x_iᵀ (I⁻¹)_ck x_i (0 for class 0) and f = tr(Q V),
/// V = diag(p) − p pᵀ, the penalty's derivative in the logit of class t is ½ Σ_i s_i p_t (f_t − Σ_k p_k f_k) x_i with
/// f_t = ∂f/∂p_t = Q_tt − 2 (Q p)_t: for two classes the well-known ½ h (1 − 2p).
/// </remarks>
internal sealed unsafe class FirthObjective : IScoringObjective
{
    private const int BlockRows = 256;

    private readonly SoftmaxRegressionObjective _objective;
    private readonly StandardFeatures _features;
    private readonly int _classes;
    private readonly int _width;
    private readonly int _maxDegreeOfParallelism;
    private readonly double[] _probabilities;       // of a row
    private ScaledCholesky? _information;

    public FirthObjective(SoftmaxRegressionObjective objective, int maxDegreeOfParallelism)
    {
        _objective = objective;
        _features = new StandardFeatures(objective);
        _classes = objective.ClassCount;
        _probabilities = new double[_classes];
        _width = _features.Width;
        _maxDegreeOfParallelism = maxDegreeOfParallelism;
        InformationMatrix.RequireRoom(_classes, _width, "rows");
        _features.RequireIndependentColumns(objective);
    }

    public int ParameterCount => (_classes - 1) * _width;

    /// <summary>The mean loss.</summary>
    public double Scale { get; private set; }

    private double WeightSum => _objective.Examples.WeightSum;

    /// <summary>The point of a model; without one, or where its information is singular, W = 0 and b = ln(class shares).</summary>
    public double[] StartAt(SoftmaxRegressionModel? model)
    {
        double[] point = new double[ParameterCount];
        if (model is not null)
        {
            ReadOnlySpan<double> coefficients = model.Coefficients.Span, intercepts = model.Intercepts.Span;
            int count = _features.FeatureCount;
            for (int c = 1; c < _classes; c++)
            {
                Span<double> parameters = point.AsSpan((c - 1) * _width, _width);
                for (int j = 0; j < count; j++) parameters[j] = coefficients[(c * count) + j] - coefficients[j];
                if (_features.HasIntercepts) parameters[count] = intercepts[c] - intercepts[0];
                _features.StandardiseParameters(parameters);
            }

            if (double.IsFinite(Evaluate(point, new double[point.Length]))) return point;
            Array.Clear(point);
        }

        double[] shares = _objective.Examples.Shares;
        for (int c = 1; c < _classes && _features.HasIntercepts; c++) point[(c * _width) - 1] = Math.Log(shares[c] / shares[0]);
        return point;
    }

    /// <summary>The solver's point as coefficients [classes, features] and intercepts, centred over the classes.</summary>
    public SolverResult ToFullPoint(SolverResult result)
    {
        double[] full = ToFull(result.Point);
        _objective.CentreClasses(full);
        return result with { Point = full };
    }

    public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient)
    {
        double[] full = ToFull(point), fullGradient = new double[full.Length];
        Scale = _objective.Evaluate(full, fullGradient, precise: true);
        _information = InformationMatrix.At(_objective, _features, l2: 0, _maxDegreeOfParallelism);
        if (_information.FirstSingular >= 0 || !double.IsFinite(Scale)) return double.PositiveInfinity;
        double[] penalty = PenaltyGradient(_information.Inverse(_maxDegreeOfParallelism));
        int count = _features.FeatureCount;
        for (int c = 1; c < _classes; c++)
        {
            Span<double> row = gradient.Slice((c - 1) * _width, _width);
            fullGradient.AsSpan(c * count, count).CopyTo(row);
            if (_features.HasIntercepts) row[count] = fullGradient[(_classes * count) + c];
            _features.StandardiseGradient(row);
            DoubleVectors.AddScaled(penalty.AsSpan(c * _width, _width), -0.5 / WeightSum, row);
        }

        double logDeterminant = _information.LogDeterminant + (2 * (_classes - 1) * _features.LogDeterminant);
        return Scale - (logDeterminant / (2 * WeightSum));
    }

    /// <summary>Times the inverse of the mean information.</summary>
    public void Solve(Span<double> x)
    {
        _information!.Solve(x);
        for (int i = 0; i < x.Length; i++) x[i] *= WeightSum;
    }

    private double[] ToFull(ReadOnlySpan<double> point)
    {
        int count = _features.FeatureCount;
        double[] full = new double[_objective.ParameterCount()], parameters = new double[_width];
        for (int c = 1; c < _classes; c++)
        {
            point.Slice((c - 1) * _width, _width).CopyTo(parameters);
            _features.Restore(parameters);
            parameters.AsSpan(0, count).CopyTo(full.AsSpan(c * count));
            if (_features.HasIntercepts) full[(_classes * count) + c] = parameters[count];
        }

        return full;
    }

    /// <summary>Gradient of ln det I over all classes, [C, width].</summary>
    private double[] PenaltyGradient(double[] inverse)
    {
        int differences = _classes - 1, size = ParameterCount;
        double[] vectors = Columns(inverse), gradient = PinnedMemory.Allocate<double>(_classes * _width);
        double[] products = PinnedMemory.Allocate<double>(BlockRows * size), factors = PinnedMemory.Allocate<double>(BlockRows * _classes);
        double[] forms = new double[BlockRows * differences * differences], zeros = PinnedMemory.Allocate<double>(size);
        Array.Clear(gradient);
        Array.Clear(zeros);
        for (int first = 0; first < _objective.RowCount; first += BlockRows)
        {
            int length = Math.Min(BlockRows, _objective.RowCount - first);
            double[] rows = _objective.StandardRows(_features, first, length);
            for (int c = 0; c < differences; c++)
            {
                double* of = PinnedMemory.Pointer(vectors) + ((long)c * size * _width);
                RowProducts<double>.Run(PinnedMemory.Pointer(rows), length, _width, of, size, PinnedMemory.Pointer(zeros), PinnedMemory.Pointer(products));
                AddForms(products, rows, length, c, forms);
            }

            for (int i = 0; i < length; i++) Factors(first + i, forms.AsSpan(i * differences * differences, differences * differences), factors.AsSpan(i * _classes, _classes));
            OuterProducts<double>.Add(PinnedMemory.Pointer(factors), _classes, PinnedMemory.Pointer(rows), length, _width, PinnedMemory.Pointer(gradient));
        }

        return gradient;
    }

    /// <summary>The columns of I⁻¹ that belong to each class: [C − 1][size, width].</summary>
    private double[] Columns(double[] inverse)
    {
        int size = ParameterCount;
        double[] columns = PinnedMemory.Allocate<double>(inverse.Length);
        for (int c = 0; c < _classes - 1; c++)
        {
            for (int i = 0; i < size; i++) inverse.AsSpan((i * size) + (c * _width), _width).CopyTo(columns.AsSpan(((c * size) + i) * _width));
        }

        return columns;
    }

    /// <summary>Row c of every Q, from the products of I⁻¹'s columns of class c with the row.</summary>
    private void AddForms(double[] products, double[] rows, int length, int c, double[] forms)
    {
        int differences = _classes - 1, size = ParameterCount;
        for (int i = 0; i < length; i++)
        {
            ReadOnlySpan<double> x = rows.AsSpan(i * _width, _width);
            for (int k = 0; k < differences; k++)
            {
                forms[(((i * differences) + c) * differences) + k] = DoubleVectors.Dot(products.AsSpan((i * size) + (k * _width), _width), x);
            }
        }
    }

    /// <summary>s p_t (f_t − Σ p f) of a row, for every class t.</summary>
    private void Factors(int row, ReadOnlySpan<double> form, Span<double> factors)
    {
        int differences = _classes - 1;
        Span<double> p = _probabilities;
        _objective.CopyProbabilities(row, p);
        double mean = 0;
        factors[0] = 0;
        for (int c = 0; c < differences; c++)
        {
            double product = 0;
            for (int k = 0; k < differences; k++) product += form[(c * differences) + k] * p[k + 1];
            factors[c + 1] = form[(c * differences) + c] - (2 * product);
            mean += p[c + 1] * factors[c + 1];
        }

        double weight = _objective.Examples.WeightArray?[row] ?? 1;
        for (int t = 0; t < _classes; t++) factors[t] = weight * p[t] * (factors[t] - mean);
    }
}
