namespace SoftmaxCE;

/// <summary>Rows dealt to the folds of a cross-validation.</summary>
internal static class Folds
{
    /// <summary>Deals the rows of each class in random order to one fold after another, so that folds are alike in size and in classes.</summary>
    /// <param name="examples">Rows with targets count for the class of their largest target.</param>
    /// <param name="count">Number of folds.</param>
    /// <param name="seed">Of the order.</param>
    public static int[] Stratified(Examples examples, int count, int seed)
    {
        if (count > examples.RowCount) throw new ArgumentException($"Needs at least as many rows as folds, {count}, but has {examples.RowCount}.", nameof(examples));
        List<int>[] rowsOf = new List<int>[examples.ClassCount];
        for (int c = 0; c < rowsOf.Length; c++) rowsOf[c] = [];
        for (int i = 0; i < examples.RowCount; i++) rowsOf[examples.LikeliestClass(i)].Add(i);
        RandomStream random = new(seed);
        int[] folds = new int[examples.RowCount];
        int dealt = 0;
        foreach (List<int> rows in rowsOf)
        {
            int[] order = [.. rows];
            random.Shuffle(order);
            foreach (int row in order) folds[row] = dealt++ % count;
        }

        return folds;
    }

    /// <summary>The folds that the caller gave.</summary>
    public static int[] Given(ReadOnlySpan<int> folds, int rowCount, out int count)
    {
        Argument.SameLength(rowCount, folds.Length, nameof(folds));
        count = 0;
        for (int row = 0; row < folds.Length; row++)
        {
            if (folds[row] < 0) throw new ArgumentOutOfRangeException(nameof(folds), folds[row], $"Row {row} is in fold {folds[row]}; folds are numbered from 0.");
            count = Math.Max(count, folds[row] + 1);
        }

        int[] sizes = new int[count];
        foreach (int fold in folds) sizes[fold]++;
        int empty = Array.IndexOf(sizes, 0);
        if (empty >= 0) throw new ArgumentException($"Fold {empty} has no row, but there are folds up to {count - 1}.", nameof(folds));
        if (count < 2) throw new ArgumentException("All rows are in fold 0; at least two folds are needed.", nameof(folds));
        return folds.ToArray();
    }

    /// <summary>The weights with those of a fold set to 0: rows of weight 0 are as good as absent.</summary>
    public static double[] WeightsWithout(int fold, ReadOnlySpan<int> folds, double[]? weights)
    {
        double[] kept = new double[folds.Length];
        for (int i = 0; i < kept.Length; i++) kept[i] = folds[i] == fold ? 0 : weights is null ? 1 : weights[i];
        return kept;
    }
}
