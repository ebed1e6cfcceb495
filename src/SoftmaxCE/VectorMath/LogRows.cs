using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Log-softmax or log-sum-exp of rows longer than those of <see cref="RowBatch"/> and so short that some are in the first-level cache.</summary>
/// <remarks>
/// A logarithm comes out of a long chain of operations that wait for each other, and the sum and the maximum before it out of others. The rows of a group
/// get theirs side by side in vectors, and the maximum of a row is looked for while the sum of the one before is still on its way. A row gets the bits it
/// gets alone (<see cref="SoftmaxKernel"/>).
/// </remarks>
/// <param name="logits">The first row.</param>
/// <param name="count">Classes.</param>
/// <param name="destination">Log-probabilities, or a number per row.</param>
/// <param name="isLogSumExp">Log-sum-exp, at temperature 1.</param>
internal readonly unsafe struct LogRows<T>(T* logits, nuint count, T temperature, T* destination, bool isLogSumExp)
    where T : unmanaged
{
    /// <summary>Logits that stay in the first-level cache until their rows are finished.</summary>
    private const int CachedBytes = 16 * 1024;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>(nint rows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, most = isLogSumExp ? lanes : Math.Clamp(CachedBytes / ((int)count * sizeof(T)), 1, lanes);
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(lanes) + WholeVector.Lanes<double>()];
        byte* memory = stackalloc byte[3 * WholeVector.Bytes];
        T* maxima = (T*)WholeVector.Align(memory), results = maxima + lanes;
        RowLogs<T> logs = new((double*)WholeVector.Align((byte*)numbers), lanes);
        new Span<double>(logs.High, lanes).Fill(1);                 // for the rows that a last group does not have
        new Span<double>(logs.Low, lanes).Clear();
        new Span<T>(maxima, lanes).Clear();

        RowsAhead<T> ahead = new(logits, isLogSumExp ? null : destination, count, rows);
        T max = RowPasses.Max<TSimd, TVector, T>(logits, count);
        for (nint first = 0; first < rows; first += most)
        {
            int group = (int)nint.Min(most, rows - first);
            for (int i = 0; i < group; i++)
            {
                nint row = first + i;
                T* source = RowAt(row), target = isLogSumExp ? source : destination + (row * (nint)count);
                T nextMax = row + 1 < rows ? RowPasses.Max<TSimd, TVector, T>(source + count, count) : max;
                CompensatedSum sum = RowPasses.Exponentials<TSimd, TVector, T>(source, count, new(max, temperature), null, ahead.Of(source, target));
                maxima[i] = max;
                logs.High[i] = sum.High;
                logs.Low[i] = sum.Low;
                max = nextMax;
            }

            if (isLogSumExp) LogSumExp<TSimd, TVector>(logs, maxima, results, first, group);
            else LogSoftmax<TSimd, TVector>(logs, maxima, results, first, group);
        }
    }

    private T* RowAt(nint row) => logits + (row * (nint)count);

    [MethodImpl(LoopMethod.Compiled)]
    private void LogSumExp<TSimd, TVector>(in RowLogs<T> logs, T* maxima, T* results, nint first, int group)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        logs.SetThird<TSimd, TVector>(TSimd.Load(ref *maxima, 0));
        logs.LogSumExp(results);
        for (int i = 0; i < group; i++)
        {
            bool hasSum = !double.IsNaN(logs.High[i] + logs.Low[i]);
            destination[first + i] = hasSum ? results[i] : SoftmaxKernel.WithoutSum(RowAt(first + i), count);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void LogSoftmax<TSimd, TVector>(in RowLogs<T> logs, T* maxima, T* results, nint first, int group)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        logs.LogOfSums(results);
        for (int i = 0; i < group; i++)
        {
            T* source = RowAt(first + i);
            CompensatedSum sum = new() { High = logs.High[i], Low = logs.Low[i] };
            if (SoftmaxKernel.IsConfident<T>(sum.Value))
                results[i] = Element.FromDouble<T>(SoftmaxKernel.LogAboveMaximum<TSimd, TVector, T>(source, count, new(maxima[i], temperature), sum));
            RowPasses.LogProbabilities<TSimd, TVector, T>(source, count, maxima[i], temperature, results[i], destination + ((first + i) * (nint)count));
        }
    }
}
