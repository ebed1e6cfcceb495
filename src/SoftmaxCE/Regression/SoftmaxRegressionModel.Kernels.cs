using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <content>Logits of blocks of rows. Work is in double for every type of row, so that one row and many, dense and sparse agree.</content>
public sealed unsafe partial class SoftmaxRegressionModel
{
    private const int BlockRows = 32;

    private void LogitsOfRow<T>(ReadOnlySpan<T> features, Room room)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.SameLength(FeatureCount, features.Length, nameof(features));
        TensorPrimitives.ConvertTruncating(features, room.Features);
        Multiply(room, 1);
    }

    private void LogitsOfRows(FeatureRows rows, int first, int length, Room room)
    {
        for (int i = 0; i < length; i++) rows.CopyRow(first + i, room.Features.Slice(i * FeatureCount, FeatureCount));
        Multiply(room, length);
    }

    private void Multiply(Room room, int length)
    {
        fixed (double* features = room.Features, logits = room.Logits)
        {
            RowProducts<double>.Run(features, length, FeatureCount, PinnedMemory.Pointer(_coefficients), ClassCount, PinnedMemory.Pointer(_intercepts), logits);
        }
    }

    private void ToProbabilities(Span<double> logits, int length)
    {
        fixed (double* z = logits)
        {
            ProbabilityRows kernel = new() { Logits = z, RowCount = length, ClassCount = ClassCount };
            VectorWidth.Run<ProbabilityRows, double>(ref kernel);
        }
    }

    /// <summary>Rented memory for the features and logits of some rows.</summary>
    private readonly ref struct Room : IDisposable
    {
        private readonly double[] _rented;
        private readonly int _logitCount;
        private readonly int _featureCount;

        public Room(SoftmaxRegressionModel model, int logitRows, int featureRows)
        {
            _logitCount = logitRows * model.ClassCount;
            _featureCount = featureRows * model.FeatureCount;
            _rented = ArrayPool<double>.Shared.Rent(checked(_logitCount + _featureCount));
        }

        public Span<double> Logits => _rented.AsSpan(0, _logitCount);

        public Span<double> Features => _rented.AsSpan(_logitCount, _featureCount);

        public void Dispose() => ArrayPool<double>.Shared.Return(_rented);
    }
}
