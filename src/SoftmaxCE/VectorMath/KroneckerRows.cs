using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Kronecker products of probabilities with features, row by row: destination[i, c · width + k] = p[i, c] · u[i, k].</summary>
internal unsafe ref struct KroneckerRows<T> : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>[rows, classes], already in the element type.</summary>
    public required T* Probabilities;

    /// <summary>[rows, width].</summary>
    public required T* Features;

    public required int RowCount;
    public required int ClassCount;
    public required int Width;

    /// <summary>[rows, classes · width].</summary>
    public required T* Destination;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        for (int i = 0; i < RowCount; i++)
        {
            T* u = Features + ((long)i * Width), target = Destination + ((long)i * ClassCount * Width);
            for (int c = 0; c < ClassCount; c++, target += Width)
            {
                TVector p = TSimd.Create(Probabilities[((long)i * ClassCount) + c]);
                int k = 0;
                for (; k + TSimd.Lanes <= Width; k += TSimd.Lanes) TSimd.Store(ref target[k], 0, TSimd.Multiply(p, TSimd.Load(ref u[k], 0)));
                if (k < Width) TSimd.StorePartial(target + k, Width - k, TSimd.Multiply(p, TSimd.LoadPartial(u + k, Width - k, zero)));
            }
        }
    }
}
