namespace SoftmaxCE;

/// <summary>The sums of <see cref="DivergenceKernel{T}"/> over all blocks.</summary>
internal struct DivergenceTotal
{
    private CompensatedSum _terms, _differences;

    public bool FoundNegative { get; private set; }

    public bool FoundMissing { get; private set; }

    public double Highest { get; private set; }

    /// <summary>The sum of the terms alone, scaled.</summary>
    public readonly double Terms => _terms.Value;

    public void Add<T>(in DivergenceKernel<T> block)
        where T : unmanaged
    {
        _terms.Add(block.Terms);
        _differences.Add(block.Differences);
        FoundNegative |= block.FoundNegative;
        FoundMissing |= block.FoundMissing;
        Highest = Math.Max(Highest, block.Highest);
    }

    /// <summary>The measure in nats, from terms that are scaled.</summary>
    public readonly double Value(DivergenceKind kind, double scale)
    {
        if (kind == DivergenceKind.JensenShannon) return Terms / scale / 2;
        CompensatedSum total = _terms.Times(new() { High = kind == DivergenceKind.KullbackLeibler ? 1 / scale : -1 });
        total.Add(new CompensatedSum { High = -_differences.High, Low = -_differences.Low });
        return total.Value;
    }
}
