using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

public static partial class SoftmaxFunctions
{
    /// <summary>Softmax along one axis of a tensor: every line of values along that axis is a row of logits.</summary>
    /// <param name="logits">The logits; any strides, at least one value.</param>
    /// <param name="axis">The axis, 0 to rank − 1; a negative one counts from the end, −1 being the last.</param>
    /// <param name="destination">Receives the probabilities; the same lengths. May be the memory of <paramref name="logits"/> with the same strides.</param>
    /// <exception cref="ArgumentException">The tensor is empty, the lengths differ, or the memory overlaps in another way.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public static void Softmax<T>(in ReadOnlyTensorSpan<T> logits, int axis, in TensorSpan<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => TensorRows.Run(RowResult.Softmax, logits, axis, destination);

    /// <summary>Log-softmax along one axis of a tensor.</summary>
    /// <inheritdoc cref="Softmax{T}(in ReadOnlyTensorSpan{T}, int, in TensorSpan{T})"/>
    public static void LogSoftmax<T>(in ReadOnlyTensorSpan<T> logits, int axis, in TensorSpan<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => TensorRows.Run(RowResult.LogSoftmax, logits, axis, destination);
}
