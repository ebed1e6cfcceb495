using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>For a block of rows: logits become weighted residuals s (p − y) in place, and losses and residuals are added up.</summary>
/// <remarks>
/// The sum over the other classes, r = Σ_{c≠y} e^(z_c − max), is kept apart from the label's own term: loss = log1p(r) and residual
/// −r / (1 + r) keep all their digits for rows that the model is sure of.
/// </remarks>
internal unsafe ref struct LossRows : IVectorKernel<double>
{
    /// <summary>[rows, classes]: logits before, residuals after.</summary>
    public required double* Logits;

    /// <summary>[rows, classes], written; null to leave out.</summary>
    public required double* Probabilities;

    /// <summary>One per row; −1 for a row whose target is a distribution.</summary>
    public required int* Labels;

    /// <summary>[rows, classes]; null when all rows have labels.</summary>
    public double* Targets;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;

    /// <summary>One per class, added to; null to leave out.</summary>
    public required double* ResidualSums;

    /// <summary>Weighted sum of the losses.</summary>
    public double LossSum;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double total = 0;
        for (int i = 0; i < RowCount; i++)
        {
            double weight = Weights == null ? 1 : Weights[i];
            double* row = Logits + ((long)i * ClassCount);
            double* probabilities = Probabilities == null ? null : Probabilities + ((long)i * ClassCount);
            total += weight * (Labels[i] >= 0
                ? OneRow<TSimd, TVector>(row, Labels[i], weight, probabilities)
                : TargetRow.Residual<TSimd, TVector>(row, Targets + ((long)i * ClassCount), weight, probabilities, ClassCount));
            if (ResidualSums != null) AddRow<TSimd, TVector>(ResidualSums, row, ClassCount);
        }

        LossSum = total;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly double OneRow<TSimd, TVector>(double* row, int label, double weight, double* probabilities)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double max = Max<TSimd, TVector>(row, ClassCount);
        double gapToMax = max - row[label];
        Exponentials<TSimd, TVector>(row, max, row, ClassCount);
        double own = row[label];
        row[label] = 0;
        double others = Sum<TSimd, TVector>(row, ClassCount);
        double inverse = 1 / (others + own);
        if (probabilities != null)
        {
            Scale<TSimd, TVector>(row, inverse, probabilities, ClassCount);
            probabilities[label] = own * inverse;
        }

        Scale<TSimd, TVector>(row, weight * inverse, row, ClassCount);
        row[label] = -weight * others * inverse;
        return Loss(others, own, gapToMax);
    }

    /// <summary>Logits to probabilities, perhaps in place.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void ToProbabilities<TSimd, TVector>(double* logits, double* destination, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        Exponentials<TSimd, TVector>(logits, Max<TSimd, TVector>(logits, count), destination, count);
        Scale<TSimd, TVector>(destination, 1 / Sum<TSimd, TVector>(destination, count), destination, count);
    }

    /// <summary>−ln p of the label, from the sum of e^(z − max) over the others, the label's own term and max − z of the label.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Loss(double others, double own, double gapToMax) => gapToMax == 0
        ? LogPolynomial.Log1p<ScalarSimd<double>, double, double>(others)
        : LogPolynomial.Log<ScalarSimd<double>, double, double>(others + own) + gapToMax;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Take<TSimd, TVector>(double* row, int c, int count, double fill)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        int rest = count - c;
        return rest >= TSimd.Lanes ? TSimd.Load(ref row[c], 0) : TSimd.LoadPartial(row + c, rest, TSimd.Create(fill));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<TSimd, TVector>(double* row, int c, int count, TVector value)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        int rest = count - c;
        if (rest >= TSimd.Lanes) TSimd.Store(ref row[c], 0, value);
        else TSimd.StorePartial(row + c, rest, value);
    }

    [MethodImpl(LoopMethod.Compiled)]
    public static double Max<TSimd, TVector>(double* row, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector max = TSimd.Create(double.NegativeInfinity);
        for (int c = 0; c < count; c += TSimd.Lanes) max = TSimd.Max(max, Take<TSimd, TVector>(row, c, count, double.NegativeInfinity));
        return TSimd.MaxOfLanes(max);
    }

    [MethodImpl(LoopMethod.Compiled)]
    public static double Sum<TSimd, TVector>(double* row, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector sum = TSimd.Create(0);
        for (int c = 0; c < count; c += TSimd.Lanes) sum = TSimd.Add(sum, Take<TSimd, TVector>(row, c, count, 0));
        return TSimd.SumOfLanes(sum);
    }

    [MethodImpl(LoopMethod.Compiled)]
    public static void Exponentials<TSimd, TVector>(double* row, double max, double* destination, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector shift = TSimd.Create(max);
        for (int c = 0; c < count; c += TSimd.Lanes)
        {
            TVector x = TSimd.Subtract(Take<TSimd, TVector>(row, c, count, max), shift);
            Put<TSimd, TVector>(destination, c, count, ExpPolynomial.OfNonPositive<TSimd, TVector, double>(x));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    public static void Scale<TSimd, TVector>(double* source, double factor, double* destination, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector f = TSimd.Create(factor);
        for (int c = 0; c < count; c += TSimd.Lanes)
        {
            Put<TSimd, TVector>(destination, c, count, TSimd.Multiply(f, Take<TSimd, TVector>(source, c, count, 0)));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    public static void AddRow<TSimd, TVector>(double* sums, double* row, int count)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int c = 0; c < count; c += TSimd.Lanes)
        {
            Put<TSimd, TVector>(sums, c, count, TSimd.Add(Take<TSimd, TVector>(sums, c, count, 0), Take<TSimd, TVector>(row, c, count, 0)));
        }
    }
}
