namespace SoftmaxCE;

/// <summary>Numbers of each row of a batch with labels, as doubles: what the loops over the classes leave, and what becomes of it.</summary>
internal readonly unsafe struct LabelNumbers(double* numbers, int rows)
{
    /// <summary>Arrays of one number per row; behind them lies one number per lane.</summary>
    public const int Arrays = 4;

    public int Rows { get; } = rows;

    /// <summary>Σ e^(x − max) without the label, and the label's own, in units of <see cref="FactoredExp.OfMaximum{T}"/>.</summary>
    public double* Others => numbers;

    public double* AtLabel => numbers + Rows;

    /// <summary>(x − max)/temperature of the label.</summary>
    public double* Differences => numbers + (2 * Rows);

    /// <summary>Weights of the rows' losses; 0 where the row does not count.</summary>
    public double* Weights => numbers + (3 * Rows);

    /// <summary>Scratch, one per lane.</summary>
    public double* Lost => numbers + (Arrays * Rows);

    /// <summary>The labels' gradients, in place of the inputs.</summary>
    public double* LabelGradients => Others;

    /// <summary>Row losses to the caller and, to <paramref name="factors"/>, what exponentials are multiplied by, raised by <see cref="FactoredExp.Raise{T}"/>; returns the sum of the losses.</summary>
    public double Finish<T>(in CrossEntropyTask<T> task, int first, int count, T* factors)
        where T : unmanaged
    {
        LabelFinishKernel<T> kernel = new()
        {
            Others = Others,
            AtLabel = AtLabel,
            Differences = Differences,
            Weights = Weights,
            Count = Rows,
            OfMaximum = FactoredExp.OfMaximum<T>(),
            Nothing = FactoredExp.Nothing<T>(task.ClassCount),
            GradientScale = task.GradientScale / task.Temperature,
            FactorScale = FactoredExp.Raise<T>(),
            Losses = Differences,
            Factors = AtLabel,
            LabelGradients = LabelGradients,
        };
        VectorWidth.Run<LabelFinishKernel<T>, double>(ref kernel);
        Conversion.ToElements(AtLabel, factors, Rows);
        if (task.RowLosses != null) Conversion.ToElements(Differences, task.RowLosses + first, count);
        return kernel.TotalLoss;
    }
}
