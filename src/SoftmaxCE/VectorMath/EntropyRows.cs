using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>For a block of rows: weighted sum of −Σ q ln q, with q = y + factor · (p − y), y the one-hot label or the target.</summary>
internal unsafe ref struct EntropyRows : IVectorKernel<double>
{
    /// <summary>p, [rows, classes].</summary>
    public required double* Probabilities;

    /// <summary>One per row; −1 for a row whose target is a distribution.</summary>
    public required int* Labels;

    /// <summary>[rows, classes]; null when all rows have labels.</summary>
    public double* Targets;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;
    public required double Factor;
    public double EntropySum;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double total = 0;
        TVector factor = TSimd.Create(Factor), zero = TSimd.Create(0);
        for (int i = 0; i < RowCount; i++)
        {
            double* row = Probabilities + ((long)i * ClassCount);
            if (Labels[i] < 0)
            {
                total += (Weights == null ? 1 : Weights[i]) * TargetRow.Entropy<TSimd, TVector>(row, Targets + ((long)i * ClassCount), Factor, ClassCount);
                continue;
            }

            TVector sum = zero;
            for (int c = 0; c < ClassCount; c += TSimd.Lanes)
            {
                TVector q = TSimd.Multiply(factor, LossRows.Take<TSimd, TVector>(row, c, ClassCount, 0));
                TVector log = LogPolynomial.Log<TSimd, TVector, double>(q);
                sum = TSimd.Subtract(sum, TSimd.Select(TSimd.Equal(q, zero), zero, TSimd.Multiply(q, log)));
            }

            double entropy = TSimd.SumOfLanes(sum);
            if (Factor != 1)
            {
                double label = row[Labels[i]], shortened = Factor * label, q = 1 - (Factor * (1 - label));
                entropy += TimesLog(shortened) - TimesLog(q);
            }

            total += (Weights == null ? 1 : Weights[i]) * entropy;
        }

        EntropySum = total;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static double TimesLog(double q) => q == 0 ? 0 : q * LogPolynomial.Log<ScalarSimd<double>, double, double>(q);
}
