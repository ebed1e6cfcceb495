namespace SoftmaxCE;

public sealed partial class ConfusionMatrix
{
    private const int MostClassesInATable = 25;
    private const int PairsInsteadOfATable = 25;

    /// <summary>
    /// The matrix as an aligned table, a line per label and a column per prediction. Above 25 classes, where it would not fit on a
    /// screen, the 25 most confused pairs.
    /// </summary>
    public override string ToString() => ClassCount <= MostClassesInATable ? FullTable() : PairTable();

    /// <summary>Precision, recall, F1 and support of every class and their averages, as an aligned table.</summary>
    public string ToScoreTable()
    {
        TextTable table = new TextTable().Line("class", "precision", "recall", "F1", "support");
        foreach (ClassScores scores in PerClass())
            table.Line(scores.Name, TextTable.Score(scores.Precision), TextTable.Score(scores.Recall), TextTable.Score(scores.F1), TextTable.Weight(scores.Support));
        AddAverage(table, "macro average", Macro);
        AddAverage(table, "weighted average", Weighted);
        return table.ToString();
    }

    private void AddAverage(TextTable table, string name, PrecisionRecall average) => table.Line(
        name, TextTable.Score(average.Precision), TextTable.Score(average.Recall), TextTable.Score(average.F1), TextTable.Weight(WeightSum));

    private string FullTable()
    {
        TextTable table = new TextTable().Line(["label \\ predicted", .. ClassNames, "total"]);
        IEnumerable<int> classes = Enumerable.Range(0, ClassCount);
        foreach (int label in classes)
            table.Line([ClassNames[label], .. classes.Select(predicted => TextTable.Weight(_pairs[label, predicted])), TextTable.Weight(_labelTotals[label])]);
        table.Line(["total", .. _predictedTotals.Select(TextTable.Weight), TextTable.Weight(WeightSum)]);
        return table.ToString();
    }

    private string PairTable()
    {
        TextTable table = new TextTable().Line("label", "predicted", "weight", "share of label");
        foreach (ConfusedPair pair in MostConfusedPairs(PairsInsteadOfATable))
            table.Line(ClassNames[pair.Label], ClassNames[pair.Predicted], TextTable.Weight(pair.Weight), TextTable.Score(pair.Weight / _labelTotals[pair.Label]));
        return table.ToString();
    }
}
