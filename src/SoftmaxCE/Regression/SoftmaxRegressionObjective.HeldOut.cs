namespace SoftmaxCE;

/// <content>Deviance and accuracy of some rows at the point, from the cached logits.</content>
internal sealed unsafe partial class SoftmaxRegressionObjective
{
    /// <summary>Sums over the rows of a fold.</summary>
    /// <param name="folds">Fold of every row.</param>
    /// <param name="fold">The one wanted.</param>
    /// <param name="weights">One per row; null for all 1.</param>
    public HeldOutSums HeldOut(ReadOnlySpan<int> folds, int fold, double[]? weights)
    {
        CompensatedSum deviance = default, correct = default, weightSum = default;
        for (int i = 0; i < folds.Length; i++)
        {
            double weight = weights is null ? 1 : weights[i];
            if (folds[i] != fold || weight == 0) continue;
            ReadOnlySpan<double> logits = _logits.AsSpan(i * ClassCount, ClassCount);
            double logSumExp = SoftmaxFunctions.LogSumExp(logits);
            int predicted = SoftmaxRegressionModel.FirstMaximum(logits), label = _examples.Labels[i];
            weightSum.Add(weight);
            if (label >= 0)
            {
                deviance.Add(2 * weight * (logSumExp - logits[label]));
                correct.Add(predicted == label ? weight : 0);
                continue;
            }

            ReadOnlySpan<double> target = new(_examples.TargetsFrom(i), ClassCount);
            for (int c = 0; c < target.Length; c++)
            {
                if (target[c] > 0) deviance.Add(2 * weight * target[c] * (logSumExp - logits[c] + Math.Log(target[c])));
            }

            correct.Add(weight * target[predicted]);
        }

        return new HeldOutSums(deviance.Value, correct.Value, weightSum.Value);
    }
}

/// <summary>Weighted sums over rows: 2 Σ t ln(t / p), the target of the class predicted, and the weights.</summary>
internal readonly record struct HeldOutSums(double Deviance, double Correct, double Weight);
