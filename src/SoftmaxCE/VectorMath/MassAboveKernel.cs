using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sum of the values that reach a threshold, in double. Values are at least 0.</summary>
internal unsafe struct MassAboveKernel<T>(T* values, int count, double threshold) : IVectorKernel<T>
    where T : unmanaged
{
    public double Mass;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector least = TSimd.Create(Element.FromDouble<T>(threshold)), zero = TSimd.Create(default), high = zero, low = zero;
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TVector e = i <= count - TSimd.Lanes ? TSimd.Load(ref *values, (nuint)i) : TSimd.LoadPartial(values + i, count - i, zero);
            TSimd.AddWide(ref high, ref low, TSimd.Select(TSimd.LessThan(e, least), zero, e));
        }

        Mass = TSimd.TotalOfWide(high, low).Value;
    }
}
