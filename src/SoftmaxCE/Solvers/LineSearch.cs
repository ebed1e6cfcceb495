namespace SoftmaxCE;

/// <summary>Finds a step along the objective's line, on cached logits: φ(t) = loss(t) + L2/2 ‖W + t D‖², convex in t.</summary>
internal static class LineSearch
{
    private const int MaxTrials = 60;

    // Relative to the objective: what a step may seem to raise it by, which may have been computed in float at the start and is in double here.
    private const double Rounding = 1e-6;

    // Relative to the objective: slopes that rounding makes. A step whose slope is lost in it is taken as it is: it cannot raise a convex φ by more,
    // and where the last digits of the objective have run out the gradient may still have many to lose.
    private const double SlopeRounding = 1e-15;

    // The slope that may be left, as a fraction of the slope at 0: at t = 1 a Newton step nearly always passes at once.
    private const double SlopeLeft = 0.25;

    /// <summary>A step with φ′ near 0, or 0 if there is none that descends.</summary>
    /// <param name="objective">Its line is searched.</param>
    /// <param name="penalty">The objective's.</param>
    /// <param name="point">Where the line starts.</param>
    /// <param name="direction">Where it goes.</param>
    /// <param name="objectiveThere">φ(0).</param>
    /// <param name="slope">φ′(0), from the full gradient.</param>
    public static double Find(IObjective objective, Penalty penalty, ReadOnlySpan<double> point, ReadOnlySpan<double> direction, double objectiveThere, double slope)
    {
        if (!(slope < 0)) return 0;
        int count = objective.ClassCount * objective.FeatureCount;
        double highest = objectiveThere + (Rounding * Math.Abs(objectiveThere)) - (penalty.L2Product(point[..count], point[..count]) / 2);
        double across = penalty.L2Product(point[..count], direction[..count]), along = penalty.L2Product(direction[..count], direction[..count]);

        double rounding = SlopeRounding * Math.Abs(objectiveThere);

        // Bisection with Newton's steps inside the bracket (low, high): φ′(low) < 0 < φ′(high).
        double low = 0, high = double.PositiveInfinity, t = 1;
        for (int trial = 0; trial < MaxTrials; trial++)
        {
            LineValue value = objective.EvaluateLine(t);
            double derivative = value.Slope + across + (t * along), curvature = value.Curvature + along;
            if (!double.IsFinite(value.Value) || !double.IsFinite(derivative)) derivative = double.PositiveInfinity;

            // Where φ still falls it has fallen all the way, as it is convex; beyond its minimum it might have risen again.
            bool isLower = derivative <= 0 || value.Value + (t * (across + (t / 2 * along))) <= highest;
            if (Math.Abs(derivative) <= (-SlopeLeft * slope) + rounding && isLower) return t;
            if (derivative < 0) low = t;
            else high = t;
            double next = double.IsFinite(derivative) && curvature > 0 ? t - (derivative / curvature) : double.NaN;
            double farthest = double.IsFinite(high) ? high : 10 * t;
            t = next > low && next < farthest ? next : !double.IsFinite(high) ? 4 * t : low == 0 ? high / 8 : (low + high) / 2;
        }

        return low;
    }
}
