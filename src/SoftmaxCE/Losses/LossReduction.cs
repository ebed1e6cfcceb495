namespace SoftmaxCE;

/// <summary>How the losses of the rows become one number.</summary>
public enum LossReduction
{
    /// <summary>The weighted mean: the sum divided by <see cref="LossResult.WeightSum"/>. NaN when there is nothing to average.</summary>
    Mean,

    /// <summary>The weighted sum.</summary>
    Sum,
}
