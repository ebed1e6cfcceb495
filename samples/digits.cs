#!/usr/bin/env dotnet
// Trains softmax regression on four fifths of the handwritten digits in samples/data, and reports how well it reads the rest.
// Run: dotnet run samples/digits.cs
#:project ../src/SoftmaxCE
#:include data/DigitsSplit.cs

using SoftmaxCE;

DigitsSplit digits = DigitsSplit.Load();
Console.WriteLine($"Training on {digits.TrainingLabels.Length} digits of {DigitsSplit.PixelWidth} x {DigitsSplit.PixelWidth} pixels; {digits.HeldOutLabels.Length} are held out.");

SoftmaxRegressionTrainer trainer = new(new SoftmaxRegressionOptions { L2 = 1e-3 });
SoftmaxRegressionModel model = trainer.Fit(digits.TrainingRows, digits.TrainingLabels, progress: new ProgressBar(trainer.Options.Tolerance));
TrainingSummary training = model.Training!;
ClassificationMetrics metrics = model.Evaluate(digits.HeldOutRows, digits.HeldOutLabels);

Console.WriteLine($"""

    stopped by    {training.StopReason}: {training.Iterations} iterations, {training.PassesOverData:0.#} passes over the data, {training.Elapsed.TotalSeconds:0.00} s
    objective     {training.Objective:0.000000}, certainly within {training.Gap:0.0e+0} of the lowest there is
    accuracy      {metrics.Accuracy:0.0 %} of the held-out digits; {metrics.TopKAccuracy(2):0.0 %} with a second guess
    log-loss      {metrics.LogLoss:0.0000} nats; {metrics.PriorLogLoss:0.0000} for guessing by frequency

    {metrics.Confusion}
    """);
foreach (ConfusedPair pair in metrics.Confusion.MostConfusedPairs(3))
    Console.WriteLine($"{pair.Weight} times a {model.ClassNames[pair.Label]} was read as {model.ClassNames[pair.Predicted]}");

// The penalty keeps the coefficients small, which leaves the model less sure than it is right. A temperature below 1 mends that. It is learned
// from one half of the held-out digits; the other half shows what it is worth.
int half = digits.HeldOutLabels.Length / 2;
TemperatureScaling temperature = TemperatureScaling.FitModel(model, Slice(digits.HeldOutRows, 0, half), digits.HeldOutLabels.AsSpan(0, half));
DenseRows<float> otherRows = Slice(digits.HeldOutRows, half, digits.HeldOutLabels.Length - half);
ClassificationMetrics before = model.Evaluate(otherRows, digits.HeldOutLabels.AsSpan(half));
ClassificationMetrics after = temperature.ApplyTo(model).Evaluate(otherRows, digits.HeldOutLabels.AsSpan(half));
Console.WriteLine($"""

    temperature {temperature.Temperature:0.000}    before   after
    log-loss           {before.LogLoss:0.0000}  {after.LogLoss:0.0000}
    calibration error  {before.Calibration.ExpectedError:0.0000}  {after.Calibration.ExpectedError:0.0000}

    """);

DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"digits-{Environment.UserName}"));
string modelFile = Path.Combine(folder.FullName, "digits.safetensors");
model.Save(modelFile);
bool isSame = Predictions(SoftmaxRegressionModel.Load(modelFile)).SequenceEqual(Predictions(model));
OnnxExporter.Export(model, Path.Combine(folder.FullName, "digits.onnx"));
new HtmlReport
{
    Title = "Handwritten digits", Model = model, Metrics = metrics, PixelWidth = DigitsSplit.PixelWidth,
    Facts = [new("rows held out", $"{digits.HeldOutLabels.Length}")],
}.Save(Path.Combine(folder.FullName, "digits.html"));
Console.WriteLine($"""
    In {folder.FullName}:
    digits.safetensors  the model; loaded again it predicts {(isSame ? "the same, to the last bit" : "SOMETHING ELSE")}
    digits.onnx         the model for other runtimes
    digits.html         the report, to open in a browser
    """);

const double LowestAccuracy = 0.95;
return isSame && metrics.Accuracy >= LowestAccuracy ? 0 : 1;

float[] Predictions(SoftmaxRegressionModel model)
{
    float[] probabilities = new float[digits.HeldOutRows.RowCount * model.ClassCount];
    model.PredictProbabilityRows(digits.HeldOutRows, probabilities);
    return probabilities;
}

static DenseRows<float> Slice(DenseRows<float> rows, int first, int count) =>
    new(rows.Values.Slice(first * rows.FeatureCount, count * rows.FeatureCount), rows.FeatureCount);

/// <summary>Fills as the certified gap shrinks, counted in powers of ten, from where it starts to what the tolerance asks for.</summary>
internal sealed class ProgressBar(double tolerance) : IProgress<TrainingProgress>
{
    private const int Width = 30;
    private double _firstGap;

    public void Report(TrainingProgress progress)
    {
        if (progress.Iteration == 0) _firstGap = progress.Gap;
        double lastGap = tolerance * progress.Objective;
        double done = Math.Clamp(Math.Log(_firstGap / progress.Gap) / Math.Log(_firstGap / lastGap), 0, 1);
        string state = $"iteration {progress.Iteration}  objective {progress.Objective:0.000000}  gap {progress.Gap:0.0e+0}";
        if (Console.IsOutputRedirected) Console.WriteLine(state);
        else Console.Write($"\r[{new string('#', (int)(done * Width)).PadRight(Width, '.')}] {state}  {(done == 1 ? "\n" : "")}");
    }
}
