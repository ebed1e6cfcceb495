namespace SoftmaxCE;

/// <summary>A path of penalties λ, from strong to weak: L1 = λ · Mixing, L2 = λ · (1 − Mixing), as glmnet has it.</summary>
public sealed record RegularizationPathOptions
{
    // glmnet, too, takes this mixing for the strongest penalty when there is no L1 that could make all coefficients 0.
    internal const double LeastMixing = 1e-3;

    /// <summary>Share of L1, in [0, 1]: 1 (the default) is the lasso, 0 ridge, between them the elastic net.</summary>
    public double Mixing { get; init; } = 1;

    /// <summary>Number of penalties, evenly spaced on a logarithmic scale. Default 100.</summary>
    public int PenaltyCount { get; init; } = 100;

    /// <summary>The weakest penalty as a fraction, in (0, 1), of the strongest, which is the smallest that makes all penalised coefficients 0. Default: 1e-4, or 0.01 with fewer rows than features.</summary>
    public double? SmallestFraction { get; init; }

    /// <summary>The penalties λ themselves, positive and falling, instead of <see cref="PenaltyCount"/> and <see cref="SmallestFraction"/>. Empty (the default): none.</summary>
    public ReadOnlyMemory<double> Penalties { get; init; }

    /// <summary>The path ends early after the first penalty with this deviance ratio; weaker ones would only overfit. Default 0.999; not applied to <see cref="Penalties"/>.</summary>
    public double LargestDevianceRatio { get; init; } = 0.999;

    /// <summary>Folds of the cross-validation, at least 2. Default 10.</summary>
    public int FoldCount { get; init; } = 10;

    /// <summary>Fold 0, 1, 2, … of every row, where rows belong together; empty (the default) deals the rows of each class at random to <see cref="FoldCount"/> folds.</summary>
    public ReadOnlyMemory<int> Folds { get; init; }

    /// <summary>How each model is trained; the path sets its L1 and L2. Seed, which also deals the folds, class weights, penalty factors, tolerance and threads are meant.</summary>
    public SoftmaxRegressionOptions Training { get; init; } = new();

    internal void Validate()
    {
        if (!(Mixing >= 0 && Mixing <= 1)) throw new ArgumentOutOfRangeException(nameof(Mixing), Mixing, "Must be at least 0 and at most 1.");
        Argument.Positive(PenaltyCount);
        if (SmallestFraction is { } fraction && !(fraction > 0 && fraction < 1)) throw new ArgumentOutOfRangeException(nameof(SmallestFraction), fraction, "Must be greater than 0 and below 1.");
        if (!(LargestDevianceRatio > 0 && LargestDevianceRatio <= 1)) throw new ArgumentOutOfRangeException(nameof(LargestDevianceRatio), LargestDevianceRatio, "Must be greater than 0 and at most 1.");
        ArgumentOutOfRangeException.ThrowIfLessThan(FoldCount, 2);
        ReadOnlySpan<double> penalties = Penalties.Span;
        for (int i = 0; i < penalties.Length; i++)
        {
            bool falls = i == 0 || penalties[i] < penalties[i - 1];
            if (penalties[i] > 0 && double.IsFinite(penalties[i]) && falls) continue;
            throw new ArgumentOutOfRangeException(nameof(Penalties), penalties[i], $"Penalty {i} is {penalties[i]}; penalties must be finite, greater than 0 and falling.");
        }

        ArgumentNullException.ThrowIfNull(Training);
        (Training with { L1 = 0 }).Validate();
        if (Training.Solver == Solver.GradientDescent || (Mixing > 0 && Training.Solver is Solver.Newton or Solver.Lbfgs))
        {
            throw new ArgumentException($"{Training.Solver} cannot follow a path with Mixing = {Mixing}: leave the solver to Auto.", nameof(Training));
        }

        if (Training.PenaltyFactors.Length > 0 && !Training.PenaltyFactors.Span.ContainsAnyExcept(0.0))
        {
            throw new ArgumentException("All penalty factors are 0: there is no penalty to vary.", nameof(Training));
        }
    }
}
