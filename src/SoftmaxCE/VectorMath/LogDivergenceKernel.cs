using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ p (ln p − logQ), with 0 where p is 0: a divergence from a model that is known by its log-probabilities.</summary>
internal unsafe struct LogDivergenceKernel(double* p, double* logQ, int count) : IVectorKernel<double>
{
    public CompensatedSum Sum;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), high = zero, low = zero;
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            int here = Math.Min(TSimd.Lanes, count - i);
            TVector x = TSimd.LoadPartial(p + i, here, zero), logarithm = TSimd.LoadPartial(logQ + i, here, zero);
            TVector term = TSimd.Multiply(x, TSimd.Subtract(LogPolynomial.Log<TSimd, TVector, double>(x), logarithm));
            TSimd.AddWide(ref high, ref low, TSimd.Select(TSimd.Equal(x, zero), zero, term));
        }

        Sum = TSimd.TotalOfWide(high, low);
    }
}
