using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What <see cref="LossRows"/>, <see cref="LineRows"/> and <see cref="EntropyRows"/> do with a row whose target is a distribution t over the classes, summing to 1.</summary>
internal static unsafe class TargetRow
{
    /// <summary>Logits z become weight · (p − t) in place. Returns Σ t (−ln p) = ln Σ e^(z − max) + Σ t (max − z), of terms that are not negative.</summary>
    /// <param name="row">[classes].</param>
    /// <param name="target">t, [classes].</param>
    /// <param name="weight">Of the row.</param>
    /// <param name="probabilities">p, written; null to leave out.</param>
    /// <param name="count">Classes.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Residual<TSimd, TVector>(double* row, double* target, double weight, double* probabilities, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double max = LossRows.Max<TSimd, TVector>(row, count), distance = Distance<TSimd, TVector>(row, target, max, count);
        LossRows.Exponentials<TSimd, TVector>(row, max, row, count);
        double sum = LossRows.Sum<TSimd, TVector>(row, count);
        LossRows.Scale<TSimd, TVector>(row, 1 / sum, row, count);
        TVector w = TSimd.Create(weight);
        for (int c = 0; c < count; c += TSimd.Lanes)
        {
            TVector p = LossRows.Take<TSimd, TVector>(row, c, count, 0);
            if (probabilities != null) LossRows.Put<TSimd, TVector>(probabilities, c, count, p);
            TVector residual = TSimd.Subtract(p, LossRows.Take<TSimd, TVector>(target, c, count, 0));
            LossRows.Put<TSimd, TVector>(row, c, count, TSimd.Multiply(w, residual));
        }

        return LogPolynomial.Log<ScalarSimd<double>, double, double>(sum) + distance;
    }

    /// <summary>Loss of a row, and its first two derivatives when the logits move along d: mean of d − Σ t d under p, and variance.</summary>
    /// <param name="row">Logits; overwritten.</param>
    /// <param name="d">[classes]; null for 0.</param>
    /// <param name="target">t, [classes].</param>
    /// <param name="count">Classes.</param>
    /// <param name="slope">First derivative.</param>
    /// <param name="curvature">Second derivative.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Line<TSimd, TVector>(double* row, double* d, double* target, int count, out double slope, out double curvature)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double max = LossRows.Max<TSimd, TVector>(row, count), distance = Distance<TSimd, TVector>(row, target, max, count);
        LossRows.Exponentials<TSimd, TVector>(row, max, row, count);
        double sum = LossRows.Sum<TSimd, TVector>(row, count);
        slope = curvature = 0;
        if (d != null)
        {
            TVector zero = TSimd.Create(0), mean = zero;
            for (int c = 0; c < count; c += TSimd.Lanes)
            {
                mean = TSimd.MultiplyAdd(LossRows.Take<TSimd, TVector>(d, c, count, 0), LossRows.Take<TSimd, TVector>(target, c, count, 0), mean);
            }

            TVector origin = TSimd.Create(TSimd.SumOfLanes(mean)), first = zero, second = zero;
            for (int c = 0; c < count; c += TSimd.Lanes)
            {
                TVector relative = TSimd.Subtract(LossRows.Take<TSimd, TVector>(d, c, count, 0), origin);
                TVector weighted = TSimd.Multiply(LossRows.Take<TSimd, TVector>(row, c, count, 0), relative);
                first = TSimd.Add(first, weighted);
                second = TSimd.MultiplyAdd(weighted, relative, second);
            }

            slope = TSimd.SumOfLanes(first) / sum;
            curvature = (TSimd.SumOfLanes(second) / sum) - (slope * slope);
        }

        return LogPolynomial.Log<ScalarSimd<double>, double, double>(sum) + distance;
    }

    /// <summary>−Σ q ln q with q = t + factor · (p − t).</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Entropy<TSimd, TVector>(double* probabilities, double* target, double factor, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector f = TSimd.Create(factor), rest = TSimd.Create(1 - factor), zero = TSimd.Create(0), sum = zero;
        for (int c = 0; c < count; c += TSimd.Lanes)
        {
            TVector own = TSimd.Multiply(rest, LossRows.Take<TSimd, TVector>(target, c, count, 0));
            TVector q = TSimd.MultiplyAdd(f, LossRows.Take<TSimd, TVector>(probabilities, c, count, 0), own);
            TVector log = LogPolynomial.Log<TSimd, TVector, double>(q);
            sum = TSimd.Subtract(sum, TSimd.Select(TSimd.Equal(q, zero), zero, TSimd.Multiply(q, log)));
        }

        return TSimd.SumOfLanes(sum);
    }

    /// <summary>Σ t (max − z).</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private static double Distance<TSimd, TVector>(double* row, double* target, double max, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector shift = TSimd.Create(max), sum = TSimd.Create(0);
        for (int c = 0; c < count; c += TSimd.Lanes)
        {
            TVector below = TSimd.Subtract(shift, LossRows.Take<TSimd, TVector>(row, c, count, max));
            sum = TSimd.MultiplyAdd(LossRows.Take<TSimd, TVector>(target, c, count, 0), below, sum);
        }

        return TSimd.SumOfLanes(sum);
    }
}
