namespace SoftmaxCE;

/// <summary>How the divergences of the rows become one number.</summary>
public enum KullbackLeiblerReduction
{
    /// <summary>Σ / rows, the mean divergence. PyTorch's "batchmean".</summary>
    MeanOverRows,

    /// <summary>Σ / (rows · classes), which is no divergence of anything. PyTorch's "mean".</summary>
    MeanOverElements,

    /// <summary>Σ. PyTorch's "sum".</summary>
    Sum,
}
