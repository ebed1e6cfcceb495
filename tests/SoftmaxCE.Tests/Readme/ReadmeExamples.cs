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
}
