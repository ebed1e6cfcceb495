using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>Values on their way between the caller's type and the type that has a kernel; null stands for what is absent.</summary>
internal static unsafe class Conversion
{
    public static TKernel* To<T, TKernel>(T* source, TKernel* destination, int count)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel>
    {
        if (source == null) return null;
        TensorPrimitives.ConvertTruncating(new ReadOnlySpan<T>(source, count), new Span<TKernel>(destination, count));
        return destination;
    }

    /// <summary>The values themselves when they have the kernel's type, else converted.</summary>
    public static TKernel* Values<T, TKernel>(T* source, TKernel* room, int count)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel> => typeof(T) == typeof(TKernel) ? (TKernel*)source : To(source, room, count);

    public static void Back<TKernel, T>(TKernel* source, T* destination, int count)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel>
    {
        if (source != null) TensorPrimitives.ConvertTruncating(new ReadOnlySpan<TKernel>(source, count), new Span<T>(destination, count));
    }

    /// <summary>Numbers as values of type T, which is float or double.</summary>
    public static void ToElements<TNumber, T>(TNumber* source, T* destination, int count)
        where TNumber : unmanaged, INumberBase<TNumber>
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) TensorPrimitives.ConvertTruncating(new ReadOnlySpan<TNumber>(source, count), new Span<float>(destination, count));
        else TensorPrimitives.ConvertTruncating(new ReadOnlySpan<TNumber>(source, count), new Span<double>(destination, count));
    }
}
