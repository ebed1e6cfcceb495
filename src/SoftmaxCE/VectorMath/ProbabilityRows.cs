using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Logits of a block of rows become probabilities, in place.</summary>
internal unsafe ref struct ProbabilityRows : IVectorKernel<double>
{
    /// <summary>[rows, classes].</summary>
    public required double* Logits;

    public required int RowCount;
    public required int ClassCount;

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int i = 0; i < RowCount; i++)
        {
            double* row = Logits + ((long)i * ClassCount);
            LossRows.ToProbabilities<TSimd, TVector>(row, row, ClassCount);
        }
    }
}
