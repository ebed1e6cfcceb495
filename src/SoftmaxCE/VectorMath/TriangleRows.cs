using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Products of the values of a row with one another, row by row: x_i · x_0, x_i · x_1, … up to x_i · x_i or the one before, for some i one after the other.</summary>
internal unsafe ref struct TriangleRows<T> : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>x, [rows, width], with room for a vector behind.</summary>
    public required T* Source;

    public required int RowCount;
    public required int Width;

    /// <summary>The first i.</summary>
    public required int First;

    /// <summary>The i behind the last one.</summary>
    public required int End;

    /// <summary>1 if the squares are among the products, else 0.</summary>
    public required int Diagonal;

    /// <summary>[rows, stride], with room for a vector behind. What is written behind a row's products is anything.</summary>
    public required T* Destination;

    public required int Stride;

    /// <summary>Products of the i before this one.</summary>
    public static int CountBefore(int i, int diagonal) => i * (i - 1 + (2 * diagonal)) / 2;

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (int row = 0; row < RowCount; row++)
        {
            T* x = Source + ((long)row * Width), target = Destination + ((long)row * Stride);
            for (int i = First; i < End; i++)
            {
                TVector factor = TSimd.Create(x[i]);
                int count = i + Diagonal;
                for (int k = 0; k < count; k += TSimd.Lanes) TSimd.Store(ref target[k], 0, TSimd.Multiply(factor, TSimd.Load(ref x[k], 0)));
                target += count;
            }
        }
    }
}
