namespace SoftmaxCE;

/// <summary>
/// min over Δ of gᵀΔ + ½ ΔᵀHΔ + L1 ‖w + Δ‖₁ for the active parameters w. Sweeps of coordinate descent find the signs, and a Newton step on
/// the parameters that are not 0 finds the values, which sweeps alone reach only slowly when columns are of a kind.
/// </summary>
internal sealed class QuadraticModel
{
    private const int MaxRounds = 200;
    private const int SweepsPerRound = 5;

    private readonly int _size;
    private readonly double[] _hessian;
    private readonly double[] _gradient;        // g + HΔ, kept up to date
    private readonly double[] _values;          // w + Δ
    private readonly double[] _start;           // w
    private readonly double[] _penalty;         // L1 times the factor; 0 for intercepts

    public QuadraticModel(IObjective objective, int[] active, int coefficientCount, Penalty penalty, double[] point, double[] gradient)
    {
        _size = active.Length;
        _hessian = new double[checked(_size * _size)];
        objective.PartialHessian(active, _hessian);
        _gradient = new double[_size];
        _values = new double[_size];
        _start = new double[_size];
        _penalty = new double[_size];
        double trace = 0;
        for (int a = 0; a < _size; a++) trace += _hessian[(a * _size) + a];
        for (int a = 0; a < _size; a++)
        {
            bool intercept = active[a] >= coefficientCount;
            _gradient[a] = gradient[active[a]];
            _values[a] = _start[a] = point[active[a]];
            int feature = active[a] % objective.FeatureCount;
            _penalty[a] = intercept ? 0 : penalty.L1Of(feature);

            // A little damping where the Hessian may be singular: intercepts that move together, more columns than rows.
            _hessian[(a * _size) + a] += (intercept ? 0 : penalty.L2Of(feature)) + (1e-13 * trace / _size);
        }
    }

    /// <summary>Δ at the minimum.</summary>
    /// <param name="accuracy">The part of the first violation that may be left.</param>
    /// <param name="monitor">May ask to leave early.</param>
    public double[] Minimize(double accuracy, TrainingMonitor monitor)
    {
        double enough = accuracy * Violation();
        for (int round = 0; round < MaxRounds && !monitor.MustStop; round++)
        {
            bool settled = true;
            for (int sweep = 0; sweep < SweepsPerRound; sweep++) settled = Sweep() && (settled || sweep == 1);
            if (Violation() <= enough) break;
            if (settled || round % 10 == 9) NewtonOnSupport();
        }

        double[] change = new double[_size];
        for (int a = 0; a < _size; a++) change[a] = _values[a] == 0 ? -_start[a] : _values[a] - _start[a];
        return change;
    }

    /// <summary>Minimises over each parameter in turn; whether all signs stayed.</summary>
    private bool Sweep()
    {
        bool settled = true;
        for (int a = 0; a < _size; a++)
        {
            double curvature = _hessian[(a * _size) + a];
            if (!(curvature > 0)) continue;
            double target = (curvature * _values[a]) - _gradient[a];
            double shrunk = Math.Abs(target) <= _penalty[a] ? 0 : (target - (Math.Sign(target) * _penalty[a])) / curvature;
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

    /// <summary>Solves for the parameters that are not 0 with their signs held, and goes there, or as far as the first sign that would change.</summary>
    private void NewtonOnSupport()
    {
        int[] support = [.. Enumerable.Range(0, _size).Where(a => _values[a] != 0 || _penalty[a] == 0)];
        int count = support.Length;
        if (count == 0) return;
        double[] matrix = new double[count * count], step = new double[count];
        double trace = 0;
        for (int i = 0; i < count; i++)
        {
            for (int k = 0; k <= i; k++) matrix[(i * count) + k] = _hessian[(support[i] * _size) + support[k]];
            trace += matrix[(i * count) + i];
            step[i] = -_gradient[support[i]] - (_penalty[support[i]] * Math.Sign(_values[support[i]]));
        }

        Cholesky.Factor(matrix, count, 1e-13 * trace / count);
        Cholesky.Solve(matrix, count, step);
        double length = 1;
        int blocking = -1;
        for (int i = 0; i < count; i++)
        {
            double value = _values[support[i]];
            if (_penalty[support[i]] == 0 || Math.Sign(value + step[i]) == Math.Sign(value)) continue;
            double limit = -value / step[i];
            if (limit >= length) continue;
            length = limit;
            blocking = i;
        }

        for (int i = 0; i < count; i++) Move(support[i], i == blocking ? 0 : _values[support[i]] + (length * step[i]));
    }

    /// <summary>Largest subgradient, each relative to the root of its curvature, which makes columns of any scale comparable.</summary>
    private double Violation()
    {
        double largest = 0;
        for (int a = 0; a < _size; a++)
        {
            double g = _gradient[a];
            double subgradient = _values[a] != 0 ? g + (_penalty[a] * Math.Sign(_values[a])) : Math.Max(Math.Abs(g) - _penalty[a], 0);
            double curvature = _hessian[(a * _size) + a];
            if (curvature > 0) largest = Math.Max(largest, Math.Abs(subgradient) / Math.Sqrt(curvature));
        }

        return largest;
    }
}
