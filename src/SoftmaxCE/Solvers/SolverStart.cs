namespace SoftmaxCE;

/// <summary>What every solver begins with: the moments of the features, the gradient at the class shares, and the starting point.</summary>
internal sealed class SolverStart
{
    private SolverStart(double[] means, double[] variances, double[] point, double[] gradient, double value, DualityGap gap)
    {
        Means = means;
        Variances = variances;
        Point = point;
        Gradient = gradient;
        Value = value;
        Gap = gap;
    }

    /// <summary>Whether the point came from an earlier model.</summary>
    public bool IsGiven { get; private init; }

    public double[] Means { get; }

    public double[] Variances { get; }

    public double[] Point { get; }

    /// <summary>Gradient of the smooth part at the point.</summary>
    public double[] Gradient { get; }

    /// <summary>Smooth part of the objective at the point.</summary>
    public double Value { get; }

    public DualityGap Gap { get; }

    /// <summary>Starts at W = 0 and b = ln(class shares), the optimum over b there, or at a given point.</summary>
    public static SolverStart At(IObjective objective, double l1, double[]? given)
    {
        int features = objective.FeatureCount, classes = objective.ClassCount, count = classes * features;
        double[] means = new double[features], variances = new double[features];
        objective.FeatureMoments(means, variances);
        double[] point = new double[count + (objective.HasIntercepts ? classes : 0)], gradient = new double[point.Length];
        if (objective.HasIntercepts)
        {
            Span<double> intercepts = point.AsSpan(count);
            objective.ClassShares(intercepts);
            double mean = 0;
            for (int c = 0; c < classes; c++)
            {
                intercepts[c] = intercepts[c] > 0 ? Math.Log(intercepts[c]) : 0;
                mean += intercepts[c] / classes;
            }

            for (int c = 0; c < classes; c++) intercepts[c] -= mean;
        }

        double value = objective.Evaluate(point, gradient, precise: true);
        DualityGap gap = new(objective, l1, means, gradient);
        if (given is not null)
        {
            point = given;
            value = objective.Evaluate(point, gradient, precise: true);
        }

        return new SolverStart(means, variances, point, gradient, value, gap) { IsGiven = given is not null };
    }
}
