namespace SoftmaxCE;

/// <summary>
/// min over Δ of gᵀΔ + ½ ΔᵀHΔ + L1 ‖w + Δ‖₁ for the active parameters w. Sweeps of coordinate descent find the signs, and a Newton step on
/// the parameters that are not 0 finds the values, which sweeps alone reach only slowly when columns are of a kind.
/// </summary>
/// <remarks>
/// The intercepts in here are those of centred features, b + Σ mean · w, so that a feature far from 0 does not look like them; and everything is held
/// for parameters divided by their scale H_aa^−½, which makes the diagonal of H 1, so that features of any unit are alike to what guards against rounding.
/// </remarks>
internal sealed class QuadraticModel
{
    private const int MaxRounds = 200;
    private const int SweepsPerRound = 5;

    // With so few parameters Newton's steps do not wait for sweeps to find the signs, which with columns alike they may never do.
    private const int Small = 300;

    // Multiplications in factors that one round may spend on signs that change.
    private const double MostProducts = 2e8;

    // Rounds without a violation below half the smallest so far: the limit of the arithmetic.
    private const int Patience = 20;

    // Where H may be singular (intercepts that move together, more columns than rows) lower pivots are rounding.
    private const double LeastPivot = 1e-13;

    // Along a direction that H hardly sees a step that LeastPivot made short is lengthened by at most this.
    private const double MostStretch = 1e6;

    // Coefficients on their way to infinity go by sweeps from here on, so that nothing overflows.
    private const double LongestStep = 1e100;

    // Beyond this ratio of its mean to its deviation, squared, a feature is centred before it is multiplied; sparse features stay sparse.
    private const double FarFromZero = 100;

    // What a column that does not vary seems to vary by, relative to its mean.
    private const double MeanRounding = 1e-15;

    // Less curvature is none: its inverse, and sums of products with it, must not overflow.
    private const double LeastCurvature = 1e-200;

    private readonly int _size;
    private readonly double[] _hessian;
    private readonly double[] _gradient;        // g + HΔ, kept up to date
    private readonly double[] _values;          // w + Δ
    private readonly double[] _start;           // w
    private readonly double[] _penalty;         // L1 times the factor; 0 for intercepts
    private readonly double[] _scale;           // 0 where the model is flat
    private readonly double[] _flatChanges;     // Δ where the model is flat: what only costs L1 goes to 0
    private readonly double[] _means;           // of the parameter's feature; 0 for intercepts and without them
    private readonly double[] _origins;         // the part of the mean that was subtracted from the feature
    private readonly int[] _interceptOf;        // where the intercept of the parameter's class stands
    private readonly bool _hasIntercepts;
    private readonly bool _isSmooth;

    /// <param name="objective">The smooth part.</param>
    /// <param name="active">Coefficients, then all intercepts if there are any.</param>
    /// <param name="start">The moments of the features.</param>
    /// <param name="penalty">L2 and L1.</param>
    /// <param name="point">w is a part of it.</param>
    /// <param name="gradient">At the point.</param>
    public QuadraticModel(IObjective objective, int[] active, SolverStart start, Penalty penalty, double[] point, double[] gradient)
    {
        int features = objective.FeatureCount, classes = objective.ClassCount, coefficientCount = classes * features;
        _size = active.Length;
        _hessian = new double[checked(_size * _size)];
        double[] means = start.Means, origin = objective.HasIntercepts ? OriginOf(start) : [];
        objective.PartialHessian(active, origin, _hessian);
        _gradient = new double[_size];
        _values = new double[_size];
        _start = new double[_size];
        _penalty = new double[_size];
        _scale = new double[_size];
        _flatChanges = new double[_size];
        _means = new double[_size];
        _origins = new double[_size];
        _interceptOf = new int[_size];
        _hasIntercepts = objective.HasIntercepts;
        for (int a = 0; a < _size && _hasIntercepts; a++)
        {
            bool intercept = active[a] >= coefficientCount;
            _interceptOf[a] = intercept ? a : _size - classes + (active[a] / features);
            _means[a] = intercept ? 0 : means[active[a] % features];
            _origins[a] = intercept ? 0 : origin[active[a] % features];
        }

        Centre();
        for (int a = 0; a < _size; a++)
        {
            bool intercept = active[a] >= coefficientCount;
            int feature = active[a] % features;
            double curvature = _hessian[(a * _size) + a] + (intercept ? 0 : penalty.L2Of(feature));
            double scale = _scale[a] = curvature > LeastCurvature ? 1 / Math.Sqrt(curvature) : 0;
            double along = _means[a] == 0 ? 0 : _means[a] * gradient[active[_interceptOf[a]]];
            _gradient[a] = (gradient[active[a]] - along) * scale;
            _values[a] = _start[a] = scale > 0 ? point[active[a]] / scale : 0;
            _penalty[a] = intercept ? 0 : penalty.L1Of(feature) * scale;
            if (scale == 0 && !intercept && Math.Abs(gradient[active[a]] - along) < penalty.L1Of(feature)) _flatChanges[a] = -point[active[a]];
        }

        for (int a = 0; a < _size; a++)
        {
            Span<double> row = _hessian.AsSpan(a * _size, _size);
            for (int b = 0; b < _size; b++) row[b] = row[b] * _scale[a] * _scale[b];
            row[a] = 1;
        }

        _isSmooth = !_penalty.ContainsAnyExcept(0);
    }

    /// <summary>The Hessian for centred features: a coefficient moves the intercept of its class by −mean. What centring leaves of a constant feature is rounding, and becomes 0.</summary>
    private void Centre()
    {
        double[] before = new double[_size];
        for (int a = 0; a < _size; a++) before[a] = _hessian[(a * _size) + a];
        for (int a = 0; a < _size; a++)
        {
            double left = _means[a] - _origins[a];
            if (left != 0) DoubleVectors.AddScaled(_hessian.AsSpan(_interceptOf[a] * _size, _size), -left, _hessian.AsSpan(a * _size, _size));
        }

        for (int b = 0; b < _size; b++)
        {
            Span<double> row = _hessian.AsSpan(b * _size, _size);
            for (int a = 0; a < _size; a++) row[a] -= (_means[a] - _origins[a]) * row[_interceptOf[a]];
        }

        for (int a = 0; a < _size; a++)
        {
            double noise = MeanRounding * _means[a];
            if (_hessian[(a * _size) + a] > Math.Max(LeastPivot * before[a], noise * noise * before[_interceptOf[a]])) continue;
            _hessian.AsSpan(a * _size, _size).Clear();
            for (int b = 0; b < _size; b++) _hessian[(b * _size) + a] = 0;
        }
    }

    private static double[] OriginOf(SolverStart start)
    {
        double[] origin = new double[start.Means.Length];
        for (int j = 0; j < origin.Length; j++)
        {
            double mean = start.Means[j];
            if (mean * mean > FarFromZero * start.Variances[j]) origin[j] = mean;
        }

        return origin;
    }

    /// <summary>Δ at the minimum.</summary>
    /// <param name="accuracy">The part of the first violation that may be left.</param>
    /// <param name="monitor">May ask to leave early.</param>
    public double[] Minimize(double accuracy, TrainingMonitor monitor)
    {
        double enough = accuracy * Violation(), smallest = double.PositiveInfinity;
        int patience = Patience;
        for (int round = 0; round < MaxRounds && !monitor.MustStop; round++)
        {
            bool settled = _isSmooth;
            for (int sweep = 0; sweep < SweepsPerRound && !(_isSmooth && round == 0); sweep++) settled = Sweep() && (settled || sweep == 1);
            double violation = Violation();
            if (violation <= enough) break;
            patience = violation < smallest / 2 ? Patience : patience - 1;
            smallest = Math.Min(smallest, violation);
            if (patience == 0) break;
            if (settled || _size <= Small || round % 10 == 9) NewtonUntilSignsStay();
        }

        double[] change = new double[_size];
        for (int a = 0; a < _size; a++) change[a] = _flatChanges[a] + ((_values[a] - _start[a]) * _scale[a]);
        for (int a = 0; a < _size; a++)
        {
            if (_means[a] != 0) change[_interceptOf[a]] -= _means[a] * change[a];
        }

        return change;
    }

    /// <summary>Whether the coefficient is 0 at the minimum, where rounding of Δ might say otherwise.</summary>
    public bool IsZero(int a) => _flatChanges[a] != 0 || (_values[a] == 0 && _penalty[a] > 0);

    /// <summary>Minimises over each parameter in turn; whether all signs stayed.</summary>
    private bool Sweep()
    {
        bool settled = true;
        for (int a = 0; a < _size; a++)
        {
            if (_scale[a] == 0) continue;
            double target = _values[a] - _gradient[a];
            if (!double.IsFinite(target)) continue;         // coefficients on their way to infinity
            double shrunk = Math.Abs(target) <= _penalty[a] ? 0 : target - (Math.Sign(target) * _penalty[a]);
            settled &= Math.Sign(shrunk) == Math.Sign(_values[a]);
            Move(a, shrunk);
        }

        return settled;
    }

    private void Move(int a, double value)
    {
        double change = value - _values[a];
        if (change == 0) return;
        DoubleVectors.AddScaled(_hessian.AsSpan(a * _size, _size), change, _gradient);
        _values[a] = value;
    }

    /// <summary>Newton's steps, each on the parameters that the last has left.</summary>
    private void NewtonUntilSignsStay()
    {
        double products = 0;
        while (NewtonOnSupport(out int count) && products < MostProducts) products += (double)count * count * count / 3;
    }

    /// <summary>Solves for the parameters that are not 0 with their signs held, and goes there, or as far as the first sign that would change; whether one did.</summary>
    private bool NewtonOnSupport(out int count)
    {
        int[] support = [.. Enumerable.Range(0, _size).Where(a => _scale[a] > 0 && (_values[a] != 0 || _penalty[a] == 0))];
        count = support.Length;
        if (count == 0) return false;
        double[] step = new double[count];
        for (int i = 0; i < count; i++)
        {
            step[i] = -_gradient[support[i]] - (_penalty[support[i]] * Math.Sign(_values[support[i]]));
        }

        ScaledCholesky.Damped(new double[count * count], count, matrix => TakeSupport(support, matrix), LeastPivot).Solve(step);
        if (!(DoubleVectors.Norm(step) < LongestStep)) return false;
        double length = LengthAlong(support, step);
        int blocking = -1;
        for (int i = 0; i < count; i++)
        {
            double limit = -_values[support[i]] / step[i];
            if (_penalty[support[i]] == 0 || !(limit > 0 && limit < length)) continue;
            length = limit;
            blocking = i;
        }

        for (int i = 0; i < count; i++) Move(support[i], i == blocking ? 0 : _values[support[i]] + (length * step[i]));
        return blocking >= 0;
    }

    /// <summary>The Hessian over some parameters.</summary>
    private void TakeSupport(int[] support, double[] matrix)
    {
        for (int i = 0; i < support.Length; i++)
        {
            for (int k = 0; k <= i; k++) matrix[(i * support.Length) + k] = _hessian[(support[i] * _size) + support[k]];
        }

        HoldInterceptsTogether(support, matrix);
    }

    /// <summary>A shift of all intercepts changes nothing, and its gradient is rounding: curvature 1 along it keeps that from growing.</summary>
    private void HoldInterceptsTogether(int[] support, double[] matrix)
    {
        int count = support.Length, first = count;
        double squares = 0;
        while (_hasIntercepts && first > 0 && _interceptOf[support[first - 1]] == support[first - 1])
        {
            first--;
            squares += 1 / (_scale[support[first]] * _scale[support[first]]);
        }

        for (int i = first; i < count; i++)
        {
            for (int k = first; k <= i; k++) matrix[(i * count) + k] += 1 / (_scale[support[i]] * _scale[support[k]] * squares);
        }
    }

    /// <summary>How far the model falls along a step, at least 1: further where <see cref="LeastPivot"/> took the place of less curvature.</summary>
    private double LengthAlong(int[] support, double[] step)
    {
        if (_isSmooth) return 1;            // there is nothing but rounding along directions that nothing sees
        double slope = 0, curvature = 0;
        for (int i = 0; i < support.Length; i++)
        {
            ReadOnlySpan<double> row = _hessian.AsSpan(support[i] * _size, _size);
            double product = 0;
            for (int k = 0; k < support.Length; k++) product += row[support[k]] * step[k];
            curvature += step[i] * product;
            slope += step[i] * (_gradient[support[i]] + (_penalty[support[i]] * Math.Sign(_values[support[i]])));
        }

        double length = curvature > 0 ? -slope / curvature : MostStretch;
        return length > 1 ? Math.Min(length, MostStretch) : 1;
    }

    /// <summary>Largest subgradient.</summary>
    private double Violation()
    {
        double largest = 0;
        for (int a = 0; a < _size; a++)
        {
            double g = _gradient[a];
            largest = Math.Max(largest, _values[a] != 0 ? Math.Abs(g + (_penalty[a] * Math.Sign(_values[a]))) : Math.Abs(g) - _penalty[a]);
        }

        return largest;
    }
}
