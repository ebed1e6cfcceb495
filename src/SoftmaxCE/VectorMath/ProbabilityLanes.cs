using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary><see cref="ProbabilityRows"/> over a <see cref="LaneBlock"/>: logits become probabilities, in place.</summary>
internal unsafe struct ProbabilityLanes : IVectorKernel<double>
{
    /// <summary>[classes, stride].</summary>
    public required double* Logits;

    public required int Stride;
    public required int RowCount;
    public required int ClassCount;

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int i = 0; i < RowCount; i += TSimd.Lanes) Group<TSimd, TVector>(Logits + i, Stride, ClassCount);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static void Group<TSimd, TVector>(double* logits, nint stride, int classes)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector sum = TSimd.Create(0), max = LaneExponentials.Max<TSimd, TVector>(logits, stride, classes);
        for (int c = 0; c < classes; c++)
        {
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, double>(TSimd.Subtract(TSimd.Load(ref logits[c * stride], 0), max));
            TSimd.Store(ref logits[c * stride], 0, e);
            sum = TSimd.Add(sum, e);
        }

        TVector inverse = TSimd.Divide(TSimd.Create(1), sum);
        for (int c = 0; c < classes; c++) TSimd.Store(ref logits[c * stride], 0, TSimd.Multiply(inverse, TSimd.Load(ref logits[c * stride], 0)));
    }
}
