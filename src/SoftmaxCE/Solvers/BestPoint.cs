namespace SoftmaxCE;

/// <summary>The point with the smallest objective so far, and whether points have stopped getting better.</summary>
internal sealed class BestPoint(double[] point, double value, double gap)
{
    // Rounding makes the last digits of objective and gap dance; this many points without a better one is the end.
    private const int Patience = 4;

    // Objectives closer than this cannot be told apart; then the smaller gap decides.
    private const double Resolution = 1e-14;

    private int _worse;

    /// <summary>As <see cref="AddTo"/> kept it.</summary>
    public static BestPoint From(SolverState state, int length) =>
        new(state.Vector("best", length), state.Number("bestValue"), state.Number("bestGap")) { _worse = state.Count("worse") };

    public double[] Point { get; private set; } = [.. point];

    public double Value { get; private set; } = value;

    /// <summary>The best bound that a point so far gives for this one.</summary>
    public double Gap { get; private set; } = gap;

    /// <summary>Whether the last point offered is the best.</summary>
    public bool IsLast => _worse == 0;

    public bool Stalled => _worse >= Patience;

    /// <summary>Other steps get their chance.</summary>
    public void Retry() => _worse = 0;

    public SolverState AddTo(SolverState state) => state.Add("best", Point).Add("bestValue", Value).Add("bestGap", Gap).Add("worse", _worse);

    public void Offer(double[] point, double value, double gap)
    {
        double resolution = Resolution * Math.Abs(Value);
        bool lower = value < Value - resolution, alike = Math.Abs(value - Value) <= resolution;
        if (alike && double.IsPositiveInfinity(gap) && double.IsPositiveInfinity(Gap))
        {
            // Without gaps the newer of two is nearer to the optimum, as Newton's last step is the smallest; but it may be rounding that it moves by.
            _worse++;
            Point = [.. point];
            Value = value;
            return;
        }

        if (!lower && !(alike && gap < 0.9 * Gap))
        {
            // This point bounds the optimum from below for the other one too: rounding of objectives must not lose a certificate.
            double certified = gap + Math.Max(Value - value, 0);
            _worse++;
            if (certified < Gap) Gap = certified;
            return;
        }

        _worse = 0;
        Point = [.. point];
        Value = value;
        if (!(gap >= Gap)) Gap = gap;
    }
}
