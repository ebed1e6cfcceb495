using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>
/// Weights of (label, predicted) pairs. Up to <see cref="LargestDense"/> classes all pairs stand in one array; above that, where
/// the square of the class count would not fit in memory, only the pairs that occur are kept.
/// </summary>
internal sealed class PairCounts(int classCount)
{
    /// <summary>2048² doubles are 32 MiB.</summary>
    public const int LargestDense = 2048;

    private readonly double[]? _dense = classCount <= LargestDense ? new double[classCount * classCount] : null;
    private readonly Dictionary<long, double>? _sparse = classCount <= LargestDense ? null : [];

    public double this[int label, int predicted] =>
        _dense is not null ? _dense[IndexOf(label, predicted)] : _sparse!.GetValueOrDefault(IndexOf(label, predicted));

    public void Add(int label, int predicted, double weight)
    {
        long index = IndexOf(label, predicted);
        if (_dense is not null) _dense[index] += weight;
        else CollectionsMarshal.GetValueRefOrAddDefault(_sparse!, index, out _) += weight;
    }

    /// <summary>Every pair with a weight above zero, in no particular order.</summary>
    public IEnumerable<ConfusedPair> Present()
    {
        IEnumerable<KeyValuePair<long, double>> cells = _dense is not null
            ? _dense.Select((weight, index) => KeyValuePair.Create((long)index, weight))
            : _sparse!;
        foreach ((long index, double weight) in cells)
            if (weight > 0) yield return new ConfusedPair((int)(index / classCount), (int)(index % classCount), weight);
    }

    private long IndexOf(int label, int predicted) => ((long)label * classCount) + predicted;
}
