using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

/// <summary>
/// Features (x − mean) / deviation with the constant 1 of the intercepts behind them: the coordinates in which matrices over all
/// parameters are made, because there they are well conditioned. Without intercepts nothing is centred.
/// </summary>
internal sealed class StandardFeatures
{
    private readonly double[] _means;
    private readonly double[] _deviations;      // 1 for a column that does not vary

    public StandardFeatures(SoftmaxRegressionObjective objective)
    {
        HasIntercepts = objective.HasIntercepts;
        _means = new double[objective.FeatureCount];
        _deviations = new double[objective.FeatureCount];
        objective.FeatureMoments(_means, _deviations);
        for (int j = 0; j < _means.Length; j++)
        {
            double square = HasIntercepts ? _deviations[j] : _deviations[j] + (_means[j] * _means[j]);
            _deviations[j] = square > 0 ? Math.Sqrt(square) : 1;
            if (!HasIntercepts) _means[j] = 0;
        }
    }

    public bool HasIntercepts { get; }

    public int FeatureCount => _means.Length;

    /// <summary>Values per row: features, then the constant if there are intercepts.</summary>
    public int Width => _means.Length + (HasIntercepts ? 1 : 0);

    /// <summary>Σ ln deviation: what the determinant of the change of coordinates is, for one class.</summary>
    public double LogDeterminant => _deviations.Sum(Math.Log);

    /// <summary>Standard deviation of a column, without intercepts its root mean square; 1 where that is 0.</summary>
    public double Deviation(int column) => _deviations[column];

    /// <summary>1 / deviation² of a column: how L2 looks in these coordinates.</summary>
    public double InverseSquare(int column) => 1 / (_deviations[column] * _deviations[column]);

    /// <summary>A row of features as they are, [features], becomes [width] in place.</summary>
    public void Standardise(Span<double> row)
    {
        for (int j = 0; j < _means.Length; j++) row[j] = (row[j] - _means[j]) / _deviations[j];
        if (HasIntercepts) row[_means.Length] = 1;
    }

    /// <summary>One class's gradient over coefficients and intercept as they are becomes one over these coordinates, in place.</summary>
    public void StandardiseGradient(Span<double> gradient)
    {
        double intercept = HasIntercepts ? gradient[FeatureCount] : 0;
        for (int j = 0; j < _means.Length; j++) gradient[j] = (gradient[j] - (_means[j] * intercept)) / _deviations[j];
    }

    /// <summary>One class's coefficients and intercept for the features as they are become those in these coordinates, in place.</summary>
    public void StandardiseParameters(Span<double> parameters)
    {
        double shift = 0;
        for (int j = 0; j < _means.Length; j++)
        {
            shift += parameters[j] * _means[j];
            parameters[j] *= _deviations[j];
        }

        if (HasIntercepts) parameters[FeatureCount] += shift;
    }

    /// <summary>One class's coefficients and intercept in these coordinates become those of the features as they are, in place.</summary>
    public void Restore(Span<double> parameters)
    {
        double shift = 0;
        for (int j = 0; j < _means.Length; j++)
        {
            parameters[j] /= _deviations[j];
            shift += parameters[j] * _means[j];
        }

        if (HasIntercepts) parameters[FeatureCount] -= shift;
    }

    /// <summary>Throws for the first column that is a combination of the columns before it (or, with intercepts, constant): its coefficients are not determined.</summary>
    /// <param name="objective">Loses its point.</param>
    public void RequireIndependentColumns(SoftmaxRegressionObjective objective)
    {
        int width = Width, size = width * objective.ClassCount;
        double[] point = new double[objective.ParameterCount()], hessian = new double[checked(size * size)], gram = new double[width * width];
        objective.Evaluate(point, new double[point.Length], precise: true);
        objective.StandardHessian(this, hessian);
        for (int i = 0; i < width; i++) hessian.AsSpan(i * size, width).CopyTo(gram.AsSpan(i * width));     // a multiple of XᵀX, as p = 1/C
        int column = new ScaledCholesky(gram, width).FirstSingular;
        if (column >= 0 && column < FeatureCount) ThrowDependent(column, "rows");
    }

    [DoesNotReturn]
    private void ThrowDependent(int column, string name) => throw new ArgumentException(
        $"Column {column} is {(HasIntercepts ? "constant or " : "0 or ")}a linear combination of the columns before it, so its coefficients are not determined: leave it out, or train with L2 > 0.",
        name);
}
