#!/usr/bin/env dotnet
// A network with one hidden layer, trained by backpropagation: LinearCrossEntropyLoss is its last layer and its loss, and gives the gradient
// that goes back into the hidden layer. It must beat softmax regression on the same held-out digits.
// Run: dotnet run samples/hidden_layer.cs
#:project ../src/SoftmaxCE
#:include data/DigitsSplit.cs

using System.Diagnostics;
using System.Numerics.Tensors;
using SoftmaxCE;

const int HiddenCount = 128, BatchSize = 32, Epochs = 30;

DigitsSplit digits = DigitsSplit.Load();
SoftmaxRegressionModel linear = new SoftmaxRegressionTrainer().Fit(digits.TrainingRows, digits.TrainingLabels);

Stopwatch clock = Stopwatch.StartNew();
Network network = new(digits.TrainingRows.FeatureCount, HiddenCount, linear.ClassCount, new Random(1));
AdamOptimizer optimizer = new(network.Parameters.Length);
int[] order = [.. Enumerable.Range(0, digits.TrainingLabels.Length)];
Random random = new(2);
for (int epoch = 1; epoch <= Epochs; epoch++)
{
    random.Shuffle(order);
    double loss = 0;
    foreach (int[] batch in order.Chunk(BatchSize))
    {
        float[] rows = [.. batch.SelectMany(row => digits.TrainingRows.Values.Slice(row * network.FeatureCount, network.FeatureCount).ToArray())];
        loss += network.Backpropagate(rows, [.. batch.Select(row => digits.TrainingLabels[row])]) * batch.Length;
        optimizer.Step(network.Parameters, network.Gradient);
    }

    if (epoch % 5 == 0) Console.WriteLine($"epoch {epoch,2}  mean training loss {loss / order.Length:0.0000}");
}

clock.Stop();
ClassificationMetrics ofLinear = Measure(linear, digits.HeldOutRows);
ClassificationMetrics ofNetwork = Measure(network.LastLayer(), new DenseRows<float>(network.Hidden(digits.HeldOutRows.Values.Span), HiddenCount));
Console.WriteLine($"""

    trained in {clock.Elapsed.TotalSeconds:0.0} s; on {digits.HeldOutLabels.Length} held-out digits:
                         accuracy  log-loss
    softmax regression     {ofLinear.Accuracy:00.0 %}    {ofLinear.LogLoss:0.0000}
    with a hidden layer    {ofNetwork.Accuracy:00.0 %}    {ofNetwork.LogLoss:0.0000}
    """);
return ofNetwork.Accuracy > ofLinear.Accuracy && ofNetwork.LogLoss < ofLinear.LogLoss ? 0 : 1;

ClassificationMetrics Measure(SoftmaxRegressionModel model, FeatureRows rows)
{
    float[] probabilities = new float[rows.RowCount * model.ClassCount];
    model.PredictProbabilityRows(rows, probabilities);
    ClassificationMetrics metrics = new(model.ClassNames);
    metrics.AddRows<float>(probabilities, digits.HeldOutLabels);
    return metrics;
}

/// <summary>x → hidden = max(0, x V + c) → logits = W hidden + b. All parameters lie in one array, and so does the gradient.</summary>
internal sealed class Network
{
    private readonly int _hiddenCount, _classCount;
    private readonly int _hiddenIntercepts, _coefficients, _intercepts;      // where c, W and b start; V starts at 0
    private readonly LinearCrossEntropyLoss _lastLayer = new();

    public Network(int featureCount, int hiddenCount, int classCount, Random random)
    {
        (FeatureCount, _hiddenCount, _classCount) = (featureCount, hiddenCount, classCount);
        _hiddenIntercepts = featureCount * hiddenCount;
        _coefficients = _hiddenIntercepts + hiddenCount;
        _intercepts = _coefficients + (classCount * hiddenCount);
        Parameters = new float[_intercepts + classCount];
        Gradient = new float[Parameters.Length];
        // He et al. 2015: variance 2 / inputs keeps the signal of rectified layers at its strength.
        for (int i = 0; i < _hiddenIntercepts; i++) Parameters[i] = (random.NextSingle() - 0.5f) * MathF.Sqrt(24f / featureCount);
        for (int i = _coefficients; i < _intercepts; i++) Parameters[i] = (random.NextSingle() - 0.5f) * MathF.Sqrt(24f / hiddenCount);
    }

    public int FeatureCount { get; }
    public float[] Parameters { get; }
    public float[] Gradient { get; }

    private ReadOnlySpan<float> Coefficients => Parameters.AsSpan(_coefficients, _classCount * _hiddenCount);      // W, [classes, hidden]
    private ReadOnlySpan<float> Intercepts => Parameters.AsSpan(_intercepts);                                     // b

    /// <summary>Mean loss of the rows; <see cref="Gradient"/> then holds its gradient.</summary>
    public double Backpropagate(ReadOnlySpan<float> rows, ReadOnlySpan<int> labels)
    {
        float[] hidden = Hidden(rows);
        float[] hiddenGradient = new float[hidden.Length];
        Array.Clear(Gradient);
        double loss = _lastLayer.Evaluate(
            hidden, Coefficients, Intercepts, labels,
            featureGradient: hiddenGradient,
            coefficientGradient: Gradient.AsSpan(_coefficients, _classCount * _hiddenCount),
            interceptGradient: Gradient.AsSpan(_intercepts)).Loss;

        for (int i = 0; i < hidden.Length; i++)
            if (hidden[i] == 0) hiddenGradient[i] = 0;                       // the slope of max(0, ·)
        for (int row = 0; row < labels.Length; row++)
        {
            ReadOnlySpan<float> x = rows.Slice(row * FeatureCount, FeatureCount);
            ReadOnlySpan<float> g = hiddenGradient.AsSpan(row * _hiddenCount, _hiddenCount);
            for (int j = 0; j < x.Length; j++) AddScaled(Gradient.AsSpan(j * _hiddenCount, _hiddenCount), g, x[j]);
            AddScaled(Gradient.AsSpan(_hiddenIntercepts, _hiddenCount), g, 1);
        }

        return loss;
    }

    /// <summary>W and b: softmax regression on the hidden values.</summary>
    public SoftmaxRegressionModel LastLayer() =>
        new([.. Coefficients.ToArray().Select(value => (double)value)], [.. Intercepts.ToArray().Select(value => (double)value)]);

    /// <summary>max(0, x V + c) for every row x: [rows, hidden].</summary>
    public float[] Hidden(ReadOnlySpan<float> rows)
    {
        float[] hidden = new float[rows.Length / FeatureCount * _hiddenCount];
        for (int row = 0; row < rows.Length / FeatureCount; row++)
        {
            Span<float> values = hidden.AsSpan(row * _hiddenCount, _hiddenCount);
            Parameters.AsSpan(_hiddenIntercepts, _hiddenCount).CopyTo(values);
            ReadOnlySpan<float> x = rows.Slice(row * FeatureCount, FeatureCount);
            for (int j = 0; j < x.Length; j++) AddScaled(values, Parameters.AsSpan(j * _hiddenCount, _hiddenCount), x[j]);
        }

        TensorPrimitives.Max(hidden, 0f, hidden);
        return hidden;
    }

    private static void AddScaled(Span<float> sum, ReadOnlySpan<float> values, float factor)
    {
        if (factor != 0) TensorPrimitives.FusedMultiplyAdd(values, factor, sum, sum);      // many pixels are 0
    }
}

/// <summary>Kingma and Ba 2015: steps along the mean gradient m, divided by the root of the mean squared gradient v.</summary>
internal sealed class AdamOptimizer(int parameterCount)
{
    private const float Rate = 2e-3f, MeanDecay = 0.9f, SquareDecay = 0.999f, Smallest = 1e-8f;
    private readonly float[] _mean = new float[parameterCount], _square = new float[parameterCount];
    private float _meanWeight = 1, _squareWeight = 1;                        // decay^steps: the part of m and v that is still their start at 0

    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient)
    {
        _meanWeight *= MeanDecay;
        _squareWeight *= SquareDecay;
        for (int i = 0; i < parameters.Length; i++)
        {
            _mean[i] = (MeanDecay * _mean[i]) + ((1 - MeanDecay) * gradient[i]);
            _square[i] = (SquareDecay * _square[i]) + ((1 - SquareDecay) * gradient[i] * gradient[i]);
            parameters[i] -= Rate * (_mean[i] / (1 - _meanWeight)) / (MathF.Sqrt(_square[i] / (1 - _squareWeight)) + Smallest);
        }
    }
}
