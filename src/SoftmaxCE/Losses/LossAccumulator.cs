using System.Numerics;

namespace SoftmaxCE;

/// <summary>Mean loss, perplexity and accuracy over batches that are never in memory together.</summary>
/// <remarks>
/// Losses and weights are summed without rounding, so the order of the batches, and how accumulators are merged, does not change a bit of the
/// result: merging is associative and commutative. An instance belongs to one thread at a time.
/// </remarks>
public sealed class LossAccumulator
{
    private readonly ExactSum _losses = new();
    private readonly ExactSum _weights = new();

    /// <summary>Rows added, ignored ones included.</summary>
    public long RowCount { get; private set; }

    /// <summary>Rows that a loss left out for their label.</summary>
    public long IgnoredCount { get; private set; }

    /// <summary>Rows, of those not ignored, that were right; only known for results of a loss.</summary>
    public long CorrectCount { get; private set; }

    /// <summary>Σ of the weights of the rows; a row without weight counts as 1.</summary>
    public double WeightSum => _weights.Value;

    /// <summary>Σ of the weighted losses.</summary>
    public double LossSum => _losses.Value;

    /// <summary>Σ losses / Σ weights; NaN when nothing was added.</summary>
    public double MeanLoss => LossSum / WeightSum;

    /// <summary>e^<see cref="MeanLoss"/>: the number of equally likely classes that would have the same loss.</summary>
    public double Perplexity => Math.Exp(MeanLoss);

    /// <summary><see cref="MeanLoss"/> in bits.</summary>
    public double Bits => MeanLoss / Math.Log(2);

    /// <summary>Correct rows / rows not ignored; NaN when there are none.</summary>
    public double Accuracy => (double)CorrectCount / (RowCount - IgnoredCount);

    /// <summary>Adds the result of a loss over a batch.</summary>
    /// <param name="result">What Evaluate returned.</param>
    /// <param name="reduction">The reduction it was made with: a mean is multiplied by its weight sum, rounded once.</param>
    public void Add(LossResult result, LossReduction reduction = LossReduction.Mean)
    {
        LossArguments.Known(reduction);
        if (result.WeightSum != 0) _losses.Add(reduction == LossReduction.Mean ? result.Loss * result.WeightSum : result.Loss);
        _weights.Add(result.WeightSum);
        RowCount += result.RowCount;
        IgnoredCount += result.IgnoredCount;
        CorrectCount += result.CorrectCount;
    }

    /// <summary>Adds the losses of rows of weight 1. The result is the same however the rows are cut into batches.</summary>
    public void Add<T>(ReadOnlySpan<T> rowLosses)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (T loss in rowLosses) _losses.Add(double.CreateTruncating(loss));
        _weights.Add(rowLosses.Length);
        RowCount += rowLosses.Length;
    }

    /// <summary>Adds all that <paramref name="other"/> has seen.</summary>
    public void Merge(LossAccumulator other)
    {
        ArgumentNullException.ThrowIfNull(other);
        _losses.Add(other._losses);
        _weights.Add(other._weights);
        RowCount += other.RowCount;
        IgnoredCount += other.IgnoredCount;
        CorrectCount += other.CorrectCount;
    }
}
