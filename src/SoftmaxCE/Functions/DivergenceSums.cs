using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Entropies and divergences of spans of any IEEE type, block by block.</summary>
/// <remarks>
/// Floats, and Half converted to float, are summed in float; where that may not do, and for all other types, in double. A divergence that cancels even there is
/// summed again with care.
/// </remarks>
internal static class DivergenceSums
{
    /// <summary>Two blocks of 8 KB stay in the first-level cache while one register of lanes after the other is summed.</summary>
    private const int BlockBytes = 8192;

    // Below this, subnormal products may have lost digits that count.
    private const double SmallestSafe = 1e-20;

    // 2^64, 2^100, and 2^-64 for entries that the former would take beyond the largest double.
    private const float SingleScale = 18446744073709551616f;
    private const double DoubleScale = 1.2676506002282294e+30;
    private const double ScaleOfLarge = 5.421010862427522e-20;

    private const double Large = 1e270;

    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static double Run<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if ((typeof(T) == typeof(float) || typeof(T) == typeof(Half)) && TryInSingle(kind, p, q, out double value)) return value;
        return InDouble(kind, p, q);
    }

    /// <summary>The sum in float arithmetic, unless the entries are such that it may be off.</summary>
    private static bool TryInSingle<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q, out double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        DivergenceTotal total = Total(kind, p, q, SingleScale);
        value = total.Value(kind, SingleScale);
        if (total.FoundNegative || total.FoundMissing || total.Highest > 1 || !double.IsFinite(value)) return false;

        // Where Σ (q − p) cancels much of a divergence, the error of the rest of it shows.
        bool cancels = kind == DivergenceKind.KullbackLeibler && Math.Abs(value) < 0.75 / SingleScale * total.Terms;
        return !cancels && (value == 0 || Math.Abs(value) > SmallestSafe);
    }

    private static double InDouble<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double value = InDouble(kind, p, q, DoubleScale, out bool isLarge);
        return isLarge ? InDouble(kind, p, q, ScaleOfLarge, out _) : value;
    }

    /// <param name="kind">Which sum.</param>
    /// <param name="p">The true distribution.</param>
    /// <param name="q">The other one, unless there is none.</param>
    /// <param name="scale">A power of two.</param>
    /// <param name="isLarge">The scale may have been too large for the entries.</param>
    private static double InDouble<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q, double scale, out bool isLarge)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        DivergenceTotal total = Total(kind, p, q, scale);
        if (total.FoundNegative)
        {
            Argument.NotNegative(p, 0, nameof(p));
            if (!q.IsEmpty) Argument.NotNegative(q, 0, nameof(q));
        }

        double value = total.Value(kind, scale);
        isLarge = total.Highest > Large || !double.IsFinite(value);
        if (total.FoundMissing && !double.IsNaN(value))
        {
            isLarge = false;
            return double.PositiveInfinity;
        }

        bool cancels = kind == DivergenceKind.KullbackLeibler && Math.Abs(value) < 0.5 / scale * total.Terms;
        return cancels && !isLarge ? Cancelling(p, q) : value;
    }

    [SkipLocalsInit]
    private static unsafe double Cancelling<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int Length = BlockBytes / sizeof(double);
        Span<double> first = stackalloc double[Length], second = stackalloc double[Length];
        CompensatedSum sum = default;
        for (int i = 0, count; i < p.Length; i += count)
        {
            count = Math.Min(Length, p.Length - i);
            TensorPrimitives.ConvertTruncating(p.Slice(i, count), first);
            TensorPrimitives.ConvertTruncating(q.Slice(i, count), second);
            CancellingDivergence.Add(first[..count], second[..count], ref sum);
        }

        return sum.Value;
    }

    /// <summary>The sums over all blocks, in float or in double.</summary>
    [SkipLocalsInit]
    private static unsafe DivergenceTotal Total<T, TElement>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q, TElement scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TElement : unmanaged, IBinaryFloatingPointIeee754<TElement>
    {
        int blockLength = BlockBytes / sizeof(TElement), room = typeof(T) == typeof(TElement) ? 0 : blockLength;
        TElement* first = stackalloc TElement[room], second = stackalloc TElement[room];
        DivergenceTotal total = default;
        fixed (T* sourceP = p, sourceQ = q)
        {
            for (int i = 0, count; i < p.Length; i += count)
            {
                count = Math.Min(blockLength, p.Length - i);
                TElement* blockP = Conversion.Values(sourceP + i, first, count), blockQ = q.IsEmpty ? null : Conversion.Values(sourceQ + i, second, count);
                DivergenceKernel<TElement> kernel = new(blockP, blockQ, count, kind, scale);
                VectorWidth.Run<DivergenceKernel<TElement>, TElement>(ref kernel);
                total.Add(kernel);
            }
        }

        return total;
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
