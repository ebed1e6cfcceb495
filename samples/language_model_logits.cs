#!/usr/bin/env dotnet
// What a language model's next-token logits say: log-probabilities, the effect of temperature, entropy, perplexity, divergence, sampling.
// Run: dotnet run samples/language_model_logits.cs
#:project ../src/SoftmaxCE

using System.Numerics.Tensors;
using SoftmaxCE;

const int TokenCount = 32_000, ShownTokens = 8, DrawCount = 1000;
float[] temperatures = [0.7f, 1, 1.5f];

string[] tokens = [.. Enumerable.Range(0, TokenCount).Select(Spell)];
float[] logits = MakeUpLogits(new Random(7));
for (int i = 0; i < TokenCount; i++)
    if (tokens[i].StartsWith('z')) logits[i] = float.NegativeInfinity;      // masked: may not come next
int[] ranking = [.. Enumerable.Range(0, TokenCount).OrderByDescending(i => logits[i])];
int maskedCount = logits.Count(float.IsNegativeInfinity);
float largest = logits[ranking[0]];
Console.WriteLine($"{TokenCount:N0} tokens, {maskedCount:N0} of them masked. The largest logit is {largest:0.0}: e to that power is {MathF.Exp(largest)} in float.");

float[] logProbabilities = new float[TokenCount];
SoftmaxFunctions.LogSoftmax<float>(logits, logProbabilities);
float[][] probabilities = [.. temperatures.Select(AtTemperature)];
Console.WriteLine("\ntoken        logit    ln p   p at T = 0.7       1     1.5");
foreach (int i in ranking[..ShownTokens].Append(ranking[^1]))
    Console.WriteLine($"{tokens[i],-10}{Show(logits[i])}{Show(logProbabilities[i])}       {string.Concat(probabilities.Select(p => $"{p[i],8:0.0000}"))}");

Console.WriteLine("\ntemperature                         0.7       1     1.5");
Row("entropy (nats)", scaled => InformationMeasures.EntropyFromLogits<float>(scaled));
Row("perplexity (tokens)", scaled => MathF.Exp(InformationMeasures.EntropyFromLogits<float>(scaled)));
Row("divergence from T = 1 (nats)", scaled => InformationMeasures.KullbackLeiblerFromLogits<float>(scaled, logits));
Row("divergence of T = 1 from it", scaled => InformationMeasures.KullbackLeiblerFromLogits<float>(logits, scaled));
Row("Jensen-Shannon with T = 1", scaled => InformationMeasures.JensenShannonFromLogits<float>(scaled, logits));

(string Name, LogitSampler Sampler)[] samplers =
[
    ("all tokens", new LogitSampler()),
    ("top-k 3", new LogitSampler { TopK = 3 }),
    ("top-p 0.9", new LogitSampler { TopP = 0.9 }),
    ("T = 0.7, top-p 0.9", new LogitSampler { Temperature = 0.7, TopP = 0.9 }),
];
Console.WriteLine($"\n{DrawCount:N0} draws of each       different  the first ones");
int maskedDraws = 0;
foreach ((string name, LogitSampler sampler) in samplers)
{
    int[] draws = [.. Enumerable.Range(0, DrawCount).Select(i => sampler.Sample<float>(logits, seed: (ulong)i))];
    maskedDraws += draws.Count(i => float.IsNegativeInfinity(logits[i]));
    Console.WriteLine($"{name,-23}{draws.Distinct().Count(),10}  {string.Join(' ', draws.Take(6).Select(i => tokens[i]))}");
}

bool isNormalised = probabilities.All(p => Math.Abs(p.Sum(value => (double)value) - 1) < 1e-6);
bool isMasked = ranking[^maskedCount..].All(i => logProbabilities[i] == float.NegativeInfinity && probabilities.All(p => p[i] == 0));
return isNormalised && isMasked && maskedDraws == 0 ? 0 : 1;

float[] AtTemperature(float temperature)
{
    float[] result = new float[TokenCount];
    SoftmaxFunctions.Softmax(logits, temperature, result);
    return result;
}

void Row(string name, Func<float[], float> measure)
{
    Console.Write($"{name,-31}");
    foreach (float temperature in temperatures)
    {
        float[] scaled = new float[TokenCount];
        TensorPrimitives.Divide(logits, temperature, scaled);
        Console.Write($"{measure(scaled),8:0.000}");
    }

    Console.WriteLine();
}

static string Show(float value) => (float.IsFinite(value) ? $"{value:0.00}" : "-inf").PadLeft(8);

// Few tokens are likely and most are not, as in a text; the constant 100 changes no probability, for logits have no fixed zero.
static float[] MakeUpLogits(Random random) =>
    [.. Enumerable.Range(0, TokenCount).Select(i => 100 - MathF.Log(i + 1) - (1.5f * MathF.Log(-MathF.Log(1 - random.NextSingle()))))];

// Token 0 is "ba", 1 is "be"; each number has a spelling of its own, and the frequent tokens have short ones.
static string Spell(int number)
{
    const string Consonants = "bdfgklmnprstvz", Vowels = "aeiou";
    string text = "";
    for (int rest = number + 1; rest > 0; rest = (rest - 1) / 70) text += $"{Consonants[(rest - 1) % 70 / 5]}{Vowels[(rest - 1) % 5]}";
    return text;
}
