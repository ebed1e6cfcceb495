using System.Buffers;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>Runs <see cref="CrossEntropyKernel{T}"/> over a fixed grid of row blocks; types without a kernel are converted block by block.</summary>
internal static unsafe class CrossEntropyRunner
{
    /// <summary>A block has about this many logits: enough to be worth a thread's attention, few enough for the second-level cache.</summary>
    private const int BlockLogits = 32768;

    public static CrossEntropyTotals Run<T>(
        SoftmaxCrossEntropyLoss options, ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, ReadOnlySpan<T> targets, int classCount, double weightSum,
        Span<T> gradient, Span<T> rowLosses, ReadOnlySpan<T> sampleWeights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* logitsStart = logits, targetsStart = targets, gradientStart = gradient, lossesStart = rowLosses, weightsStart = sampleWeights)
        fixed (int* labelsStart = labels)
        {
            CrossEntropyTask<T> task = new()
            {
                Logits = logitsStart,
                Labels = labelsStart,
                Targets = targetsStart,
                Gradient = gradientStart,
                RowLosses = lossesStart,
                SampleWeights = weightsStart,
                ClassCount = classCount,
            };
            int rowCount = logits.Length / classCount;
            if (typeof(T) == typeof(float) || typeof(T) == typeof(double)) return Run<T, T>(task, options, rowCount, weightSum);
            return typeof(T) == typeof(Half) ? Run<T, float>(task, options, rowCount, weightSum) : Run<T, double>(task, options, rowCount, weightSum);
        }
    }

    private static CrossEntropyTotals Run<T, TKernel>(in CrossEntropyTask<T> given, SoftmaxCrossEntropyLoss options, int rowCount, double weightSum)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        int classCount = given.ClassCount;
        double scale = options.Reduction == LossReduction.Sum ? 1 : weightSum == 0 ? 0 : 1 / weightSum;
        TKernel[]? background = given.Labels != null && options.LabelSmoothing > 0 ? ArrayPool<TKernel>.Shared.Rent(classCount) : null;
        double backgroundSum = background == null ? 0 : LossArguments.FillBackground(background.AsSpan(0, classCount), options.LabelSmoothing, options.ClassWeights.Span);
        fixed (TKernel* backgroundStart = background)
        fixed (double* classWeights = options.ClassWeights.Span)
        {
            CrossEntropyTask<TKernel> task = new()
            {
                Labels = given.Labels,
                ClassCount = classCount,
                ClassWeights = classWeights,
                IgnoreLabel = options.IgnoreLabel,
                Background = backgroundStart,
                BackgroundSum = backgroundSum,
                OwnShare = 1 - options.LabelSmoothing,
                SmoothingShare = options.LabelSmoothing / classCount,
                Temperature = double.CreateTruncating(TKernel.CreateTruncating(options.Temperature)),
                ZLoss = options.ZLoss,
                FocalGamma = options.FocalGamma,
                GradientScale = scale,
            };
            CrossEntropyTotals totals = BlockRunner.Run<Blocks<T, TKernel>, CrossEntropyTotals>(new(given, task, rowCount), options.MaxDegreeOfParallelism);
            if (background != null) ArrayPool<TKernel>.Shared.Return(background);
            return totals;
        }
    }

    /// <summary>The grid: the same blocks for any number of threads.</summary>
    private readonly struct Blocks<T, TKernel>(in CrossEntropyTask<T> given, in CrossEntropyTask<TKernel> task, int rowCount) : IBlocks<CrossEntropyTotals>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        private readonly CrossEntropyTask<T> _given = given;
        private readonly CrossEntropyTask<TKernel> _task = task;
        private readonly int _rowsPerBlock = Math.Max(1, BlockLogits / task.ClassCount);

        public int Count => (rowCount + _rowsPerBlock - 1) / _rowsPerBlock;

        public CrossEntropyTotals Run(int block)
        {
            int first = block * _rowsPerBlock, rows = Math.Min(_rowsPerBlock, rowCount - first);
            CrossEntropyTask<T> given = _given.StartingAt(first);
            CrossEntropyTask<TKernel> task = _task;
            task.Labels = given.Labels;
            TKernel[]? background = given.Targets == null ? null : ArrayPool<TKernel>.Shared.Rent(task.ClassCount);
            fixed (TKernel* backgroundStart = background)
            {
                if (background != null) task.Background = backgroundStart;
                task.RowsBehind = typeof(T) == typeof(TKernel) ? rowCount - first - rows : 0;
                CrossEntropyTotals totals = typeof(T) == typeof(TKernel) ? RunAsGiven(given, task, rows) : RunConverted(given, task, rows);
                if (background != null) ArrayPool<TKernel>.Shared.Return(background);
                return totals;
            }
        }

        private static CrossEntropyTotals RunAsGiven(in CrossEntropyTask<T> given, CrossEntropyTask<TKernel> task, int rows)
        {
            task.Logits = (TKernel*)given.Logits;
            task.Targets = (TKernel*)given.Targets;
            task.SampleWeights = (TKernel*)given.SampleWeights;
            task.Gradient = (TKernel*)given.Gradient;
            task.RowLosses = (TKernel*)given.RowLosses;
            return RunKernel(task, rows);
        }

        /// <summary>Logits (where the gradient then goes), targets, sample weights and losses, one after the other in one buffer.</summary>
        private static CrossEntropyTotals RunConverted(in CrossEntropyTask<T> given, CrossEntropyTask<TKernel> task, int rows)
        {
            int logits = rows * task.ClassCount;
            TKernel[] buffer = ArrayPool<TKernel>.Shared.Rent((2 * logits) + (2 * rows));
            fixed (TKernel* start = buffer)
            {
                task.Logits = Conversion.To(given.Logits, start, logits);
                task.Targets = Conversion.To(given.Targets, start + logits, logits);
                task.SampleWeights = Conversion.To(given.SampleWeights, start + (2 * logits), rows);
                task.Gradient = given.Gradient == null ? null : task.Logits;
                task.RowLosses = given.RowLosses == null ? null : start + (2 * logits) + rows;
                CrossEntropyTotals totals = RunKernel(task, rows);
                Conversion.Back(task.Gradient, given.Gradient, logits);
                Conversion.Back(task.RowLosses, given.RowLosses, rows);
                ArrayPool<TKernel>.Shared.Return(buffer);
                return totals;
            }
        }

        private static CrossEntropyTotals RunKernel(in CrossEntropyTask<TKernel> task, int rows)
        {
            if (LabelBatchKernel<TKernel>.Fits(task))
            {
                LabelBatchKernel<TKernel> batches = new(task, rows);
                VectorWidth.Run<LabelBatchKernel<TKernel>, TKernel>(ref batches);
                return batches.Totals;
            }

            if (FewClassesKernel<TKernel>.Fits(task))
            {
                FewClassesKernel<TKernel> fewClasses = new(task, rows);
                VectorWidth.RunOnRegister<FewClassesKernel<TKernel>, TKernel>(ref fewClasses);
                return fewClasses.Totals;
            }

            if (FewClassesSpreadKernel<TKernel>.Fits(task))
            {
                FewClassesSpreadKernel<TKernel> fewClasses = new(task, rows);
                VectorWidth.RunOnRegister<FewClassesSpreadKernel<TKernel>, TKernel>(ref fewClasses);
                return fewClasses.Totals;
            }

            if (LabelRowsKernel<TKernel>.Fits(task))
            {
                LabelRowsKernel<TKernel> labels = new(task, rows);
                VectorWidth.Run<LabelRowsKernel<TKernel>, TKernel>(ref labels);
                return labels.Totals;
            }

            CrossEntropyKernel<TKernel> kernel = new(task, rows);
            VectorWidth.Run<CrossEntropyKernel<TKernel>, TKernel>(ref kernel);
            return kernel.Totals;
        }
    }
}
