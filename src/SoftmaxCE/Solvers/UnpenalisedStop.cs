namespace SoftmaxCE;

/// <summary>When to stop where a coefficient has no penalty, so that there is no gap: by the Newton decrement, or because there is no optimum.</summary>
/// <remarks>
/// There is none when the mean loss falls for ever along some direction: no row's margin shrinks along it and some row's grows ("complete
/// separation" when all grow, else "quasi-complete", as when a feature occurs in one class alone). Every step is looked at for that. On the
/// way to such an infimum steps do not become small: a Newton step on e^−t is 1, whatever t; so a small decrement alone is not trusted.
/// </remarks>
internal sealed class UnpenalisedStop(IObjective objective, Penalty penalty, SolverSettings settings)
{
    // What margins may seem to shrink by, relative to the largest growth: rounding; and, once the rest has converged, what a step still does
    // besides. The second share falls from step to step. Where it stays, a row lies so far out that the others seem to stand still, which
    // is no separation; a row a million times as far out as the others could be taken for one.
    private const double Exact = 1e-10;
    private const double Nearly = 1e-6;
    private const double Falling = 0.9;

    // A step that moves logits by less has converged.
    private const double SmallStep = 0.5;

    // The decrement must be so small a part of the tolerance that the bound which then certifies the end is below it too.
    private const double PartOfTolerance = 0.01;

    private MarginChanges _margins;
    private double _shareBefore = double.PositiveInfinity;

    /// <summary>Shrinking relative to growing.</summary>
    private double Share => _margins.Largest > 0 ? Math.Max(-_margins.Smallest, 0) / _margins.Largest : double.PositiveInfinity;

    /// <summary>Notes how margins change in a step along the objective's line.</summary>
    public void LookAtLine(double step)
    {
        if (penalty.CoversAll) return;
        _shareBefore = Share;
        MarginChanges perUnit = objective.LineMargins();
        _margins = new MarginChanges(step * perUnit.Smallest, step * perUnit.Largest);
    }

    /// <summary>The reason to end after a step, if there is one.</summary>
    /// <param name="decrement">Square of the Newton decrement at the start of the step.</param>
    /// <param name="value">The objective after it.</param>
    /// <param name="stalled">Whether the objective no longer falls.</param>
    public StopReason? ReasonToStop(double decrement, double value, bool stalled)
    {
        if (penalty.CoversAll) return null;
        if (!penalty.HasL1 && !penalty.HasL2 && objective.SmallestMargin() > 0) return StopReason.Separable;
        bool isLong = _margins.Largest >= SmallStep, isSmall = decrement / 2 <= PartOfTolerance * settings.Tolerance * value;
        if (!isLong) return isSmall ? StopReason.Tolerance : null;
        if (Share <= Exact) return StopReason.Separable;
        return Share <= Nearly && (stalled || (isSmall && Share <= Falling * _shareBefore)) ? StopReason.Separable : null;
    }

    public SolverState AddTo(SolverState state) => state.Add("smallestMargin", _margins.Smallest).Add("largestMargin", _margins.Largest).Add("shareBefore", _shareBefore);

    public void Restore(SolverState state) =>
        (_margins, _shareBefore) = (new MarginChanges(state.Number("smallestMargin"), state.Number("largestMargin")), state.Number("shareBefore"));
}
