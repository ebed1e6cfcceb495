namespace SoftmaxCE;

/// <summary>A model's parameters as the kernels want them: every class starts on a cache line, and zeros fill the last vector.</summary>
/// <remarks>
/// Logits are sums in double over eight lanes, lane k takes features k, k + 8, … in order, and the lanes are added at the end as
/// <see cref="ISimd{TVector,T}.SumOfLanes"/> does. Rows of few features, many rows at a time and sparse rows all keep to that, so they give the same bits.
/// </remarks>
internal sealed unsafe class PackedParameters
{
    /// <summary>Up to so many features a vector holds classes, not features: there is nothing to add across it.</summary>
    private const int FewFeatures = 16;

    // An estimate saves no time where the fixed work of a row is most of it.
    private const int LeastEstimated = 192;

    // Rows with more than one value in so many are multiplied as dense ones, which takes less per feature.
    private const int DenseShare = 10;

    // Beyond this the bound on the rounding of an estimate is none.
    private const double MostSteps = 1 << 20;

    // Relative to 2⁻²⁴: what rounding does to an intercept, and more.
    private const double ShiftRounding = 1e-6;

    private const int LineDoubles = 64 / sizeof(double);
    private const int LineSingles = 64 / sizeof(float);

    private readonly double[] _doubles;             // pinned: W, then the intercepts
    private readonly float[] _singles = [];         // pinned: W, rounded
    private readonly double* _coefficients;         // [classes, Stride], or [Stride, classes in whole vectors] for few features
    private readonly double* _intercepts;           // as many zeros as classes follow
    private readonly float* _rounded;               // [classes, SingleStride]
    private readonly double[] _sums = [];           // Σ_j w[c, j], for rows with an offset
    private readonly double _largestSize;           // the largest Σ_j |w[c, j]|
    private readonly int _classCount;
    private readonly int _featureCount;
    private readonly bool _hasFewFeatures;

    public PackedParameters(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> intercepts)
    {
        _classCount = intercepts.Length;
        _featureCount = coefficients.Length / _classCount;
        _hasFewFeatures = _featureCount <= FewFeatures;
        Stride = RoundUp(_featureCount, LineDoubles);
        int classStride = RoundUp(_classCount, LineDoubles), count = checked(_hasFewFeatures ? Stride * classStride : _classCount * Stride);
        _doubles = PinnedMemory.Allocate<double>(checked(count + (2 * classStride) + LineDoubles));
        Array.Clear(_doubles);
        _coefficients = Aligned(PinnedMemory.Pointer(_doubles));
        _intercepts = _coefficients + count;
        intercepts.CopyTo(new Span<double>(_intercepts, _classCount));
        for (int c = 0; c < _classCount; c++)
        {
            ReadOnlySpan<double> row = coefficients.Slice(c * _featureCount, _featureCount);
            if (!_hasFewFeatures) row.CopyTo(new Span<double>(_coefficients + ((long)c * Stride), _featureCount));
            else for (int j = 0; j < row.Length; j++) _coefficients[(j * classStride) + c] = row[j];
        }

        if (_featureCount < LeastEstimated) return;
        SingleStride = RoundUp(_featureCount, LineSingles);
        _singles = PinnedMemory.Allocate<float>(checked((_classCount * SingleStride) + LineSingles));
        Array.Clear(_singles);
        _rounded = Aligned(PinnedMemory.Pointer(_singles));
        _sums = new double[_classCount];
        for (int c = 0; c < _classCount; c++)
        {
            double size = 0;
            for (int j = 0; j < _featureCount; j++)
            {
                double w = coefficients[(c * _featureCount) + j];
                _rounded[((long)c * SingleStride) + j] = (float)w;
                _sums[c] += w;
                size += Math.Abs(w);
            }

            _largestSize = Math.Max(_largestSize, size);
        }
    }

    /// <summary>Doubles from one row of features to the next.</summary>
    public int Stride { get; }

    /// <summary>Floats from one row of rounded features to the next; 0 where they are not rounded.</summary>
    public int SingleStride { get; }

    /// <summary>Whether sparse rows may be multiplied as they are.</summary>
    public bool TakesSparseRows => !_hasFewFeatures;

    /// <summary>How many doubles <see cref="Multiply"/> may write behind the last logit.</summary>
    public static int Slack => LineDoubles;

    /// <summary>Room that <see cref="TryMultiply"/> needs, in doubles.</summary>
    public int LaneCount => _classCount * LineDoubles;

    /// <summary>The next cache line's start, or this one.</summary>
    public static T* Aligned<T>(T* pointer)
        where T : unmanaged => (T*)(((nint)pointer + 63) & ~63);

    /// <summary>logits[i, c] = Σ_j features[i, j] w[c, j] + b[c].</summary>
    /// <param name="features">[rows, Stride], aligned, zeros behind the last feature.</param>
    /// <param name="rowCount">Number of rows.</param>
    /// <param name="logits">Room for [rows, classes] and <see cref="Slack"/> more.</param>
    public void Multiply(double* features, int rowCount, double* logits)
    {
        if (_hasFewFeatures)
        {
            FewFeatureProducts kernel = new(features, rowCount, Stride, _coefficients, _intercepts, _classCount, RoundUp(_classCount, LineDoubles), logits);
            VectorWidth.RunOnRegister<FewFeatureProducts, double>(ref kernel);
            return;
        }

        RowProducts<double>.Run(features, rowCount, Stride, _coefficients, _classCount, _intercepts, logits);
    }

    /// <summary>The same in float, without intercepts: an estimate.</summary>
    /// <param name="features">[rows, SingleStride], aligned, zeros behind the last feature.</param>
    /// <param name="rowCount">Number of rows.</param>
    /// <param name="logits">Room for [rows, classes].</param>
    public void Estimate(float* features, int rowCount, double* logits) =>
        RowProducts<float>.Run(features, rowCount, SingleStride, _rounded, _classCount, _intercepts + RoundUp(_classCount, LineDoubles), logits);

    /// <summary>The class that <see cref="Multiply"/> gives the largest logit, or −1 where estimates do not prove which it is.</summary>
    /// <remarks>
    /// A lane of <see cref="Estimate"/> is a chain of m = stride / 16 multiplications, so with features and coefficients rounded before (u = 2⁻²⁴) an estimate is
    /// within (m + 2) u / (1 − m u) · Σ|x| |w| of the exact sum, Σ|x| |w| ≤ max|x| · Σ|w|; and lost digits of subnormal numbers. Twice that covers what
    /// rounding does to the logits in double.
    /// </remarks>
    /// <param name="estimates">One per class.</param>
    /// <param name="largest">The largest magnitude of the features.</param>
    /// <param name="scale">What multiplies the features.</param>
    /// <param name="offset">What is added to them then.</param>
    public int SureMaximum(ReadOnlySpan<double> estimates, double largest, double scale, double offset)
    {
        double steps = SingleStride / LineSingles, size = ((Math.Abs(scale) * largest) + Math.Abs(offset)) * _largestSize;
        double lost = Math.Abs(scale) * Math.ScaleB((SingleStride * (largest + 1)) + _largestSize, -149);
        double best = double.NegativeInfinity, second = best, shifts = 0, notFinite = 0;
        int label = -1;

        // Without branches: which class is best cannot be foretold.
        for (int c = 0; c < estimates.Length; c++)
        {
            double z = (scale * estimates[c]) + ((offset * _sums[c]) + _intercepts[c]);
            label = z > best ? c : label;
            second = double.MaxNative(second, double.MinNative(best, z));
            best = double.MaxNative(best, z);
            shifts = double.MaxNative(shifts, Math.Abs(_intercepts[c]));
            notFinite += 0 * z;
        }

        double error = Math.ScaleB(((steps + 4) * size * 2) + (shifts * ShiftRounding), -24) + lost;
        return steps < MostSteps && notFinite == 0 && best - second > 2 * error ? label : -1;
    }

    /// <summary>The logits of one sparse row, from its values alone.</summary>
    /// <param name="columns">If they do not rise, or are too many to gain by it, false is returned and nothing is done.</param>
    /// <param name="values">A value per column.</param>
    /// <param name="lanes"><see cref="LaneCount"/> doubles of room.</param>
    /// <param name="logits">Room for one per class.</param>
    public bool TryMultiply<T>(ReadOnlySpan<int> columns, ReadOnlySpan<T> values, double* lanes, double* logits)
        where T : unmanaged
    {
        if (columns.Length > _featureCount / DenseShare) return false;
        for (int k = 1; k < columns.Length; k++)
            if (columns[k] <= columns[k - 1]) return false;
        new Span<double>(lanes, LaneCount).Clear();
        for (int k = 0; k < columns.Length; k++)
        {
            double value = Element.ToDouble(values[k]);
            double* w = _coefficients + columns[k], lane = lanes + (columns[k] % LineDoubles);
            for (int c = 0; c < _classCount; c++, w += Stride, lane += LineDoubles) *lane = Math.FusedMultiplyAdd(value, *w, *lane);
        }

        for (int c = 0; c < _classCount; c++, lanes += LineDoubles)
        {
            double even = lanes[0] + lanes[4] + (lanes[2] + lanes[6]), odd = lanes[1] + lanes[5] + (lanes[3] + lanes[7]);
            logits[c] = even + odd + _intercepts[c];
        }

        return true;
    }

    private static int RoundUp(int count, int multiple) => checked(count + multiple - 1) / multiple * multiple;
}
