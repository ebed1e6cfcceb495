namespace SoftmaxCE;

/// <summary>
/// Newton's method for <see cref="VectorProblem"/> (Nocedal, Wright, algorithm 7.1): conjugate gradients, preconditioned by the 2 × 2 block
/// of each class, find the step; it is halved until the objective falls enough. Along the shift common to every b, which changes nothing,
/// no step has a part.
/// </summary>
internal sealed class VectorSolver(VectorProblem problem)
{
    private const int MostSteps = 100;
    private const int MostHalvings = 40;

    // Armijo's fraction of the slope, and where the predicted fall is lost in the rounding of the objective.
    private const double EnoughFall = 1e-4;
    private const double RelativePrecision = 1e-14;
    private const double LogitPrecision = 1.1e-16;

    // Squares of the fraction of the gradient that a step may leave. Far from the optimum a better step is wasted; the fraction falls as the
    // gradient does, which makes the method quadratic (Nocedal, Wright, theorem 7.2).
    private const double LargestReduction = 1e-2;
    private const double SmallestReduction = 1e-20;

    private double _firstNorm;

    private readonly int _size = 2 * problem.ClassCount;
    private readonly double[] _blocks = new double[3 * problem.ClassCount];

    /// <summary>Moves to the minimum.</summary>
    /// <param name="point">Start; overwritten by the end, where the objective is not higher.</param>
    /// <returns>Whether the minimum was reached; otherwise there is none at finite distance.</returns>
    public bool Solve(Span<double> point)
    {
        double[] gradient = new double[_size], direction = new double[_size], trial = new double[_size];
        double value = Objective(point);
        for (int step = 0; step < MostSteps; step++)
        {
            problem.Gradient(point, gradient);
            FindDirection(gradient, direction);
            double slope = DoubleVectors.Dot(gradient, direction);
            if (!(slope < 0)) return true;
            double precision = (RelativePrecision * value) + (LogitPrecision * problem.LargestLogit);
            bool isLast = -slope <= precision;
            double length = 1, next = double.PositiveInfinity;
            for (int halving = 0; halving < MostHalvings; halving++, length /= 2)
            {
                point.CopyTo(trial);
                DoubleVectors.AddScaled(direction, length, trial);
                next = Objective(trial);
                if (next <= value + (EnoughFall * length * slope) || (isLast && next <= value)) break;
            }

            if (!(next <= value)) return isLast || -slope <= 100 * precision;
            trial.CopyTo(point);
            value = next;
            if (isLast) return true;
        }

        return false;
    }

    private double Objective(ReadOnlySpan<double> point) => problem.LogLoss(point) + problem.Penalty(point);

    private void FindDirection(ReadOnlySpan<double> gradient, Span<double> direction)
    {
        double[] residual = new double[_size], preconditioned = new double[_size], search, product = new double[_size];
        direction.Clear();
        for (int i = 0; i < _size; i++) residual[i] = -gradient[i];
        problem.ClassBlocks(_blocks);
        Precondition(residual, preconditioned);
        search = [.. preconditioned];
        double norm = DoubleVectors.Dot(residual, preconditioned);
        if (_firstNorm == 0) _firstNorm = norm;
        double enough = norm * Math.Clamp(norm / _firstNorm, SmallestReduction, LargestReduction);
        for (int k = 0; k < 2 * _size && norm > enough; k++)
        {
            problem.MultiplyHessian(search, product);
            double curvature = DoubleVectors.Dot(search, product);
            if (!(curvature > 0)) break;                          // rounding, or a direction that changes nothing
            double step = norm / curvature;
            DoubleVectors.AddScaled(search, step, direction);
            DoubleVectors.AddScaled(product, -step, residual);
            Precondition(residual, preconditioned);
            double next = DoubleVectors.Dot(residual, preconditioned);
            DoubleVectors.ScaleAndAdd(preconditioned, next / norm, search);
            norm = next;
        }
    }

    // Solves the block of each class; where its two columns are alike, for a logit that hardly varies, the diagonal alone.
    private void Precondition(ReadOnlySpan<double> residual, Span<double> result)
    {
        int count = problem.ClassCount;
        for (int c = 0; c < count; c++)
        {
            double a = _blocks[3 * c], both = _blocks[(3 * c) + 1], b = _blocks[(3 * c) + 2];
            double determinant = (a * b) - (both * both);
            bool isRegular = determinant > 1e-10 * a * b;
            result[c] = isRegular ? ((b * residual[c]) - (both * residual[count + c])) / determinant : a > 0 ? residual[c] / a : 0;
            result[count + c] = isRegular ? ((a * residual[count + c]) - (both * residual[c])) / determinant : b > 0 ? residual[count + c] / b : 0;
        }
    }
}
