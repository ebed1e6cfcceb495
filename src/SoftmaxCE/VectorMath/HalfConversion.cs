using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Halves to floats.</summary>
internal readonly unsafe struct HalvesToFloats(Half* source, float* destination, int count) : IVectorKernel<float>
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        int i = 0;
        for (; i <= count - TSimd.Lanes; i += TSimd.Lanes) TSimd.Store(ref *destination, (nuint)i, TSimd.LoadHalves(source + i));
        for (; i < count; i++) destination[i] = (float)source[i];
    }
}

/// <summary>Floats to the nearest halves, ties to even.</summary>
internal readonly unsafe struct FloatsToHalves(float* source, Half* destination, int count) : IVectorKernel<float>
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        int i = 0;
        for (; i <= count - TSimd.Lanes; i += TSimd.Lanes) TSimd.StoreHalves(destination + i, TSimd.Load(ref *source, (nuint)i));
        for (; i < count; i++) destination[i] = (Half)source[i];
    }
}
