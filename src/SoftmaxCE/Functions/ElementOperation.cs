using System.Numerics;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Runs a function of single elements on any IEEE type: float and double as they are, Half in float, every other type in double.</summary>
internal static class ElementOperation
{
    private const int ConvertedValues = 256;

    public static void Run<T, TSingle, TDouble>(ReadOnlySpan<T> source, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSingle : struct, IVectorFunction<float>
        where TDouble : struct, IVectorFunction<double>
    {
        if (typeof(T) == typeof(float)) RunKernel<TSingle, float>(MemoryMarshal.Cast<T, float>(source), MemoryMarshal.Cast<T, float>(destination));
        else if (typeof(T) == typeof(double)) RunKernel<TDouble, double>(MemoryMarshal.Cast<T, double>(source), MemoryMarshal.Cast<T, double>(destination));
        else if (typeof(T) == typeof(Half)) RunConverted<T, TSingle, float>(source, destination);
        else RunConverted<T, TDouble, double>(source, destination);
    }

    private static unsafe void RunKernel<TFunction, T>(ReadOnlySpan<T> source, Span<T> destination)
        where TFunction : struct, IVectorFunction<T>
        where T : unmanaged
    {
        fixed (T* from = source, to = destination)
        {
            Map<TFunction, T> kernel = new(from, to, source.Length);
            VectorWidth.Run<Map<TFunction, T>, T>(ref kernel);
        }
    }

    private static void RunConverted<T, TFunction, TKernel>(ReadOnlySpan<T> source, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFunction : struct, IVectorFunction<TKernel>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        Span<TKernel> buffer = stackalloc TKernel[ConvertedValues];
        for (int i = 0; i < source.Length; i += ConvertedValues)
        {
            Span<TKernel> values = buffer[..Math.Min(ConvertedValues, source.Length - i)];
            Conversion.Convert(source.Slice(i, values.Length), values);
            RunKernel<TFunction, TKernel>(values, values);
            Conversion.Convert<TKernel, T>(values, destination.Slice(i, values.Length));
        }
    }
}
