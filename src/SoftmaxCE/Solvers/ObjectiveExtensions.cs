namespace SoftmaxCE;

/// <summary>Sizes that follow from an objective's own.</summary>
internal static class ObjectiveExtensions
{
    /// <summary>Length of a point.</summary>
    public static int ParameterCount(this IObjective objective) =>
        objective.ClassCount * (objective.FeatureCount + (objective.HasIntercepts ? 1 : 0));
}
