using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax of a row so long that several threads share it.</summary>
/// <remarks>
/// Threads take runs of the parts of <see cref="LongRow{T}"/>; the parts' sums are merged in order by one of them, as on a single thread, and so
/// the bits do not depend on the number of threads.
/// </remarks>
internal static unsafe class LongRowOperation
{
    /// <summary>Rows this long (1 MB of floats) are shared when there are too few of them for one each.</summary>
    private const int LeastValues = 1 << 18;

    private const int MostRows = 8;

    /// <summary>Parts that a thread takes at a time: half a megabyte.</summary>
    private const int PartsPerRun = 32;

    public static bool Splits<T>(int rowCount, int classCount)
        where T : unmanaged => classCount >= LeastValues && rowCount <= MostRows;

    public static void Softmax<T>(T* logits, int count, T temperature, T* destination, int maxDegreeOfParallelism)
        where T : unmanaged
    {
        LongRow<T> row = new(logits, count, temperature, destination);
        int parts = (int)row.PartCount, runs = (parts + PartsPerRun - 1) / PartsPerRun;
        ParallelOptions options = new() { MaxDegreeOfParallelism = maxDegreeOfParallelism };
        RowPart<T>[] sums = new RowPart<T>[parts];
        fixed (RowPart<T>* all = sums)
        {
            RowPart<T>* first = all;
            Parallel.For(0, runs, options, run => Run(row, run * PartsPerRun, Math.Min(parts, (run + 1) * PartsPerRun), first, null));
            CompensatedSum sum = row.Merge(all, out T max);
            fixed (T* maxima = Array.ConvertAll(sums, part => part.Max))
            {
                Total<T> total = new() { Max = max, Sum = sum, Maxima = maxima };
                Total<T>* shared = &total;
                Parallel.For(0, runs, options, run => Run(row, run * PartsPerRun, Math.Min(parts, (run + 1) * PartsPerRun), first, shared));
            }
        }
    }

    private static void Run<T>(LongRow<T> row, int first, int end, RowPart<T>* parts, Total<T>* total)
        where T : unmanaged
    {
        PartsKernel<T> kernel = new(row, first, end, parts, total);
        VectorWidth.Run<PartsKernel<T>, T>(ref kernel);
    }

    private struct Total<T>
        where T : unmanaged
    {
        public T Max;
        public CompensatedSum Sum;
        public T* Maxima;
    }

    /// <summary>The first pass over some parts, or with <paramref name="total"/> the last.</summary>
    private readonly struct PartsKernel<T>(LongRow<T> row, int first, int end, RowPart<T>* parts, Total<T>* total) : IVectorKernel<T>
        where T : unmanaged
    {
        [MethodImpl(LoopMethod.Compiled)]
        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct
        {
            if (total == null) row.Start<TSimd, TVector>(first, end, parts + first);
            else row.Finish<TSimd, TVector>(first, end, total->Maxima, total->Max, total->Sum);
        }
    }
}
