namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Made-up texts: rows of term weights with norm 1 in a vocabulary with Zipf's law, and a class for each. The same seed gives the same texts
/// everywhere.
/// </summary>
/// <remarks>
/// Word k of a vocabulary has the probability 1 / (k + 2.7) by Zipf and Mandelbrot. Half of a text's words come from the vocabulary of all, half
/// from that of its class, which is the same words in an order of its own. A term's weight is (1 + ln count) · ln(rows / rows with the term).
/// One label in twenty is another class's.
/// </remarks>
internal static class SparseText
{
    private const double Mandelbrot = 2.7;
    private const int OneWrongLabelIn = 20;

    /// <summary>Makes texts.</summary>
    /// <param name="rowCount">Texts.</param>
    /// <param name="columnCount">Words there are.</param>
    /// <param name="classes">Classes; the first ones are the most frequent.</param>
    /// <param name="meanLength">Mean number of words drawn for a text.</param>
    /// <param name="seed">For everything random.</param>
    public static (SparseRows<double> Rows, int[] Labels) Make(int rowCount, int columnCount, int classes, double meanLength, int seed)
    {
        Random random = new(seed);
        double[] zipf = Cumulative(columnCount);
        int[] names = Enumerable.Range(0, columnCount).ToArray(), rowsWith = new int[columnCount], labels = new int[rowCount];
        random.Shuffle(names);
        SortedDictionary<int, int>[] texts = new SortedDictionary<int, int>[rowCount];
        for (int i = 0; i < rowCount; i++)
        {
            int topic = i < classes ? i : (int)(classes * random.NextDouble() * random.NextDouble());
            labels[i] = i >= classes && random.Next(OneWrongLabelIn) == 0 ? random.Next(classes) : topic;
            int length = 1 + (int)(-Math.Log(1 - random.NextDouble()) * (meanLength - 1));
            SortedDictionary<int, int> text = texts[i] = [];
            for (int k = 0; k < length; k++)
            {
                int rank = Draw(zipf, random);
                if (random.Next(2) == 0) rank = (int)((rank + (((long)topic + 1) * columnCount / (classes + 1))) % columnCount);
                text[names[rank]] = text.GetValueOrDefault(names[rank]) + 1;
            }

            foreach (int column in text.Keys) rowsWith[column]++;
        }

        return (Weighted(texts, rowsWith, columnCount), labels);
    }

    private static SparseRows<double> Weighted(SortedDictionary<int, int>[] texts, int[] rowsWith, int columnCount)
    {
        List<double> values = [];
        List<int> columns = [];
        List<long> starts = [0];
        foreach (SortedDictionary<int, int> text in texts)
        {
            double[] weights = [.. text.Select(term => (1 + Math.Log(term.Value)) * Math.Log(1 + ((double)texts.Length / rowsWith[term.Key])))];
            double norm = Math.Sqrt(weights.Sum(weight => weight * weight));
            values.AddRange(weights.Select(weight => weight / norm));
            columns.AddRange(text.Keys);
            starts.Add(values.Count);
        }

        return new SparseRows<double>(values.ToArray(), columns.ToArray(), starts.ToArray(), columnCount);
    }

    private static double[] Cumulative(int count)
    {
        double[] cumulative = new double[count];
        double sum = 0;
        for (int k = 0; k < count; k++) cumulative[k] = sum += 1 / (k + Mandelbrot);
        return cumulative;
    }

    private static int Draw(double[] cumulative, Random random)
    {
        int place = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
        return place < 0 ? ~place : place;
    }
}
