namespace SoftmaxCE;

/// <summary>target ← scale · target + factor · (gradient of the mean loss over a batch at a point), as <see cref="IBatchObjective.AddBatchGradient"/>.</summary>
internal delegate void BatchGradient(
    ReadOnlySpan<int> batch, ReadOnlySpan<double> point, double factor, Span<double> target, double coefficientScale, double interceptScale);

/// <summary>The updates of gradient descent, one after another, by the rule of <see cref="GradientDescentOptions"/>.</summary>
/// <remarks>What an update needs to know of the earlier ones is in three vectors and a count, so that training can be put aside and taken up again.</remarks>
internal sealed class DescentUpdates
{
    private readonly GradientDescentOptions _options;
    private readonly Penalty _penalty;
    private readonly int _featureCount;
    private readonly int _coefficientCount;
    private readonly double[] _scratch;

    /// <param name="options">The rule.</param>
    /// <param name="penalty">Its L2 part is added to every gradient.</param>
    /// <param name="point">Where to start; moved by the updates.</param>
    /// <param name="coefficientCount">How many of the point's values are coefficients.</param>
    /// <param name="featureCount">Features per class.</param>
    public DescentUpdates(GradientDescentOptions options, Penalty penalty, double[] point, int coefficientCount, int featureCount)
    {
        _options = options;
        _penalty = penalty;
        _featureCount = featureCount;
        _coefficientCount = coefficientCount;
        Point = point;
        Velocity = HasVelocity ? new double[point.Length] : [];
        Squares = options.Rule == DescentRule.Adam ? new double[point.Length] : [];
        bool inPlace = options.Rule == DescentRule.Momentum && (penalty.IsUniform || !penalty.HasL2);
        _scratch = inPlace ? [] : new double[point.Length];
    }

    /// <summary>Coefficients, then intercepts.</summary>
    public double[] Point { get; }

    /// <summary>v of the momentum; with Adam the mean of the gradients, m.</summary>
    public double[] Velocity { get; }

    /// <summary>With Adam the mean of the squared gradients, v.</summary>
    public double[] Squares { get; }

    /// <summary>Updates made. A count, from which powers and steps are computed anew: nothing drifts.</summary>
    public long Count { get; private set; }

    private bool HasVelocity => _options.Rule == DescentRule.Adam || _options.Momentum > 0;

    private double NextStep => _options.StepDecay == 0 ? _options.Step : _options.Step / Math.Pow(1 + (_options.StepDecay * Count), _options.StepPower);

    /// <summary>Adds all that the next update depends on.</summary>
    public SolverState AddTo(SolverState state) => state.Add("point", Point).Add("velocity", Velocity).Add("squares", Squares).Add("updates", Count);

    /// <summary>Takes it back.</summary>
    public void Restore(SolverState state)
    {
        state.Vector("point", Point.Length).CopyTo(Point, 0);
        state.Vector("velocity", Velocity.Length).CopyTo(Velocity, 0);
        state.Vector("squares", Squares.Length).CopyTo(Squares, 0);
        Count = (long)state.Number("updates");
    }

    /// <summary>An update from a batch of rows.</summary>
    public void Apply(ReadOnlySpan<int> batch, BatchGradient add)
    {
        if (_scratch.Length > 0)
        {
            ReadOnlySpan<double> at = Point;
            if (_options.Rule == DescentRule.Nesterov && HasVelocity)
            {
                LookAhead(_scratch);
                double[] ahead = [.. _scratch];
                add(batch, ahead, 1, _scratch, 0, 0);
                AddPenalty(ahead, _scratch);
            }
            else
            {
                add(batch, at, 1, _scratch, 0, 0);
                AddPenalty(Point, _scratch);
            }

            ApplyGradient(_scratch);
            return;
        }

        double step = NextStep, decay = step * _penalty.L2;
        Count++;
        if (_options.Momentum == 0)
        {
            add(batch, Point, -step, Point, 1 - decay, 1);
            return;
        }

        add(batch, Point, -step, Velocity, _options.Momentum, _options.Momentum);
        if (decay > 0) DoubleVectors.AddScaled(Point.AsSpan(0, _coefficientCount), -decay, Velocity);
        DoubleVectors.AddScaled(Velocity, 1, Point);
    }

    /// <summary>Where the next gradient is wanted: w + μ v for Nesterov's rule, else w.</summary>
    public void LookAhead(Span<double> point)
    {
        Point.CopyTo(point);
        if (_options.Rule == DescentRule.Nesterov && HasVelocity) DoubleVectors.AddScaled(Velocity, _options.Momentum, point);
    }

    /// <summary>An update from the whole gradient, penalty included, at <see cref="LookAhead"/>.</summary>
    public void ApplyGradient(ReadOnlySpan<double> gradient)
    {
        double step = NextStep;
        Count++;
        if (_options.Rule == DescentRule.Adam)
        {
            Adam(gradient, step);
            return;
        }

        if (!HasVelocity)
        {
            DoubleVectors.AddScaled(gradient, -step, Point);
            return;
        }

        for (int i = 0; i < Point.Length; i++) Velocity[i] = (_options.Momentum * Velocity[i]) - (step * gradient[i]);
        DoubleVectors.AddScaled(Velocity, 1, Point);
    }

    /// <summary>m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − step · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε).</summary>
    private void Adam(ReadOnlySpan<double> gradient, double step)
    {
        double first = _options.Momentum, second = _options.SquareDecay;
        double firstScale = 1 / (1 - Power(first, Count)), secondScale = 1 / (1 - Power(second, Count));
        for (int i = 0; i < Point.Length; i++)
        {
            double g = gradient[i];
            Velocity[i] = (first * Velocity[i]) + ((1 - first) * g);
            Squares[i] = (second * Squares[i]) + ((1 - second) * g * g);
            Point[i] -= step * (Velocity[i] * firstScale) / (Math.Sqrt(Squares[i] * secondScale) + _options.Epsilon);
        }
    }

    private void AddPenalty(ReadOnlySpan<double> point, Span<double> gradient)
    {
        if (!_penalty.HasL2) return;
        for (int i = 0; i < _coefficientCount; i++) gradient[i] += _penalty.L2Of(i % _featureCount) * point[i];
    }

    /// <summary>By squaring, the same on every platform.</summary>
    private static double Power(double value, long exponent)
    {
        double result = 1;
        for (double square = value; exponent > 0; exponent >>= 1, square *= square)
        {
            if ((exponent & 1) != 0) result *= square;
        }

        return result;
    }
}
