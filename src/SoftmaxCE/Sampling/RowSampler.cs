using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>One draw from a row, in the type that has kernels and without the excluded classes.</summary>
internal static unsafe class RowSampler
{
    public static int Sample<T>(LogitSampler options, ReadOnlySpan<T> logits, ulong seed, ReadOnlySpan<int> excluded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double))
        {
            if (excluded.IsEmpty)
            {
                fixed (T* start = logits) return new SampledRow<T>(options, start, logits.Length, seed).Sample();
            }

            return SampleCopy<T, T>(options, logits, seed, excluded);
        }

        return typeof(T) == typeof(Half) ? SampleCopy<T, float>(options, logits, seed, excluded) : SampleCopy<T, double>(options, logits, seed, excluded);
    }

    private static int SampleCopy<T, TKernel>(LogitSampler options, ReadOnlySpan<T> logits, ulong seed, ReadOnlySpan<int> excluded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        for (int i = 0; i < excluded.Length; i++)
        {
            if ((uint)excluded[i] >= (uint)logits.Length) ThrowExcluded(i, excluded[i], logits.Length, nameof(excluded));
        }

        TKernel[] copy = ArrayPool<TKernel>.Shared.Rent(logits.Length);
        try
        {
            Conversion.Convert(logits, copy.AsSpan(0, logits.Length));
            foreach (int label in excluded) copy[label] = TKernel.NegativeInfinity;
            fixed (TKernel* start = copy) return new SampledRow<TKernel>(options, start, logits.Length, seed).Sample();
        }
        finally
        {
            ArrayPool<TKernel>.Shared.Return(copy);
        }
    }

    [DoesNotReturn]
    private static void ThrowExcluded(int index, int label, int classCount, string name) =>
        throw new ArgumentOutOfRangeException(name, label, $"Entry {index} is class {label}, but there are {classCount} classes: 0 to {classCount - 1}.");
}
