using System.Numerics;

namespace SoftmaxCE;

/// <summary>How rows are grouped by confidence.</summary>
public enum CalibrationBinning
{
    /// <summary>Bins of one width: bin b holds confidences in (b/B, (b+1)/B], and 0 belongs to the first. Needs no rows kept.</summary>
    EqualWidth,

    /// <summary>Bins of one weight (as far as ties allow: equal confidences stay together). Less noisy where confidences crowd near 1.</summary>
    EqualMass,
}

/// <summary>One bin of a reliability diagram.</summary>
/// <param name="Lower">Lower end: exclusive for bins of equal width, the smallest confidence in the bin for bins of equal mass.</param>
/// <param name="Upper">Upper end: inclusive for bins of equal width, the largest confidence in the bin for bins of equal mass.</param>
/// <param name="Weight">Weight of the rows in the bin, above 0.</param>
/// <param name="EffectiveRowCount">(Σw)² / Σw²: the number of rows when all weigh the same, less when a few dominate.</param>
/// <param name="MeanConfidence">Weighted mean of the confidences.</param>
/// <param name="Accuracy">Weighted share of the rows that came true.</param>
public readonly record struct CalibrationBin(double Lower, double Upper, double Weight, double EffectiveRowCount, double MeanConfidence, double Accuracy)
{
    /// <summary>Accuracy − mean confidence: below 0 the model is too sure of itself.</summary>
    public double Excess => Accuracy - MeanConfidence;
}

/// <summary>
/// Compares how sure a model is with how often it is right, over bins of confidence, and sums the differences up.
/// </summary>
/// <remarks>
/// With g[b] = accuracy − mean confidence of bin b and s[b] the bin's share of the weight. The plain errors are biased upwards: bins of
/// few rows differ by chance alone. <see cref="DebiasedSquaredError"/> takes that chance away (Kumar, Liang, Ma 2019).
/// </remarks>
public sealed class CalibrationCurve
{
    private readonly double _weightSum;

    internal CalibrationCurve(IReadOnlyList<CalibrationBin> bins)
    {
        Bins = bins;
        _weightSum = bins.Sum(bin => bin.Weight);
    }

    /// <summary>The bins that hold rows, in rising order of confidence.</summary>
    public IReadOnlyList<CalibrationBin> Bins { get; }

    /// <summary>Expected calibration error Σ s[b]·|g[b]|; NaN without rows.</summary>
    public double ExpectedError => Mean(bin => Math.Abs(bin.Excess));

    /// <summary>Maximum calibration error max |g[b]|; NaN without rows.</summary>
    public double MaximumError => Bins.Count == 0 ? double.NaN : Bins.Max(bin => Math.Abs(bin.Excess));

    /// <summary>Root mean square calibration error √(Σ s[b]·g[b]²); NaN without rows.</summary>
    public double RootMeanSquareError => Math.Sqrt(Mean(bin => bin.Excess * bin.Excess));

    /// <summary>
    /// Σ s[b]·(g[b]² − a(1−a)/(n−1)) with a the accuracy and n the effective row count of the bin: an estimate of the mean square
    /// calibration error without the chance differences, so below 0 when nothing but chance is seen. Bins of n &lt; 2 count as 0.
    /// </summary>
    public double DebiasedSquaredError => Mean(bin =>
        bin.EffectiveRowCount < 2 ? 0 : (bin.Excess * bin.Excess) - (bin.Accuracy * (1 - bin.Accuracy) / (bin.EffectiveRowCount - 1)));

    /// <summary>√max(0, <see cref="DebiasedSquaredError"/>), comparable with <see cref="RootMeanSquareError"/>.</summary>
    public double DebiasedRootMeanSquareError => Math.Sqrt(Math.Max(0, DebiasedSquaredError));

    /// <summary>The curve of claims that came true or not: the one from which the others are made.</summary>
    /// <param name="confidences">Probability claimed for each row, 0 to 1.</param>
    /// <param name="cameTrue">Whether the claim came true, one per confidence.</param>
    /// <param name="binning">How rows are grouped.</param>
    /// <param name="binCount">Number of bins, at least 1.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A confidence is not in 0 to 1 (rounding up to 1e-3 above 1 counts as 1), a weight is negative or not finite, or <paramref name="binCount"/> is below 1.</exception>
    public static CalibrationCurve FromConfidences<T>(
        ReadOnlySpan<T> confidences, ReadOnlySpan<bool> cameTrue, CalibrationBinning binning = CalibrationBinning.EqualMass, int binCount = 15, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.SameLength(confidences.Length, cameTrue.Length, nameof(cameTrue));
        EvaluationRows.RequireConfidences(confidences, nameof(confidences));
        double[] values = new double[confidences.Length];
        for (int row = 0; row < values.Length; row++) values[row] = double.CreateTruncating(confidences[row]);
        return FromChecked(values, cameTrue.ToArray(), binning, binCount, sampleWeights);
    }

    /// <summary>The curve of the predictions: confidence is the largest probability of a row, and the claim is that its class is the label.</summary>
    /// <param name="probabilities">[rows, classes], row-major; the rows sum to 1.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="binning">How rows are grouped.</param>
    /// <param name="binCount">Number of bins, at least 1.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label, probability, row sum or weight is out of range; the message names the row.</exception>
    public static CalibrationCurve FromPredictions<T>(
        ReadOnlySpan<T> probabilities, ReadOnlySpan<int> labels, CalibrationBinning binning = CalibrationBinning.EqualMass, int binCount = 15, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = EvaluationRows.RequireRows(probabilities, labels);
        double[] confidences = new double[labels.Length];
        bool[] cameTrue = new bool[labels.Length];
        for (int row = 0; row < labels.Length; row++)
        {
            ReadOnlySpan<T> values = probabilities.Slice(row * classCount, classCount);
            int predicted = EvaluationRows.Predict(values);
            confidences[row] = double.CreateTruncating(values[predicted]);
            cameTrue[row] = predicted == labels[row];
        }

        return FromChecked(confidences, cameTrue, binning, binCount, sampleWeights);
    }

    /// <summary>The curve of one class: confidence is the probability of that class, and the claim is that it is the label.</summary>
    /// <param name="probabilities">[rows, classes], row-major; the rows sum to 1.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="label">The class looked at.</param>
    /// <param name="binning">How rows are grouped.</param>
    /// <param name="binCount">Number of bins, at least 1.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A class, probability, row sum or weight is out of range; the message names the row.</exception>
    public static CalibrationCurve ForClass<T>(
        ReadOnlySpan<T> probabilities, ReadOnlySpan<int> labels, int label, CalibrationBinning binning = CalibrationBinning.EqualMass, int binCount = 15, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classCount = EvaluationRows.RequireRows(probabilities, labels);
        if ((uint)label >= (uint)classCount) EvaluationRows.ThrowClass(label, classCount, nameof(label));
        double[] confidences = new double[labels.Length];
        bool[] cameTrue = new bool[labels.Length];
        for (int row = 0; row < labels.Length; row++)
        {
            confidences[row] = double.CreateTruncating(probabilities[(row * classCount) + label]);
            cameTrue[row] = label == labels[row];
        }

        return FromChecked(confidences, cameTrue, binning, binCount, sampleWeights);
    }

    /// <summary>The bins and the errors as an aligned table.</summary>
    public override string ToString()
    {
        TextTable table = new TextTable().Line("confidence", "mean", "accuracy", "weight");
        foreach (CalibrationBin bin in Bins)
            table.Line($"{TextTable.Score(bin.Lower)} to {TextTable.Score(bin.Upper)}", TextTable.Score(bin.MeanConfidence), TextTable.Score(bin.Accuracy), TextTable.Weight(bin.Weight));
        return table.Line("expected error", TextTable.Score(ExpectedError))
            .Line("maximum error", TextTable.Score(MaximumError))
            .Line("debiased rms error", TextTable.Score(DebiasedRootMeanSquareError))
            .ToString();
    }

    private static CalibrationCurve FromChecked(double[] confidences, bool[] cameTrue, CalibrationBinning binning, int binCount, ReadOnlySpan<float> sampleWeights)
    {
        Argument.Positive(binCount);
        EvaluationRows.RequireWeights(sampleWeights, confidences.Length);
        return binning switch
        {
            CalibrationBinning.EqualWidth => EqualWidthBins.Of(confidences, cameTrue, sampleWeights, binCount).ToCurve(),
            CalibrationBinning.EqualMass => EqualMassBins.Of(confidences, cameTrue, sampleWeights, binCount),
            _ => throw new ArgumentOutOfRangeException(nameof(binning), binning, "Not a known way to group rows."),
        };
    }

    private double Mean(Func<CalibrationBin, double> valueOf) => Bins.Sum(bin => bin.Weight * valueOf(bin)) / _weightSum;
}
