namespace SoftmaxCE;

/// <summary>The state of training after an iteration (for <see cref="Solver.GradientDescent"/>: an epoch).</summary>
/// <param name="Iteration">0 for the starting point, then 1, 2, …</param>
/// <param name="PassesOverData">How often every row has been read so far; products with a sample of rows count as a fraction.</param>
/// <param name="Objective">Mean loss + penalty.</param>
/// <param name="Gap">Certified bound on objective − optimum; +∞ where nothing can be certified, because a coefficient has no penalty.</param>
/// <param name="Elapsed">Time since the start of training.</param>
public sealed record TrainingProgress(int Iteration, double PassesOverData, double Objective, double Gap, TimeSpan Elapsed);

/// <summary>How training went. Not reaching the tolerance is a result, not an error: see <see cref="StopReason"/>.</summary>
public sealed record TrainingSummary
{
    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Iterations made; epochs for <see cref="Solver.GradientDescent"/>.</summary>
    public required int Iterations { get; init; }

    /// <summary>How often every row was read.</summary>
    public required double PassesOverData { get; init; }

    /// <summary>Mean loss + penalty of the returned model.</summary>
    public required double Objective { get; init; }

    /// <summary>The optimum is not lower than <see cref="Objective"/> − Gap; +∞ where nothing can be certified.</summary>
    /// <remarks>
    /// Where features have no penalty it is found at the end of training alone, for up to 600 such coefficients. Nothing but the rounding of the
    /// residuals then holds a coefficient, so an optimum farther from this one than 1,000 over the feature's standard deviation is not covered, and
    /// what directions that the rows hardly hold may add is judged by how the bound grows from step to step. With L1 besides, training may end by the
    /// decrement with a gap above the tolerance.
    /// </remarks>
    public required double Gap { get; init; }

    /// <summary>Wall-clock time of training.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The starting point and each iteration after it.</summary>
    public required IReadOnlyList<TrainingProgress> History { get; init; }

    /// <summary>What the model was trained with; null for a model from a file that does not say.</summary>
    public SoftmaxRegressionOptions? Options { get; init; }

    /// <summary>Rows trained on; 0 for a model from a file that does not say.</summary>
    public int RowCount { get; init; }

    /// <summary>Scale of the rows trained on, such as 1/255 of 8-bit pixels: the model expects stored values times this. See <see cref="DenseRows{T}"/>. Default 1.</summary>
    public double FeatureScale { get; init; } = 1;

    /// <summary>Offset of the rows trained on: the model expects it added to the scaled values. Default 0.</summary>
    public double FeatureOffset { get; init; }

    /// <summary>Whether the tolerance was reached.</summary>
    public bool Converged => StopReason == StopReason.Tolerance;
}
