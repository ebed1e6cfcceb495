using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <content>What needs the cached logits alone: the line search, the margin, the entropy. No features are read here.</content>
internal sealed unsafe partial class SoftmaxRegressionObjective
{
    private double[] _room = [];

    // Sums of all chunks together.
    private const int MaxChunkSums = 1 << 16;

    private int LogitThreads => (double)_examples.RowCount * ClassCount < 20_000 ? 1 : _precise.MaxDegreeOfParallelism;

    public void StartLine()
    {
        _spareLogits = _lineLogits ?? _spareLogits;
        _lineLogits = null;
        _factorInLine = 0;
    }

    public void ExtendLine(double factor)
    {
        if (factor == 0) return;
        if (_directionLogits is null && _factorInLine == 0) throw new InvalidOperationException("There is no Hessian product whose direction the line could take.");
        if (_lineLogits is null)
        {
            // One product is often all that a step takes; then its logits need no second place.
            _lineLogits = _directionLogits!;
            _directionLogits = null;
            _factorInLine = factor;
            TensorPrimitives.Multiply(_lineLogits, factor, _lineLogits);
        }
        else if (_directionLogits is null && _factorInLine != 0)
        {
            DoubleVectors.AddScaled(_lineLogits, factor / _factorInLine, _lineLogits);
            _factorInLine += factor;
        }
        else
        {
            DoubleVectors.AddScaled(_directionLogits!, factor, _lineLogits);
        }
    }

    public void StartLine(ReadOnlySpan<double> direction)
    {
        _lineLogits ??= TakeLogits();
        _factorInLine = 0;
        _precise.Run(direction[..CoefficientCount], direction[CoefficientCount..], ClassCount, new KeepStep(_lineLogits, ClassCount), []);
        _passes++;
    }

    public LineValue EvaluateLine(double position)
    {
        double[] sums = SumOverLogits(3, (first, length, room, sums) =>
        {
            if (InLanes)
            {
                int stride = MoveInLanes(position, null, first, length, room, out double* direction);
                LineLanes lanes = new()
                {
                    Logits = room, Direction = direction, Stride = stride, Labels = _examples.Labels + first, Weights = _examples.WeightsFrom(first),
                    RowCount = length, ClassCount = ClassCount, Sums = sums,
                };
                VectorWidth.RunOnRegister<LineLanes, double>(ref lanes);
                return;
            }

            LineRows kernel = LineAt(position, null, first, length, room);
            VectorWidth.Run<LineRows, double>(ref kernel);
            sums[0] += kernel.LossSum;
            sums[1] += kernel.SlopeSum;
            sums[2] += kernel.CurvatureSum;
        });
        double scale = 1 / _examples.WeightSum;
        return new LineValue(sums[0] * scale, sums[1] * scale, sums[2] * scale);
    }

    public double MeanEntropy(double factor)
    {
        double[] sums = SumOverLogits(1, (first, length, room, sums) =>
        {
            ProbabilitiesOf(first, length, room);
            EntropyRows kernel = new()
            {
                Probabilities = room, Labels = _examples.Labels + first,
                Targets = _examples.TargetsFrom(first), Weights = _examples.WeightsFrom(first), RowCount = length, ClassCount = ClassCount, Factor = factor,
            };
            VectorWidth.Run<EntropyRows, double>(ref kernel);
            sums[0] += kernel.EntropySum + _examples.OffsetSum(first, length, kernel.Probabilities, factor);
        });
        return sums[0] / _examples.WeightSum;
    }

    public double SmallestMargin()
    {
        double smallest = double.PositiveInfinity;
        for (int i = 0; i < _examples.RowCount; i++)
        {
            if (_examples.WeightArray is { } weights && weights[i] == 0) continue;
            ReadOnlySpan<double> row = _logits.AsSpan(i * ClassCount, ClassCount);
            int label = _examples.Labels[i];
            if (label < 0) return double.NegativeInfinity;      // its loss is at least the entropy of its target
            for (int c = 0; c < row.Length; c++)
            {
                if (c != label) smallest = Math.Min(smallest, row[label] - row[c]);
            }

            if (!(smallest > 0)) break;         // what is asked is whether all are positive
        }

        return smallest;
    }

    public MarginChanges LineMargins()
    {
        double smallest = double.PositiveInfinity, largest = double.NegativeInfinity;
        if (_lineLogits is null) return new MarginChanges(0, 0);
        for (int i = 0; i < _examples.RowCount; i++)
        {
            if (_examples.WeightArray is { } weights && weights[i] == 0) continue;
            ReadOnlySpan<double> row = _lineLogits.AsSpan(i * ClassCount, ClassCount);
            (double low, double high) = (TensorPrimitives.Min(row), TensorPrimitives.Max(row));
            if (_examples.Labels[i] is >= 0 and int label)
            {
                double own = row[label];
                smallest = Math.Min(smallest, own - high);
                largest = Math.Max(largest, own - low);
                continue;
            }

            double* target = _examples.TargetsFrom(i);
            for (int c = 0; c < row.Length; c++)
            {
                if (target[c] == 0) continue;
                smallest = Math.Min(smallest, row[c] - high);
                largest = Math.Max(largest, row[c] - low);
            }
        }

        return new MarginChanges(smallest, largest);
    }

    public void ClassCurvatures(Span<double> curvatures)
    {
        int classes = ClassCount;
        double[] sums = SumOverLogits(classes, (first, length, room, sums) =>
        {
            ProbabilitiesOf(first, length, room);
            for (int i = 0; i < length; i++)
            {
                double weight = _examples.WeightArray is null ? 1 : _examples.WeightArray[first + i];
                for (int c = 0; c < classes; c++)
                {
                    double p = room[(i * classes) + c];
                    sums[c] += weight * p * (1 - p);
                }
            }
        });
        for (int c = 0; c < classes; c++) curvatures[c] = sums[c] / _examples.WeightSum;
    }

    private double[]? _directionLogits;         // of the last Hessian product; null while they are those of the line
    private double[]? _lineLogits;              // null while the line's direction is 0
    private double[]? _spareLogits;
    private double _factorInLine;               // of the last product, while its logits are the line's; else 0

    private double[] TakeLogits()
    {
        double[] logits = _spareLogits ?? PinnedMemory.Allocate<double>(_logits.Length);
        _spareLogits = null;
        return logits;
    }

    private LineRows LineAt(double position, double[]? shifts, int first, int length, double* room) => new()
    {
        Logits = PinnedMemory.Pointer(_logits) + ((long)first * ClassCount),
        Direction = _lineLogits is null ? null : PinnedMemory.Pointer(_lineLogits) + ((long)first * ClassCount),
        Shifts = shifts is null ? null : PinnedMemory.Pointer(shifts), Position = position, Labels = _examples.Labels + first,
        Targets = _examples.TargetsFrom(first), Weights = _examples.WeightsFrom(first), RowCount = length, ClassCount = ClassCount, Scratch = room,
    };

    private bool InLanes => LaneBlock.Suits(ClassCount, _examples.TargetsFrom(0));

    /// <summary>Logits of some rows at a place on the line as a <see cref="LaneBlock"/> at the start of the room, the line's direction, or null for 0, behind it. Returns the stride.</summary>
    private int MoveInLanes(double position, double[]? shifts, int first, int length, double* room, out double* direction)
    {
        int stride = LaneBlock.Stride(length);
        long offset = (long)first * ClassCount;
        LaneBlock.Turn(PinnedMemory.Pointer(_logits) + offset, length, ClassCount, room, stride);
        direction = null;
        if (_lineLogits is not null)
        {
            direction = room + (stride * ClassCount);
            LaneBlock.Turn(PinnedMemory.Pointer(_lineLogits) + offset, length, ClassCount, direction, stride);
        }

        MoveLanes kernel = new()
        {
            Logits = room, Direction = direction, Shifts = shifts is null ? null : PinnedMemory.Pointer(shifts), Position = position, Stride = stride, ClassCount = ClassCount,
        };
        VectorWidth.RunOnRegister<MoveLanes, double>(ref kernel);
        return stride;
    }

    /// <summary>[length, classes], at the start of a room of <see cref="SumOverLogits"/>.</summary>
    private void ProbabilitiesOf(int first, int length, double* room)
    {
        _logits.AsSpan(first * ClassCount, length * ClassCount).CopyTo(new Span<double>(room, length * ClassCount));
        ProbabilityBlock.Run(room, length, ClassCount);
    }

    private delegate void LogitBlock(int first, int length, double* room, double* sums);

    /// <summary>Sums over blocks of rows, on a fixed grid; room holds three blocks in lanes or two of rows.</summary>
    private double[] SumOverLogits(int count, LogitBlock body)
    {
        RowGrid grid = new(_examples.RowCount, LaneBlock.Rows, Math.Clamp(MaxChunkSums / count, 2, 32));
        int threads = LogitThreads, ofChunks = count * grid.ChunkCount, stride = LaneBlock.Stride(LaneBlock.Rows);
        int ofWorker = checked(ClassCount * (InLanes ? (2 * stride) + Math.Max(stride, ClassCount + 1) : 2 * stride)), needed = checked(ofChunks + (threads * ofWorker));
        if (_room.Length < needed) _room = PinnedMemory.Allocate<double>(needed);
        Array.Clear(_room, 0, ofChunks);
        grid.Run(threads, (chunk, worker) =>
        {
            double* all = PinnedMemory.Pointer(_room);
            foreach ((int first, int length) in grid.BlocksOf(chunk)) body(first, length, all + ofChunks + ((long)ofWorker * worker), all + ((long)chunk * count));
        });
        double[] sums = new double[count];
        for (int chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            for (int i = 0; i < count; i++) sums[i] += _room[(chunk * count) + i];
        }

        return sums;
    }
}
