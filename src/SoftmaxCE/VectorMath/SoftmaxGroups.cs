using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// Rows of at most <see cref="WholeVector.Lanes"/> classes: groups of them are transposed, so that a vector holds one class of each. The bits stay
/// those of a single row.
/// </summary>
/// <remarks>
/// The sum of a group comes out of a chain of operations that wait for each other. Meanwhile the processor is given work that does not: the next group
/// is loaded before this one is scaled. No lane needs another one, so a vector is one register here (<see cref="ISimd{TVector,T}.RunOnRegister"/>).
/// </remarks>
internal unsafe struct SoftmaxGroups<T>(T* logits, T* destination, nint firstRow, nint endRow, int classCount, RowResult result) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>The first row behind the whole groups.</summary>
    public nint Next { get; private set; } = firstRow;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, size = lanes * WholeVector.Lanes<T>();
        if (endRow - Next < lanes) return;
        byte* memory = stackalloc byte[(4 * WholeVector.Bytes * WholeVector.Lanes<T>()) + WholeVector.Bytes];
        T* group = (T*)WholeVector.Align(memory), next = group + size, exponentials = next + size;
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(lanes)];
        RowLogs<T> logs = new(numbers, lanes);
        TVector max = Load<TSimd, TVector>(Next, group);
        while (true)
        {
            bool isLast = Next + (2 * lanes) > endRow;
            if (result == RowResult.Softmax)
            {
                SoftmaxColumns.Factors<TVector> factors = SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(group, lanes, classCount, max, exponentials);
                if (!isLast) max = Load<TSimd, TVector>(Next + lanes, next);
                SoftmaxColumns.ScaleFew<TSimd, TVector, T>(exponentials, classCount, factors, group, lanes);
            }
            else
            {
                TVector maxOfGroup = max;
                logs.SumFew<TSimd, TVector>(result, group, classCount, max);
                if (result == RowResult.LogSumExp) TakeLogSumExp<TSimd, TVector>(logs, max);
                else logs.LogAboveMaximum(exponentials);
                if (!isLast) max = Load<TSimd, TVector>(Next + lanes, next);
                if (result == RowResult.LogSoftmax)
                {
                    SoftmaxColumns.LogProbabilities<TSimd, TVector, T>(group, classCount, maxOfGroup, TSimd.Load(ref *exponentials, 0));
                }
            }

            if (result != RowResult.LogSumExp)
            {
                SimdTranspose.Block(group, lanes, classCount, lanes, size, destination + (Next * classCount), classCount, (nint)lanes * classCount);
            }

            Next += lanes;
            if (isLast) return;
            T* swap = group;
            group = next;
            next = swap;
        }
    }

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

    /// <summary>The logits of a group, a vector per class; returns the maxima.</summary>
    private readonly TVector Load<TSimd, TVector>(nint row, T* group)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint at = row * classCount, valuesLeft = (endRow * classCount) - at;
        SimdTranspose.Block(logits + at, classCount, TSimd.Lanes, classCount, valuesLeft, group, TSimd.Lanes, TSimd.Lanes * WholeVector.Lanes<T>());
        return SoftmaxColumns.Max<TSimd, TVector, T>(group, TSimd.Lanes, classCount);
    }
}
