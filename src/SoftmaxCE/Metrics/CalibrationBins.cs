namespace SoftmaxCE;

/// <summary>What one bin gathers.</summary>
internal struct BinSums
{
    private double _weight;
    private double _squaredWeight;
    private double _confidence;
    private double _true;

    public readonly double Weight => _weight;

    public void Add(double confidence, bool cameTrue, double weight)
    {
        _weight += weight;
        _squaredWeight += weight * weight;
        _confidence += weight * confidence;
        if (cameTrue) _true += weight;
    }

    public void Add(in BinSums other)
    {
        _weight += other._weight;
        _squaredWeight += other._squaredWeight;
        _confidence += other._confidence;
        _true += other._true;
    }

    public readonly CalibrationBin ToBin(double lower, double upper) =>
        new(lower, upper, _weight, _weight * _weight / _squaredWeight, _confidence / _weight, _true / _weight);
}

/// <summary>Bins of one width over 0 to 1, filled as rows come.</summary>
internal sealed class EqualWidthBins(int binCount)
{
    private readonly BinSums[] _bins = new BinSums[binCount];

    public static EqualWidthBins Of(double[] confidences, bool[] cameTrue, ReadOnlySpan<float> sampleWeights, int binCount)
    {
        EqualWidthBins bins = new(binCount);
        for (int row = 0; row < confidences.Length; row++)
            bins.Add(confidences[row], cameTrue[row], sampleWeights.IsEmpty ? 1 : sampleWeights[row]);
        return bins;
    }

    public void Add(double confidence, bool cameTrue, double weight) => _bins[IndexOf(confidence)].Add(confidence, cameTrue, weight);

    public void Add(EqualWidthBins other)
    {
        for (int bin = 0; bin < _bins.Length; bin++) _bins[bin].Add(other._bins[bin]);
    }

    public CalibrationCurve ToCurve()
    {
        List<CalibrationBin> filled = [];
        for (int bin = 0; bin < _bins.Length; bin++)
            if (_bins[bin].Weight > 0) filled.Add(_bins[bin].ToBin(Edge(bin), Edge(bin + 1)));
        return new CalibrationCurve(filled);
    }

    private double Edge(int bin) => bin / (double)_bins.Length;

    // The product may round across an edge, so the edges themselves decide.
    private int IndexOf(double confidence)
    {
        int bin = Math.Clamp((int)Math.Ceiling(confidence * _bins.Length) - 1, 0, _bins.Length - 1);
        if (bin > 0 && confidence <= Edge(bin)) return bin - 1;
        return bin < _bins.Length - 1 && confidence > Edge(bin + 1) ? bin + 1 : bin;
    }
}

/// <summary>
/// Bins of one weight: rows in rising confidence, those of equal confidence as one group, and a group goes to the bin in which the
/// middle of its weight falls. So the bins do not depend on the order of the rows.
/// </summary>
internal static class EqualMassBins
{
    public static CalibrationCurve Of(double[] confidences, bool[] cameTrue, ReadOnlySpan<float> sampleWeights, int binCount)
    {
        int[] order = [.. Enumerable.Range(0, confidences.Length)];
        Array.Sort([.. confidences], order);
        double total = 0;
        foreach (int row in order) total += WeightOf(sampleWeights, row);

        BinSums[] bins = new BinSums[binCount];
        double[] lower = new double[binCount];
        double[] upper = new double[binCount];
        double before = 0;
        for (int start = 0, end; start < order.Length; start = end)
        {
            double confidence = confidences[order[start]];
            BinSums group = new();
            for (end = start; end < order.Length && confidences[order[end]] == confidence; end++)
                group.Add(confidence, cameTrue[order[end]], WeightOf(sampleWeights, order[end]));
            if (group.Weight == 0) continue;
            int bin = Math.Min((int)((before + (group.Weight / 2)) / total * binCount), binCount - 1);
            if (bins[bin].Weight == 0) lower[bin] = confidence;
            upper[bin] = confidence;
            bins[bin].Add(group);
            before += group.Weight;
        }

        return new CalibrationCurve([.. Enumerable.Range(0, binCount).Where(bin => bins[bin].Weight > 0).Select(bin => bins[bin].ToBin(lower[bin], upper[bin]))]);
    }

    private static double WeightOf(ReadOnlySpan<float> sampleWeights, int row) => sampleWeights.IsEmpty ? 1 : sampleWeights[row];
}
