namespace SoftmaxCE;

/// <summary>Sizes that follow from an objective's own.</summary>
internal static class ObjectiveExtensions
{
    /// <summary>Length of a point.</summary>
    public static int ParameterCount(this IObjective objective) =>
        objective.ClassCount * (objective.FeatureCount + (objective.HasIntercepts ? 1 : 0));

    /// <summary>
    /// Takes from every coefficient and intercept its mean over the classes: probabilities stay, ‖W‖² cannot grow, and at an optimum with
    /// L2 &gt; 0 nothing changes.
    /// </summary>
    public static void CentreClasses(this IObjective objective, Span<double> point)
    {
        int classes = objective.ClassCount, features = objective.FeatureCount, count = classes * features;
        for (int j = 0; j < features; j++) Centre(point, j, features, classes);
        if (objective.HasIntercepts) Centre(point, count, 1, classes);
    }

    /// <summary>
    /// The same for the intercepts and the coefficients without L1. Nothing holds what is common to all classes in parameters without any penalty, and
    /// rounding would let it grow from step to step.
    /// </summary>
    public static void CentreSmoothParameters(this IObjective objective, Penalty penalty, Span<double> point)
    {
        int classes = objective.ClassCount, features = objective.FeatureCount, count = classes * features;
        for (int j = 0; j < features; j++)
        {
            if (penalty.L1Of(j) == 0) Centre(point, j, features, classes);
        }

        if (objective.HasIntercepts) Centre(point, count, 1, classes);
    }

    private static void Centre(Span<double> values, int first, int stride, int count)
    {
        double sum = 0;
        for (int c = 0; c < count; c++) sum += values[first + (c * stride)];
        for (int c = 0; c < count; c++) values[first + (c * stride)] -= sum / count;
    }
}
