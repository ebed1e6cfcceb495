namespace SoftmaxCE;

// Symbols in the formulas: n[i,j] weight with label i and prediction j; t[i] = Σ_j n[i,j], p[j] = Σ_i n[i,j], N = Σ n, c = Σ_i n[i,i].
public sealed partial class ConfusionMatrix
{
    /// <summary>Share of the rows that are predicted right: c / N.</summary>
    public double Accuracy => _correct / WeightSum;

    /// <summary>Mean recall over the classes that occur among the labels: every class counts the same, however rare.</summary>
    public double BalancedAccuracy => Average(label => _labelTotals[label] > 0 ? 1 : 0, label => ForClass(label).Recall);

    /// <summary>
    /// Matthews correlation (Gorodkin's R_K for more than two classes): (c·N − Σ t·p) / √((N² − Σ p²)(N² − Σ t²)), from −1 to 1;
    /// 0 when all labels, or all predictions, are of one class.
    /// </summary>
    public double MatthewsCorrelation
    {
        get
        {
            double labelSpread = (WeightSum * WeightSum) - Dot(_labelTotals, _labelTotals);
            double predictedSpread = (WeightSum * WeightSum) - Dot(_predictedTotals, _predictedTotals);
            if (HasOneClass(_labelTotals) || HasOneClass(_predictedTotals)) return 0;
            return ((_correct * WeightSum) - Dot(_labelTotals, _predictedTotals)) / (Math.Sqrt(labelSpread) * Math.Sqrt(predictedSpread));
        }
    }

    /// <summary>
    /// Cohen's κ = (a − e) / (1 − e) with a = c / N the share of agreement and e = Σ t·p / N² the share expected by chance;
    /// NaN when labels and predictions are all of one class, where agreement says nothing.
    /// </summary>
    public double CohenKappa
    {
        get
        {
            double expected = Dot(_labelTotals, _predictedTotals) / WeightSum;
            return (_correct - expected) / (WeightSum - expected);
        }
    }

    /// <summary>Unweighted mean over the classes that occur among the labels or the predictions.</summary>
    public PrecisionRecall Macro => AverageScores(label => _labelTotals[label] + _predictedTotals[label] > 0 ? 1 : 0);

    /// <summary>From the counts of all classes together. With one label and one prediction per row all three equal the accuracy.</summary>
    public PrecisionRecall Micro => new(Accuracy, Accuracy, Accuracy);

    /// <summary>Mean over the classes, each weighted with its share of the labels.</summary>
    public PrecisionRecall Weighted => AverageScores(label => _labelTotals[label]);

    /// <summary>Accuracy of always predicting the most frequent label: what a model has to beat.</summary>
    public double MajorityAccuracy => _labelTotals.Max() / WeightSum;

    /// <summary>Precision, recall, F1 and support of one class.</summary>
    /// <param name="label">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">The class is not in 0 to <see cref="ClassCount"/> − 1.</exception>
    public ClassScores ForClass(int label)
    {
        RequireClass(label, nameof(label));
        double hit = _pairs[label, label];
        double support = _labelTotals[label];
        double predicted = _predictedTotals[label];
        return new ClassScores(label, ClassNames[label], Share(hit, predicted), Share(hit, support), Share(2 * hit, support + predicted), support, predicted);
    }

    /// <summary>Scores of all classes, in the order of the labels.</summary>
    public IReadOnlyList<ClassScores> PerClass() => [.. Enumerable.Range(0, ClassCount).Select(ForClass)];

    private static bool HasOneClass(double[] totals) => totals.Count(total => total > 0) == 1;

    private static double Share(double part, double whole) => whole > 0 ? part / whole : 0;

    private PrecisionRecall AverageScores(Func<int, double> weightOf) => new(
        Average(weightOf, label => ForClass(label).Precision),
        Average(weightOf, label => ForClass(label).Recall),
        Average(weightOf, label => ForClass(label).F1));

    private double Average(Func<int, double> weightOf, Func<int, double> scoreOf)
    {
        double weights = 0;
        double total = 0;
        for (int label = 0; label < ClassCount; label++)
        {
            weights += weightOf(label);
            total += weightOf(label) * scoreOf(label);
        }

        return total / weights;
    }

    private static double Dot(double[] left, double[] right)
    {
        double sum = 0;
        for (int i = 0; i < left.Length; i++) sum += left[i] * right[i];
        return sum;
    }
}
