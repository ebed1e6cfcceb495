namespace SoftmaxCE;

/// <summary>How the objective is minimised.</summary>
public enum Solver
{
    /// <summary>
    /// <see cref="ProximalNewton"/> if L1 &gt; 0; else <see cref="Lbfgs"/> if classes · features &gt; 2,000,000; else <see cref="Newton"/>.
    /// <see cref="GradientDescent"/> only when asked for.
    /// </summary>
    /// <remarks>
    /// Newton needs the fewest passes over the data, also on raw features, and for few coefficients is exact; in a model of millions of
    /// coefficients its inner products of vectors cost as much as the passes they save. The rule looks at sizes and penalties alone, so the
    /// same options and shapes always mean the same solver.
    /// </remarks>
    Auto,

    /// <summary>Newton's method; the steps are found by conjugate gradients with a spectral preconditioner, which for small models holds the exact Hessian. L1 must be 0.</summary>
    Newton,

    /// <summary>L-BFGS, preconditioned; few vectors of the model's size. L1 must be 0.</summary>
    Lbfgs,

    /// <summary>Proximal Newton steps on the set of coefficients that may differ from 0, for any L1 and L2.</summary>
    ProximalNewton,

    /// <summary>Gradient descent as <see cref="GradientDescentOptions"/> says. L1 must be 0.</summary>
    GradientDescent,
}

/// <summary>How the bias of the coefficients, which few rows bring, is taken from them.</summary>
public enum BiasReduction
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Firth's method: the log-likelihood gets Jeffreys' penalty ½ ln det I, I being the information. The coefficients stay finite where classes are separated.</summary>
    Firth,
}

/// <summary>
/// What is minimised, F(W, b) = Σ s_i loss_i / Σ s_i + L2/2 ‖W‖² + L1 ‖W‖₁, and how far. loss_i is the cross-entropy of row i with
/// logits W x_i + b (+ offset), s_i its sample weight times its class weight. Intercepts b are not penalised; features are taken as given.
/// With penalty factors f, ‖W‖² is Σ f_j W_cj² and ‖W‖₁ is Σ f_j |W_cj|.
/// </summary>
public sealed record SoftmaxRegressionOptions
{
    /// <summary>Weight of ½ ‖W‖². Default 1e-4.</summary>
    public double L2 { get; init; } = 1e-4;

    /// <summary>Weight of ‖W‖₁ = Σ |W|. Default 0.</summary>
    public double L1 { get; init; }

    /// <summary>Firth's bias-reduced fit instead of a penalty; L2 and L1 must be 0. Default <see cref="BiasReduction.None"/>.</summary>
    /// <remarks>
    /// Maximises ln L + ½ ln det I(W, b) with the observed information I of the (C − 1) (d + 1) coefficients that are determined (Firth 1993;
    /// Heinze, Schemper 2002), which takes the first-order bias from the estimates; weights count as numbers of rows. The objective reported is
    /// the mean loss − ln det I / (2 Σ s), I over differences to class 0 and the features as given; nothing certifies a gap, and half the squared
    /// Newton decrement decides (see <see cref="Tolerance"/>, here relative to the mean loss). For small problems: each step factors a matrix
    /// over all coefficients. Columns must be independent. The solver is Fisher scoring; <see cref="Solver"/> must be Auto or Newton.
    /// </remarks>
    public BiasReduction BiasReduction { get; init; }

    /// <summary>f, one factor ≥ 0 per feature that multiplies L1 and L2 for it; 0 leaves the feature without penalty. Empty (the default): all 1.</summary>
    /// <remarks>
    /// They are taken as given, where glmnet's penalty.factor is scaled to the mean 1. With a factor 0 there is no finite gap: half the squared
    /// Newton decrement decides when to stop, as without penalty.
    /// </remarks>
    public ReadOnlyMemory<double> PenaltyFactors { get; init; }

    /// <summary>Whether b is fitted; otherwise it stays 0. Default true.</summary>
    public bool FitIntercepts { get; init; } = true;

    /// <summary>The method. Default <see cref="Solver.Auto"/>.</summary>
    public Solver Solver { get; init; } = Solver.Auto;

    /// <summary>Stop when gap ≤ Tolerance · objective, that is, when the objective is certainly within this fraction of the optimum. Default 1e-6.</summary>
    /// <remarks>Where a coefficient has no penalty there is no gap; half the squared Newton decrement takes its place.</remarks>
    public double Tolerance { get; init; } = 1e-6;

    /// <summary>Most iterations; 0 (the default) leaves it to the solver: 300 for Newton and ProximalNewton, 5,000 for Lbfgs, <see cref="GradientDescentOptions.Epochs"/> for GradientDescent.</summary>
    public int MaxIterations { get; init; }

    /// <summary>Stop after the first iteration that ends later than this. Default none.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>One positive weight per class, multiplied into the sample weights. Empty (the default): all 1.</summary>
    public ReadOnlyMemory<double> ClassWeights { get; init; }

    /// <summary>Most threads. The result does not depend on it, to the last bit. Default: the number of processors.</summary>
    public int MaxDegreeOfParallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>Seed for everything random: the order of rows in gradient descent, the sampled directions of the preconditioner. Default 0.</summary>
    public int Seed { get; init; }

    /// <summary>When canceled, return the model trained so far with <see cref="StopReason.Canceled"/>; otherwise (the default) throw <see cref="OperationCanceledException"/>.</summary>
    public bool KeepModelWhenCanceled { get; init; }

    /// <summary>Settings of <see cref="Solver.GradientDescent"/>.</summary>
    public GradientDescentOptions GradientDescent { get; init; } = new();

    /// <summary>Throws <see cref="ArgumentException"/> naming the option that has no meaning.</summary>
    internal void Validate()
    {
        Argument.FiniteAndNotNegative(L2);
        Argument.FiniteAndNotNegative(L1);
        Argument.FiniteAndPositive(Tolerance);
        Argument.Positive(MaxDegreeOfParallelism);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxIterations);
        if (!Enum.IsDefined(Solver)) throw new ArgumentOutOfRangeException(nameof(Solver), Solver, "Is not a solver.");
        if (TimeLimit is { } limit && limit <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(TimeLimit), limit, "Must be greater than 0.");
        if (L1 > 0 && Solver is (Solver.Newton or Solver.Lbfgs or Solver.GradientDescent))
        {
            throw new ArgumentException($"{Solver} cannot minimise an L1 penalty (L1 = {L1}): use ProximalNewton or Auto.", nameof(Solver));
        }

        ValidateBiasReduction();
        foreach (double weight in ClassWeights.Span)
        {
            if (!(weight > 0 && double.IsFinite(weight))) throw new ArgumentOutOfRangeException(nameof(ClassWeights), weight, "Class weights must be finite and greater than 0.");
        }

        for (int j = 0; j < PenaltyFactors.Length; j++)
        {
            double factor = PenaltyFactors.Span[j];
            if (factor >= 0 && double.IsFinite(factor)) continue;
            throw new ArgumentOutOfRangeException(nameof(PenaltyFactors), factor, $"Factor {j} is {factor}; factors must be finite and at least 0.");
        }

        ArgumentNullException.ThrowIfNull(GradientDescent);
        GradientDescent.Validate();
    }

    private void ValidateBiasReduction()
    {
        if (!Enum.IsDefined(BiasReduction)) throw new ArgumentOutOfRangeException(nameof(BiasReduction), BiasReduction, "Is not a bias reduction.");
        if (BiasReduction == BiasReduction.None) return;
        if (L2 > 0 || L1 > 0)
        {
            throw new ArgumentException($"Firth's method takes the place of other penalties: set L2 (now {L2}) and L1 (now {L1}) to 0.", nameof(BiasReduction));
        }

        if (!PenaltyFactors.IsEmpty) throw new ArgumentException("Firth's method has no penalty that factors could multiply.", nameof(PenaltyFactors));
        if (Solver is not (Solver.Auto or Solver.Newton))
        {
            throw new ArgumentException($"{Solver} does not know Firth's method: use Auto.", nameof(Solver));
        }
    }
}
