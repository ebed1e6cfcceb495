using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary><see cref="CurvatureRows"/> over a <see cref="LaneBlock"/>: logits v of a direction become s p ∘ (v − Σ p ∘ v) in place.</summary>
internal unsafe struct CurvatureLanes : IVectorKernel<double>
{
    /// <summary>v, [classes, stride]: logits of the direction before, residuals after.</summary>
    public required double* Direction;

    /// <summary>[classes, stride]: logits at the point; destroyed.</summary>
    public required double* Logits;

    public required int Stride;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;

    /// <summary>One per class, added to.</summary>
    public required double* ResidualSums;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* sums = stackalloc double[ClassCount * LaneBlock.Lanes], labels = stackalloc double[2 * Stride], weights = labels + Stride;
        double* means = stackalloc double[2 * TSimd.Lanes];
        new Span<double>(sums, ClassCount * LaneBlock.Lanes).Clear();
        LaneExponentials.Spread(null, Weights, RowCount, Stride, labels, weights);
        for (int i = 0; i < RowCount; i += TSimd.Lanes)
        {
            Exponentials<TSimd, TVector>(i, weights + i, means);
            Residuals<TSimd, TVector>(i, means, sums + (i % LaneBlock.Lanes));
        }

        for (int c = 0; c < ClassCount; c++) ResidualSums[c] += LaneBlock.Sum(sums + (c * LaneBlock.Lanes));
    }

    /// <summary>z becomes e^(z − max); Σ p ∘ v, and the weight by the sum of the exponentials.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Exponentials<TSimd, TVector>(int first, double* weights, double* means)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* z = Logits + first, v = Direction + first;
        nint stride = Stride;
        int classes = ClassCount;
        TVector sum = TSimd.Create(0), along = sum, max = LaneExponentials.Max<TSimd, TVector>(z, stride, classes);
        for (int c = 0; c < classes; c++, z += stride, v += stride)
        {
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, double>(TSimd.Subtract(TSimd.Load(ref *z, 0), max));
            TSimd.Store(ref *z, 0, e);
            sum = TSimd.Add(sum, e);
            along = TSimd.MultiplyAdd(e, TSimd.Load(ref *v, 0), along);
        }

        TSimd.Store(ref *means, 0, TSimd.Divide(along, sum));
        TSimd.Store(ref *means, (nuint)TSimd.Lanes, TSimd.Divide(TSimd.Load(ref *weights, 0), sum));
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Residuals<TSimd, TVector>(int first, double* means, double* sums)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* e = Logits + first, v = Direction + first;
        nint stride = Stride;
        int classes = ClassCount;
        TVector mean = TSimd.Load(ref *means, 0), weighted = TSimd.Load(ref *means, (nuint)TSimd.Lanes);
        for (int c = 0; c < classes; c++, e += stride, v += stride, sums += LaneBlock.Lanes)
        {
            TVector residual = TSimd.Multiply(TSimd.Multiply(weighted, TSimd.Load(ref *e, 0)), TSimd.Subtract(TSimd.Load(ref *v, 0), mean));
            TSimd.Store(ref *v, 0, residual);
            LaneExponentials.Add<TSimd, TVector>(sums, residual);
        }
    }
}
