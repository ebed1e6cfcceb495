using System.Buffers;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>Runs <see cref="BinaryCrossEntropyKernel{T}"/> over a fixed grid of blocks; types without a kernel are converted block by block.</summary>
internal static unsafe class BinaryCrossEntropyRunner
{
    private const int BlockLength = 16384;

    /// <summary>The widest vector: so many positive weights stand again behind the last column.</summary>
    private const int MostLanes = 16;

    public static CrossEntropyTotals Run<T>(
        BinaryCrossEntropyLoss options, ReadOnlySpan<T> logits, ReadOnlySpan<T> targets, ReadOnlySpan<T> weights, Span<T> gradient, Span<T> losses)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* logitsStart = logits, targetsStart = targets, weightsStart = weights, gradientStart = gradient, lossesStart = losses)
        {
            BinaryCrossEntropyKernel<T> given = new()
            {
                Logits = logitsStart,
                Targets = targetsStart,
                Weights = weightsStart,
                Gradient = gradientStart,
                Losses = lossesStart,
                Count = logits.Length,
                GradientScale = options.Reduction == LossReduction.Sum ? 1 : 1.0 / logits.Length,
            };
            if (typeof(T) == typeof(float) || typeof(T) == typeof(double)) return Run<T, T>(given, options);
            return typeof(T) == typeof(Half) ? Run<T, float>(given, options) : Run<T, double>(given, options);
        }
    }

    private static CrossEntropyTotals Run<T, TKernel>(in BinaryCrossEntropyKernel<T> given, BinaryCrossEntropyLoss options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        ReadOnlySpan<double> perColumn = options.PositiveWeights.Span;
        int columns = Math.Max(1, perColumn.Length);
        bool weighted = options.PositiveWeight != 1 || !perColumn.IsEmpty;
        TKernel[]? positiveWeights = weighted ? ArrayPool<TKernel>.Shared.Rent(columns + MostLanes) : null;
        for (int i = 0; weighted && i < columns + MostLanes; i++)
        {
            positiveWeights![i] = TKernel.CreateTruncating(options.PositiveWeight * (perColumn.IsEmpty ? 1 : perColumn[i % columns]));
        }

        fixed (TKernel* positiveWeightsStart = positiveWeights)
        {
            Blocks<T, TKernel> blocks = new(given, positiveWeightsStart, columns);
            CrossEntropyTotals totals = BlockRunner.Run<Blocks<T, TKernel>, CrossEntropyTotals>(blocks, options.MaxDegreeOfParallelism);
            if (positiveWeights != null) ArrayPool<TKernel>.Shared.Return(positiveWeights);
            return totals;
        }
    }

    private readonly struct Blocks<T, TKernel>(in BinaryCrossEntropyKernel<T> given, TKernel* positiveWeights, int columns) : IBlocks<CrossEntropyTotals>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        private readonly BinaryCrossEntropyKernel<T> _given = given;

        public int Count => (_given.Count + BlockLength - 1) / BlockLength;

        public CrossEntropyTotals Run(int block)
        {
            int first = block * BlockLength, count = Math.Min(BlockLength, _given.Count - first);
            T* logits = _given.Logits + first, targets = _given.Targets + first;
            T* weights = _given.Weights == null ? null : _given.Weights + first, losses = _given.Losses == null ? null : _given.Losses + first;
            T* gradient = _given.Gradient == null ? null : _given.Gradient + first;
            BinaryCrossEntropyKernel<TKernel> kernel = new()
            {
                PositiveWeights = positiveWeights,
                Columns = columns,
                FirstColumn = first % columns,
                Count = count,
                GradientScale = _given.GradientScale,
                Logits = (TKernel*)logits,
                Targets = (TKernel*)targets,
                Weights = (TKernel*)weights,
                Gradient = (TKernel*)gradient,
                Losses = (TKernel*)losses,
            };
            if (typeof(T) == typeof(TKernel))
            {
                VectorWidth.Run<BinaryCrossEntropyKernel<TKernel>, TKernel>(ref kernel);
                return kernel.Totals;
            }

            TKernel[] buffer = ArrayPool<TKernel>.Shared.Rent(4 * count);
            fixed (TKernel* start = buffer)
            {
                kernel.Logits = Conversion.To(logits, start, count);
                kernel.Targets = Conversion.To(targets, start + count, count);
                kernel.Weights = Conversion.To(weights, start + (2 * count), count);
                kernel.Gradient = gradient == null ? null : kernel.Logits;
                kernel.Losses = losses == null ? null : start + (3 * count);
                VectorWidth.Run<BinaryCrossEntropyKernel<TKernel>, TKernel>(ref kernel);
                Conversion.Back(kernel.Gradient, gradient, count);
                Conversion.Back(kernel.Losses, losses, count);
            }

            ArrayPool<TKernel>.Shared.Return(buffer);
            return kernel.Totals;
        }
    }
}
