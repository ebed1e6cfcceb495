using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// The products of an upstream gradient u with the Jacobians of softmax and log-softmax, from the probabilities p:
/// p[i] (u[i] − Σ p u) and u[i] − p[i] Σ u. The destination may be either input.
/// </summary>
internal readonly unsafe struct SoftmaxGradientKernel<T>(T* probabilities, T* upstream, T* destination, int count, bool ofLog) : IVectorKernel<T>
    where T : unmanaged
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double sum = SpanLoops.Dot<TSimd, TVector, T>(upstream, ofLog ? null : probabilities, (nuint)count);
        TVector total = TSimd.Create(Element.FromDouble<T>(sum)), zero = TSimd.Create(default);
        int lanes = TSimd.Lanes;
        for (int i = 0; i < count; i += lanes)
        {
            int here = Math.Min(lanes, count - i);
            TVector p = TSimd.LoadPartial(probabilities + i, here, zero), u = TSimd.LoadPartial(upstream + i, here, zero);
            TVector gradient = ofLog ? TSimd.NegatedMultiplyAdd(p, total, u) : TSimd.Multiply(p, TSimd.Subtract(u, total));
            TSimd.StorePartial(destination + i, here, gradient);
        }
    }
}
