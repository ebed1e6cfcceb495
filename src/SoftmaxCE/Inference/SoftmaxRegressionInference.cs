using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

/// <summary>
/// What a fitted model says about the population its rows were drawn from: uncertainty of the coefficients, tests, and measures of fit.
/// Made by <see cref="SoftmaxRegressionModel.Inference"/>; immutable.
/// </summary>
/// <remarks>
/// The covariance is the inverse of the observed information Σ s (diag(p) − p pᵀ) ⊗ x xᵀ, over the (C − 1) (d + 1) coefficients that are
/// determined (a shift common to all classes changes no probability). With L2 &gt; 0 it is the inverse of the penalised information, the
/// curvature of S · F: the errors are then those of a posterior with a normal prior of variance 1 / (S · L2), coefficients are pulled
/// towards 0, and p-values, intervals and tests are not those of maximum likelihood. <see cref="Notes"/> says so in words.
/// </remarks>
public sealed partial class SoftmaxRegressionInference
{
    private readonly double[] _covariance;

    internal SoftmaxRegressionInference(InferenceFigures figures, CoefficientTable coefficients, double[] covariance, IReadOnlyList<string> notes)
    {
        RowCount = figures.RowCount;
        ClassCount = figures.ClassCount;
        WeightSum = figures.WeightSum;
        ParameterCount = figures.ParameterCount;
        LogLikelihood = figures.LogLikelihood;
        NullLogLikelihood = figures.NullLogLikelihood;
        StepToMaximum = figures.StepToMaximum;
        L2 = figures.L2;
        ReferenceClass = figures.ReferenceClass;
        Coefficients = coefficients;
        AgainstNull = LikelihoodRatioTest.Of(LogLikelihood, NullLogLikelihood, (ClassCount - 1) * coefficients.FeatureCount);
        _covariance = covariance;
        Notes = notes;
    }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Number of classes C.</summary>
    public int ClassCount { get; }

    /// <summary>S, the sum of the sample weights: how many observations the rows stand for.</summary>
    public double WeightSum { get; }

    /// <summary>Coefficients that are determined: (C − 1) (d + 1), without intercepts (C − 1) d.</summary>
    public int ParameterCount { get; }

    /// <summary>The class that the others are compared with; null: each is compared with the mean of all.</summary>
    public int? ReferenceClass { get; }

    /// <summary>The L2 that the errors take into account.</summary>
    public double L2 { get; }

    /// <summary>ln L = Σ s ln p_label, without any penalty.</summary>
    public double LogLikelihood { get; }

    /// <summary>The same of the null model, which knows the class shares only (without intercepts: nothing, every class has 1/C).</summary>
    public double NullLogLikelihood { get; }

    /// <summary>Test that no feature matters.</summary>
    public LikelihoodRatioTest AgainstNull { get; }

    /// <summary>Akaike's criterion −2 ln L + 2 k, k the number of parameters; lower is better.</summary>
    public double Aic => (-2 * LogLikelihood) + (2 * ParameterCount);

    /// <summary>Schwarz's Bayesian criterion −2 ln L + k ln S; lower is better.</summary>
    public double Bic => (-2 * LogLikelihood) + (ParameterCount * Math.Log(WeightSum));

    /// <summary>1 − ln L / ln L₀: 0 for the null model, 1 for certain and right predictions.</summary>
    public double McFaddenR2 => 1 - (LogLikelihood / NullLogLikelihood);

    /// <summary>(1 − (L₀/L)^(2/S)) / (1 − L₀^(2/S)): Cox and Snell's R² by its largest possible value.</summary>
    public double NagelkerkeR2 => double.ExpM1(2 * (NullLogLikelihood - LogLikelihood) / WeightSum) / double.ExpM1(2 * NullLogLikelihood / WeightSum);

    /// <summary>Coefficients, errors, tests and intervals.</summary>
    public CoefficientTable Coefficients { get; }

    /// <summary>Covariance of the estimates, [rows, rows] in the order of the table's rows. With sum-to-zero estimates its rank is <see cref="ParameterCount"/>.</summary>
    public ReadOnlyMemory<double> Covariance => _covariance;

    /// <summary>
    /// √(gᵀ I⁻¹ g) with g the gradient and I the information of the (penalised) likelihood: no linear combination of coefficients would move
    /// by more standard errors in a Newton step. Near 0 for a model trained to convergence on the same rows and weights.
    /// </summary>
    public double StepToMaximum { get; }

    /// <summary>What to know before the figures are used, in sentences; empty for a converged maximum-likelihood fit.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Tests this model against a nested one: fitted to the same rows, labels and weights with some of its columns only.</summary>
    /// <param name="nested">The smaller model's inference. That its columns are among this model's is not checked.</param>
    /// <exception cref="ArgumentException">It is of other rows or classes, does not have fewer parameters, or has the higher likelihood and so is not nested.</exception>
    public LikelihoodRatioTest Against(SoftmaxRegressionInference nested)
    {
        ArgumentNullException.ThrowIfNull(nested);
        if (nested.RowCount != RowCount || nested.ClassCount != ClassCount || nested.WeightSum != WeightSum) ThrowOtherRows(nested);
        int degrees = ParameterCount - nested.ParameterCount;
        if (degrees < 1)
        {
            throw new ArgumentException($"Has {nested.ParameterCount} parameters, which is not fewer than the {ParameterCount} of this model.", nameof(nested));
        }

        if (nested.LogLikelihood > LogLikelihood + (1e-6 * Math.Abs(LogLikelihood)))
        {
            throw new ArgumentException(
                $"Has the log-likelihood {nested.LogLikelihood}, above the {LogLikelihood} of this model: it is not nested in it, or one of them is not at its maximum.",
                nameof(nested));
        }

        return LikelihoodRatioTest.Of(LogLikelihood, nested.LogLikelihood, degrees);
    }

    [DoesNotReturn]
    private void ThrowOtherRows(SoftmaxRegressionInference nested) => throw new ArgumentException(
        $"Is of {nested.RowCount} rows of weight {nested.WeightSum} in {nested.ClassCount} classes, this one of {RowCount} rows of weight {WeightSum} in {ClassCount} classes.",
        nameof(nested));
}

/// <summary>The plain numbers of an inference.</summary>
internal sealed record InferenceFigures(
    int RowCount, int ClassCount, double WeightSum, int ParameterCount, double LogLikelihood, double NullLogLikelihood, double StepToMaximum, double L2, int? ReferenceClass);
