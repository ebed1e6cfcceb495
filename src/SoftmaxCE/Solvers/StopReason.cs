namespace SoftmaxCE;

/// <summary>Why training ended. Only <see cref="Tolerance"/> means that the stated accuracy was reached.</summary>
public enum StopReason
{
    /// <summary>The gap (without L2: the Newton decrement) fell below tolerance · objective.</summary>
    Tolerance,

    /// <summary>The iteration or epoch limit was reached first.</summary>
    IterationLimit,

    /// <summary>The time limit was reached first.</summary>
    TimeLimit,

    /// <summary>No step lowers the objective any more: the limit of the arithmetic.</summary>
    NoFurtherProgress,

    /// <summary>
    /// Without penalty there is no optimum where a linear model separates classes: the loss falls for ever as the coefficients grow. Complete
    /// separation is always noticed; quasi-complete separation, where some rows stay between the classes, up to 500 coefficients and 10⁹ for rows
    /// times the square of that (GradientDescent looks for neither). <see cref="SeparationCheck.Find"/> names classes and columns;
    /// <see cref="BiasReduction.Firth"/> or L2 &gt; 0 is the way out.
    /// </summary>
    Separable,

    /// <summary>Canceled by the caller, who asked to keep the model trained so far.</summary>
    Canceled,
}
