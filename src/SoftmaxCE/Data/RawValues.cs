using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Values as they are stored, and as the kernels want them.</summary>
internal static class RawValues
{
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not float, double, Half or byte.</exception>
    public static void RequireKnown<T>()
        where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double) && typeof(T) != typeof(Half) && typeof(T) != typeof(byte))
        {
            throw new NotSupportedException($"Rows of {typeof(T).Name} are not supported: use float, double, Half or byte.");
        }
    }

    /// <summary>The values themselves if they are floats, else widened into <paramref name="scratch"/>.</summary>
    public static ReadOnlySpan<float> ToSingles<T>(ReadOnlySpan<T> values, Span<float> scratch)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return MemoryMarshal.Cast<T, float>(values);
        Span<float> widened = scratch[..values.Length];
        if (typeof(T) == typeof(byte)) TensorPrimitives.ConvertTruncating<byte, float>(MemoryMarshal.Cast<T, byte>(values), widened);
        else if (typeof(T) == typeof(Half)) Conversion.ToFloats(MemoryMarshal.Cast<T, Half>(values), widened);
        else TensorPrimitives.ConvertTruncating<double, float>(MemoryMarshal.Cast<T, double>(values), widened);
        return widened;
    }

    /// <summary>The values themselves if they are doubles, else widened into <paramref name="scratch"/>.</summary>
    public static ReadOnlySpan<double> ToDoubles<T>(ReadOnlySpan<T> values, Span<double> scratch)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return MemoryMarshal.Cast<T, double>(values);
        Span<double> widened = scratch[..values.Length];
        if (typeof(T) == typeof(float)) TensorPrimitives.ConvertTruncating<float, double>(MemoryMarshal.Cast<T, float>(values), widened);
        else if (typeof(T) == typeof(byte)) TensorPrimitives.ConvertTruncating<byte, double>(MemoryMarshal.Cast<T, byte>(values), widened);
        else Widen(MemoryMarshal.Cast<T, Half>(values), widened);
        return widened;
    }

    // By way of float, which has a kernel.
    private static void Widen(ReadOnlySpan<Half> values, Span<double> destination)
    {
        Span<float> singles = stackalloc float[256];
        for (int i = 0; i < values.Length; i += singles.Length)
        {
            Span<float> piece = singles[..Math.Min(singles.Length, values.Length - i)];
            Conversion.ToFloats(values.Slice(i, piece.Length), piece);
            TensorPrimitives.ConvertTruncating<float, double>(piece, destination[i..]);
        }
    }

    /// <summary>One value, widened.</summary>
    public static double ToDouble<T>(T value)
        where T : unmanaged => typeof(T) == typeof(float) ? (float)(object)value
            : typeof(T) == typeof(double) ? (double)(object)value
            : typeof(T) == typeof(Half) ? (double)(Half)(object)value : (byte)(object)value;
}
