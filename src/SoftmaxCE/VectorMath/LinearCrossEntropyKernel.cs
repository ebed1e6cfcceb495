using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One slice of the classes against one block of rows: first the sums of the exponentials, then, in a second run, the gradients.</summary>
/// <remarks>
/// Logits exist only as a tile of <see cref="TileClasses"/> classes by the rows of the block, class after class, so that a vector holds one
/// class of many rows: maxima and sums over classes need no sums of lanes. The tile starts from the intercepts and takes the matrix product of
/// coefficients and features; the second run computes it again rather than keep it, turns it into the residual in place, and multiplies it by
/// the coefficients (gradient of the features) and by the features (gradient of the coefficients).
/// </remarks>
internal unsafe struct LinearCrossEntropyKernel<T>(
    in LinearCrossEntropyTask<T> task, int firstClass, int endClass, T* tile, T* coefficients, T* products) : IVectorKernel<T>
    where T : unmanaged
{
    public const int TileClasses = 64;

    private readonly LinearCrossEntropyTask<T> _task = task;

    /// <summary>Receives one sum per row; null for the second run.</summary>
    public SliceSum* Sums;

    /// <summary>Two doubles per row for the sums of a tile.</summary>
    public double* TileSums;

    /// <summary>[padded rows, stride]: the slice's share of the features' gradient; null: not wanted.</summary>
    public T* FeatureGradient;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (Sums != null)
        {
            for (int row = 0; row < _task.Rows; row++) Sums[row] = new() { Max = double.NegativeInfinity };
        }
        else if (FeatureGradient != null)
        {
            new Span<T>(FeatureGradient, _task.PaddedRows * _task.Stride).Clear();
        }

        for (int start = firstClass; start < endClass; start += TileClasses)
        {
            int classes = Math.Min(TileClasses, endClass - start);
            ComputeLogits<TSimd, TVector>(start, classes);
            if (Sums != null) AddSums<TSimd, TVector>(start, classes);
            else AddGradients<TSimd, TVector>(start, classes);
        }
    }

    /// <summary>tile[c, row] = intercept[c] + Σ coefficients[c, k] · features[row, k]; classes that only fill up the tile get logit −∞.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void ComputeLogits<TSimd, TVector>(int start, int classes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int padded = Padded(classes), features = _task.FeatureCount, rows = _task.PaddedRows, width = _task.TileStride;
        for (int c = 0; c < padded; c++)
        {
            Span<T> row = new(coefficients + (c * _task.Stride), _task.Stride);
            row[features..].Clear();
            if (c < classes) new ReadOnlySpan<T>(_task.Coefficients + ((nint)(start + c) * features), features).CopyTo(row);
            else row.Clear();
            T intercept = c >= classes ? Element.FromDouble<T>(double.NegativeInfinity) : _task.Intercepts == null ? default : _task.Intercepts[start + c];
            new Span<T>(tile + (c * width), rows).Fill(intercept);
        }

        for (int panel = 0; panel < rows; panel += _task.PanelRows)
        {
            MatrixTile<T>.MultiplyAdd(
                padded, _task.PanelRows, features, coefficients, _task.Stride, 1, _task.Panels + (panel * features), _task.PanelRows, tile + panel, width);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void AddSums<TSimd, TVector>(int start, int classes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* maxima = products;
        TileMaxima<TSimd, TVector>(classes, maxima);
        if (_task.Background != null) AddDots<TSimd, TVector>(start, classes, maxima);
        TakeLabels(start, classes);
        double* tileSums = TileSums;
        SumExponentials<TSimd, TVector>(classes, maxima, tileSums);
        for (int row = 0; row < _task.Rows; row++)
        {
            double max = Element.ToDouble(maxima[row]);
            ref SliceSum sum = ref Sums[row];
            if (max != sum.Max && sum.Others != 0)
            {
                sum.Others *= ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>((sum.Max - max) / _task.Temperature);
            }

            sum.Max = max;
            sum.Others += tileSums[row];
        }
    }

    /// <summary>The larger of each row's maximum so far and its maximum in this tile.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void TileMaxima<TSimd, TVector>(int classes, T* maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int rows = _task.PaddedRows, width = _task.TileStride;
        for (int row = 0; row < rows; row++) maxima[row] = Element.FromDouble<T>(row < _task.Rows ? Sums[row].Max : double.NegativeInfinity);
        for (int row = 0; row < rows; row += TSimd.Lanes)
        {
            TVector max = TSimd.Load(ref *maxima, (nuint)row);
            for (int c = 0; c < classes; c++) max = TSimd.Max(TSimd.Load(ref *tile, (nuint)((c * width) + row)), max);
            TSimd.Store(ref *maxima, (nuint)row, max);
        }
    }

    /// <summary>Takes the labels' logits out of the tile: they are kept apart, and −∞ stands for them in the sums.</summary>
    private readonly void TakeLabels(int start, int classes)
    {
        T lowest = Element.FromDouble<T>(double.NegativeInfinity);
        int rows = _task.PaddedRows, width = _task.TileStride;
        for (int row = 0; row < _task.Rows; row++)
        {
            int label = _task.RowLabels[row] - start;
            if ((uint)label >= (uint)classes) continue;
            T* atLabel = tile + (label * width) + row;
            double logit = Element.ToDouble(*atLabel);
            bool isFirst = logit > Sums[row].Max || (Sums[row].Max == double.NegativeInfinity && start == firstClass);
            for (T* before = tile + row; before < atLabel; before += width) isFirst &= logit > Element.ToDouble(*before);
            _task.LabelLogits[row] = *atLabel;
            _task.LabelIsFirst[row] = isFirst;
            *atLabel = lowest;
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void SumExponentials<TSimd, TVector>(int classes, T* maxima, double* tileSums)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int rows = _task.PaddedRows, width = _task.TileStride;
        double* lost = stackalloc double[TSimd.Lanes];
        TVector zero = TSimd.Create(default), temperature = TSimd.Create(Element.FromDouble<T>(_task.Temperature));
        for (int row = 0; row < rows; row += TSimd.Lanes)
        {
            Shift<TVector> shift = new(TSimd.Load(ref *maxima, (nuint)row), temperature, _task.Temperature != 1);
            TVector first = zero, second = zero;
            int c = 0;
            for (; c <= classes - 2; c += 2)
            {
                TVector e0 = shift.Exp<TSimd, T>(TSimd.Load(ref *tile, (nuint)((c * width) + row)));
                TVector e1 = shift.Exp<TSimd, T>(TSimd.Load(ref *tile, (nuint)(((c + 1) * width) + row)));
                TSimd.AddWide(ref first, ref second, TSimd.Add(e0, e1));
            }

            if (c < classes) TSimd.AddWide(ref first, ref second, shift.Exp<TSimd, T>(TSimd.Load(ref *tile, (nuint)((c * width) + row))));
            TSimd.StoreWide(first, second, tileSums + row, lost);
        }
    }

    /// <summary>Σ background (x − max)/temperature over the tile; what was summed before moves to the new maximum.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void AddDots<TSimd, TVector>(int start, int classes, T* maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int rows = _task.PaddedRows, width = _task.TileStride;
        double before = 0;
        for (int c = firstClass; c < start; c++) before += Element.ToDouble(_task.Background[c]);
        double* lost = stackalloc double[TSimd.Lanes];
        TVector zero = TSimd.Create(default), temperature = TSimd.Create(Element.FromDouble<T>(_task.Temperature));
        for (int row = 0; row < rows; row += TSimd.Lanes)
        {
            Shift<TVector> shift = new(TSimd.Load(ref *maxima, (nuint)row), temperature, _task.Temperature != 1);
            TVector first = zero, second = zero;
            for (int c = 0; c < classes; c++)
            {
                T background = _task.Background[start + c];
                if (Element.ToDouble(background) == 0) continue;
                TVector difference = shift.Difference<TSimd, T>(TSimd.Load(ref *tile, (nuint)((c * width) + row)), out _);
                TSimd.AddWide(ref first, ref second, TSimd.Multiply(TSimd.Create(background), difference));
            }

            TSimd.StoreWide(first, second, TileSums + row, lost);
        }

        for (int row = 0; row < _task.Rows; row++)
        {
            double moved = before == 0 ? 0 : Sums[row].Dot + (before * (Sums[row].Max - Element.ToDouble(maxima[row])) / _task.Temperature);
            Sums[row].Dot = moved + TileSums[row];
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void AddGradients<TSimd, TVector>(int start, int classes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int padded = Padded(classes), rows = _task.PaddedRows, width = _task.TileStride, stride = _task.Stride, columns = _task.Columns, features = _task.FeatureCount;
        MakeResiduals<TSimd, TVector>(start, padded);
        for (int row = 0; row < _task.Rows; row++)
        {
            int label = _task.RowLabels[row] - start;
            if ((uint)label < (uint)classes) tile[(label * width) + row] = _task.LabelGradients[row];
        }

        if (_task.InterceptGradient != null)
        {
            for (int c = 0; c < classes; c++)
            {
                double sum = SpanLoops.Dot<TSimd, TVector, T>(tile + (c * width), null, (nuint)rows);
                Accumulate(_task.InterceptGradient + start + c, Element.FromDouble<T>(sum));
            }
        }

        if (FeatureGradient != null)
        {
            MatrixTile<T>.MultiplyAdd(rows, columns, padded, tile, 1, width, coefficients, stride, FeatureGradient, stride);
        }

        if (_task.CoefficientGradient == null) return;
        new Span<T>(products, padded * stride).Clear();
        MatrixTile<T>.MultiplyAdd(padded, columns, rows, tile, width, 1, _task.Block, stride, products, stride);
        for (int c = 0; c < classes; c++)
        {
            T* destination = _task.CoefficientGradient + ((nint)(start + c) * features);
            for (int k = 0; k < features; k++) Accumulate(destination + k, products[(c * stride) + k]);
        }
    }

    /// <summary>tile = factor · e^(tile − max) − scale · background, and 0 where the logit is −∞.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void MakeResiduals<TSimd, TVector>(int start, int classes)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int rows = _task.PaddedRows, width = _task.TileStride;
        TVector zero = TSimd.Create(default), temperature = TSimd.Create(Element.FromDouble<T>(_task.Temperature));
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        for (int row = 0; row < rows; row += TSimd.Lanes)
        {
            Shift<TVector> shift = new(TSimd.Load(ref *_task.RowMaxima, (nuint)row), temperature, _task.Temperature != 1);
            TVector factor = TSimd.Load(ref *_task.RowFactors, (nuint)row), scale = TSimd.Load(ref *_task.RowScales, (nuint)row);
            for (int c = 0; c < classes; c++)
            {
                nuint at = (nuint)((c * width) + row);
                TVector x = TSimd.Load(ref *tile, at), residual = TSimd.Multiply(shift.Exp<TSimd, T>(x), factor);
                if (_task.Background != null && start + c < _task.ClassCount)
                {
                    TVector spread = TSimd.NegatedMultiplyAdd(scale, TSimd.Create(_task.Background[start + c]), residual);
                    residual = TSimd.Select(TSimd.Equal(x, lowest), zero, spread);
                }

                TSimd.Store(ref *tile, at, residual);
            }
        }
    }

    /// <summary>The first block of rows writes, later ones add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Accumulate(T* destination, T value) =>
        *destination = _task.FirstRow == 0 ? value : ScalarSimd<T>.Add(*destination, value);

    private static int Padded(int classes) => (classes + MatrixTile<T>.Rows - 1) / MatrixTile<T>.Rows * MatrixTile<T>.Rows;
}
