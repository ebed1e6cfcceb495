using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SoftmaxCE;

/// <summary>A kernel with its arguments as fields; <see cref="VectorWidth"/> runs it at the width of the machine.</summary>
internal interface IVectorKernel<T>
    where T : unmanaged
{
    void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct;
}

/// <summary>The one place where the width is chosen, widest first. The conditions are constants to the compiler, so one branch is left.</summary>
internal static class VectorWidth
{
    /// <summary>512, 256, 128, or 0 where there is no vector hardware.</summary>
    public static int Bits =>
        Vector512.IsHardwareAccelerated ? 512 :
        Vector256.IsHardwareAccelerated ? 256 :
        Vector128.IsHardwareAccelerated ? 128 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TKernel, T>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T>, allows ref struct
        where T : unmanaged
    {
        FactoredExp.Initialize();
        RunAt<TKernel, T>(Bits, ref kernel);
    }

    /// <summary>
    /// Runs with single registers for vectors, not the pairs that stand for 512 bits: for kernels in which no lane needs another one, so that it does not
    /// matter to the bits how many there are. Pairs take more registers than there are.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunOnRegister<TKernel, T>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T>, allows ref struct
        where T : unmanaged
    {
        FactoredExp.Initialize();
        if (Bits == 512) kernel.Run<Simd512<T>, Vector512<T>>();
        else if (Bits == 256) kernel.Run<Simd256<T>, Vector256<T>>();
        else if (Bits == 128) kernel.Run<Simd128<T>, Vector128<T>>();
        else kernel.Run<ScalarSimd<T>, T>();
    }

    /// <summary>Runs at a width other than the machine's widest: for tests, which compare the widths bit by bit. 512 needs AVX-512.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunAt<TKernel, T>(int bits, ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T>, allows ref struct
        where T : unmanaged
    {
        if (bits == 512)
        {
            kernel.Run<Simd512<T>, Vector512<T>>();
        }
        else if (bits == 256)
        {
            kernel.Run<PairSimd<Simd256<T>, Vector256<T>, T>, Pair<Vector256<T>>>();
        }
        else if (bits == 128)
        {
            kernel.Run<PairSimd<PairSimd<Simd128<T>, Vector128<T>, T>, Pair<Vector128<T>>, T>, Pair<Pair<Vector128<T>>>>();
        }
        else if (typeof(T) == typeof(double))
        {
            kernel.Run<PairSimd<PairSimd<PairSimd<ScalarSimd<T>, T, T>, Pair<T>, T>, Pair<Pair<T>>, T>, Pair<Pair<Pair<T>>>>();
        }
        else
        {
            kernel.Run<
                PairSimd<PairSimd<PairSimd<PairSimd<ScalarSimd<T>, T, T>, Pair<T>, T>, Pair<Pair<T>>, T>, Pair<Pair<Pair<T>>>, T>,
                Pair<Pair<Pair<Pair<T>>>>>();
        }
    }
}
