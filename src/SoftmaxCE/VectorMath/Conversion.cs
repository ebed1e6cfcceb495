using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SoftmaxCE;

/// <summary>Values on their way between the caller's type and the type that has a kernel; null stands for what is absent.</summary>
internal static unsafe class Conversion
{
    /// <summary>Every value in the other type, rounded to the nearest; <paramref name="destination"/> may be longer.</summary>
    public static void Convert<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> destination)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo>
    {
        if (typeof(TFrom) == typeof(Half) && typeof(TTo) == typeof(float)) ToFloats(MemoryMarshal.Cast<TFrom, Half>(source), MemoryMarshal.Cast<TTo, float>(destination));
        else if (typeof(TFrom) == typeof(float) && typeof(TTo) == typeof(Half)) ToHalves(MemoryMarshal.Cast<TFrom, float>(source), MemoryMarshal.Cast<TTo, Half>(destination));
        else TensorPrimitives.ConvertTruncating(source, destination);
    }

    public static TKernel* To<T, TKernel>(T* source, TKernel* destination, int count)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel>
    {
        if (source == null) return null;
        Convert(new ReadOnlySpan<T>(source, count), new Span<TKernel>(destination, count));
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
        if (source != null) Convert(new ReadOnlySpan<TKernel>(source, count), new Span<T>(destination, count));
    }

    /// <summary>Numbers as values of type T, which is float or double.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void ToElements<TNumber, T>(TNumber* source, T* destination, int count)
        where TNumber : unmanaged, INumberBase<TNumber>
        where T : unmanaged
    {
        int i = 0;
        if (typeof(TNumber) == typeof(double) && typeof(T) == typeof(float))
        {
            for (; i + 8 <= count; i += 8) Vector256.Narrow(Vector256.Load((double*)source + i), Vector256.Load((double*)source + i + 4)).Store((float*)destination + i);
        }
        else if (typeof(TNumber) == typeof(int) && typeof(T) == typeof(float))
        {
            for (; i + 8 <= count; i += 8) Vector256.ConvertToSingle(Vector256.Load((int*)source + i)).Store((float*)destination + i);
        }

        for (; i < count; i++) destination[i] = Element.FromDouble<T>(double.CreateTruncating(source[i]));
    }

    public static void ToFloats(ReadOnlySpan<Half> source, Span<float> destination)
    {
        Argument.FitsInto(source.Length, destination.Length);
        fixed (Half* from = source)
        fixed (float* to = destination)
        {
            HalvesToFloats kernel = new(from, to, source.Length);
            VectorWidth.RunOnRegister<HalvesToFloats, float>(ref kernel);
        }
    }

    private static void ToHalves(ReadOnlySpan<float> source, Span<Half> destination)
    {
        Argument.FitsInto(source.Length, destination.Length);
        fixed (float* from = source)
        fixed (Half* to = destination)
        {
            FloatsToHalves kernel = new(from, to, source.Length);
            VectorWidth.RunOnRegister<FloatsToHalves, float>(ref kernel);
        }
    }
}
