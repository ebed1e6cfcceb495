using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

public static partial class SoftmaxFunctions
{
    /// <summary>
    /// The Jacobian of softmax at the point where it has these probabilities: ∂a[i]/∂z[j] = a[i] (δ[i,j] − a[j]), so a[i] (1 − a[i]) on the
    /// diagonal and −a[i] a[j] elsewhere.
    /// </summary>
    /// <param name="probabilities">The n outputs a of softmax.</param>
    /// <param name="destination">Receives the symmetric [n, n] matrix, row-major; memory of its own. Every row sums to 0 when a sums to 1.</param>
    /// <remarks>To multiply by it, <see cref="SoftmaxBackward{T}"/> needs n operations instead of n².</remarks>
    /// <exception cref="ArgumentException"><paramref name="probabilities"/> is empty, or <paramref name="destination"/> is shorter than n² or overlaps it.</exception>
    public static void SoftmaxJacobian<T>(ReadOnlySpan<T> probabilities, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int n = probabilities.Length;
        Argument.NotEmpty(probabilities);
        Argument.FitsInto((long)n * n, destination.Length);
        Argument.Disjoint(probabilities, destination);
        for (int i = 0; i < n; i++)
        {
            Span<T> row = destination.Slice(i * n, n);
            TensorPrimitives.Multiply(probabilities, -probabilities[i], row);
            row[i] = probabilities[i] * (T.One - probabilities[i]);
        }
    }

    /// <summary>
    /// The gradient for the logits from the gradient u for the probabilities a: Σ_i u[i] ∂a[i]/∂z[j] = a[j] (u[j] − Σ a[i] u[i]).
    /// </summary>
    /// <param name="probabilities">The outputs a of softmax.</param>
    /// <param name="upstream">The gradient u, as many values.</param>
    /// <param name="destination">Receives as many values; may be either input itself.</param>
    /// <exception cref="ArgumentException">An input is empty, the lengths differ, or <paramref name="destination"/> is too short or overlaps an input with a shift.</exception>
    public static void SoftmaxBackward<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> upstream, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckBackward(probabilities, upstream, destination);
        RunBackward(probabilities, upstream, destination, ofLog: false);
    }

    /// <summary>
    /// The gradient for the logits from the gradient u for the log-probabilities: Σ_i u[i] ∂ln a[i]/∂z[j] = u[j] − a[j] Σ u[i].
    /// </summary>
    /// <param name="probabilities">The outputs a of softmax (not their logarithms).</param>
    /// <param name="upstream">The gradient u, as many values.</param>
    /// <param name="destination">Receives as many values; may be either input itself.</param>
    /// <exception cref="ArgumentException">An input is empty, the lengths differ, or <paramref name="destination"/> is too short or overlaps an input with a shift.</exception>
    public static void LogSoftmaxBackward<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> upstream, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckBackward(probabilities, upstream, destination);
        RunBackward(probabilities, upstream, destination, ofLog: true);
    }

    private static void CheckBackward<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> upstream, Span<T> destination)
    {
        Argument.NotEmpty(probabilities);
        Argument.SameLength(probabilities.Length, upstream.Length, nameof(upstream));
        CheckDestination(probabilities, destination);
        Argument.SameStartOrDisjoint(upstream, destination);
    }

    private static void RunBackward<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> upstream, Span<T> destination, bool ofLog)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double)) RunBackwardKernel(probabilities, upstream, destination, ofLog);
        else if (typeof(T) == typeof(Half)) RunBackwardConverted<T, float>(probabilities, upstream, destination, ofLog);
        else RunBackwardConverted<T, double>(probabilities, upstream, destination, ofLog);
    }

    private static unsafe void RunBackwardKernel<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> upstream, Span<T> destination, bool ofLog)
        where T : unmanaged
    {
        fixed (T* p = probabilities, u = upstream, to = destination)
        {
            SoftmaxGradientKernel<T> kernel = new(p, u, to, probabilities.Length, ofLog);
            VectorWidth.Run<SoftmaxGradientKernel<T>, T>(ref kernel);
        }
    }

    private static void RunBackwardConverted<T, TKernel>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> upstream, Span<T> destination, bool ofLog)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        int n = probabilities.Length;
        TKernel[] buffer = ArrayPool<TKernel>.Shared.Rent(2 * n);
        Span<TKernel> p = buffer.AsSpan(0, n), u = buffer.AsSpan(n, n);
        Conversion.Convert(probabilities, p);
        Conversion.Convert(upstream, u);
        RunBackwardKernel<TKernel>(p, u, u, ofLog);
        Conversion.Convert<TKernel, T>(u, destination);
        ArrayPool<TKernel>.Shared.Return(buffer);
    }
}
