using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>destination[i] = source[i] · scale + offset, rounded once; they may be the same.</summary>
internal readonly unsafe struct ScaledValues(double* source, double* destination, int count, double scale, double offset) : IVectorKernel<double>
{
    public static void Run(ReadOnlySpan<double> source, Span<double> destination, double scale, double offset)
    {
        Argument.FitsInto(source.Length, destination.Length);
        fixed (double* from = source, to = destination)
        {
            ScaledValues kernel = new(from, to, source.Length, scale, offset);
            VectorWidth.RunOnRegister<ScaledValues, double>(ref kernel);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* from = source, to = destination;
        TVector factor = TSimd.Create(scale), addend = TSimd.Create(offset);
        int i = 0, last = count - TSimd.Lanes;
        for (; i <= last; i += TSimd.Lanes) TSimd.Store(ref to[i], 0, TSimd.MultiplyAdd(TSimd.Load(ref from[i], 0), factor, addend));
        if (i < count) TSimd.StorePartial(to + i, count - i, TSimd.MultiplyAdd(TSimd.LoadPartial(from + i, count - i, addend), factor, addend));
    }
}
