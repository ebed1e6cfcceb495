namespace SoftmaxCE;

public sealed partial class SoftmaxRegressionModel
{
    /// <summary>
    /// Standard errors, tests, intervals and measures of fit, for the rows that the model was trained on: the coefficients' covariance is the
    /// inverse of the observed information at the model (with L2: of the penalised information).
    /// </summary>
    /// <param name="rows">The rows of training.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="sampleWeights">One weight per row, finite and at least 0, not all 0: a row of weight 3 counts as three rows. Empty: every row weighs 1. Class weights are not known here.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// The lengths or the number of features do not fit; a value is not finite; columns depend on each other, so that their coefficients are not
    /// determined; or there are too many coefficients for one matrix.
    /// </exception>
    /// <exception cref="InvalidOperationException">The information is singular at the model: its probabilities are 0 and 1, as after training on separated classes.</exception>
    public SoftmaxRegressionInference Inference(
        FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default, InferenceOptions? options = null)
    {
        CheckRows(rows);
        Argument.SameLength(rows.RowCount, labels.Length, nameof(labels));
        EvaluationRows.RequireLabels(labels, ClassCount, nameof(labels));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        options ??= new InferenceOptions();
        options.Validate();
        if (options.ReferenceClass is { } label && (uint)label >= (uint)ClassCount) EvaluationRows.ThrowClass(label, ClassCount, nameof(options.ReferenceClass));
        return new InferenceFit(this, options).Of(rows, labels, sampleWeights);
    }
}
