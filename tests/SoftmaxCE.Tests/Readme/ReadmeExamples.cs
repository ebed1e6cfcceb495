using System.Globalization;

namespace SoftmaxCE.Tests;

/// <summary>
/// The code of README.md, one method per example; what stands between the region lines is the same there, character by character.
/// The method is named as the region.
/// </summary>
public sealed class ReadmeExamples
{
    /// <summary>Takes the place of the console, so that examples read as in a program and their output stays with them.</summary>
    private StringWriter Console { get; } = new(CultureInfo.InvariantCulture);

    public string Output => Console.ToString();

    public void Kernel()
    {
        #region README kernel
        float[] logits = [2, 1, 0.1f];
        float[] probabilities = new float[logits.Length];

        SoftmaxFunctions.Softmax(logits, probabilities);
        Console.WriteLine(string.Join("  ", probabilities));                 // e^2, e^1, e^0.1, each by their sum
        Console.WriteLine(SoftmaxFunctions.LogSumExp(logits));               // ln(e^2 + e^1 + e^0.1)
        Console.WriteLine(InformationMeasures.Entropy(probabilities, 2f));   // in bits

        SoftmaxFunctions.Softmax([1000f, 999f, float.NegativeInfinity], probabilities);
        Console.WriteLine(string.Join("  ", probabilities));                 // no overflow; a masked logit is exactly 0
        #endregion
    }

    public void Losses()
    {
        #region README losses
        float[] logits = [50, 0, 0, 1, 2, 3];                                // two rows of three classes
        float[] rowLosses = new float[2];

        LossResult result = new SoftmaxCrossEntropyLoss().Evaluate<float>(logits, [0, 2], gradient: logits, rowLosses);
        Console.WriteLine($"mean loss {result.Loss:F4}, {result.CorrectCount} of {result.RowCount} rows right");
        Console.WriteLine($"first row: loss {rowLosses[0]:G3}, gradient {logits[0]:G3}");          // where p − 1 is 0 in float
        #endregion
    }

    public void Training()
    {
        #region README training
        float[] features = [0.2f, 1.1f, 0.1f, 0.9f, 2.1f, 0.3f, 1.9f, 0.2f, 1.0f, 2.9f, 1.2f, 3.1f];   // two features per row
        string[] labels = ["cat", "cat", "dog", "dog", "owl", "owl"];

        SoftmaxRegressionTrainer trainer = new(new SoftmaxRegressionOptions { L2 = 0.01 });
        SoftmaxRegressionModel model = trainer.Fit(new DenseRows<float>(features, featureCount: 2), labels);

        float[] probabilities = new float[model.ClassCount];
        model.PredictProbabilities([2f, 0.4f], probabilities);
        int label = model.Predict([2f, 0.4f]);
        Console.WriteLine($"{model.ClassNames[label]} with probability {probabilities[label]:F3}");
        Console.WriteLine($"objective {model.Training!.Objective:F4}, certified: {model.Training.Gap < 1e-6 * model.Training.Objective}");
        #endregion
    }

    public void Calibration()
    {
        (SoftmaxRegressionModel model, (DenseRows<double> calibrationRows, int[] calibrationLabels), (DenseRows<double> rows, int[] labels)) = Irises();
        #region README calibration
        ClassificationMetrics metrics = model.Evaluate(rows, labels);                  // prints as a table of all scores
        Console.WriteLine($"accuracy {metrics.Accuracy:F4}, F1 {metrics.Confusion.Macro.F1:F4}, Brier score {metrics.BrierScore:F4}, kappa {metrics.CohenKappa:F4}");

        TemperatureScaling temperature = TemperatureScaling.FitModel(model, calibrationRows, calibrationLabels);
        SoftmaxRegressionModel calibrated = temperature.ApplyTo(model);                // or VectorScaling: a scale and an offset per class
        Console.WriteLine($"log-loss {metrics.LogLoss:F4}, at temperature {temperature.Temperature:F2} {calibrated.Evaluate(rows, labels).LogLoss:F4}");
        #endregion
    }

    public void Files()
    {
        SoftmaxRegressionModel model = Irises().Model;
        using TemporaryFolder temporary = new();
        string folder = temporary.Path;
        #region README files
        model.Save(Path.Combine(folder, "iris.safetensors"));                          // with names, options and history; SaveJson to read it
        SoftmaxRegressionModel loaded = SoftmaxRegressionModel.Load(Path.Combine(folder, "iris.safetensors"));
        Console.WriteLine($"the same bits: {loaded.Coefficients.Span.SequenceEqual(model.Coefficients.Span)}, L2 was {loaded.Training!.Options!.L2}");

        OnnxExporter.Export(model, Path.Combine(folder, "iris.onnx"));                 // for every other runtime, in 32-bit floats
        SoftmaxRegressionModel imported = OnnxImporter.Import(Path.Combine(folder, "iris.onnx"));   // ours, or scikit-learn's
        Console.WriteLine(string.Join(", ", imported.ClassNames));
        #endregion
    }

    public void Report()
    {
        (SoftmaxRegressionModel model, _, (DenseRows<double> rows, int[] labels)) = Irises();
        using TemporaryFolder temporary = new();
        string folder = temporary.Path;
        #region README report
        HtmlReport report = new() { Title = "Irises", Model = model, Metrics = model.Evaluate(rows, labels) };
        report.Save(Path.Combine(folder, "iris.html"));                                // one file without scripts, for any browser

        foreach (ConfusedPair pair in report.Metrics.Confusion.MostConfusedPairs(1))
            Console.WriteLine($"{pair.Weight} {model.ClassNames[pair.Label]} taken for {model.ClassNames[pair.Predicted]}");
        #endregion
    }

    /// <summary>A model of irises, and two parts of them that it was not trained on.</summary>
    private static (SoftmaxRegressionModel Model, (DenseRows<double>, int[]) Calibration, (DenseRows<double>, int[]) Test) Irises()
    {
        DataSet iris = DataSets.Load("iris");
        string[] names = ["setosa", "versicolor", "virginica"];
        (DenseRows<double> rows, int[] labels) = Part(row => row % 2 == 0);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new SoftmaxRegressionOptions { L2 = 0.01 }).Fit(rows, [.. labels.Select(label => names[label])]);
        return (model, Part(row => row % 4 == 1), Part(row => row % 4 == 3));

        (DenseRows<double> Rows, int[] Labels) Part(Func<int, bool> isPicked)
        {
            int[] picked = [.. Enumerable.Range(0, iris.Labels.Length).Where(isPicked)];
            double[] features = [.. picked.SelectMany(row => iris.Features.AsSpan(row * iris.Columns, iris.Columns).ToArray())];
            return (new DenseRows<double>(features, iris.Columns), [.. picked.Select(row => iris.Labels[row])]);
        }
    }
}
