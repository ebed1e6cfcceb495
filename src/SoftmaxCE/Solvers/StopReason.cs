namespace SoftmaxCE;

/// <summary>Why training ended. Only <see cref="Tolerance"/> means that the stated accuracy was reached.</summary>
public enum StopReason
{
    /// <summary>The gap (where more than some hundred coefficients have no penalty, so that there is none: half the squared Newton decrement) fell below tolerance · objective.</summary>
    Tolerance,

    /// <summary>The iteration or epoch limit was reached first.</summary>
    IterationLimit,

    /// <summary>The time limit was reached first.</summary>
    TimeLimit,

    /// <summary>No step lowers the objective any more: the limit of the arithmetic.</summary>
    NoFurtherProgress,

    /// <summary>
    /// There is no optimum: where coefficients have no penalty, and some direction of them lets no row's margin shrink and some grow, the loss
    /// falls for ever as they grow. Either a linear model separates all classes perfectly, or some feature tells some rows for certain. Without any
    /// penalty, fits of up to 500 coefficients and 10⁹ for rows times the square of that are checked exactly; larger ones, and features of penalty
    /// factor 0, by the way the loss falls (GradientDescent does not look). <see cref="SeparationCheck.Find"/> names classes and columns;
    /// <see cref="BiasReduction.Firth"/> or L2 &gt; 0 is the way out.
    /// </summary>
    Separable,

    /// <summary>Canceled by the caller, who asked to keep the model trained so far.</summary>
    Canceled,
}
