using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>Feeds spans of any IEEE type, widened to double block by block, to <see cref="DivergenceKernel"/>.</summary>
internal static class DivergenceSums
{
    /// <summary>Values widened at a time: two buffers of 4 KB, which stay in the first-level cache.</summary>
    private const int BlockLength = 512;

    /// <exception cref="ArgumentOutOfRangeException">An entry is negative.</exception>
    public static unsafe double Run<T>(DivergenceKind kind, ReadOnlySpan<T> p, ReadOnlySpan<T> q)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double* first = stackalloc double[BlockLength], second = stackalloc double[BlockLength];
        CompensatedSum terms = default, differences = default;
        for (int i = 0; i < p.Length; i += BlockLength)
        {
            int count = Math.Min(BlockLength, p.Length - i);
            TensorPrimitives.ConvertTruncating(p.Slice(i, count), new Span<double>(first, count));
            if (!q.IsEmpty) TensorPrimitives.ConvertTruncating(q.Slice(i, count), new Span<double>(second, count));
            DivergenceKernel kernel = new(first, q.IsEmpty ? null : second, count, kind);
            VectorWidth.Run<DivergenceKernel, double>(ref kernel);
            if (kernel.FoundNegative)
            {
                Argument.NotNegative(p[i..], i, nameof(p));
                if (!q.IsEmpty) Argument.NotNegative(q[i..], i, nameof(q));
            }

            terms.Add(kernel.Terms);
            differences.Add(kernel.Differences);
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
