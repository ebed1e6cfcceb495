namespace SoftmaxCE;

/// <summary>What a row of logits is turned into.</summary>
internal enum RowResult
{
    Softmax,
    LogSoftmax,
    LogSumExp,
}

/// <summary>Rows of logits, one after the other; for <see cref="RowResult.LogSumExp"/> the destination holds one value per row.</summary>
internal readonly unsafe struct SoftmaxRows<T>(T* logits, T* destination, int firstRow, int endRow, int classCount, T temperature, RowResult result)
    : IVectorKernel<T>
    where T : unmanaged
{
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nuint count = (nuint)classCount;
        for (nint row = firstRow; row < endRow; row++)
        {
            T* source = logits + (row * classCount);
            switch (result)
            {
                case RowResult.Softmax:
                    SoftmaxKernel.Softmax<TSimd, TVector, T>(source, count, temperature, destination + (row * classCount));
                    break;
                case RowResult.LogSoftmax:
                    SoftmaxKernel.LogSoftmax<TSimd, TVector, T>(source, count, temperature, destination + (row * classCount));
                    break;
                default:
                    destination[row] = SoftmaxKernel.LogSumExp<TSimd, TVector, T>(source, count);
                    break;
            }
        }
    }
}
