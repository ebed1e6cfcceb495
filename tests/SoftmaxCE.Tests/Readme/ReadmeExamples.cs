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
}
