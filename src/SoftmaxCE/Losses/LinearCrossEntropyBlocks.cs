using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The loop over blocks of rows, with the scratch memory that all blocks share.</summary>
/// <remarks>
/// The classes are cut into at most <see cref="MostSlices"/> slices. Each owns its part of the coefficients' gradient and has its own sum for the
/// features' gradient; these are added in the order of the slices. Blocks and slices depend on the shapes alone, so the bits do not depend on the threads.
/// </remarks>
internal sealed unsafe class LinearCrossEntropyBlocks<T> : IDisposable
    where T : unmanaged
{
    private const int MostSlices = 8;
    private const int MostBlockRows = 512;

    /// <summary>Rows · features of a block, so that they stay in the second-level cache.</summary>
    private const int BlockValues = 131072;

    private readonly AlignedMemory _memory;
    private readonly SliceScratch[] _slices;
    private readonly int _rowCount;
    private readonly int _blockRows;
    private readonly int _maxDegreeOfParallelism;
    private LinearCrossEntropyTask<T> _task;
    private CrossEntropyTotals _totals;

    public LinearCrossEntropyBlocks(in LinearCrossEntropyTask<T> task, int rowCount, int maxDegreeOfParallelism)
    {
        _task = task;
        _rowCount = rowCount;
        _maxDegreeOfParallelism = maxDegreeOfParallelism;
        int lanes = 64 / sizeof(T), panel = MatrixTile<T>.Columns;
        _task.PanelRows = panel;
        _task.Columns = RoundUp(task.FeatureCount, panel);
        _task.Stride = _task.Columns + lanes;
        _blockRows = Math.Min(RoundUp(rowCount, panel), Math.Clamp(BlockValues / _task.Stride / panel * panel, panel, MostBlockRows));
        _task.TileStride = _blockRows + lanes;
        int tiles = (task.ClassCount + LinearCrossEntropyKernel<T>.TileClasses - 1) / LinearCrossEntropyKernel<T>.TileClasses;
        _slices = new SliceScratch[Math.Min(MostSlices, tiles)];
        _memory = new AlignedMemory(RowBytes() + ((nuint)_slices.Length * SliceBytes()));
        TakeRowMemory();
        for (int slice = 0; slice < _slices.Length; slice++) _slices[slice] = TakeSlice(slice, tiles);
    }

    public CrossEntropyTotals Run()
    {
        bool wantsGradient = _task.FeatureGradient != null || _task.CoefficientGradient != null || _task.InterceptGradient != null;
        for (int first = 0; first < _rowCount; first += _blockRows)
        {
            _task.FirstRow = first;
            _task.Rows = Math.Min(_blockRows, _rowCount - first);
            _task.PaddedRows = RoundUp(_task.Rows, _task.PanelRows);
            PackRows();
            RunSlices(sums: true);
            for (int row = 0; row < _task.PaddedRows; row++) FinishRow(row);
            if (!wantsGradient) continue;
            RunSlices(sums: false);
            if (_task.FeatureGradient != null) AddSlices();
        }

        return _totals;
    }

    public void Dispose() => _memory.Dispose();

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private void RunSlices(bool sums)
    {
        if (_maxDegreeOfParallelism == 1 || _slices.Length == 1)
        {
            for (int slice = 0; slice < _slices.Length; slice++) RunSlice(slice, sums);
        }
        else
        {
            Parallel.For(0, _slices.Length, new ParallelOptions { MaxDegreeOfParallelism = _maxDegreeOfParallelism }, slice => RunSlice(slice, sums));
        }
    }

    private void RunSlice(int slice, bool sums)
    {
        SliceScratch scratch = _slices[slice];
        LinearCrossEntropyKernel<T> kernel = new(_task, scratch.FirstClass, scratch.EndClass, scratch.Tile, scratch.Coefficients, scratch.Products)
        {
            Sums = sums ? scratch.Sums : null,
            TileSums = scratch.TileSums,
            FeatureGradient = _task.FeatureGradient == null ? null : scratch.FeatureGradient,
        };
        VectorWidth.Run<LinearCrossEntropyKernel<T>, T>(ref kernel);
    }

    /// <summary>Copies the rows of the block into both layouts; rows that are ignored become zeros, whatever they hold.</summary>
    private void PackRows()
    {
        int features = _task.FeatureCount;
        for (int row = 0; row < _task.PaddedRows; row++)
        {
            bool counts = row < _task.Rows && _task.Labels[_task.FirstRow + row] != _task.IgnoreLabel;
            _task.RowLabels[row] = counts ? _task.Labels[_task.FirstRow + row] : -1;
            Span<T> packed = new(_task.Block + ((nint)row * _task.Stride), _task.Stride);
            packed.Clear();
            if (counts) new ReadOnlySpan<T>(_task.Features + ((nint)(_task.FirstRow + row) * features), features).CopyTo(packed);
        }

        int lanes = 64 / sizeof(T);
        for (int row = 0; row < _task.PaddedRows; row += lanes) TransposeRows(row, lanes);
    }

    /// <summary>Copies as many rows as a vector has lanes into their panel.</summary>
    private void TransposeRows(int row, int lanes)
    {
        int features = _task.FeatureCount, panel = _task.PanelRows, place = row % panel;
        T* source = _task.Block + ((nint)row * _task.Stride), destination = _task.Panels + ((nint)(row - place) * features) + place;
        for (int k = 0; k < features; k += lanes)
        {
            int columns = Math.Min(lanes, features - k);
            SimdTranspose.Block(
                source + k, _task.Stride, lanes, columns, ((nint)lanes * _task.Stride) - k,
                destination + ((nint)k * panel), panel, ((nint)columns * panel) - place);
        }
    }

    /// <summary>Merges the slices' sums of one row and sets what the gradient needs.</summary>
    private void FinishRow(int row)
    {
        int label = _task.RowLabels[row];
        if (row >= _task.Rows || label < 0)
        {
            SetRow(row, double.PositiveInfinity, 0, 0, 0);
            return;
        }

        double atLabel = Element.ToDouble(_task.LabelLogits[row]);
        PivotSum sum = MergeSlices(row, label, atLabel, out double max, out double dot, out bool isCorrect);
        if (isCorrect) _totals.Correct++;
        double classWeight = _task.ClassWeight(label);
        double weight = _task.SampleWeights == null ? 1 : Element.ToDouble(_task.SampleWeights[_task.FirstRow + row]);
        if (weight == 0 || (classWeight == 0 && _task.BackgroundSum == 0))
        {
            SetRow(row, double.PositiveInfinity, 0, 0, 0);
            ClearRow(row);
            return;
        }

        double backgroundAtLabel = _task.Background == null ? 0 : Element.ToDouble(_task.Background[label]);
        PivotProbability pivot = PivotProbability.Of(sum, max / _task.Temperature, (atLabel - max) / _task.Temperature);
        CrossEntropyRow result = CrossEntropyRow.Plain(
            pivot, _task.OwnShare * classWeight, _task.BackgroundSum - backgroundAtLabel, backgroundAtLabel, dot, _task.ZLoss * classWeight);
        _totals.Loss += weight * result.Loss;
        double scale = weight * _task.GradientScale / _task.Temperature;
        bool masked = double.IsNegativeInfinity(atLabel) && !double.IsNaN(pivot.Sum);
        SetRow(row, max, scale * result.ProbabilityFactor / pivot.Sum, scale, masked ? 0 : scale * result.PivotGradient);
    }

    /// <summary>Takes the features of a row of weight 0 out of the block: 0 · NaN would spoil the gradient of the coefficients.</summary>
    private void ClearRow(int row)
    {
        new Span<T>(_task.Block + ((nint)row * _task.Stride), _task.Stride).Clear();
        int place = row % _task.PanelRows;
        T* column = _task.Panels + ((nint)(row - place) * _task.FeatureCount) + place;
        for (int k = 0; k < _task.FeatureCount; k++) column[(nint)k * _task.PanelRows] = default;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private PivotSum MergeSlices(int row, int label, double atLabel, out double max, out double dot, out bool isCorrect)
    {
        max = double.NegativeInfinity;
        isCorrect = _task.LabelIsFirst[row];
        foreach (SliceScratch slice in _slices)
        {
            double sliceMax = slice.Sums[row].Max;
            max = Math.Max(max, sliceMax);
            isCorrect &= slice.EndClass <= label ? atLabel > sliceMax : atLabel >= sliceMax;
        }

        double others = 0;
        dot = 0;
        foreach (SliceScratch slice in _slices)
        {
            ref SliceSum sum = ref slice.Sums[row];
            double difference = (sum.Max - max) / _task.Temperature;
            double factor = ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>(difference);
            others += sum.Others == 0 ? 0 : sum.Others * factor;
            if (slice.Background != 0) dot += sum.Dot + (slice.Background * difference);
        }

        return new(others, ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>((atLabel - max) / _task.Temperature));
    }

    private void SetRow(int row, double max, double factor, double scale, double labelGradient)
    {
        _task.RowMaxima[row] = Element.FromDouble<T>(max);
        _task.RowFactors[row] = Element.FromDouble<T>(factor);
        _task.RowScales[row] = Element.FromDouble<T>(scale);
        _task.LabelGradients[row] = Element.FromDouble<T>(labelGradient);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void AddSlices()
    {
        for (int row = 0; row < _task.Rows; row++)
        {
            T* destination = _task.FeatureGradient + ((nint)(_task.FirstRow + row) * _task.FeatureCount);
            for (int k = 0; k < _task.FeatureCount; k++)
            {
                nint at = ((nint)row * _task.Stride) + k;
                T sum = _slices[0].FeatureGradient[at];
                for (int slice = 1; slice < _slices.Length; slice++) sum = ScalarSimd<T>.Add(sum, _slices[slice].FeatureGradient[at]);
                destination[k] = sum;
            }
        }
    }

    private nuint RowBytes() =>
        AlignedMemory.SizeOf<T>((nint)_blockRows * _task.Stride) + AlignedMemory.SizeOf<T>((nint)_blockRows * _task.FeatureCount)
        + (5 * AlignedMemory.SizeOf<T>(_blockRows)) + AlignedMemory.SizeOf<int>(_blockRows) + AlignedMemory.SizeOf<bool>(_blockRows);

    private void TakeRowMemory()
    {
        _task.Block = _memory.Take<T>((nint)_blockRows * _task.Stride);
        _task.Panels = _memory.Take<T>((nint)_blockRows * _task.FeatureCount);
        _task.RowLabels = _memory.Take<int>(_blockRows);
        _task.LabelIsFirst = _memory.Take<bool>(_blockRows);
        _task.LabelLogits = _memory.Take<T>(_blockRows);
        _task.RowMaxima = _memory.Take<T>(_blockRows);
        _task.RowFactors = _memory.Take<T>(_blockRows);
        _task.RowScales = _memory.Take<T>(_blockRows);
        _task.LabelGradients = _memory.Take<T>(_blockRows);
    }

    private nuint SliceBytes()
    {
        const int Tile = LinearCrossEntropyKernel<T>.TileClasses;
        return AlignedMemory.SizeOf<T>(Tile * _task.TileStride) + (2 * AlignedMemory.SizeOf<T>(Tile * _task.Stride))
            + AlignedMemory.SizeOf<SliceSum>(_blockRows) + AlignedMemory.SizeOf<double>(_blockRows)
            + (_task.FeatureGradient == null ? 0 : AlignedMemory.SizeOf<T>((nint)_blockRows * _task.Stride));
    }

    private SliceScratch TakeSlice(int slice, int tiles)
    {
        const int Tile = LinearCrossEntropyKernel<T>.TileClasses;
        int firstClass = (int)((long)slice * tiles / _slices.Length) * Tile;
        int endClass = Math.Min(_task.ClassCount, (int)((slice + 1L) * tiles / _slices.Length) * Tile);
        double background = 0;
        for (int c = firstClass; c < endClass && _task.Background != null; c++) background += Element.ToDouble(_task.Background[c]);
        return new()
        {
            FirstClass = firstClass,
            EndClass = endClass,
            Background = background,
            Tile = _memory.Take<T>(Tile * _task.TileStride),
            Coefficients = _memory.Take<T>(Tile * _task.Stride),
            Products = _memory.Take<T>(Tile * _task.Stride),
            Sums = _memory.Take<SliceSum>(_blockRows),
            TileSums = _memory.Take<double>(_blockRows),
            FeatureGradient = _task.FeatureGradient == null ? null : _memory.Take<T>((nint)_blockRows * _task.Stride),
        };
    }

    private struct SliceScratch
    {
        public int FirstClass;
        public int EndClass;

        /// <summary>Σ of the background of its classes.</summary>
        public double Background;

        public T* Tile;
        public T* Coefficients;
        public T* Products;
        public SliceSum* Sums;
        public double* TileSums;
        public T* FeatureGradient;
    }
}
