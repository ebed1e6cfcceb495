using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>For a block of rows: logits v of a direction become s p ∘ (v − Σ p ∘ v) in place, the residuals of a Hessian product.</summary>
internal unsafe ref struct CurvatureRows : IVectorKernel<double>
{
    /// <summary>v, [rows, classes]: logits of the direction before, residuals after.</summary>
    public required double* Direction;

    /// <summary>[rows, classes]; null if they are to be made of the logits.</summary>
    public double* Probabilities;

    /// <summary>[rows, classes].</summary>
    public double* Logits;

    /// <summary>Room for the probabilities of one row.</summary>
    public double* Scratch;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;

    /// <summary>One per class, added to.</summary>
    public required double* ResidualSums;

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (int i = 0; i < RowCount; i++)
        {
            double* v = Direction + ((long)i * ClassCount), p = Probabilities == null ? Scratch : Probabilities + ((long)i * ClassCount);
            if (Probabilities == null) LossRows.ToProbabilities<TSimd, TVector>(Logits + ((long)i * ClassCount), p, ClassCount);
            TVector sum = TSimd.Create(0);
            for (int c = 0; c < ClassCount; c += TSimd.Lanes)
            {
                sum = TSimd.MultiplyAdd(LossRows.Take<TSimd, TVector>(v, c, ClassCount, 0), LossRows.Take<TSimd, TVector>(p, c, ClassCount, 0), sum);
            }

            TVector mean = TSimd.Create(TSimd.SumOfLanes(sum)), weight = TSimd.Create(Weights == null ? 1 : Weights[i]);
            for (int c = 0; c < ClassCount; c += TSimd.Lanes)
            {
                TVector centred = TSimd.Subtract(LossRows.Take<TSimd, TVector>(v, c, ClassCount, 0), mean);
                TVector residual = TSimd.Multiply(TSimd.Multiply(weight, LossRows.Take<TSimd, TVector>(p, c, ClassCount, 0)), centred);
                LossRows.Put<TSimd, TVector>(v, c, ClassCount, residual);
            }

            LossRows.AddRow<TSimd, TVector>(ResidualSums, v, ClassCount);
        }
    }
}
