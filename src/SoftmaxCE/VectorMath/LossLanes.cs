using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary><see cref="LossRows"/> over a <see cref="LaneBlock"/>: logits become weighted residuals s (p − y) in place, and losses and residuals are added up.</summary>
internal unsafe struct LossLanes : IVectorKernel<double>
{
    /// <summary>[classes, stride]: logits before, residuals after.</summary>
    public required double* Logits;

    /// <summary>[classes, stride], written; null to leave out.</summary>
    public double* Probabilities;

    public required int Stride;

    /// <summary>One per row.</summary>
    public required int* Labels;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;

    /// <summary>One per class, added to.</summary>
    public required double* ResidualSums;

    /// <summary>Weighted sum of the losses.</summary>
    public double LossSum;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* sums = stackalloc double[(ClassCount + 1) * LaneBlock.Lanes], labels = stackalloc double[2 * Stride], weights = labels + Stride;
        double* results = stackalloc double[(LaneExponentials.Results + 1) * TSimd.Lanes], losses = results + (LaneExponentials.Results * TSimd.Lanes);
        new Span<double>(sums, (ClassCount + 1) * LaneBlock.Lanes).Clear();
        LaneExponentials.Spread(Labels, Weights, RowCount, Stride, labels, weights);
        double* lossSums = sums + (ClassCount * LaneBlock.Lanes);
        for (int i = 0; i < RowCount; i += TSimd.Lanes)
        {
            int lane = i % LaneBlock.Lanes;
            LaneExponentials.Of<TSimd, TVector>(Logits + i, Stride, ClassCount, labels + i, results);
            LaneExponentials.Losses<TSimd, TVector>(results, losses);
            LaneExponentials.Add<TSimd, TVector>(lossSums + lane, TSimd.Multiply(TSimd.Load(ref weights[i], 0), TSimd.Load(ref *losses, 0)));
            Residuals<TSimd, TVector>(i, labels + i, weights + i, results, sums + lane);
        }

        for (int c = 0; c < ClassCount; c++) ResidualSums[c] += LaneBlock.Sum(sums + (c * LaneBlock.Lanes));
        LossSum = LaneBlock.Sum(lossSums);
    }

    /// <summary>e^(z − max) becomes s p, and −s Σ_{c≠y} p for the label.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Residuals<TSimd, TVector>(int first, double* labels, double* weights, double* results, double* sums)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector others = TSimd.Load(ref *results, 0), total = TSimd.Add(others, TSimd.Load(ref *results, (nuint)TSimd.Lanes));
        TVector label = TSimd.Load(ref *labels, 0), inverse = TSimd.Divide(TSimd.Create(1), total), weighted = TSimd.Multiply(TSimd.Load(ref *weights, 0), inverse);
        TVector atLabel = TSimd.Multiply(TSimd.Subtract(TSimd.Create(0), others), weighted);
        double* z = Logits + first, p = Probabilities == null ? null : Probabilities + first;
        nint stride = Stride;
        int classes = ClassCount;
        for (int c = 0; c < classes; c++, z += stride, sums += LaneBlock.Lanes)
        {
            TVector e = TSimd.Load(ref *z, 0);
            if (p != null) TSimd.Store(ref p[c * stride], 0, TSimd.Multiply(e, inverse));
            TVector residual = TSimd.Select(TSimd.Equal(label, TSimd.Create(c)), atLabel, TSimd.Multiply(e, weighted));
            TSimd.Store(ref *z, 0, residual);
            LaneExponentials.Add<TSimd, TVector>(sums, residual);
        }
    }
}
