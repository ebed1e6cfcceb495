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
int featureCount = linear.FeatureCount, classCount = linear.ClassCount;

// x → hidden = max(0, x V + c) → logits = W hidden + b → loss
Random random = new(1);
Parameters v = Parameters.Random(featureCount, HiddenCount, random), c = new(HiddenCount);
Parameters w = Parameters.Random(HiddenCount, classCount, random), b = new(classCount);
LinearCrossEntropyLoss lastLayer = new();

Stopwatch clock = Stopwatch.StartNew();
int[] order = [.. Enumerable.Range(0, digits.TrainingLabels.Length)];
for (int epoch = 1; epoch <= Epochs; epoch++)
{
    random.Shuffle(order);
    double loss = 0;
    foreach (int[] batch in order.Chunk(BatchSize))
    {
        float[] rows = [.. batch.SelectMany(row => digits.TrainingRows.Values.Slice(row * featureCount, featureCount).ToArray())];
        int[] labels = [.. batch.Select(row => digits.TrainingLabels[row])];
        loss += Backpropagate(rows, labels) * batch.Length;
        foreach (Parameters parameters in (Parameters[])[v, c, w, b]) parameters.Step();
    }

    if (epoch % 5 == 0) Console.WriteLine($"epoch {epoch,2}  mean training loss {loss / order.Length:0.0000}");
}

clock.Stop();
SoftmaxRegressionModel onHidden = new([.. w.Values.Select(value => (double)value)], [.. b.Values.Select(value => (double)value)]);
ClassificationMetrics ofLinear = linear.Evaluate(digits.HeldOutRows, digits.HeldOutLabels);
ClassificationMetrics ofNetwork = onHidden.Evaluate(new DenseRows<float>(Hidden(digits.HeldOutRows.Values.Span), HiddenCount), digits.HeldOutLabels);
Console.WriteLine($"""

    trained in {clock.Elapsed.TotalSeconds:0.0} s; on {digits.HeldOutLabels.Length} held-out digits:
                         accuracy  log-loss
    softmax regression     {ofLinear.Accuracy:00.0 %}    {ofLinear.LogLoss:0.0000}
    with a hidden layer    {ofNetwork.Accuracy:00.0 %}    {ofNetwork.LogLoss:0.0000}
    """);
return ofNetwork.Accuracy > ofLinear.Accuracy && ofNetwork.LogLoss < ofLinear.LogLoss ? 0 : 1;

// Returns the mean loss and leaves its gradient in the parameters.
double Backpropagate(ReadOnlySpan<float> rows, ReadOnlySpan<int> labels)
{
    float[] hidden = Hidden(rows);
    float[] hiddenGradient = new float[hidden.Length];
    LossResult result = lastLayer.Evaluate(hidden, w.Values, b.Values, labels, hiddenGradient, w.Gradient, b.Gradient);

    for (int i = 0; i < hidden.Length; i++)
        if (hidden[i] == 0) hiddenGradient[i] = 0;                                            // the slope of max(0, ·)
    Array.Clear(v.Gradient);
    Array.Clear(c.Gradient);
    for (int row = 0; row < labels.Length; row++)
    {
        ReadOnlySpan<float> gradient = hiddenGradient.AsSpan(row * HiddenCount, HiddenCount);
        for (int j = 0; j < featureCount; j++) AddScaled(v.Gradient.AsSpan(j * HiddenCount, HiddenCount), gradient, rows[(row * featureCount) + j]);
        AddScaled(c.Gradient, gradient, 1);
    }

    return result.Loss;
}

// max(0, x V + c) for every row x: [rows, hidden].
float[] Hidden(ReadOnlySpan<float> rows)
{
    float[] hidden = new float[rows.Length / featureCount * HiddenCount];
    for (int row = 0; row < rows.Length / featureCount; row++)
    {
        Span<float> values = hidden.AsSpan(row * HiddenCount, HiddenCount);
        c.Values.CopyTo(values);
        for (int j = 0; j < featureCount; j++) AddScaled(values, v.Values.AsSpan(j * HiddenCount, HiddenCount), rows[(row * featureCount) + j]);
    }

    TensorPrimitives.Max(hidden, 0f, hidden);
    return hidden;
}

static void AddScaled(Span<float> sum, ReadOnlySpan<float> values, float factor)
{
    if (factor != 0) TensorPrimitives.FusedMultiplyAdd(values, factor, sum, sum);             // half of the pixels are 0
}

/// <summary>Some of the network's parameters, moved by Adam (Kingma and Ba 2015): along the mean gradient, divided by the root of the mean squared gradient.</summary>
internal sealed class Parameters(int count)
{
    private const float Rate = 2e-3f, MeanDecay = 0.9f, SquareDecay = 0.999f, Smallest = 1e-8f;
    private readonly float[] _mean = new float[count], _square = new float[count];
    private float _meanRest = 1, _squareRest = 1;                                             // what the means still hold of their start at 0

    public float[] Values { get; } = new float[count];
    public float[] Gradient { get; } = new float[count];

    /// <summary>He et al. 2015: random, with variance 2 / inputs, so that rectified layers neither swell nor fade.</summary>
    public static Parameters Random(int inputs, int outputs, Random random)
    {
        Parameters parameters = new(inputs * outputs);
        for (int i = 0; i < parameters.Values.Length; i++) parameters.Values[i] = (random.NextSingle() - 0.5f) * MathF.Sqrt(24f / inputs);
        return parameters;
    }

    public void Step()
    {
        _meanRest *= MeanDecay;
        _squareRest *= SquareDecay;
        for (int i = 0; i < Values.Length; i++)
        {
            _mean[i] = (MeanDecay * _mean[i]) + ((1 - MeanDecay) * Gradient[i]);
            _square[i] = (SquareDecay * _square[i]) + ((1 - SquareDecay) * Gradient[i] * Gradient[i]);
            Values[i] -= Rate * (_mean[i] / (1 - _meanRest)) / (MathF.Sqrt(_square[i] / (1 - _squareRest)) + Smallest);
        }
    }
}
