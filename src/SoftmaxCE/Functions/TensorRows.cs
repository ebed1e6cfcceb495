using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Row functions along any axis of tensors with any strides.</summary>
/// <remarks>
/// A line along the axis whose values lie side by side is handed to the row kernel where it is. Where instead neighbouring lines lie side by
/// side, a vector holds one value of each (<see cref="ColumnStrips{T}"/>). All others are gathered in groups of neighbours into rows of a
/// buffer, and scattered back.
/// </remarks>
internal static class TensorRows
{
    /// <summary>Neighbouring lines gathered together: a cache line of floats.</summary>
    private const int LinesPerGroup = 16;

    public static void Run<T>(RowResult result, in ReadOnlyTensorSpan<T> logits, int axis, in TensorSpan<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rank = logits.Rank, along = axis < 0 ? axis + rank : axis;
        if (along < 0 || along >= rank) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"The tensor has {rank} axes: -{rank} to {rank - 1}.");
        if (logits.IsEmpty) throw new ArgumentException("Needs at least one value but is empty.", nameof(logits));
        if (!logits.Lengths.SequenceEqual(destination.Lengths))
        {
            throw new ArgumentException($"Needs the lengths {Text(logits.Lengths)} but has {Text(destination.Lengths)}.", nameof(destination));
        }

        CheckOverlap(logits, destination);
        ref T source = ref Unsafe.AsRef(in logits.GetPinnableReference());
        Lines lines = new(logits.Lengths, logits.Strides, destination.Strides, along);
        if (lines.SourceStep == 1 && lines.DestinationStep == 1) RunInPlaceOfLines(result, ref source, ref destination.GetPinnableReference(), lines);
        else if (HasColumnKernel<T>(result, lines)) RunColumns(result, ref source, ref destination.GetPinnableReference(), lines);
        else RunGathered(result, ref source, ref destination.GetPinnableReference(), lines);
    }

    private static bool HasColumnKernel<T>(RowResult result, in Lines lines) =>
        result is RowResult.Softmax or RowResult.LogSoftmax && (typeof(T) == typeof(float) || typeof(T) == typeof(double))
        && lines.SourceNeighbourStep == 1 && lines.DestinationNeighbourStep == 1 && lines.NeighboursLeft > 1;

    private static unsafe void RunColumns<T>(RowResult result, ref T source, ref T destination, Lines lines)
        where T : unmanaged
    {
        T[] buffer = ArrayPool<T>.Shared.Rent(ColumnStrips<T>.ScratchLength(lines.Length, lines.NeighboursLeft));
        int neighbours;
        fixed (T* from = &source, to = &destination, scratch = buffer)
        {
            do
            {
                neighbours = lines.NeighboursLeft;
                ColumnStrips<T> kernel = new(
                    from + lines.SourceOffset, lines.SourceStep, to + lines.DestinationOffset, lines.DestinationStep, lines.Length, neighbours, scratch,
                    isLog: result == RowResult.LogSoftmax);
                VectorWidth.RunOnRegister<ColumnStrips<T>, T>(ref kernel);
            }
            while (lines.MoveNext(neighbours));
        }

        ArrayPool<T>.Shared.Return(buffer);
    }

    private static void RunInPlaceOfLines<T>(RowResult result, ref T source, ref T destination, Lines lines)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int length = lines.Length, group;
        bool areRows = lines.SourceNeighbourStep == length && lines.DestinationNeighbourStep == length;
        do
        {
            // The values of the line, and of neighbours that follow without a gap, belong to the tensor, as the step is 1.
            group = areRows ? Math.Min(lines.NeighboursLeft, int.MaxValue / length) : 1;
            ReadOnlySpan<T> rows = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, lines.SourceOffset), group * length);
            Span<T> target = MemoryMarshal.CreateSpan(ref Unsafe.Add(ref destination, lines.DestinationOffset), group * length);
            RowOperation.Run(result, rows, length, T.One, target, 1);
        }
        while (lines.MoveNext(group));
    }

    private static void RunGathered<T>(RowResult result, ref T source, ref T destination, Lines lines)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int length = lines.Length;
        T[] buffer = ArrayPool<T>.Shared.Rent(checked(LinesPerGroup * length));
        int group;
        do
        {
            group = Math.Min(LinesPerGroup, lines.NeighboursLeft);
            Span<T> rows = buffer.AsSpan(0, group * length);
            for (int i = 0; i < length; i++)
            {
                nint at = lines.SourceOffset + (i * lines.SourceStep);
                for (int line = 0; line < group; line++) rows[(line * length) + i] = Unsafe.Add(ref source, at + (line * lines.SourceNeighbourStep));
            }

            RowOperation.Run(result, rows, length, T.One, rows, 1);
            for (int i = 0; i < length; i++)
            {
                nint at = lines.DestinationOffset + (i * lines.DestinationStep);
                for (int line = 0; line < group; line++) Unsafe.Add(ref destination, at + (line * lines.DestinationNeighbourStep)) = rows[(line * length) + i];
            }
        }
        while (lines.MoveNext(group));

        ArrayPool<T>.Shared.Return(buffer);
    }

    private static void CheckOverlap<T>(in ReadOnlyTensorSpan<T> logits, in TensorSpan<T> destination)
    {
        ref T first = ref Unsafe.AsRef(in logits.GetPinnableReference()), second = ref destination.GetPinnableReference();
        nint distance = Unsafe.ByteOffset(ref first, ref second);
        bool same = distance == 0 && logits.Strides.SequenceEqual(destination.Strides);
        bool apart = distance >= Extent(logits.Lengths, logits.Strides) * Unsafe.SizeOf<T>()
            || -distance >= Extent(destination.Lengths, destination.Strides) * Unsafe.SizeOf<T>();
        if (!same && !apart) throw new ArgumentException("Overlaps the input; it must be the same memory with the same strides, or separate memory.", nameof(destination));
    }

    /// <summary>Elements from the first value of a tensor to behind its last.</summary>
    private static nint Extent(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint last = 0;
        for (int i = 0; i < lengths.Length; i++) last += (lengths[i] - 1) * strides[i];
        return last + 1;
    }

    private static string Text(ReadOnlySpan<nint> lengths) => $"[{string.Join(", ", lengths.ToArray())}]";

    /// <summary>Walks over the lines along an axis; neighbours along the last other axis come one after the other.</summary>
    private ref struct Lines
    {
        private readonly ReadOnlySpan<nint> _lengths;
        private readonly ReadOnlySpan<nint> _sourceStrides;
        private readonly ReadOnlySpan<nint> _destinationStrides;
        private readonly int _axis;
        private readonly int _neighbourAxis;
        private readonly nint[] _position;

        public Lines(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> sourceStrides, ReadOnlySpan<nint> destinationStrides, int axis)
        {
            _lengths = lengths;
            _sourceStrides = sourceStrides;
            _destinationStrides = destinationStrides;
            _axis = axis;
            _neighbourAxis = axis == lengths.Length - 1 ? lengths.Length - 2 : lengths.Length - 1;
            _position = new nint[lengths.Length];
        }

        public readonly int Length => checked((int)_lengths[_axis]);

        public readonly nint SourceStep => Length == 1 ? 1 : _sourceStrides[_axis];

        public readonly nint DestinationStep => Length == 1 ? 1 : _destinationStrides[_axis];

        public readonly nint SourceNeighbourStep => _neighbourAxis < 0 ? 0 : _sourceStrides[_neighbourAxis];

        public readonly nint DestinationNeighbourStep => _neighbourAxis < 0 ? 0 : _destinationStrides[_neighbourAxis];

        public readonly int NeighboursLeft => _neighbourAxis < 0 ? 1 : (int)nint.Min(int.MaxValue, _lengths[_neighbourAxis] - _position[_neighbourAxis]);

        public readonly nint SourceOffset => Offset(_sourceStrides);

        public readonly nint DestinationOffset => Offset(_destinationStrides);

        /// <summary>Steps over this many neighbours, at most <see cref="NeighboursLeft"/>.</summary>
        public readonly bool MoveNext(int neighbours)
        {
            if (_neighbourAxis < 0) return false;
            _position[_neighbourAxis] += neighbours;
            for (int i = _neighbourAxis; i >= 0; i--)
            {
                if (i == _axis) continue;
                if (_position[i] < _lengths[i]) return true;
                _position[i] = 0;
                if (NextAxis(i) is int next and >= 0) _position[next]++;
            }

            return false;
        }

        private readonly int NextAxis(int i) => i - 1 == _axis ? i - 2 : i - 1;

        private readonly nint Offset(ReadOnlySpan<nint> strides)
        {
            nint offset = 0;
            for (int i = 0; i < strides.Length; i++) offset += _position[i] * strides[i];
            return offset;
        }
    }
}
