using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Copies values and finds the largest magnitude; NaN may be passed over. Source and destination may be the same.</summary>
internal unsafe struct RoundedRow(float* source, float* destination, int count) : IVectorKernel<float>
{
    /// <summary>The largest magnitude.</summary>
    public float Largest { get; private set; }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        float* from = source, to = destination;
        nuint second = (nuint)TSimd.Lanes;
        TVector zero = TSimd.Create(0), largest = zero, other = zero;
        int i = 0, last = count - (2 * TSimd.Lanes);
        for (; i <= last; i += 2 * TSimd.Lanes)
        {
            TVector a = TSimd.Load(ref from[i], 0), b = TSimd.Load(ref from[i], second);
            TSimd.Store(ref to[i], 0, a);
            TSimd.Store(ref to[i], second, b);
            largest = TSimd.Max(TSimd.Abs(a), largest);
            other = TSimd.Max(TSimd.Abs(b), other);
        }

        for (; i < count; i += TSimd.Lanes)
        {
            int here = Math.Min(count - i, TSimd.Lanes);
            TVector a = TSimd.LoadPartial(from + i, here, zero);
            TSimd.StorePartial(to + i, here, a);
            largest = TSimd.Max(TSimd.Abs(a), largest);
        }

        Largest = TSimd.MaxOfLanes(TSimd.Max(largest, other));
    }
}
