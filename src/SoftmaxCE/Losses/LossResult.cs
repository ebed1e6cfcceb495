namespace SoftmaxCE;

/// <summary>What a loss returns beside the gradient.</summary>
/// <param name="Loss">The mean or the sum of the row losses; NaN for the mean of nothing (<paramref name="WeightSum"/> 0).</param>
/// <param name="WeightSum">What the mean divides by: the sum of the weights of the rows that count, or how many they are when none has a weight.</param>
/// <param name="RowCount">All rows given, ignored ones included.</param>
/// <param name="IgnoredCount">Rows left out because their label is the ignored one.</param>
/// <param name="CorrectCount">
/// Rows, of those not ignored, whose largest logit is the label's (for target distributions: the largest target's); the lowest class wins a tie.
/// </param>
public readonly record struct LossResult(double Loss, double WeightSum, int RowCount, int IgnoredCount, int CorrectCount);
