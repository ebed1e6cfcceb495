namespace SoftmaxCE;

/// <summary>Preconditioned conjugate gradients for Hessian · direction = −gradient (Nocedal, Wright, algorithm 5.3).</summary>
/// <remarks>
/// Near the optimum one Hessian is much like the next, so the steps and products of a solve improve the preconditioner of the one that follows (Morales,
/// Nocedal, SIAM J. Optim. 10, 2000): an eighth of all products less on Fashion-MNIST. A preconditioner that is a Hessian itself is not improved.
/// </remarks>
internal sealed class ConjugateGradient(IObjective objective, Penalty penalty, SpectralPreconditioner preconditioner, TrainingMonitor monitor)
{
    private const int MaxProducts = 500;

    // Far from the optimum a better solution of a model that soon changes is wasted.
    private const double LargestReduction = 0.4;

    // The norm is a square. On Fashion-MNIST 0.1 and a largest reduction of 0.4 took a fifth fewer products than 0.25 and 0.25.
    private const double ReductionPower = 0.1;

    // What the preconditioner takes for 1. Less is rounding along directions that change nothing, as a shift common to all classes without L2; a
    // step there would be as long as rounding is small.
    private const double LeastCurvature = 1e-8;

    /// <summary>Norm of the gradient, as the preconditioner measures it, in the first of all solves; 0 before it.</summary>
    private double FirstNorm { get; set; }

    // A pair takes 4 operations per coefficient and product, a product 2 per row that is not 0 there: so many rows are worth one.
    private const int RowsPerPair = 64;

    private const int MostPairs = 16;
    private const long PairBytes = 64L << 20;

    private readonly bool _keepsPairs = PairsFor(objective, preconditioner) > 0;
    private CurvaturePairs _pairs = new(PairsFor(objective, preconditioner)), _nextPairs = new(PairsFor(objective, preconditioner));

    private readonly double[] _residual = new double[objective.ParameterCount()];
    private readonly double[] _preconditioned = new double[objective.ParameterCount()];
    private readonly double[] _search = new double[objective.ParameterCount()];
    private readonly double[] _product = new double[objective.ParameterCount()];

    /// <summary>What the next solve begins with.</summary>
    public SolverState AddTo(SolverState state) => (_nextPairs.Count > 0 ? _nextPairs : _pairs).AddTo(state).Add("firstNorm", FirstNorm);

    public void Restore(SolverState state)
    {
        FirstNorm = state.Number("firstNorm");
        _pairs.Restore(state, _residual.Length);
    }

    private static int PairsFor(IObjective objective, SpectralPreconditioner preconditioner)
    {
        if (preconditioner.IsWhole) return 0;
        double bytes = 4.0 * sizeof(double) * objective.ParameterCount();
        return (int)Math.Min(Math.Min(MostPairs, PairBytes / bytes), objective.RowCount * objective.Density / RowsPerPair);
    }

    /// <summary>
    /// Solves until the residual, measured with the preconditioner, is a fraction of the gradient that falls as the gradient falls, which
    /// makes Newton's method superlinear.
    /// </summary>
    /// <param name="gradient">Gradient at the objective's point.</param>
    /// <param name="enough">A fraction that suffices in any case.</param>
    /// <param name="enoughGap">
    /// A duality gap that suffices. The gradient after the step is the residual, but for what is not quadratic, so the gap there is known
    /// beforehand; its norm is not the preconditioner's, and where a residual is small in one it may be large in the other.
    /// </param>
    /// <param name="direction">Overwritten; the objective's line is made to run along it.</param>
    public void Solve(ReadOnlySpan<double> gradient, double enough, double enoughGap, Span<double> direction)
    {
        if (_nextPairs.Count > 0) (_pairs, _nextPairs) = (_nextPairs, _pairs);
        _nextPairs.Clear();
        direction.Clear();
        objective.StartLine();
        for (int i = 0; i < _residual.Length; i++) _residual[i] = -gradient[i];
        _pairs.Apply(preconditioner, followsCurvature: false, _residual, _preconditioned);
        _preconditioned.CopyTo(_search, 0);
        double norm = DoubleVectors.Dot(_residual, _preconditioned), first = norm;
        if (FirstNorm == 0) FirstNorm = norm;
        double reduction = Math.Min(Math.Max(Math.Pow(norm / FirstNorm, ReductionPower), enough), LargestReduction);
        for (int k = 0; k < MaxProducts && norm > 0; k++)
        {
            objective.MultiplyHessian(_search, _product);
            preconditioner.ProductsSinceRefresh++;
            double curvature = DoubleVectors.Dot(_search, _product);
            if (!(curvature > LeastCurvature * norm)) break;
            double step = norm / curvature;
            DoubleVectors.AddScaled(_search, step, direction);
            objective.ExtendLine(step);
            if (_keepsPairs) _nextPairs.Add([.. _search], [.. _product], curvature);
            DoubleVectors.AddScaled(_product, -step, _residual);
            if (enoughGap > 0 && penalty.GapOf(_residual.AsSpan(0, objective.ClassCount * objective.FeatureCount)) <= enoughGap) break;
            _pairs.Apply(preconditioner, followsCurvature: false, _residual, _preconditioned);
            double next = DoubleVectors.Dot(_residual, _preconditioned);
            if (!(next > reduction * reduction * first) || monitor.MustStop) break;
            DoubleVectors.ScaleAndAdd(_preconditioned, next / norm, _search);
            norm = next;
        }
    }
}
