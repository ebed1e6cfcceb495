namespace SoftmaxCE;

/// <summary>How gradient descent turns gradients into steps. g is the gradient, μ <see cref="GradientDescentOptions.Momentum"/>.</summary>
public enum DescentRule
{
    /// <summary>v ← μ v − step · g(w), w ← w + v; without momentum w ← w − step · g(w).</summary>
    Momentum,

    /// <summary>Nesterov's: v ← μ v − step · g(w + μ v), w ← w + v.</summary>
    Nesterov,

    /// <summary>
    /// Adam (Kingma, Ba 2015): m ← μ m + (1 − μ) g, v ← β v + (1 − β) g², w ← w − step · m̂ / (√v̂ + ε), m̂ and v̂ free of the bias
    /// towards the 0 they start from. μ is <see cref="GradientDescentOptions.Momentum"/> (usually 0.9), β <see cref="GradientDescentOptions.SquareDecay"/>.
    /// </summary>
    Adam,
}

/// <summary>Gradient descent: W ← W − step · g, where g is the gradient of the mean loss over a batch of rows plus L2 · W; intercepts alike, without L2.</summary>
/// <remarks>With one row per batch and no penalty that is W ← W + step · (y − a) xᵀ: a the probabilities, y the one-hot label.</remarks>
public sealed record GradientDescentOptions
{
    /// <summary>How steps are made. Default <see cref="DescentRule.Momentum"/>.</summary>
    public DescentRule Rule { get; init; } = DescentRule.Momentum;

    /// <summary>Step length at the start. Default 0.1.</summary>
    public double Step { get; init; } = 0.1;

    /// <summary>δ ≥ 0: after t updates the step is Step / (1 + δ t)^<see cref="StepPower"/>. Default 0: a constant step.</summary>
    public double StepDecay { get; init; }

    /// <summary>In (0, 1], see <see cref="StepDecay"/>; between 0.5 and 1 the last iterate converges, and so does their average. Default 1.</summary>
    public double StepPower { get; init; } = 1;

    /// <summary>Rows per batch; 0 takes all rows at once. Default 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Times that every row is used. Default 100. Of no effect in a stream.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>μ in [0, 1), see <see cref="DescentRule"/>. Default 0.</summary>
    public double Momentum { get; init; }

    /// <summary>β in [0, 1) of <see cref="DescentRule.Adam"/>. Default 0.999.</summary>
    public double SquareDecay { get; init; } = 0.999;

    /// <summary>ε &gt; 0 of <see cref="DescentRule.Adam"/>. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Whether each epoch takes the rows in a new random order, from <see cref="SoftmaxRegressionOptions.Seed"/>. Default true; of no effect when a batch holds all rows.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Whether the model is the mean of the iterates after each batch of the last epoch (Polyak averaging; in a stream of all batches), instead of the last iterate. Default false.</summary>
    public bool Average { get; init; }

    internal void Validate()
    {
        if (!Enum.IsDefined(Rule)) throw new ArgumentOutOfRangeException(nameof(Rule), Rule, "Is not a rule.");
        Argument.FiniteAndPositive(Step);
        Argument.FiniteAndNotNegative(StepDecay);
        if (!(StepPower > 0 && StepPower <= 1)) throw new ArgumentOutOfRangeException(nameof(StepPower), StepPower, "Must be greater than 0 and at most 1.");
        Argument.Positive(Epochs);
        ArgumentOutOfRangeException.ThrowIfNegative(BatchSize);
        if (!(Momentum >= 0 && Momentum < 1)) throw new ArgumentOutOfRangeException(nameof(Momentum), Momentum, "Must be at least 0 and below 1.");
        if (!(SquareDecay >= 0 && SquareDecay < 1)) throw new ArgumentOutOfRangeException(nameof(SquareDecay), SquareDecay, "Must be at least 0 and below 1.");
        Argument.FiniteAndPositive(Epsilon);
    }
}
