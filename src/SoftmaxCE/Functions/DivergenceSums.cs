using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Entropies and divergences of spans of any IEEE type, block by block.</summary>
/// <remarks>Floats, and Half converted to float, are summed in float; where that may not do, and for all other types, in double.</remarks>
internal static class DivergenceSums
{
    /// <summary>Values widened at a time: two buffers of 4 KB, which stay in the first-level cache.</summary>
    private const int BlockLength = 512;

    /// <summary>Floats at a time: two times 8 KB.</summary>
    private const int SingleBlockLength = 2048;

    // Below this, subnormal products may have lost digits that count.
    private const double SmallestSafe = 1e-20;

    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static double Run<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        (typeof(T) == typeof(float) || typeof(T) == typeof(Half)) && TryInSingle(kind, p, q, out double value) ? value : InDouble(kind, p, q);

    /// <summary>The sum in float arithmetic, unless the entries are such that it may be off.</summary>
    [SkipLocalsInit]
    private static unsafe bool TryInSingle<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q, out double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int room = typeof(T) == typeof(float) ? 0 : SingleBlockLength;
        float* first = stackalloc float[room], second = stackalloc float[room];
        CompensatedSum terms = default, differences = default;
        value = double.NaN;
        fixed (T* sourceP = p, sourceQ = q)
        {
            for (int i = 0, count; i < p.Length; i += count)
            {
                count = Math.Min(SingleBlockLength, p.Length - i);
                float* blockP = Values(sourceP + i, first, count), blockQ = sourceQ == null ? null : Values(sourceQ + i, second, count);
                SingleDivergenceKernel kernel = new(blockP, blockQ, count, kind);
                VectorWidth.Run<SingleDivergenceKernel, float>(ref kernel);
                if (kernel.IsUnusual) return false;
                terms.Add(kernel.Terms);
                differences.Add(kernel.Differences);
            }
        }

        double sum = terms.Value;
        terms.Add(new CompensatedSum { High = -differences.High, Low = -differences.Low });
        value = kind switch
        {
            DivergenceKind.KullbackLeibler => terms.Value / SingleDivergenceKernel.Scale,
            DivergenceKind.JensenShannon => sum / (2 * SingleDivergenceKernel.Scale),
            _ => -sum,
        };

        // Where Σ (p − q) cancels much of a divergence, the error of the rest of it shows.
        bool cancels = kind == DivergenceKind.KullbackLeibler && Math.Abs(terms.Value) < 0.75 * sum;
        return double.IsFinite(value) && !cancels && (value == 0 || Math.Abs(value) > SmallestSafe);
    }

    private static unsafe float* Values<T>(T* source, float* room, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => typeof(T) == typeof(float) ? (float*)source : Conversion.To(source, room, count);

    [SkipLocalsInit]
    private static unsafe double InDouble<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int room = typeof(T) == typeof(double) ? 0 : BlockLength;
        double* first = stackalloc double[room], second = stackalloc double[room];
        CompensatedSum terms = default, differences = default;
        fixed (T* sourceP = p, sourceQ = q)
        {
            for (int i = 0, count; i < p.Length; i += count)
            {
                count = Math.Min(BlockLength, p.Length - i);
                double* blockP = typeof(T) == typeof(double) ? (double*)sourceP + i : Conversion.To(sourceP + i, first, count);
                double* blockQ = sourceQ == null ? null : typeof(T) == typeof(double) ? (double*)sourceQ + i : Conversion.To(sourceQ + i, second, count);
                DivergenceKernel kernel = new(blockP, blockQ, count, kind);
                VectorWidth.Run<DivergenceKernel, double>(ref kernel);
                if (kernel.FoundNegative)
                {
                    Argument.NotNegative(p[i..], i, nameof(p));
                    if (!q.IsEmpty) Argument.NotNegative(q[i..], i, nameof(q));
                }

                terms.Add(kernel.Terms);
                differences.Add(kernel.Differences);
            }
        }

        terms.Add(differences);
        return terms.Value;
    }

    public static double MutualInformation<T>(ReadOnlySpan<T> joint, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CompensatedSum[] columnSums = new CompensatedSum[columns];
        double[] cells = new double[columns], products = new double[columns];
        for (int start = 0; start < joint.Length; start += columns)
        {
            for (int c = 0; c < columns; c++) columnSums[c].Add(double.CreateTruncating(joint[start + c]));
        }

        CompensatedSum total = default;
        for (int start = 0; start < joint.Length; start += columns)
        {
            TensorPrimitives.ConvertTruncating(joint.Slice(start, columns), cells.AsSpan());
            CompensatedSum rowSum = default;
            foreach (double cell in cells) rowSum.Add(cell);
            for (int c = 0; c < columns; c++) products[c] = rowSum.Value * columnSums[c].Value;
            total.Add(Run<double>(DivergenceKind.KullbackLeibler, cells, products));
        }

        return total.Value;
    }

    public static void Normalize<T>(ReadOnlySpan<T> weights, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double largest = 0;
        foreach (T weight in weights) largest = Math.Max(largest, double.CreateTruncating(weight));
        if (largest == 0) throw new ArgumentException("Needs at least one positive weight, but all are 0.", nameof(weights));

        // Weights are scaled down where their sum could overflow; a power of two changes no digit.
        double scale = largest > double.MaxValue / weights.Length ? 1.0 / BitOperations.RoundUpToPowerOf2((uint)weights.Length) : 1;
        CompensatedSum sum = default;
        foreach (T weight in weights) sum.Add(double.CreateTruncating(weight) * scale);
        double total = sum.Value;
        for (int i = 0; i < weights.Length; i++) destination[i] = T.CreateTruncating(double.CreateTruncating(weights[i]) * scale / total);
    }
}
