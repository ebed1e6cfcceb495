namespace SoftmaxCE;

/// <summary>
/// A running sum whose error does not grow with the number of terms (Neumaier 1974): what each addition rounds away is kept
/// beside the sum. An infinite or NaN term makes the result infinite or NaN, as in a plain sum.
/// </summary>
internal struct CompensatedSum
{
    private double _sum;
    private double _lost;

    public readonly double Value => double.IsFinite(_sum) ? _sum + _lost : _sum;

    public void Add(double term)
    {
        double next = _sum + term;
        _lost += Math.Abs(_sum) >= Math.Abs(term) ? _sum - next + term : term - next + _sum;
        _sum = next;
    }

    public void Add(in CompensatedSum other)
    {
        Add(other._sum);
        if (double.IsFinite(other._sum)) Add(other._lost);
    }
}
