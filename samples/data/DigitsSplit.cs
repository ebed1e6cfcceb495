using SoftmaxCE;

/// <summary>The handwritten digits of digits.csv, pixels scaled to 0..1, split the same way in every sample: of each class one fifth is held out.</summary>
internal sealed record DigitsSplit(DenseRows<float> TrainingRows, int[] TrainingLabels, DenseRows<float> HeldOutRows, int[] HeldOutLabels)
{
    public const int PixelWidth = 8;
    private const float LargestPixel = 16;

    public static DigitsSplit Load(int seed = 3)
    {
        // `dotnet run` tells a file-based app where its file is, so that it may be started from any folder.
        string folder = AppContext.GetData("EntryPointFileDirectoryPath") as string ?? "samples";
        LabeledRows<DenseRows<float>> all = CsvReader.Read<float>(Path.Combine(folder, "data", "digits.csv"), labelColumn: "label");
        int[] labels = new LabelEncoder(all.Labels).Encode(all.Labels);

        int[] order = [.. Enumerable.Range(0, labels.Length)];
        new Random(seed).Shuffle(order);
        HashSet<int> isHeldOut = [.. order.GroupBy(row => labels[row]).SelectMany(rows => rows.Take(rows.Count() / 5))];
        int[] forTraining = [.. order.Where(row => !isHeldOut.Contains(row))];
        int[] heldOut = [.. order.Where(isHeldOut.Contains)];
        return new DigitsSplit(
            Pick(all.Rows, forTraining), [.. forTraining.Select(row => labels[row])],
            Pick(all.Rows, heldOut), [.. heldOut.Select(row => labels[row])]);
    }

    private static DenseRows<float> Pick(DenseRows<float> rows, int[] picked)
    {
        IEnumerable<float> pixels = picked.SelectMany(row => rows.Values.Slice(row * rows.FeatureCount, rows.FeatureCount).ToArray());
        return new DenseRows<float>(pixels.Select(pixel => pixel / LargestPixel).ToArray(), rows.FeatureCount);
    }
}
