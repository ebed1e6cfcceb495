using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <content>Newton's method over the intercepts alone, on cached logits.</content>
internal sealed unsafe partial class SoftmaxRegressionObjective
{
    private const int InterceptSteps = 50;

    // Beyond this many classes their square matrix costs more than some products with it.
    private const int MaxCoupledIntercepts = 64;
    private const int MaxInterceptProducts = 30;

    // From so many classes on the Hessian costs more than the gradient, and is kept while each step makes the gradient smaller by such a factor.
    private const int LeastKept = 20;
    private const double Progress = 10;

    private double[]? _trialShifts;

    // What rounding may add to the mean loss.
    private const double LossRounding = 1e-12;

    public void SolveIntercepts(double position, double accuracy, Span<double> shifts)
    {
        shifts.Clear();
        if (!HasIntercepts) return;
        int classes = ClassCount;
        double[] trial = _trialShifts ??= PinnedMemory.Allocate<double>(classes), step = new double[classes];
        double[] factors = [], factoredAt = new double[classes];
        Array.Clear(trial);
        double best = double.PositiveInfinity, lowest = double.PositiveInfinity, factor = 1, largestShare = TensorPrimitives.Max<double>(_examples.Shares);
        bool coupled = classes <= MaxCoupledIntercepts, isFresh = coupled;
        for (int iteration = 0; iteration < InterceptSteps; iteration++)
        {
            double[] sums = InterceptSums(position, trial, isFresh, out double loss);
            double norm = 0;
            for (int c = 0; c < classes; c++) norm = Math.Max(norm, Math.Abs(sums[c]));

            // Newton on a convex function of few variables: when the gradient stops falling, arithmetic has reached its limit. Far from the
            // optimum the function may be flat, with a small gradient, so it must not rise.
            if (norm < best && loss <= lowest + (LossRounding * lowest))
            {
                if (isFresh)
                {
                    factors = InterceptFactors(sums, classes);
                    trial.CopyTo(factoredAt, 0);
                }

                isFresh = coupled && (classes < LeastKept || norm > best / Progress);
                best = norm;
                lowest = Math.Min(lowest, loss);
                trial.CopyTo(shifts);
                if (coupled) DirectStep(sums, factors, step);
                else IteratedStep(sums, step);
                factor = 1;
            }
            else if (norm < 1e-13 || factor < 1e-3)
            {
                return;
            }
            else
            {
                factor /= 4;
                isFresh = coupled;
            }

            if (best <= accuracy) return;
            for (int c = 0; c < classes; c++) trial[c] = shifts[c] + (factor * step[c]);
            if (factor < 1 || !coupled) continue;

            // A Newton step leaves of a class's gradient at most half of the square of what it changes differences of logits by, times its mean p. An
            // older Hessian is off by the part that those have changed by since.
            double range = Range(trial, shifts), since = Range(shifts, factoredAt);
            if (!(range * (since + (range / 2)) * largestShare <= accuracy)) continue;
            trial.CopyTo(shifts);
            return;
        }
    }

    /// <summary>Mean loss; mean gradient over the intercepts, then, if wanted, their mean Hessian: [classes] and [classes, classes]. With many classes the probabilities are kept.</summary>
    private double[] InterceptSums(double position, double[] shifts, bool withHessian, out double meanLoss)
    {
        int classes = ClassCount;
        bool coupled = classes <= MaxCoupledIntercepts;
        int count = withHessian ? classes + (classes * classes) : classes;
        if (!coupled) _directionLogits ??= TakeLogits();
        double[] sums = SumOverLogits(count + 1, InLanes
            ? (first, length, room, sums) => AddInterceptSums(position, shifts, withHessian, first, length, room, sums)
            : (first, length, room, sums) =>
            {
                double* logits = room, probabilities = coupled ? room + ((long)LaneBlock.Rows * classes) : PinnedMemory.Pointer(_directionLogits!) + ((long)first * classes);
                LineRows line = LineAt(position, shifts, first, length, room);
                line.CopyMovedLogits(logits);
                LossRows loss = new()
                {
                    Logits = logits, Probabilities = probabilities, Labels = _examples.Labels + first, Targets = _examples.TargetsFrom(first),
                    Weights = _examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = sums,
                };
                VectorWidth.Run<LossRows, double>(ref loss);
                sums[count] += loss.LossSum;
                if (!withHessian) return;

                // −Σ s p pᵀ; the diagonal Σ s p is −(row sums), because p sums to 1.
                double* weights = _examples.WeightsFrom(first);
                for (int i = 0; i < length; i++)
                {
                    for (int c = 0; c < classes; c++) logits[(i * classes) + c] = -(weights == null ? 1 : weights[i]) * probabilities[(i * classes) + c];
                }

                OuterProducts<double>.Add(logits, classes, probabilities, length, classes, sums + classes);
            });
        for (int i = 0; i < sums.Length; i++) sums[i] /= _examples.WeightSum;
        meanLoss = sums[count];
        for (int c = 0; withHessian && c < classes; c++)
        {
            double rowSum = 0;
            for (int k = 0; k < classes; k++) rowSum += sums[classes + (c * classes) + k];
            sums[classes + (c * classes) + c] -= rowSum;
        }

        return sums;
    }

    /// <summary>What one block adds, with few classes.</summary>
    private void AddInterceptSums(double position, double[] shifts, bool withHessian, int first, int length, double* room, double* sums)
    {
        int classes = ClassCount, stride = MoveInLanes(position, shifts, first, length, room, out _);
        double* probabilities = room + ((long)stride * classes), products = probabilities + ((long)stride * classes), weights = _examples.WeightsFrom(first);
        LossLanes loss = new()
        {
            Logits = room, Probabilities = withHessian || classes > MaxCoupledIntercepts ? probabilities : null, Stride = stride, Labels = _examples.Labels + first, Weights = weights,
            RowCount = length, ClassCount = classes, ResidualSums = sums,
        };
        VectorWidth.RunOnRegister<LossLanes, double>(ref loss);
        sums[withHessian ? classes + (classes * classes) : classes] += loss.LossSum;
        if (classes > MaxCoupledIntercepts)
        {
            LaneBlock.TurnBack(probabilities, stride, classes, PinnedMemory.Pointer(_directionLogits!) + ((long)first * classes), length);
            return;
        }

        if (!withHessian) return;

        // −Σ s p pᵀ. The residuals make room for s p.
        double* weighted = weights == null ? probabilities : room;
        for (int c = 0; c < classes; c++)
        {
            double* p = probabilities + ((long)c * stride);
            new Span<double>(p + length, stride - length).Clear();
            for (int i = 0; weights != null && i < stride; i++) weighted[((long)c * stride) + i] = i < length ? weights[i] * p[i] : 0;
        }

        double* zeros = products + ((long)classes * classes);
        new Span<double>(zeros, classes).Clear();
        RowProducts<double>.Run(weighted, classes, stride, probabilities, classes, zeros, products);
        for (int i = 0; i < classes * classes; i++) sums[classes + i] -= products[i];
    }

    /// <summary>Factors of the Hessian behind the gradient; a common shift changes nothing, so its direction gets curvature 1.</summary>
    private static double[] InterceptFactors(double[] sums, int classes)
    {
        double[] matrix = sums.AsSpan(classes, classes * classes).ToArray();
        double trace = 0;
        for (int c = 0; c < classes; c++) trace += matrix[(c * classes) + c];
        for (int i = 0; i < matrix.Length; i++) matrix[i] += trace / (classes * classes);
        Cholesky.Factor(matrix, classes, trace * 1e-15);
        return matrix;
    }

    /// <summary>step = −H⁻¹ g in the intercepts that sum to 0.</summary>
    private static void DirectStep(double[] sums, double[] factors, double[] step)
    {
        for (int c = 0; c < step.Length; c++) step[c] = -sums[c];
        Cholesky.Solve(factors, step.Length, step);
    }

    /// <summary>Largest minus smallest of the differences.</summary>
    private static double Range(ReadOnlySpan<double> values, ReadOnlySpan<double> subtracted)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int c = 0; c < values.Length; c++)
        {
            double difference = values[c] - subtracted[c];
            (low, high) = (Math.Min(low, difference), Math.Max(high, difference));
        }

        return high - low;
    }

    /// <summary>The same by conjugate gradients, with products from the kept probabilities and the diagonal as preconditioner.</summary>
    private void IteratedStep(double[] sums, double[] step)
    {
        int classes = ClassCount;
        double[] diagonal = new double[classes], residual = new double[classes], search = PinnedMemory.Allocate<double>(classes);
        for (int c = 0; c < classes; c++) diagonal[c] = Math.Max(_examples.Shares[c] + sums[c], 1e-12);
        Array.Clear(step);
        double norm = 0;
        for (int c = 0; c < classes; c++)
        {
            residual[c] = -sums[c];
            search[c] = residual[c] / diagonal[c];
            norm += residual[c] * search[c];
        }

        double first = norm;
        for (int k = 0; k < MaxInterceptProducts && norm > 1e-6 * first; k++)
        {
            double[] product = InterceptProduct(search);
            double curvature = DoubleVectors.Dot(search, product);
            if (!(curvature > 0)) return;
            double length = norm / curvature, next = 0;
            for (int c = 0; c < classes; c++)
            {
                step[c] += length * search[c];
                residual[c] -= length * product[c];
                next += residual[c] * residual[c] / diagonal[c];
            }

            for (int c = 0; c < classes; c++) search[c] = (residual[c] / diagonal[c]) + (next / norm * search[c]);
            norm = next;
        }
    }

    /// <summary>Mean of (diag(p) − p pᵀ) v.</summary>
    private double[] InterceptProduct(double[] v)
    {
        int classes = ClassCount;
        double[] product = SumOverLogits(classes, (first, length, room, sums) =>
        {
            for (int i = 0; i < length; i++) v.CopyTo(new Span<double>(room + ((long)i * classes), classes));
            CurvatureRows kernel = new()
            {
                Direction = room, Probabilities = PinnedMemory.Pointer(_directionLogits!) + ((long)first * classes),
                Weights = _examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = sums,
            };
            VectorWidth.Run<CurvatureRows, double>(ref kernel);
        });
        for (int c = 0; c < classes; c++) product[c] /= _examples.WeightSum;
        return product;
    }
}
