using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace SoftmaxCE;

/// <summary>Makes a <see cref="SoftmaxRegressionInference"/> of a model.</summary>
internal sealed class InferenceFit
{
    private readonly SoftmaxRegressionModel _model;
    private readonly InferenceOptions _options;
    private readonly bool _hasIntercepts;
    private readonly double _l2;

    public InferenceFit(SoftmaxRegressionModel model, InferenceOptions options)
    {
        _model = model;
        _options = options;
        _hasIntercepts = options.FitIntercepts ?? model.Training?.Options?.FitIntercepts ?? true;
        _l2 = options.L2 ?? model.Training?.Options?.L2 ?? 0;
    }

    private int Width => _model.FeatureCount + (_hasIntercepts ? 1 : 0);

    public SoftmaxRegressionInference Of(FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights)
    {
        InformationMatrix.RequireRoom(_model.ClassCount, Width, nameof(rows));
        if (!_hasIntercepts) RequireNoIntercepts();
        SoftmaxRegressionObjective objective = ObjectiveOf(rows, labels, sampleWeights);
        StandardFeatures features = new(objective);
        double[] point = [.. _model.Coefficients.Span, .. _hasIntercepts ? _model.Intercepts.Span : []], gradient = new double[point.Length];
        double loss = objective.Evaluate(point, gradient, precise: true), weightSum = objective.Examples.WeightSum;
        ScaledCholesky information = InformationMatrix.At(objective, features, _l2, _options.MaxDegreeOfParallelism);
        if (information.FirstSingular >= 0) ThrowSingular(objective, features, information.FirstSingular);

        InferenceFigures figures = new(
            rows.RowCount, _model.ClassCount, weightSum, information.Size, -weightSum * loss, NullLogLikelihood(objective.Examples),
            StepToMaximum(gradient, features, information, weightSum), _l2, _options.ReferenceClass);
        CovarianceTransform transform = new(features, _model.ClassCount, _options.ReferenceClass);
        double[] covariance = transform.Apply(information.Inverse(_options.MaxDegreeOfParallelism));
        CoefficientTable table = new(Rows(covariance), _model.ClassCount, _model.FeatureCount, _options.ConfidenceLevel);
        return new SoftmaxRegressionInference(figures, table, covariance, InferenceNotes.For(figures, _model.Training))
        {
            ReferenceName = _options.ReferenceClass is { } label ? _model.ClassNames[label] : null,
        };
    }

    private SoftmaxRegressionObjective ObjectiveOf(FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights)
    {
        double[]? weights = sampleWeights.IsEmpty ? null : new double[sampleWeights.Length];
        for (int i = 0; i < sampleWeights.Length; i++) weights![i] = sampleWeights[i];
        Examples examples = new(labels, weights, _model.ClassCount);
        if (!(examples.WeightSum > 0)) throw new ArgumentException("Needs at least one row of positive weight.", nameof(sampleWeights));
        SoftmaxRegressionOptions options = new() { L2 = 0, FitIntercepts = _hasIntercepts, MaxDegreeOfParallelism = _options.MaxDegreeOfParallelism };
        return new SoftmaxRegressionObjective(rows, examples, options);
    }

    private double NullLogLikelihood(Examples examples)
    {
        if (!_hasIntercepts) return -examples.WeightSum * Math.Log(_model.ClassCount);
        double sum = 0;
        foreach (double share in examples.Shares)
        {
            if (share > 0) sum += share * Math.Log(share);
        }

        return examples.WeightSum * sum;
    }

    /// <summary>√(gᵀ I⁻¹ g); the penalty's part of the gradient is that of coefficients centred over the classes.</summary>
    private double StepToMaximum(double[] gradient, StandardFeatures features, ScaledCholesky information, double weightSum)
    {
        int classes = _model.ClassCount, count = _model.FeatureCount, width = Width;
        ReadOnlySpan<double> coefficients = _model.Coefficients.Span;
        double[] score = new double[information.Size];
        for (int c = 1; c < classes; c++)
        {
            Span<double> row = score.AsSpan((c - 1) * width, width);
            gradient.AsSpan(c * count, count).CopyTo(row);
            if (_hasIntercepts) row[count] = gradient[(classes * count) + c];
            for (int j = 0; j < count; j++)
            {
                double mean = 0;
                for (int k = 0; k < classes; k++) mean += coefficients[(k * count) + j] / classes;
                row[j] += _l2 * (coefficients[(c * count) + j] - mean);
            }

            features.StandardiseGradient(row);
        }

        for (int i = 0; i < score.Length; i++) score[i] *= weightSum;
        double[] step = [.. score];
        information.Solve(step);
        return Math.Sqrt(Math.Max(DoubleVectors.Dot(score, step), 0));
    }

    private CoefficientRow[] Rows(double[] covariance)
    {
        int[] classes = [.. Enumerable.Range(0, _model.ClassCount).Where(label => label != _options.ReferenceClass)];
        CoefficientRow[] rows = new CoefficientRow[classes.Length * Width];
        double quantile = NormalDistribution.UpperQuantile((1 - _options.ConfidenceLevel) / 2);
        for (int i = 0; i < rows.Length; i++)
        {
            int label = classes[i / Width], place = i % Width;
            int? column = _hasIntercepts ? (place == 0 ? null : place - 1) : place;
            double estimate = Estimate(label, column), error = Math.Sqrt(covariance[((long)i * rows.Length) + i]), z = estimate / error;
            rows[i] = new CoefficientRow(
                label, column, _model.ClassNames[label], NameOf(column), estimate, error, z, NormalDistribution.TwoSided(z),
                Lower: estimate - (quantile * error), Upper: estimate + (quantile * error));
        }

        return rows;
    }

    private double Estimate(int label, int? column)
    {
        if (_options.ReferenceClass is { } reference) return Parameter(label, column) - Parameter(reference, column);
        double mean = 0;
        for (int c = 0; c < _model.ClassCount; c++) mean += Parameter(c, column);
        return Parameter(label, column) - (mean / _model.ClassCount);
    }

    private double Parameter(int label, int? column) =>
        column is { } j ? _model.Coefficients.Span[(label * _model.FeatureCount) + j] : _model.Intercepts.Span[label];

    private string NameOf(int? column) =>
        column is { } j ? _model.FeatureNames?[j] ?? string.Create(CultureInfo.InvariantCulture, $"x{j}") : "(intercept)";

    private void RequireNoIntercepts()
    {
        int label = _model.Intercepts.Span.IndexOfAnyExcept(0.0);
        if (label >= 0)
        {
            throw new ArgumentException(
                $"Says that no intercepts were fitted, but class {label} has the intercept {_model.Intercepts.Span[label]}.", nameof(InferenceOptions.FitIntercepts));
        }
    }

    [DoesNotReturn]
    private void ThrowSingular(SoftmaxRegressionObjective objective, StandardFeatures features, int index)
    {
        if (_l2 == 0) features.RequireIndependentColumns(objective);
        int label = 1 + (index / Width), place = index % Width;
        string of = place < _model.FeatureCount ? $"column {place}" : "the intercept";
        throw new InvalidOperationException(
            $"The information matrix is singular at {of} of class {label} (\"{_model.ClassNames[label]}\"): the model's probabilities are so close to 0 and 1 "
            + "that the rows do not determine it. See SeparationCheck.Find.");
    }
}
