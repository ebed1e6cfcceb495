using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The maximum, or the sum of the exponentials, of each block of a row: an index by which a few entries are found without looking at all.</summary>
internal unsafe struct BlockScanKernel<T>(T* logits, int count, int blockLength, double* results) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>The row's maximum when sums are wanted; NaN when maxima are.</summary>
    public double Max = double.NaN;

    public double Temperature = 1;

    /// <summary>Receives the exponentials, with the factor <see cref="FactoredExp.OfMaximum{T}"/>, when sums are wanted; null: not wanted.</summary>
    public T* Exponentials = null;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int start = 0, block = 0; start < count; start += blockLength, block++)
        {
            nuint length = (nuint)Math.Min(blockLength, count - start);
            results[block] = double.IsNaN(Max)
                ? Element.ToDouble(RowPasses.Max<TSimd, TVector, T>(logits + start, length))
                : SumOf<TSimd, TVector>(logits + start, length, Exponentials == null ? null : Exponentials + start);
        }
    }

    /// <summary>Σ e^((x − max) / temperature); exactly 0 when every x is −∞.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly double SumOf<TSimd, TVector>(T* values, nuint length, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        RowExponential<T> row = new(Element.FromDouble<T>(Max), Element.FromDouble<T>(Temperature));
        double sum = RowPasses.Exponentials<TSimd, TVector, T>(values, length, row, exponentials, Upcoming<T>.Next(values, exponentials, length, false)).Value;
        return sum < FactoredExp.Nothing<T>((int)length) ? 0 : sum * (1 / FactoredExp.OfMaximum<T>());
    }
}
