using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace SoftmaxCE;

/// <summary>
/// Softmax regression that learns from batches as they come, by stochastic gradient descent, for data without end or larger than memory.
/// Each row is used once, when it comes; giving the same data again is a further epoch.
/// </summary>
/// <remarks>
/// Updates follow <see cref="SoftmaxRegressionOptions.GradientDescent"/>: a batch is cut into pieces of its BatchSize (0: taken whole), in
/// random order within the batch if it says Shuffle. With Average the model is the mean of the iterates, iterate t with weight t (Shamir,
/// Zhang 2013), which forgets the start. The mean weight of the rows so far counts as 1, so that the objective is that of
/// <see cref="SoftmaxRegressionTrainer"/> on all rows. Counters are whole numbers and compensated sums: nothing drifts. Not thread-safe.
/// </remarks>
public sealed class StreamTrainer
{
    private readonly SoftmaxRegressionOptions _options;
    private readonly DescentUpdates _updates;
    private readonly int _coefficientCount;
    private readonly double[] _mean;            // of the iterates; empty without averaging
    private RandomStream _random;
    private CompensatedSum _weightSum;          // of all rows that came
    private CompensatedSum _learnedWeight;
    private CompensatedSum _lossSum;
    private long _rowCount;

    /// <summary>Starts at W = 0, b = 0.</summary>
    /// <param name="featureCount">Features of every row, at least 1.</param>
    /// <param name="classNames">The names of the classes, at least two.</param>
    /// <param name="options">L2, penalty factors, intercepts, class weights, seed and the settings of gradient descent; null for the defaults. L1 must be 0. Limits and tolerance are for training that ends, and not used.</param>
    /// <exception cref="ArgumentException">An option has no meaning or asks for another solver.</exception>
    public StreamTrainer(int featureCount, IReadOnlyList<string> classNames, SoftmaxRegressionOptions? options = null)
        : this(Zero(featureCount, classNames), options)
    {
    }

    /// <inheritdoc cref="StreamTrainer(int, IReadOnlyList{string}, SoftmaxRegressionOptions?)"/>
    /// <param name="featureCount">Features of every row, at least 1.</param>
    /// <param name="classCount">Number of classes, at least 2; they are named "0", "1", ….</param>
    /// <param name="options">As above.</param>
    public StreamTrainer(int featureCount, int classCount, SoftmaxRegressionOptions? options = null)
        : this(featureCount, [.. Enumerable.Range(0, classCount).Select(c => c.ToString(CultureInfo.InvariantCulture))], options)
    {
    }

    /// <summary>Starts at a model.</summary>
    /// <param name="start">Its features and classes are those of the stream.</param>
    /// <param name="options">As for the other constructors.</param>
    /// <exception cref="ArgumentException">An option has no meaning or asks for another solver.</exception>
    public StreamTrainer(SoftmaxRegressionModel start, SoftmaxRegressionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(start);
        _options = Checked(options ?? new SoftmaxRegressionOptions(), start);
        FeatureCount = start.FeatureCount;
        ClassNames = start.ClassNames;
        _coefficientCount = start.Coefficients.Length;
        double[] point = _options.FitIntercepts ? [.. start.Coefficients.Span, .. start.Intercepts.Span] : [.. start.Coefficients.Span];
        Penalty penalty = new(0, _options.L2, _options.PenaltyFactors.Span, FeatureCount);
        _updates = new DescentUpdates(_options.GradientDescent, penalty, point, _coefficientCount, FeatureCount);
        _mean = _options.GradientDescent.Average ? [.. point] : [];
        _random = new RandomStream(_options.Seed);
    }

    /// <summary>Goes on from a checkpoint of a stream, to the same bits.</summary>
    /// <param name="checkpoint">From <see cref="ToCheckpoint"/>.</param>
    /// <param name="options">The same options.</param>
    /// <exception cref="ArgumentException">The checkpoint is not of a stream, or was made with other options.</exception>
    public StreamTrainer(TrainingCheckpoint checkpoint, SoftmaxRegressionOptions? options = null)
        : this(ModelOf(checkpoint), options)
    {
        CheckpointSettings.Require(checkpoint, _options, Solver.GradientDescent, rowCount: 0);
        Restore(checkpoint.State);
    }

    /// <summary>Features of every row.</summary>
    public int FeatureCount { get; }

    /// <summary>Names of the classes.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Number of classes.</summary>
    public int ClassCount => ClassNames.Count;

    /// <summary>Rows that came.</summary>
    public long RowCount => _rowCount;

    /// <summary>Updates made.</summary>
    public long UpdateCount => _updates.Count;

    /// <summary>Weight of the rows that came: sample weights times class weights.</summary>
    public double WeightSum => _weightSum.Value;

    /// <summary>Weighted mean of the losses that rows had just before the update they were part of ("progressive validation"), an honest measure of how well unseen rows are predicted; NaN before the first update.</summary>
    public double MeanLoss => _lossSum.Value / _learnedWeight.Value;

    /// <summary>Learns from rows with labels.</summary>
    /// <param name="rows">Features, all finite; at least one row.</param>
    /// <param name="labels">One label per row, 0 to <see cref="ClassCount"/> − 1; a batch may lack classes.</param>
    /// <param name="sampleWeights">One weight ≥ 0 per row, not all 0; empty for all 1.</param>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite; the message names row and column. Nothing was learned.</exception>
    /// <exception cref="ArithmeticException">The step is too long for the features: the updates overflow. The stream is as it was before the batch.</exception>
    public void PartialFit(FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default) =>
        PartialFit(TrainingExamples.FromLabels(rows, labels.ToArray()) with { SampleWeights = sampleWeights.ToArray() });

    /// <summary>Learns from a batch.</summary>
    /// <param name="batch">Rows with labels or targets; at least one row.</param>
    /// <param name="cancellationToken">Ends learning between two updates; those made stay.</param>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite; the message names row and column. Nothing was learned.</exception>
    /// <exception cref="ArithmeticException">The step is too long for the features: the updates overflow. The stream is as it was before the batch.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public void PartialFit(TrainingExamples batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Examples examples = ExampleChecks.Build(batch, _options.ClassWeights.Span, FeatureCount, ClassCount);
        ExampleChecks.RequireFinite(batch.Rows, nameof(batch));
        cancellationToken.ThrowIfCancellationRequested();
        SolverState before = State();
        _rowCount += examples.RowCount;
        _weightSum.Add(examples.WeightSum);
        RowGradients gradients = new(batch.Rows, examples) { RowCount = _rowCount, WeightSum = _weightSum.Value };
        int[] order = [.. Enumerable.Range(0, examples.RowCount)];
        if (_options.GradientDescent.Shuffle) _random.Shuffle(order);
        int size = _options.GradientDescent.BatchSize == 0 ? order.Length : _options.GradientDescent.BatchSize;
        for (int first = 0; first < order.Length; first += size)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Update(order.AsSpan(first, Math.Min(size, order.Length - first)), gradients, examples);
        }

        if (DoubleVectors.AllFinite(_updates.Point) && double.IsFinite(_lossSum.Value)) return;
        Restore(before);
        throw new ArithmeticException($"The updates overflow: a step of {_options.GradientDescent.Step} is too long for these features.");
    }

    /// <summary>Learns from batch after batch, to the end of the sequence.</summary>
    /// <inheritdoc cref="PartialFit(TrainingExamples, CancellationToken)"/>
    public void PartialFit(IEnumerable<TrainingExamples> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        foreach (TrainingExamples batch in batches) PartialFit(batch, cancellationToken);
    }

    /// <summary>Learns from batches that arrive asynchronously, to the end of the sequence.</summary>
    /// <inheritdoc cref="PartialFit(TrainingExamples, CancellationToken)"/>
    public async Task PartialFitAsync(IAsyncEnumerable<TrainingExamples> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        await foreach (TrainingExamples batch in batches.WithCancellation(cancellationToken).ConfigureAwait(false)) PartialFit(batch, cancellationToken);
    }

    /// <summary>The model learned so far; it does not change when the stream goes on.</summary>
    public SoftmaxRegressionModel ToModel()
    {
        double[] point = _mean.Length > 0 ? _mean : _updates.Point;
        return new SoftmaxRegressionModel(point.AsSpan(0, _coefficientCount), _options.FitIntercepts ? point.AsSpan(_coefficientCount) : new double[ClassCount], ClassNames);
    }

    /// <summary>All that the stream knows, to save and go on from.</summary>
    public TrainingCheckpoint ToCheckpoint() =>
        new(ToModel(), Solver.GradientDescent, CheckpointSettings.AddTo(State().Add("iteration", UpdateCount), _options, Solver.GradientDescent, rowCount: 0));

    private void Update(ReadOnlySpan<int> piece, RowGradients gradients, Examples examples)
    {
        _updates.Apply(piece, gradients.Add);
        _lossSum.Add(gradients.LossSum);
        foreach (int row in piece) _learnedWeight.Add(examples.WeightArray is null ? 1 : examples.WeightArray[row]);
        double share = 2.0 / (_updates.Count + 1);
        for (int i = 0; i < _mean.Length; i++) _mean[i] += share * (_updates.Point[i] - _mean[i]);
    }

    private SolverState State()
    {
        SolverState state = _updates.AddTo(new SolverState()).Add("mean", _mean).Add("rows", _rowCount)
            .Add("randomHigh", _random.State >> 32).Add("randomLow", (uint)_random.State);
        Add(state, "weightSum", _weightSum);
        Add(state, "learnedWeight", _learnedWeight);
        Add(state, "lossSum", _lossSum);
        return state;
    }

    private void Restore(SolverState state)
    {
        _updates.Restore(state);
        state.Vector("mean", _mean.Length).CopyTo(_mean, 0);
        _random = new RandomStream(((ulong)state.Number("randomHigh") << 32) | (ulong)state.Number("randomLow"));
        _rowCount = (long)state.Number("rows");
        _weightSum = Sum(state, "weightSum");
        _learnedWeight = Sum(state, "learnedWeight");
        _lossSum = Sum(state, "lossSum");
    }

    private static void Add(SolverState state, string name, CompensatedSum sum) => state.Add(name, sum.High).Add(name + "Low", sum.Low);

    private static CompensatedSum Sum(SolverState state, string name) => new() { High = state.Number(name), Low = state.Number(name + "Low") };

    private static SoftmaxRegressionModel Zero(int featureCount, IReadOnlyList<string> classNames)
    {
        Argument.Positive(featureCount);
        ArgumentNullException.ThrowIfNull(classNames);
        if (classNames.Count < 2) throw new ArgumentException($"Needs at least 2 classes but has {classNames.Count}.", nameof(classNames));
        return new SoftmaxRegressionModel(new double[checked(featureCount * classNames.Count)], new double[classNames.Count], classNames);
    }

    private static SoftmaxRegressionModel ModelOf(TrainingCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (!checkpoint.State.Numbers.ContainsKey("learnedWeight")) throw new ArgumentException("Is not of a stream: resume it with SoftmaxRegressionTrainer.", nameof(checkpoint));
        return checkpoint.Model;
    }

    private static SoftmaxRegressionOptions Checked(SoftmaxRegressionOptions options, SoftmaxRegressionModel start)
    {
        options.Validate();
        if (options.L1 > 0) ThrowOptions($"A stream cannot minimise an L1 penalty (L1 = {options.L1}).", nameof(options));
        if (options.Solver is not (Solver.Auto or Solver.GradientDescent)) ThrowOptions($"A stream is learned by gradient descent, not by {options.Solver}.", nameof(options));
        ExampleChecks.RequireFactors(options.PenaltyFactors.Length, start.FeatureCount, nameof(options));
        int weights = options.ClassWeights.Length;
        if (weights != 0 && weights != start.ClassCount) ThrowOptions($"The options have {weights} class weights, but there are {start.ClassCount} classes.", nameof(options));
        return options;
    }

    [DoesNotReturn]
    private static void ThrowOptions(string message, string name) => throw new ArgumentException(message, name);
}
