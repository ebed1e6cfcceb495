#!/usr/bin/env dotnet
// Trains softmax regression on Fashion-MNIST: 60,000 pictures of clothes, 28 x 28 pixels of 8 bits, ten classes. The pixels stay bytes in memory.
// Run: dotnet run samples/fashion_mnist.cs FOLDER, with the four files of the data set (IDX, as they are or compressed with gzip).
#:project ../src/SoftmaxCE

using SoftmaxCE;

const int PixelWidth = 28;
string[] classNames = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];
if (args is not [string folder])
{
    return Refuse("""
        Which folder are the files in?

            dotnet run samples/fashion_mnist.cs FOLDER

        It must hold train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, as they are or with .gz.
        They come from https://github.com/zalandoresearch/fashion-mnist, or on Debian with: apt-get install dataset-fashion-mnist
        """);
}

(DenseRows<byte> Rows, int[] Labels) training, test;
try
{
    training = Read("train");
    test = Read("t10k");
}
catch (Exception exception) when (exception is IOException or InvalidDataException)
{
    return Refuse(exception.Message);
}

// The last 10,000 of the training pictures are kept back to calibrate on; the test pictures only measure.
const int CalibrationCount = 10_000;
int trainingCount = training.Labels.Length - CalibrationCount;
DenseRows<byte> trainingRows = Slice(training.Rows, 0, trainingCount), calibrationRows = Slice(training.Rows, trainingCount, CalibrationCount);
Console.WriteLine($"Training on {trainingCount:N0} pictures, calibrating on {CalibrationCount:N0}, testing on {test.Labels.Length:N0}.");

SoftmaxRegressionTrainer trainer = new(new SoftmaxRegressionOptions { L2 = 1e-4, Tolerance = 1e-4 });
SoftmaxRegressionModel model = trainer.Fit(trainingRows, [.. training.Labels.Take(trainingCount).Select(label => classNames[label])], progress: new Lines());
TrainingSummary summary = model.Training!;
int[] calibrationLabels = Places(training.Labels[trainingCount..]), testLabels = Places(test.Labels);
Console.WriteLine($"""
    {summary.StopReason} after {summary.PassesOverData:0} passes in {summary.Elapsed.TotalSeconds:0.0} s: objective {summary.Objective:0.000000}, certainly within {summary.Gap:0.0e+0} of the lowest there is.

    """);

ClassificationMetrics metrics = model.Evaluate(test.Rows, testLabels);
SoftmaxRegressionModel byTemperature = TemperatureScaling.FitModel(model, calibrationRows, calibrationLabels).ApplyTo(model);
SoftmaxRegressionModel byClass = VectorScaling.FitModel(model, calibrationRows, calibrationLabels).ApplyTo(model);
Console.WriteLine(metrics);
Console.WriteLine("test pictures          log-loss  accuracy  calibration error");
foreach ((string name, SoftmaxRegressionModel calibrated) in (ReadOnlySpan<(string, SoftmaxRegressionModel)>)[("as trained", model), ("temperature scaling", byTemperature), ("vector scaling", byClass)])
{
    ClassificationMetrics scores = calibrated.Evaluate(test.Rows, testLabels);
    Console.WriteLine($"{name,-21}  {scores.LogLoss:0.0000}    {scores.Accuracy:0.0000}    {scores.Calibration.ExpectedError:0.0000}");
}

string report = Path.Combine(Directory.CreateTempSubdirectory("fashion-mnist-").FullName, "report.html");
new HtmlReport { Title = "Fashion-MNIST", Model = model, Metrics = metrics, PixelWidth = PixelWidth, Facts = [new("rows held out", $"{test.Labels.Length}")] }.Save(report);
Console.WriteLine($"\nReport, to open in a browser: {report}");
const double LowestAccuracy = 0.83;
return metrics.Accuracy >= LowestAccuracy ? 0 : 1;

(DenseRows<byte> Rows, int[] Labels) Read(string set)
{
    DenseRows<byte> rows = IdxReader.ReadImages(FileOf($"{set}-images-idx3-ubyte"));
    int[] labels = IdxReader.ReadLabels(FileOf($"{set}-labels-idx1-ubyte"));
    if (rows.RowCount != labels.Length || rows.FeatureCount != PixelWidth * PixelWidth || labels.Any(label => label >= classNames.Length))
        throw new InvalidDataException($"The files of {set} have {rows.RowCount} pictures of {rows.FeatureCount} pixels and {labels.Length} labels: they are not Fashion-MNIST.");
    return (rows, labels);
}

string FileOf(string name) => new[] { name, name + ".gz" }.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
    ?? throw new FileNotFoundException($"There is no {name} (or {name}.gz) in {Path.GetFullPath(folder)}.");

// The trainer sorts the names; evaluation wants the places the model gave them.
int[] Places(int[] labels) => [.. labels.Select(label => model.ClassNames.ToList().IndexOf(classNames[label]))];

static DenseRows<byte> Slice(DenseRows<byte> rows, int first, int count) =>
    new(rows.Values.Slice(first * rows.FeatureCount, count * rows.FeatureCount), rows.FeatureCount, rows.Scale, rows.Offset);

static int Refuse(string why)
{
    Console.Error.WriteLine(why);
    return 2;
}

/// <summary>A line per iteration; not <see cref="Progress{T}"/>, which would tell of them later from another thread.</summary>
internal sealed class Lines : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress progress) => Console.WriteLine(
        $"{progress.Elapsed.TotalSeconds,6:0.0} s  iteration {progress.Iteration,2}  {progress.PassesOverData,5:0.0} passes  objective {progress.Objective:0.000000}  gap {progress.Gap:0.0e+0}");
}
