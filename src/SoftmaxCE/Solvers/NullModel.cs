namespace SoftmaxCE;

/// <summary>The model without features, W = 0 and b at its optimum, and the moments of the features: what no penalty changes, so that many fits can share it.</summary>
internal sealed class NullModel
{
    // Intercepts beside offsets are solved for to the limit of the arithmetic: the gap pays for what is left.
    private const double InterceptAccuracy = 1e-16;

    private NullModel(double[] means, double[] variances, double[] point, double[] gradient, double value, double[] gradientAtShares)
    {
        Means = means;
        Variances = variances;
        Point = point;
        Gradient = gradient;
        Value = value;
        GradientAtShares = gradientAtShares;
    }

    public double[] Means { get; }

    public double[] Variances { get; }

    public double[] Point { get; }

    public double[] Gradient { get; }

    /// <summary>Mean loss.</summary>
    public double Value { get; }

    /// <summary>∂(mean loss)/∂W where every row's probabilities are the class shares: at W = 0 and b = ln(class shares), without offsets.</summary>
    public double[] GradientAtShares { get; }

    public static NullModel Of(IObjective objective)
    {
        int features = objective.FeatureCount, classes = objective.ClassCount, count = classes * features;
        double[] means = new double[features], variances = new double[features];
        objective.FeatureMoments(means, variances);
        double[] point = new double[objective.ParameterCount()], gradient = new double[point.Length];
        if (objective.HasIntercepts) Priors(objective, point.AsSpan(count));
        double value = objective.EvaluateWithoutOffsets(point, gradient);
        double[] atShares = [.. gradient];
        if (objective.MeanOffsetRange == 0) return new NullModel(means, variances, point, gradient, value, atShares);

        value = objective.Evaluate(point, gradient, precise: true);
        if (objective.HasIntercepts)
        {
            double[] shifts = new double[classes];
            objective.StartLine();
            objective.SolveIntercepts(0, InterceptAccuracy, shifts);
            DoubleVectors.AddScaled(shifts, 1, point.AsSpan(count));
            value = objective.Evaluate(point, gradient, precise: true);
        }

        return new NullModel(means, variances, point, gradient, value, atShares);
    }

    /// <summary>ln(class shares), centred: the optimum over b without offsets. A class that does not occur gets the mean of 0.</summary>
    private static void Priors(IObjective objective, Span<double> intercepts)
    {
        objective.ClassShares(intercepts);
        double mean = 0;
        for (int c = 0; c < intercepts.Length; c++)
        {
            intercepts[c] = intercepts[c] > 0 ? Math.Log(intercepts[c]) : 0;
            mean += intercepts[c] / intercepts.Length;
        }

        for (int c = 0; c < intercepts.Length; c++) intercepts[c] -= mean;
    }
}
