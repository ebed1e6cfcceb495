using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Rows of less than two vectors: groups of them are transposed, so that a vector holds one class of each. The bits stay those of a single row.</summary>
/// <remarks>
/// The sum of a group comes out of a chain of operations that wait for each other. Meanwhile the processor is given work that does not: the next group
/// is loaded before this one is scaled. No lane needs another one, so a vector is one register here (<see cref="ISimd{TVector,T}.RunOnRegister"/>).
/// </remarks>
internal unsafe struct SoftmaxGroups<T>(T* logits, T* destination, nint firstRow, nint endRow, int classCount, RowResult result) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>With more classes little is lost to the last vectors of rows, which overlap the ones before: <see cref="RowBatch"/>.</summary>
    public static int MostClasses => (2 * WholeVector.Lanes<T>()) - 2;

    /// <summary>The first row behind the whole groups.</summary>
    public nint Next { get; private set; } = firstRow;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (endRow - Next < TSimd.Lanes) return;
        if (classCount <= WholeVector.Lanes<T>()) Run<TSimd, TVector, OneVector>();
        else Run<TSimd, TVector, TwoVectors>();
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private void Run<TSimd, TVector, TLength>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TLength : struct, ILength
    {
        int lanes = TSimd.Lanes, size = GroupSize(lanes);
        T* memory = stackalloc T[(4 * size) + WholeVector.Lanes<T>()];
        T* group = (T*)WholeVector.Align((byte*)memory), next = group + size, exponentials = next + size;
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(lanes)];
        RowLogs<T> logs = new(numbers, lanes);
        TVector max = Load<TSimd, TVector, TLength>(Next, group);
        while (true)
        {
            bool isLast = Next + (2 * lanes) > endRow;
            if (result == RowResult.Softmax)
            {
                SoftmaxColumns.Factors<TVector> factors = TLength.IsOne
                    ? SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(group, lanes, classCount, max, exponentials)
                    : SoftmaxColumns.ExponentialsOfMore<TSimd, TVector, T>(group, classCount, max, exponentials);
                if (!isLast) max = Load<TSimd, TVector, TLength>(Next + lanes, next);
                if (TLength.IsOne) SoftmaxColumns.ScaleFew<TSimd, TVector, T>(exponentials, classCount, factors, group, lanes);
                else SoftmaxColumns.ScaleMore<TSimd, TVector, T>(group, classCount, factors);
            }
            else
            {
                TVector maxOfGroup = max;
                if (TLength.IsOne) logs.SumFew<TSimd, TVector>(result, group, classCount, max);
                else logs.SumMore<TSimd, TVector>(group, classCount, max, exponentials);
                if (result == RowResult.LogSumExp) TakeLogSumExp<TSimd, TVector>(logs, max);
                else if (TLength.IsOne) logs.LogAboveMaximum(exponentials);
                else TakeLogs<TSimd, TVector>(logs, exponentials, max);
                if (!isLast) max = Load<TSimd, TVector, TLength>(Next + lanes, next);
                if (result == RowResult.LogSoftmax)
                {
                    SoftmaxColumns.LogProbabilities<TSimd, TVector, T>(group, classCount, maxOfGroup, TSimd.Load(ref *exponentials, 0));
                }
            }

            if (result != RowResult.LogSumExp) Store<TLength>(group, lanes, destination + (Next * classCount));
            Next += lanes;
            if (isLast) return;
            T* swap = group;
            group = next;
            next = swap;
        }
    }

    /// <summary>A vector per class, and what a transposition may read behind the last.</summary>
    private readonly int GroupSize(int lanes) => Math.Max(classCount * lanes, WholeVector.Lanes<T>() * lanes) + (classCount > WholeVector.Lanes<T>() ? GroupTranspose.Slack(lanes) : 0);

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void TakeLogSumExp<TSimd, TVector>(RowLogs<T> logs, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* values = destination + Next;
        logs.LogSumExp(values);
        if (!SoftmaxColumns.AnyInfinite<TSimd, TVector, T>(max)) return;
        for (int i = 0; i < TSimd.Lanes; i++)
        {
            if (double.IsNaN(Element.ToDouble(values[i]))) values[i] = SoftmaxKernel.WithoutSum(logits + ((Next + i) * classCount), (nuint)classCount);
        }
    }

    /// <summary>The logarithms of the sums in units of the maxima's exponentials; confident rows have theirs from a pass of their own.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void TakeLogs<TSimd, TVector>(RowLogs<T> logs, T* results, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* maxima = stackalloc T[TSimd.Lanes];
        TSimd.Store(ref *maxima, 0, max);
        logs.LogOfSums(results);
        for (int row = 0; row < TSimd.Lanes; row++)
        {
            CompensatedSum sum = new() { High = logs.High[row], Low = logs.Low[row] };
            if (!SoftmaxKernel.IsConfident<T>(sum.Value)) continue;
            ConfidentRow<T> confident = new(logits + ((Next + row) * classCount), (nuint)classCount, maxima[row], sum);
            VectorWidth.Run<ConfidentRow<T>, T>(ref confident);
            results[row] = confident.Log;
        }
    }

    private readonly void Store<TLength>(T* group, int lanes, T* target)
        where TLength : struct, ILength
    {
        if (TLength.IsOne) SimdTranspose.Block(group, lanes, classCount, lanes, GroupSize(lanes), target, classCount, (nint)lanes * classCount);
        else GroupTranspose.Back(group, lanes, classCount, target, lanes);
    }

    /// <summary>The logits of a group, a vector per class; returns the maxima.</summary>
    private readonly TVector Load<TSimd, TVector, TLength>(nint row, T* group)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TLength : struct, ILength
    {
        int lanes = TSimd.Lanes;
        nint at = row * classCount, valuesLeft = (endRow * classCount) - at;
        if (TLength.IsOne) SimdTranspose.Block(logits + at, classCount, lanes, classCount, valuesLeft, group, lanes, GroupSize(lanes));
        else GroupTranspose.Into(logits + at, valuesLeft, lanes, classCount, group, lanes);
        return SoftmaxColumns.Max<TSimd, TVector, T>(group, TSimd.Lanes, classCount);
    }

    /// <summary>Whether a row fits one vector; apart from each other at compile time.</summary>
    private interface ILength
    {
        static abstract bool IsOne { get; }
    }

    private readonly struct OneVector : ILength
    {
        public static bool IsOne => true;
    }

    private readonly struct TwoVectors : ILength
    {
        public static bool IsOne => false;
    }
}

/// <summary><see cref="SoftmaxKernel.LogAboveMaximum"/> of one row, in whole vectors.</summary>
internal unsafe struct ConfidentRow<T>(T* logits, nuint count, T max, CompensatedSum sum) : IVectorKernel<T>
    where T : unmanaged
{
    public T Log { get; private set; }

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct =>
        Log = Element.FromDouble<T>(SoftmaxKernel.LogAboveMaximum<TSimd, TVector, T>(logits, count, new(max, Element.FromDouble<T>(1)), sum));
}
