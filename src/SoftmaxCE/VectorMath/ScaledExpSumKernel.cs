using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ e^x[i] / 2^n, for n large enough that no term exceeds 1.</summary>
/// <remarks>A scale that is a power of two can be changed without rounding, which lets such sums be merged: see <see cref="LogSumExpAccumulator"/>.</remarks>
internal unsafe struct ScaledExpSumKernel(double* values, int count, double power) : IVectorKernel<double>
{
    // ln 2 to twice the precision of double.
    public const double Ln2 = 0.6931471805599453;
    public const double Ln2Rest = 2.3190468138462996e-17;

    public CompensatedSum Sum;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double high = power * Ln2, low = Math.FusedMultiplyAdd(power, Ln2, -high) + (power * Ln2Rest);
        TVector shift = TSimd.Create(high), shiftRest = TSimd.Create(low), first = TSimd.Create(0), second = first;
        TVector lowest = TSimd.Create(double.NegativeInfinity);
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TVector x = TSimd.LoadPartial(values + i, Math.Min(TSimd.Lanes, count - i), lowest);
            TVector difference = TwoSum.Subtract<TSimd, TVector, double>(x, shift, out TVector rest);
            TSimd.AddWide(ref first, ref second, ExpPolynomial.OfNonPositive<TSimd, TVector, double>(difference, TSimd.Subtract(rest, shiftRest)));
        }

        Sum = TSimd.TotalOfWide(first, second);
    }
}
