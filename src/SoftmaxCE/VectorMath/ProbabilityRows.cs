using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Logits of a block of rows become probabilities, in place.</summary>
internal unsafe ref struct ProbabilityRows : IVectorKernel<double>
{
    /// <summary>[rows, classes].</summary>
    public required double* Logits;

    public required int RowCount;
    public required int ClassCount;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int i = 0; i < RowCount; i++)
        {
            double* row = Logits + ((long)i * ClassCount);
            LossRows.Exponentials<TSimd, TVector>(row, LossRows.Max<TSimd, TVector>(row, ClassCount), ClassCount);
            LossRows.Scale<TSimd, TVector>(row, 1 / LossRows.Sum<TSimd, TVector>(row, ClassCount), row, ClassCount);
        }
    }
}
