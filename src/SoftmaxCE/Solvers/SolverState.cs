namespace SoftmaxCE;

/// <summary>All that a solver knows at the end of an iteration, under names: enough to go on as if nothing had happened.</summary>
internal sealed class SolverState
{
    private readonly SortedDictionary<string, double[]> _vectors = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, double> _numbers = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, double[]> Vectors => _vectors;

    public IReadOnlyDictionary<string, double> Numbers => _numbers;

    /// <summary>Keeps a copy.</summary>
    public SolverState Add(string name, ReadOnlySpan<double> vector)
    {
        _vectors.Add(name, vector.ToArray());
        return this;
    }

    /// <summary>Keeps an array that nobody changes any more.</summary>
    public SolverState AddFinal(string name, double[] vector)
    {
        _vectors.Add(name, vector);
        return this;
    }

    public SolverState Add(string name, double number)
    {
        _numbers.Add(name, number);
        return this;
    }

    public SolverState Add(string name, bool flag) => Add(name, flag ? 1.0 : 0.0);

    /// <summary>A copy, which may be changed.</summary>
    public double[] Vector(string name, int length)
    {
        if (!_vectors.TryGetValue(name, out double[]? vector) || vector.Length != length) throw Missing(name);
        return [.. vector];
    }

    public double Number(string name) => _numbers.TryGetValue(name, out double number) ? number : throw Missing(name);

    public int Count(string name) => (int)Number(name);

    public bool Flag(string name) => Number(name) != 0;

    private static ArgumentException Missing(string name) => new($"The checkpoint does not hold '{name}' as this solver needs it.");
}
