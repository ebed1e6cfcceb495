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

    /// <summary>Without penalty and with classes that a linear model separates perfectly there is no optimum: the loss falls towards 0 as the coefficients grow.</summary>
    Separable,

    /// <summary>Canceled by the caller, who asked to keep the model trained so far.</summary>
    Canceled,
}
