using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Whether some value is NaN, as fast as the values are read: <see cref="RowPasses.ContainsNaN"/>.</summary>
internal unsafe struct NaNScanKernel<T>(T* values, nuint count) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>The result.</summary>
    public bool Found;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), even = TSimd.Equal(zero, zero), odd = even;
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        for (; i + (2 * lanes) <= count; i += 2 * lanes)
        {
            TVector x0 = TSimd.Load(ref *values, i), x1 = TSimd.Load(ref *values, i + lanes);
            even = TSimd.Select(TSimd.Equal(x0, x0), even, zero);
            odd = TSimd.Select(TSimd.Equal(x1, x1), odd, zero);
        }

        for (; i < count; i += lanes)
        {
            TVector x = TSimd.LoadPartial(values + i, (int)nuint.Min(count - i, lanes), zero);
            odd = TSimd.Select(TSimd.Equal(x, x), odd, zero);
        }

        uint all = TSimd.Bits(TSimd.Equal(zero, zero));
        Found = TSimd.Bits(even) != all || TSimd.Bits(odd) != all;
    }
}
