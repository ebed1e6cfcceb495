namespace SoftmaxCE;

/// <summary>A test of a model against one with fewer parameters: 2 (ln L − ln L₀) is about chi-square when the smaller one holds.</summary>
/// <param name="Statistic">2 (ln L − ln L₀) ≥ 0.</param>
/// <param name="DegreesOfFreedom">How many parameters the larger model has more.</param>
/// <param name="PValue">P(χ² &gt; Statistic); the probability of so large a statistic if the smaller model holds.</param>
public readonly record struct LikelihoodRatioTest(double Statistic, int DegreesOfFreedom, double PValue)
{
    internal static LikelihoodRatioTest Of(double logLikelihood, double smaller, int degreesOfFreedom)
    {
        double statistic = Math.Max(2 * (logLikelihood - smaller), 0);
        return new LikelihoodRatioTest(statistic, degreesOfFreedom, ChiSquaredDistribution.UpperTail(statistic, degreesOfFreedom));
    }
}
