using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>What the model's values are.</summary>
internal enum KullbackLeiblerForm
{
    LogProbabilities,
    Probabilities,
    Logits,
}

/// <summary>The divergence and gradient of each row, over a fixed grid of blocks of rows.</summary>
internal static unsafe class KullbackLeiblerRows
{
    private const int BlockValues = 16384;

    public static CrossEntropyTotals Run<T>(
        KullbackLeiblerForm form, ReadOnlySpan<T> p, ReadOnlySpan<T> q, int classCount, double scale, Span<T> gradient, Span<T> rowLosses,
        int maxDegreeOfParallelism)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* pStart = p, qStart = q, gradientStart = gradient, lossesStart = rowLosses)
        {
            Blocks<T> blocks = new(form, pStart, qStart, gradientStart, lossesStart, p.Length / classCount, classCount, scale);
            return BlockRunner.Run<Blocks<T>, CrossEntropyTotals>(blocks, maxDegreeOfParallelism);
        }
    }

    private readonly struct Blocks<T>(KullbackLeiblerForm form, T* p, T* q, T* gradient, T* rowLosses, int rowCount, int classCount, double scale)
        : IBlocks<CrossEntropyTotals>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private int RowsPerBlock => Math.Max(1, BlockValues / classCount);

        public int Count => (rowCount + RowsPerBlock - 1) / RowsPerBlock;

        public CrossEntropyTotals Run(int block)
        {
            CrossEntropyTotals totals = default;
            double[] buffer = ArrayPool<double>.Shared.Rent(2 * classCount);
            Span<double> first = buffer.AsSpan(0, classCount), second = buffer.AsSpan(classCount, classCount);
            for (nint row = (nint)block * RowsPerBlock; row < Math.Min(rowCount, (block + 1L) * RowsPerBlock); row++)
            {
                ReadOnlySpan<T> rowP = new(p + (row * classCount), classCount), rowQ = new(q + (row * classCount), classCount);
                TensorPrimitives.ConvertTruncating(rowP, first);
                TensorPrimitives.ConvertTruncating(rowQ, second);
                double loss = form switch
                {
                    KullbackLeiblerForm.LogProbabilities => LogDivergence(first, second),
                    KullbackLeiblerForm.Probabilities => DivergenceSums.Run<double>(DivergenceKind.KullbackLeibler, first, second),
                    _ => LogitSums.Divergence<double>(first, second, LogitSum.KullbackLeibler),
                };
                totals.Loss += loss;
                if (TensorPrimitives.IndexOfMax<double>(first) == TensorPrimitives.IndexOfMax<double>(second)) totals.Correct++;
                if (rowLosses != null) rowLosses[row] = T.CreateTruncating(loss);
                if (gradient != null) WriteGradient(first, second, new Span<T>(gradient + (row * classCount), classCount));
            }

            ArrayPool<double>.Shared.Return(buffer);
            return totals;
        }

        private void WriteGradient(Span<double> rowP, Span<double> rowQ, Span<T> destination)
        {
            if (form == KullbackLeiblerForm.Logits)
            {
                SoftmaxFunctions.Softmax<double>(rowP, rowP);
                SoftmaxFunctions.Softmax<double>(rowQ, rowQ);
            }

            for (int c = 0; c < destination.Length; c++)
            {
                double slope = form switch
                {
                    KullbackLeiblerForm.LogProbabilities => -rowP[c],
                    KullbackLeiblerForm.Probabilities => rowP[c] == 0 ? 0 : -rowP[c] / rowQ[c],
                    _ => rowQ[c] - rowP[c],
                };
                destination[c] = T.CreateTruncating(scale * slope);
            }
        }

        private static double LogDivergence(ReadOnlySpan<double> p, ReadOnlySpan<double> logQ)
        {
            fixed (double* first = p, second = logQ)
            {
                LogDivergenceKernel kernel = new(first, second, p.Length);
                VectorWidth.Run<LogDivergenceKernel, double>(ref kernel);
                return kernel.Sum.Value;
            }
        }
    }
}
