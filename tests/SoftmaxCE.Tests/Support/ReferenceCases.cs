using System.Globalization;
using System.Numerics;
using System.Text.Json.Serialization;

namespace SoftmaxCE.Tests;

/// <summary>One row of logits and the exact results (25 digits).</summary>
public sealed record SoftmaxCase(string Name, string Type, double[] Logits, Wide[] Softmax, Wide[] LogSoftmax, Wide LogSumExp, Wide Entropy)
{
    public override string ToString() => $"{Type}: {Name}";
}

/// <summary>Two distributions and the exact divergences of their entries as given (25 digits).</summary>
public sealed record DivergenceCase(
    string Name, string Type, double[] P, double[] Q, Wide EntropyNats, Wide EntropyBits, Wide CrossEntropyNats, Wide CrossEntropyBits,
    Wide KullbackLeiblerNats, Wide JensenShannonNats)
{
    public override string ToString() => $"{Type}: {Name}";
}

/// <summary>Arguments x ≤ 0 with e^x, ln(1 + e^x) and e^x - 1 (25 digits).</summary>
public sealed record ExpCase(string Type, double[] X, Wide[] Exp, Wide[] Log1p, Wide[] Expm1)
{
    public override string ToString() => Type;
}

/// <summary>Softmax cross-entropy over one set of options. <see cref="Loss"/> has one value, or one per row when Reduction is "none".</summary>
public sealed record CrossEntropyCase(
    string Targets, int Rows, int Classes, double[] Logits, int[]? Labels, double[]? Probabilities, double[]? ClassWeights,
    int? IgnoreLabel, double LabelSmoothing, string Reduction, double[] Loss, double[] Gradient)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Targets} {Reduction} smoothing={LabelSmoothing} ignore={IgnoreLabel?.ToString(CultureInfo.InvariantCulture) ?? "none"}{(ClassWeights is null ? "" : " weighted")}");
}

/// <summary>Binary cross-entropy of logits.</summary>
public sealed record BinaryCrossEntropyCase(
    double[] Logits, double[] Targets, double[]? Weights, double[]? PositiveWeights, string Reduction, double[] Loss, double[] Gradient)
{
    public override string ToString() => $"{Reduction}{(Weights is null ? "" : " weighted")}{(PositiveWeights is null ? "" : " positive weights")}";
}

/// <summary>Σ p (ln p - logQ) and its gradient for logQ. Reduction "batchmean" divides by the rows, "mean" by all values.</summary>
public sealed record KullbackLeiblerCase(int Rows, int Classes, double[] P, double[] LogQ, string Reduction, double[] Loss, double[] Gradient)
{
    public override string ToString() => Reduction;
}

/// <summary>Cross-entropy of features × coefficientsᵀ + intercepts, with the three gradients.</summary>
public sealed record LinearCrossEntropyCase(
    int Rows, int Features, int Classes, double[] X, double[] Coefficients, double[] Intercepts, int[] Labels, int? IgnoreLabel, double LabelSmoothing,
    string Reduction, double[] Loss, double[] GradientX, double[] GradientCoefficients, double[] GradientIntercepts)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Reduction} smoothing={LabelSmoothing} ignore={IgnoreLabel?.ToString(CultureInfo.InvariantCulture) ?? "none"}");
}

/// <summary>The optimal objective (mean loss + L2/2 ‖W‖²) of softmax regression on a data set with its features as given.</summary>
public sealed record OptimumCase(
    string Data, int Rows, int Features, int Classes, double L2, double Objective, double MeanLoss, double Accuracy, double GradientNorm, double DualityGap)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Data} L2={L2}");
}

/// <summary>The optimal objective mean loss + L1 ‖W‖₁ + L2/2 ‖W‖², as good as the program that found it.</summary>
public sealed record ElasticNetCase(string Data, double L1, double L2, double Objective, double MeanLoss, int Nonzero, string Program)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Data} L1={L1} L2={L2}");
}

/// <summary>Coefficients against a reference class with their standard errors and the fit statistics; one inner array per class.</summary>
public sealed record InferenceCase(
    string Program, string Data, int ReferenceClass, string[] Columns, double[][] Coefficients, double[][] StandardErrors, double[][] Z,
    [property: JsonPropertyName("p")] double[][] PValues,
    double LogLikelihood, double LogLikelihoodNull, double LikelihoodRatio, double LikelihoodRatioP, double McFaddenR2, double Aic, double Bic,
    double[][] Lower95, double[][] Upper95);

/// <summary>Turns the doubles of a case into the type under test; exact for the type the case was made for.</summary>
public static class CaseValues
{
    public static T[] As<T>(this double[] values)
        where T : INumberBase<T> => Array.ConvertAll(values, T.CreateTruncating);
}
