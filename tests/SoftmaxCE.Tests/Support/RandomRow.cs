using CsCheck;

namespace SoftmaxCE.Tests;

/// <summary>A row of floats as they come and as they should not: long, flat, confident, masked, in pieces far apart, far from 0; with what its softmax is in double.</summary>
internal sealed class RandomRow
{
    private RandomRow(float[] logits, double temperature, int label)
    {
        Logits = logits;
        Temperature = temperature;
        Label = label;
        int first = Array.IndexOf(logits, logits.Max());
        Max = logits[first];
        Distances = Array.ConvertAll(logits, z => (z - Max) / temperature);
        BelowMaximum = Distances.Where((_, i) => i != first).Sum(Math.Exp);
        Probabilities = Array.ConvertAll(Distances, d => Math.Exp(d) / (1 + BelowMaximum));
    }

    public static Gen<RandomRow> Gen { get; } = CsCheck.Gen.UInt.Select(seed => Of((int)(seed & int.MaxValue)));

    public float[] Logits { get; }

    public double Temperature { get; }

    public int Label { get; }

    public double Max { get; }

    /// <summary>(z − max) / temperature.</summary>
    public double[] Distances { get; }

    /// <summary>Σ e^distance without one of the largest.</summary>
    public double BelowMaximum { get; }

    public double[] Probabilities { get; }

    /// <summary>ln Σ e^distance, to full relative accuracy.</summary>
    public double LogSum => LogOfOneAnd(BelowMaximum);

    /// <summary>|actual − exact| in units of the last place of a float at max(|exact|, <paramref name="atLeast"/>). Below the normal numbers it is 0.</summary>
    public static double UlpDistance(float actual, double exact, double atLeast = 0)
    {
        float scale = (float)Math.Max(Math.Abs(exact), atLeast);
        if (scale < 1.17549435e-38f) return Math.Abs(actual) < 1.2e-38 ? 0 : double.PositiveInfinity;
        return Math.Abs(actual - exact) / (MathF.BitIncrement(scale) - (double)scale);
    }

    public static double LogOfOneAnd(double rest)
    {
        double sum = 1 + rest;
        return sum == 1 ? rest : Math.Log(sum) * rest / (sum - 1);
    }

    public static RandomRow Of(int seed)
    {
        Random random = new(seed);
        int count = random.Next(4) switch { 0 => random.Next(1, 20), 1 => random.Next(1, 300), 2 => random.Next(300, 5000), _ => random.Next(4000, 30_000) };
        double deviation = Math.Pow(10, (random.NextDouble() * 3) - 1.5), gap = random.NextDouble() * 100;
        double offset = random.Next(3) == 0 ? (random.NextDouble() - 0.5) * Math.Pow(10, random.NextDouble() * 8) : 0;
        int kind = random.Next(7), cut = random.Next(count + 1), label = random.Next(count);
        float[] logits = new float[count];
        for (int i = 0; i < count; i++)
        {
            double normal = (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 2 * deviation;
            double logit = kind switch
            {
                0 => normal + (i < cut ? gap : 0),
                1 => i == label ? gap : normal * 0.1,
                2 => Math.Floor(normal),
                3 => -gap * i / count,
                4 => normal + (i / 4096 % 2 == 0 ? gap : -gap),
                _ => normal,
            };
            logits[i] = (float)(logit + offset);
            if (kind == 5 && i != label && random.Next(3) == 0) logits[i] = float.NegativeInfinity;
        }

        return new RandomRow(logits, random.Next(2) == 0 ? 1 : (float)Math.Pow(10, (random.NextDouble() * 2) - 1), label);
    }
}
