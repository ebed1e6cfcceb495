using System.Numerics;

namespace SoftmaxCE;

/// <summary>
/// Measures predicted probabilities against labels: log-loss, accuracy, top-k, Brier score, calibration and everything a
/// <see cref="ConfusionMatrix"/> knows. Streaming: rows are added one at a time or in batches, nothing is kept of them, and adding
/// does not allocate. Not safe for concurrent use: give each thread its own and <see cref="Merge"/>.
/// </summary>
/// <remarks>
/// Predicted is the class of the highest probability, the first of them on a tie. Values equal scikit-learn's except that nothing is
/// clipped: a label of probability 0 makes the log-loss +∞. Logarithms are natural. Rows of weight 0 count in
/// <see cref="RowCount"/> only. Without rows every score is NaN. The ROC area needs all scores at once: see <see cref="AreaUnderRoc"/>.
/// </remarks>
public sealed class ClassificationMetrics
{
    private readonly CompensatedSum[] _classLosses;
    private readonly double[] _rankWeights;                       // weight of rows whose label has r classes before it
    private readonly EqualWidthBins _bins;
    private CompensatedSum _loss;
    private CompensatedSum _squaredDistance;

    /// <summary>Creates empty metrics for classes known by number.</summary>
    /// <param name="classCount">Number of classes, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="classCount"/> is below 1.</exception>
    public ClassificationMetrics(int classCount)
        : this(ConfusionMatrix.NumbersAsNames(classCount))
    {
    }

    /// <summary>Creates empty metrics for named classes.</summary>
    /// <param name="classNames">One name per class, in the order of the labels; used in the printed tables.</param>
    /// <exception cref="ArgumentException"><paramref name="classNames"/> is empty.</exception>
    public ClassificationMetrics(IReadOnlyList<string> classNames)
    {
        Confusion = new ConfusionMatrix(classNames);
        _classLosses = new CompensatedSum[ClassCount];
        _rankWeights = new double[ClassCount];
        _bins = new EqualWidthBins(CalibrationBinCount);
    }

    /// <summary>Bins of <see cref="Calibration"/>: 15, as is usual.</summary>
    public const int CalibrationBinCount = 15;

    /// <summary>Number of classes C: labels are 0 to C − 1, and a row has C probabilities.</summary>
    public int ClassCount => Confusion.ClassCount;

    /// <summary>Number of rows added, whatever their weight.</summary>
    public long RowCount => Confusion.RowCount;

    /// <summary>Weight of all rows: their number when no sample weights are given.</summary>
    public double WeightSum => Confusion.WeightSum;

    /// <summary>Labels against predictions, with precision, recall and F1 per class and averaged.</summary>
    public ConfusionMatrix Confusion { get; }

    /// <summary>Weighted mean of −ln p[label], in nats; +∞ when some label had probability 0.</summary>
    public double LogLoss => Total(_loss) / WeightSum;

    /// <summary>e^<see cref="LogLoss"/>: the number of equally likely classes that would be as hard to predict.</summary>
    public double Perplexity => Math.Exp(LogLoss);

    /// <summary>Log-loss of always predicting how frequent each label is among these rows: their entropy, in nats.</summary>
    public double PriorLogLoss
    {
        get
        {
            double entropy = 0;
            for (int label = 0; label < ClassCount; label++)
            {
                double share = Confusion.LabelWeight(label) / WeightSum;
                if (share != 0) entropy -= share * Math.Log(share);
            }

            return entropy;
        }
    }

    /// <summary>
    /// 1 − <see cref="LogLoss"/> / <see cref="PriorLogLoss"/>: 1 is perfect, 0 is no better than the frequencies, below 0 is worse. With
    /// labels of one class only there is nothing to gain: −∞, or NaN for a log-loss of 0.
    /// </summary>
    public double LogLossReduction => 1 - (LogLoss / PriorLogLoss);

    /// <summary>Share of the rows that are predicted right.</summary>
    public double Accuracy => Confusion.Accuracy;

    /// <summary>Accuracy of always predicting the most frequent label.</summary>
    public double MajorityAccuracy => Confusion.MajorityAccuracy;

    /// <summary>Mean recall over the classes that occur among the labels.</summary>
    public double BalancedAccuracy => Confusion.BalancedAccuracy;

    /// <summary>Matthews correlation, −1 to 1; 0 when all labels, or all predictions, are of one class.</summary>
    public double MatthewsCorrelation => Confusion.MatthewsCorrelation;

    /// <summary>Cohen's κ: agreement beyond chance, at most 1; NaN when labels and predictions are all of one class.</summary>
    public double CohenKappa => Confusion.CohenKappa;

    /// <summary>
    /// Weighted mean of Σ_c (p[c] − [c = label])², from 0 to 2 (Brier 1950). For two classes this is twice the score that looks at one
    /// of them only.
    /// </summary>
    public double BrierScore => Total(_squaredDistance) / WeightSum;

    /// <summary>Confidence against accuracy of the predictions, in <see cref="CalibrationBinCount"/> bins of equal width.</summary>
    /// <remarks>Bins of equal mass need the rows: <see cref="CalibrationCurve.FromPredictions"/>.</remarks>
    public CalibrationCurve Calibration => _bins.ToCurve();

    /// <summary>Share of the rows whose label is among the k most probable classes; on ties the lower class comes first.</summary>
    /// <param name="k">1 (the accuracy) to <see cref="ClassCount"/> (1, up to rounding).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is out of this range.</exception>
    public double TopKAccuracy(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, ClassCount);
        double within = 0;
        for (int rank = 0; rank < k; rank++) within += _rankWeights[rank];
        return within / WeightSum;
    }

    /// <summary>Log-loss over the rows of one class: NaN when it does not occur among the labels.</summary>
    /// <param name="label">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">The class is not in 0 to <see cref="ClassCount"/> − 1.</exception>
    public double ClassLogLoss(int label)
    {
        if ((uint)label >= (uint)ClassCount) EvaluationRows.ThrowClass(label, ClassCount, nameof(label));
        return Total(_classLosses[label]) / Confusion.LabelWeight(label);
    }

    /// <summary>Adds one row.</summary>
    /// <param name="label">The true class.</param>
    /// <param name="probabilities">One per class, each at least 0; the sum is 1 within 1e-3. Taken as given, not renormalised.</param>
    /// <param name="weight">The row's sample weight: finite and at least 0.</param>
    /// <exception cref="ArgumentException">The number of probabilities is not <see cref="ClassCount"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The label is not a class; a probability is negative or NaN; the sum is not 1 (logits are given?); the weight is negative or not finite.</exception>
    public void Add<T>(int label, ReadOnlySpan<T> probabilities, double weight = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.SameLength(ClassCount, probabilities.Length, nameof(probabilities));
        if ((uint)label >= (uint)ClassCount) EvaluationRows.ThrowClass(label, ClassCount, nameof(label));
        EvaluationRows.RequireProbabilities(probabilities, ClassCount, nameof(probabilities));
        Argument.FiniteAndNotNegative(weight);
        AddChecked(label, probabilities, weight);
    }

    /// <summary>Adds many rows. When an argument is refused, nothing is added.</summary>
    /// <param name="probabilities">[rows, classes], row-major; each at least 0, each row summing to 1 within 1e-3. Taken as given.</param>
    /// <param name="labels">The true classes, one per row.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0; empty: every row weighs 1.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label, probability, row sum or weight is out of range; the message names the row.</exception>
    public void AddRows<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EvaluationRows.RequireLength((long)labels.Length * ClassCount, probabilities.Length, nameof(probabilities));
        EvaluationRows.RequireLabels(labels, ClassCount, nameof(labels));
        EvaluationRows.RequireProbabilities(probabilities, ClassCount, nameof(probabilities));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        for (int row = 0; row < labels.Length; row++)
            AddChecked(labels[row], probabilities.Slice(row * ClassCount, ClassCount), sampleWeights.IsEmpty ? 1 : sampleWeights[row]);
    }

    /// <summary>Adds all rows of other metrics, as if they had been added here.</summary>
    /// <param name="other">Metrics with as many classes; they are not changed.</param>
    /// <exception cref="ArgumentException">The other metrics have another number of classes.</exception>
    public void Merge(ClassificationMetrics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Confusion.Merge(other.Confusion);
        _loss.Add(other._loss);
        _squaredDistance.Add(other._squaredDistance);
        _bins.Add(other._bins);
        for (int label = 0; label < ClassCount; label++)
        {
            _classLosses[label].Add(other._classLosses[label]);
            _rankWeights[label] += other._rankWeights[label];
        }
    }

    /// <summary>The scores as aligned tables: the whole against the baselines, then class by class.</summary>
    public override string ToString()
    {
        TextTable table = new TextTable()
            .Line("rows " + TextTable.Weight(RowCount), "model", "baseline")
            .Line("log-loss (nats)", TextTable.Score(LogLoss), TextTable.Score(PriorLogLoss))
            .Line("log-loss reduction", TextTable.Score(LogLossReduction), TextTable.Score(0))
            .Line("perplexity", TextTable.Score(Perplexity), TextTable.Score(Math.Exp(PriorLogLoss)))
            .Line("accuracy", TextTable.Score(Accuracy), TextTable.Score(MajorityAccuracy))
            .Line("balanced accuracy", TextTable.Score(BalancedAccuracy));
        if (ClassCount > 3) table.Line("top-3 accuracy", TextTable.Score(TopKAccuracy(3)));
        table.Line("Brier score", TextTable.Score(BrierScore))
            .Line("Matthews correlation", TextTable.Score(MatthewsCorrelation), TextTable.Score(0))
            .Line("Cohen's kappa", TextTable.Score(CohenKappa), TextTable.Score(0))
            .Line("calibration error", TextTable.Score(Calibration.ExpectedError));
        return table + "\n" + Confusion.ToScoreTable();
    }

    private void AddChecked<T>(int label, ReadOnlySpan<T> probabilities, double weight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int predicted = EvaluationRows.Predict(probabilities);
        Confusion.AddChecked(label, predicted, weight);
        if (weight == 0) return;                                  // 0 · ∞ must not become NaN
        double loss = -weight * Math.Log(double.CreateTruncating(probabilities[label]));
        _loss.Add(loss);
        _classLosses[label].Add(loss);
        _squaredDistance.Add(weight * SquaredDistance(label, probabilities));
        _rankWeights[RankOf(label, probabilities)] += weight;
        _bins.Add(double.CreateTruncating(probabilities[predicted]), predicted == label, weight);
    }

    // Once a total is infinite, what rounding took from it is NaN.
    private static double Total(in CompensatedSum sum) => double.IsFinite(sum.High) ? sum.Value : sum.High;

    private static double SquaredDistance<T>(int label, ReadOnlySpan<T> probabilities)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            double difference = double.CreateTruncating(probabilities[i]) - (i == label ? 1 : 0);
            sum += difference * difference;
        }

        return sum;
    }

    private static int RankOf<T>(int label, ReadOnlySpan<T> probabilities)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T own = probabilities[label];
        int before = 0;
        for (int i = 0; i < label; i++) before += probabilities[i] >= own ? 1 : 0;
        for (int i = label + 1; i < probabilities.Length; i++) before += probabilities[i] > own ? 1 : 0;
        return before;
    }
}
