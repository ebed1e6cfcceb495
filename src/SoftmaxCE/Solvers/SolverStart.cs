namespace SoftmaxCE;

/// <summary>What every solver begins with: the moments of the features, the starting point with value and gradient, and the gap's bound.</summary>
internal sealed class SolverStart
{
    private SolverStart(NullModel nullModel, double[] point, double[] gradient, double value, DualityGap gap)
    {
        Means = nullModel.Means;
        LargestMean = Means.Length == 0 ? 0 : Means.Max(Math.Abs);
        Variances = nullModel.Variances;
        Point = point;
        Gradient = gradient;
        Value = value;
        Gap = gap;
    }

    /// <summary>Whether the point came from an earlier model.</summary>
    public bool IsGiven { get; private init; }

    /// <summary>What a solver of the same kind knew, to go on from; null to start anew.</summary>
    public SolverState? Resumed { get; private init; }

    public double[] Means { get; }

    public double[] Variances { get; }

    /// <summary>Largest |mean|.</summary>
    public double LargestMean { get; }

    public double[] Point { get; }

    /// <summary>Gradient of the smooth part at the point.</summary>
    public double[] Gradient { get; }

    /// <summary>Smooth part of the objective at the point.</summary>
    public double Value { get; }

    public DualityGap Gap { get; }

    /// <summary>Starts at the null model, where the objective was evaluated last, or at a given point.</summary>
    public static SolverStart At(IObjective objective, double l1, NullModel nullModel, double[]? given)
    {
        DualityGap gap = new(objective, l1, nullModel);
        double[] point = given ?? [.. nullModel.Point], gradient = [.. nullModel.Gradient];
        double value = given is null ? nullModel.Value : objective.Evaluate(point, gradient, precise: true);
        return new SolverStart(nullModel, point, gradient, value, gap) { IsGiven = given is not null };
    }

    /// <summary>Goes on from the state of a solver.</summary>
    public static SolverStart From(IObjective objective, double l1, NullModel nullModel, SolverState state)
    {
        double[] point = state.Vector("point", nullModel.Point.Length), gradient = new double[point.Length];
        double value = objective.Evaluate(point, gradient, precise: true);
        return new SolverStart(nullModel, point, gradient, value, new DualityGap(objective, l1, nullModel)) { Resumed = state };
    }
}
