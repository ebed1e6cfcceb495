using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <content>
/// Logits of blocks of rows. Work is in double for every type of row, so that one row and many, dense and sparse agree. A label alone is taken from estimates in
/// float where their errors cannot change it, which takes less time.
/// </content>
public sealed unsafe partial class SoftmaxRegressionModel
{
    private const int BlockRows = 48;

    private int RoomFor(int rowCount) =>
        checked((rowCount * (Math.Max(_packed.Stride, _packed.SingleStride) + ClassCount)) + PackedParameters.Slack + _packed.LaneCount);

    private double* LogitsOfRow<T>(ReadOnlySpan<T> features, double* room)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<double> padded = new(room, _packed.Stride);
        TensorPrimitives.ConvertTruncating(features, padded);
        padded[FeatureCount..].Clear();
        _packed.Multiply(room, 1, room + _packed.Stride);
        return room + _packed.Stride;
    }

    private int LabelOfRow<T>(ReadOnlySpan<T> features, double* room)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (_packed.SingleStride > 0)
        {
            float* singles = (float*)room;
            if (typeof(T) != typeof(float)) Conversion.Convert(features, new Span<float>(singles, FeatureCount));
            double* estimates = room + _packed.Stride;
            fixed (T* given = features)
            {
                float largest = Pad(typeof(T) == typeof(float) ? (float*)given : singles, singles);
                _packed.Estimate(singles, 1, estimates);
                int label = _packed.SureMaximum(new ReadOnlySpan<double>(estimates, ClassCount), largest, scale: 1, offset: 0);
                if (label >= 0) return label;
            }
        }

        return FirstMaximum(new ReadOnlySpan<double>(LogitsOfRow(features, room), ClassCount));
    }

    private double* LogitsOfRows(FeatureRows rows, int first, int length, double* room)
    {
        int stride = _packed.Stride;
        double* logits = room + ((long)length * stride);
        if (rows is SparseRows sparse && _packed.TakesSparseRows)
        {
            for (int i = 0; i < length; i++) LogitsOfSparseRow(sparse, first + i, room, logits + ((long)i * ClassCount));
            return logits;
        }

        for (int i = 0; i < length; i++) CopyRow(rows, first + i, room + ((long)i * stride));
        _packed.Multiply(room, length, logits);
        return logits;
    }

    private void LogitsOfSparseRow(SparseRows rows, int row, double* room, double* logits)
    {
        int start = (int)rows.RowStarts.Span[row], count = (int)rows.RowStarts.Span[row + 1] - start;
        ReadOnlySpan<int> columns = rows.Columns.Span.Slice(start, count);
        double* lanes = logits + ClassCount + PackedParameters.Slack;
        bool done = rows.FitSingle
            ? _packed.TryMultiply(columns, rows.SingleValues.Slice(start, count), lanes, logits)
            : _packed.TryMultiply(columns, rows.DoubleValues.Slice(start, count), lanes, logits);
        if (done) return;
        CopyRow(rows, row, room);
        _packed.Multiply(room, 1, logits);
    }

    private void CopyRow(FeatureRows rows, int row, double* destination)
    {
        Span<double> padded = new(destination, _packed.Stride);
        rows.CopyRow(row, padded[..FeatureCount]);
        padded[FeatureCount..].Clear();
    }

    private void LabelsOfRows(FeatureRows rows, int first, Span<int> labels, double* room)
    {
        if (rows is not DenseRows dense || _packed.SingleStride == 0)
        {
            double* logits = LogitsOfRows(rows, first, labels.Length, room);
            for (int i = 0; i < labels.Length; i++) labels[i] = FirstMaximum(new ReadOnlySpan<double>(logits + ((long)i * ClassCount), ClassCount));
            return;
        }

        int stride = _packed.SingleStride;
        float* singles = (float*)room;
        double* estimates = room + ((long)labels.Length * stride / 2);
        Span<float> largest = stackalloc float[BlockRows];
        for (int i = 0; i < labels.Length; i++)
        {
            float* place = singles + ((long)i * stride);
            fixed (float* read = dense.ReadSingles(first + i, 1, new Span<float>(place, FeatureCount))) largest[i] = Pad(read, place);
        }

        _packed.Estimate(singles, labels.Length, estimates);
        for (int i = 0; i < labels.Length; i++)
            labels[i] = _packed.SureMaximum(new ReadOnlySpan<double>(estimates + ((long)i * ClassCount), ClassCount), largest[i], dense.Scale, dense.Offset);
        for (int i = 0; i < labels.Length; i++)
            if (labels[i] < 0) labels[i] = FirstMaximum(new ReadOnlySpan<double>(LogitsOfRows(rows, first + i, 1, room), ClassCount));
    }

    /// <summary>Brings a row to its place, with zeros behind it; returns its largest magnitude.</summary>
    private float Pad(float* row, float* place)
    {
        RoundedRow kernel = new(row, place, FeatureCount);
        VectorWidth.RunOnRegister<RoundedRow, float>(ref kernel);
        new Span<float>(place + FeatureCount, _packed.SingleStride - FeatureCount).Clear();
        return kernel.Largest;
    }

    private void ToProbabilities(double* logits, int length)
    {
        ProbabilityRows kernel = new() { Logits = logits, RowCount = length, ClassCount = ClassCount };
        VectorWidth.Run<ProbabilityRows, double>(ref kernel);
    }

    /// <summary>Memory for the features and logits of some rows: the caller's stack if it is enough, else rented.</summary>
    private readonly ref struct Room : IDisposable
    {
        /// <summary>Doubles to offer on the stack.</summary>
        public const int OnStack = 1024;

        private readonly double[]? _rented;

        public Room(int length, Span<double> stack)
        {
            int aligned = checked(length + PackedParameters.Slack);
            Values = aligned <= stack.Length ? stack : (_rented = ArrayPool<double>.Shared.Rent(aligned));
        }

        public Span<double> Values { get; }

        public void Dispose()
        {
            if (_rented is not null) ArrayPool<double>.Shared.Return(_rented);
        }
    }
}
