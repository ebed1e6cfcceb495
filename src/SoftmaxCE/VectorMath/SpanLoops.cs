using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A function of one vector, for <see cref="Map{TFunction,T}"/>.</summary>
internal interface IVectorFunction<T>
    where T : unmanaged
{
    static abstract TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct;
}

/// <summary>destination[i] = f(source[i]), element by element; in place is allowed.</summary>
internal readonly unsafe struct Map<TFunction, T>(T* source, T* destination, int count) : IVectorKernel<T>
    where TFunction : struct, IVectorFunction<T>
    where T : unmanaged
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, i = 0;
        for (; i <= count - lanes; i += lanes)
        {
            TSimd.Store(ref *destination, (nuint)i, TFunction.Apply<TSimd, TVector>(TSimd.Load(ref *source, (nuint)i)));
        }

        if (i < count)
        {
            TVector last = TSimd.LoadPartial(source + i, count - i, TSimd.Create(default));
            TSimd.StorePartial(destination + i, count - i, TFunction.Apply<TSimd, TVector>(last));
        }
    }
}

/// <summary>Sums over spans.</summary>
internal static unsafe class SpanLoops
{
    /// <summary>Σ left[i] · right[i], the products rounded to T, their sum wider; with <paramref name="right"/> null, Σ left[i].</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static double Dot<TSimd, TVector, T>(T* left, T* right, nuint count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TVector zero = TSimd.Create(default), first = zero, second = zero;
        for (nuint i = 0; i < count; i += lanes)
        {
            bool isWhole = count - i >= lanes;
            TVector x = isWhole ? TSimd.Load(ref *left, i) : TSimd.LoadPartial(left + i, (int)(count - i), zero);
            if (right != null) x = TSimd.Multiply(x, isWhole ? TSimd.Load(ref *right, i) : TSimd.LoadPartial(right + i, (int)(count - i), zero));
            TSimd.AddWide(ref first, ref second, x);
        }

        return TSimd.TotalOfWide(first, second).Value;
    }
}
