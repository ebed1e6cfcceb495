namespace SoftmaxCE;

/// <summary>Puts the largest entries of a list first, as many as are wanted, without sorting it: quickselect, by count or by mass.</summary>
/// <remarks>Larger logits rank first, then lower classes, so no two entries are equal and the outcome does not depend on the pivots.</remarks>
internal readonly ref struct RankedSelection(Span<double> logits, Span<int> classes)
{
    private readonly Span<double> _logits = logits;
    private readonly Span<int> _classes = classes;

    /// <summary>Moves the <paramref name="count"/> first in rank to the front, in no particular order.</summary>
    public void TakeLargest(int count)
    {
        int start = 0, end = _logits.Length;
        while (count > start && count < end)
        {
            int middle = Partition(start, end);
            if (count <= middle) end = middle;
            else start = middle + 1;        // the pivot itself is first in rank among the rest
        }
    }

    /// <summary>Moves the fewest entries of the first rank to the front whose masses reach <paramref name="wanted"/> together; returns how many they are.</summary>
    /// <param name="wanted">The mass to reach; when all together do not, all are taken.</param>
    /// <param name="masses">The mass of each entry; ordered along with them.</param>
    public int TakeMass(double wanted, Span<double> masses)
    {
        int start = 0, end = _logits.Length;
        while (start < end)
        {
            int middle = Partition(start, end, masses);
            double before = 0;
            for (int i = start; i < middle; i++) before += masses[i];
            if (before >= wanted)
            {
                end = middle;
                continue;
            }

            wanted -= before + masses[middle];
            start = middle + 1;
            if (wanted <= 0) return start;
        }

        return start;
    }

    /// <summary>Splits [start, end) at an entry whose place is returned: those before it rank before it, those behind it behind.</summary>
    private int Partition(int start, int end, Span<double> masses = default)
    {
        Swap(MedianOf(start, start + ((end - start) / 2), end - 1), end - 1, masses);
        double pivot = _logits[end - 1];
        int pivotClass = _classes[end - 1], next = start;
        for (int i = start; i < end - 1; i++)
        {
            if (!(_logits[i] > pivot || (_logits[i] == pivot && _classes[i] < pivotClass))) continue;
            Swap(i, next, masses);
            next++;
        }

        Swap(next, end - 1, masses);
        return next;
    }

    private int MedianOf(int a, int b, int c)
    {
        if (Before(b, a)) (a, b) = (b, a);
        if (Before(c, b)) b = Before(c, a) ? a : c;
        return b;
    }

    private bool Before(int a, int b) => _logits[a] > _logits[b] || (_logits[a] == _logits[b] && _classes[a] < _classes[b]);

    private void Swap(int a, int b, Span<double> masses)
    {
        (_logits[a], _logits[b]) = (_logits[b], _logits[a]);
        (_classes[a], _classes[b]) = (_classes[b], _classes[a]);
        if (!masses.IsEmpty) (masses[a], masses[b]) = (masses[b], masses[a]);
    }
}
