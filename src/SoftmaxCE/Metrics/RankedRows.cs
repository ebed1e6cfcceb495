namespace SoftmaxCE;

/// <summary>Rows of one two-class question, to be ranked by score. One instance serves many questions, so that memory is taken once.</summary>
internal sealed class RankedRows(int capacity)
{
    private readonly double[] _scores = new double[capacity];
    private readonly double[] _weights = new double[capacity];   // negative rows have a negative weight
    private int _count;

    public void Clear() => _count = 0;

    /// <summary>Rows of weight 0 are left out.</summary>
    public void Add(double score, bool positive, double weight)
    {
        if (weight == 0) return;
        _scores[_count] = score;
        _weights[_count] = positive ? weight : -weight;
        _count++;
    }

    /// <summary>Share of (positive, negative) weight in which the positive scores higher, ties half. Sorts the rows.</summary>
    public double Area()
    {
        Array.Sort(_scores, _weights, 0, _count);
        double positives = 0;
        double negatives = 0;
        double ordered = 0;                                       // weight of pairs in the right order so far
        for (int start = 0, end; start < _count; start = end)
        {
            double tiedPositives = 0;
            double tiedNegatives = 0;
            for (end = start; end < _count && _scores[end] == _scores[start]; end++)
            {
                if (_weights[end] > 0) tiedPositives += _weights[end];
                else tiedNegatives -= _weights[end];
            }

            ordered += tiedPositives * (negatives + (tiedNegatives / 2));
            positives += tiedPositives;
            negatives += tiedNegatives;
        }

        return ordered / (positives * negatives);
    }
}
