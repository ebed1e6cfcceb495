namespace SoftmaxCE;

/// <summary>What must be the same for training to go on from a checkpoint, kept in its state.</summary>
internal static class CheckpointSettings
{
    private const string FactorsName = "setting.PenaltyFactors";

    // The objective may have been evaluated in float far from the optimum; other data do not agree to so many digits.
    private const double SameObjective = 1e-5;

    public static SolverState AddTo(SolverState state, SoftmaxRegressionOptions options, Solver solver, long rowCount)
    {
        foreach ((string name, double value) in Of(options, solver, rowCount)) state.Add(name, value);
        return state.Add(FactorsName, options.PenaltyFactors.Span);
    }

    /// <exception cref="ArgumentException">A setting differs; the message names it.</exception>
    public static void Require(TrainingCheckpoint checkpoint, SoftmaxRegressionOptions options, Solver solver, long rowCount)
    {
        if (checkpoint.Solver != solver) throw new ArgumentException($"Was made by {checkpoint.Solver}, but the options ask for {solver}.", nameof(checkpoint));
        foreach ((string name, double value) in Of(options, solver, rowCount))
        {
            double then = checkpoint.State.Number(name);
            if (then != value) throw new ArgumentException($"Was made with {name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]} = {then}, which is now {value}.", nameof(checkpoint));
        }

        if (!checkpoint.State.Vectors.TryGetValue(FactorsName, out double[]? factors) || !factors.AsSpan().SequenceEqual(options.PenaltyFactors.Span))
        {
            throw new ArgumentException("Was made with other penalty factors.", nameof(checkpoint));
        }
    }

    /// <summary>Examples that give the checkpoint's model another objective are not those it was trained on.</summary>
    public static void RequireSameData(TrainingCheckpoint checkpoint, double objective)
    {
        double then = checkpoint.State.Number("valueAtPoint");
        if (Math.Abs(objective - then) <= SameObjective * Math.Abs(then)) return;
        throw new ArgumentException($"Had the objective {then}, which on these examples is {objective}: they are not those it was made on.", nameof(checkpoint));
    }

    private static IEnumerable<(string Name, double Value)> Of(SoftmaxRegressionOptions options, Solver solver, long rowCount)
    {
        yield return ("setting.L1", options.L1);
        yield return ("setting.L2", options.L2);
        yield return ("setting.FitIntercepts", options.FitIntercepts ? 1 : 0);
        yield return ("setting.Seed", options.Seed);
        yield return ("setting.RowCount", rowCount);
        if (solver != Solver.GradientDescent) yield break;
        GradientDescentOptions descent = options.GradientDescent;
        yield return ("setting.Rule", (int)descent.Rule);
        yield return ("setting.Step", descent.Step);
        yield return ("setting.StepDecay", descent.StepDecay);
        yield return ("setting.StepPower", descent.StepPower);
        yield return ("setting.BatchSize", descent.BatchSize);
        yield return ("setting.Momentum", descent.Momentum);
        yield return ("setting.SquareDecay", descent.SquareDecay);
        yield return ("setting.Epsilon", descent.Epsilon);
        yield return ("setting.Shuffle", descent.Shuffle ? 1 : 0);
        yield return ("setting.Average", descent.Average ? 1 : 0);
    }
}
