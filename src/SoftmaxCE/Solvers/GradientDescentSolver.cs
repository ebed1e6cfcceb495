namespace SoftmaxCE;

/// <summary>Gradient descent over batches of rows, see <see cref="GradientDescentOptions"/>.</summary>
internal sealed class GradientDescentSolver(IBatchObjective objective, GradientDescentOptions options, SolverSettings settings, TrainingMonitor monitor)
{
    private readonly int _batchSize = options.BatchSize == 0 ? objective.RowCount : Math.Min(options.BatchSize, objective.RowCount);
    private RandomStream _random = new(settings.Seed);

    private bool IsFullBatch => _batchSize == objective.RowCount;

    public SolverResult Run(SolverStart start)
    {
        double[] point = start.Point, gradient = start.Gradient;
        double[] lastFinite = [.. point], mean = options.Average && !IsFullBatch ? new double[point.Length] : [];
        int[] order = [.. Enumerable.Range(0, objective.RowCount)];
        DescentUpdates updates = new(options, Penalty.Of(objective), point, objective.ClassCount * objective.FeatureCount, objective.FeatureCount);
        double value = start.Value, gap = start.Gap.At(point, gradient, value);
        int first = 0;
        if (start.Resumed is { } state)
        {
            first = state.Count("iteration");
            updates.Restore(state);
            for (int epoch = 0; epoch < first && options.Shuffle && !IsFullBatch; epoch++) _random.Shuffle(order);
        }
        else
        {
            monitor.Record(0, value, gap);
        }

        for (int epoch = first; ; epoch++)
        {
            if (monitor.ReasonToStop(epoch, value, gap) is { } reason) return new SolverResult(point, reason, epoch, value, gap);
            bool averaging = mean.Length > 0 && epoch + 1 == settings.MaxIterations;
            if (IsFullBatch) FullStep(updates, gradient);
            else Epoch(updates, order, averaging ? mean : []);
            if (averaging) mean.CopyTo(point, 0);

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
            monitor.Checkpoint(epoch + 1, (point, value, gap), () => updates.AddTo(new SolverState()).Add("valueAtPoint", value));
        }
    }

    /// <summary>One step over all rows; the gradient was made by the evaluation before it, except where Nesterov's rule looks ahead.</summary>
    private void FullStep(DescentUpdates updates, double[] gradient)
    {
        if (options.Rule == DescentRule.Nesterov && options.Momentum > 0)
        {
            double[] ahead = new double[updates.Point.Length];
            updates.LookAhead(ahead);
            objective.Evaluate(ahead, gradient, precise: true);
        }

        updates.ApplyGradient(gradient);
    }

    private void Epoch(DescentUpdates updates, int[] order, Span<double> mean)
    {
        if (options.Shuffle) _random.Shuffle(order);
        mean.Clear();
        int batches = (order.Length + _batchSize - 1) / _batchSize;
        for (int first = 0; first < order.Length; first += _batchSize)
        {
            updates.Apply(order.AsSpan(first, Math.Min(_batchSize, order.Length - first)), objective.AddBatchGradient);
            if (!mean.IsEmpty) DoubleVectors.AddScaled(updates.Point, 1.0 / batches, mean);
            if (monitor.MustStop && mean.IsEmpty) return;
        }
    }
}
