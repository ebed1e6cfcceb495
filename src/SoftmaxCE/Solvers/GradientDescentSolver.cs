namespace SoftmaxCE;

/// <summary>Gradient descent with constant step over batches of rows, see <see cref="GradientDescentOptions"/>.</summary>
internal sealed class GradientDescentSolver(IBatchObjective objective, GradientDescentOptions options, SolverSettings settings, TrainingMonitor monitor)
{
    private readonly int _batchSize = options.BatchSize == 0 ? objective.RowCount : Math.Min(options.BatchSize, objective.RowCount);
    private RandomStream _random = new(settings.Seed);

    public SolverResult Run(SolverStart start)
    {
        double[] point = start.Point, gradient = start.Gradient, velocity = new double[point.Length];
        double[] lastFinite = [.. point], mean = options.Average ? new double[point.Length] : [];
        int[] order = [.. Enumerable.Range(0, objective.RowCount)];
        double value = start.Value, gap = start.Gap.At(point, gradient, value);
        monitor.Record(0, value, gap);
        for (int epoch = 0; ; epoch++)
        {
            if (monitor.ReasonToStop(epoch, value, gap) is { } reason) return new SolverResult(point, reason, epoch, value, gap);
            bool averaging = options.Average && epoch + 1 == settings.MaxIterations;
            if (_batchSize == objective.RowCount) FullStep(point, gradient, velocity);
            else Epoch(point, velocity, order, averaging ? mean : []);
            if (averaging && _batchSize < objective.RowCount) mean.CopyTo(point, 0);

            double next = objective.Evaluate(point, gradient, precise: true);
            double nextGap = start.Gap.At(point, gradient, next);
            if (!double.IsFinite(next) || !double.IsFinite(DoubleVectors.Norm(gradient)))
            {
                // The step is too long: the last finite model is all there is to give.
                return new SolverResult(lastFinite, StopReason.NoFurtherProgress, epoch, value, gap);
            }

            (value, gap) = (next, nextGap);
            point.CopyTo(lastFinite, 0);
            monitor.Record(epoch + 1, value, gap);
        }
    }

    /// <summary>One step over all rows; the gradient was made by the evaluation before it.</summary>
    private void FullStep(double[] point, double[] gradient, double[] velocity)
    {
        if (options.Momentum == 0)
        {
            DoubleVectors.AddScaled(gradient, -options.Step, point);
            return;
        }

        for (int i = 0; i < point.Length; i++) velocity[i] = (options.Momentum * velocity[i]) - (options.Step * gradient[i]);
        DoubleVectors.AddScaled(velocity, 1, point);
    }

    private void Epoch(double[] point, double[] velocity, int[] order, Span<double> mean)
    {
        if (options.Shuffle) _random.Shuffle(order);
        mean.Clear();
        int batches = (order.Length + _batchSize - 1) / _batchSize;
        for (int first = 0; first < order.Length; first += _batchSize)
        {
            Step(point, velocity, order.AsSpan(first, Math.Min(_batchSize, order.Length - first)));
            if (!mean.IsEmpty) DoubleVectors.AddScaled(point, 1.0 / batches, mean);
            if (monitor.MustStop && mean.IsEmpty) return;
        }
    }

    private void Step(double[] point, double[] velocity, ReadOnlySpan<int> batch)
    {
        double step = options.Step, decay = step * objective.L2;
        if (options.Momentum == 0)
        {
            objective.AddBatchGradient(batch, point, -step, point, 1 - decay, 1);
            return;
        }

        objective.AddBatchGradient(batch, point, -step, velocity, options.Momentum, options.Momentum);
        int coefficients = objective.ClassCount * objective.FeatureCount;
        if (decay > 0) DoubleVectors.AddScaled(point.AsSpan(0, coefficients), -decay, velocity);
        DoubleVectors.AddScaled(velocity, 1, point);
    }
}
