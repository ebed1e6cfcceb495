namespace SoftmaxCE;

/// <summary>Training as it stood after an iteration: the best model so far, and all that the solver knows, so that training can go on later as if it had not been interrupted, to the last bit.</summary>
/// <remarks>
/// Besides the point itself that is: for Newton the best point, the decrement and the scale of the first residual; for L-BFGS also its pairs of
/// vectors and the point its preconditioner was made at; for proximal Newton the best point and the decrement; for gradient descent velocity,
/// mean squares and the number of updates, from which the order of the rows follows; for a stream also its counters. Immutable.
/// </remarks>
public sealed class TrainingCheckpoint
{
    internal TrainingCheckpoint(SoftmaxRegressionModel model, Solver solver, SolverState state)
    {
        Model = model;
        Solver = solver;
        State = state;
    }

    /// <summary>The best model so far; its summary holds the history.</summary>
    public SoftmaxRegressionModel Model { get; }

    /// <summary>The solver at work.</summary>
    public Solver Solver { get; }

    /// <summary>Iterations made; epochs for gradient descent, updates for a stream.</summary>
    public long Iteration => (long)State.Number("iteration");

    internal SolverState State { get; }

    /// <summary>Saves the checkpoint. The file is that of <see cref="Model"/> with some more tensors: <see cref="SoftmaxRegressionModel.Load(string)"/> reads the model from it.</summary>
    /// <param name="path">The file; one of that name is replaced in one step, so that a crash leaves the old one whole.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) => CheckpointFile.Save(this, path);

    /// <inheritdoc cref="Save(string)"/>
    /// <param name="stream">Receives the file; it stays open.</param>
    public void Save(Stream stream) => CheckpointFile.Save(this, stream);

    /// <summary>Reads a checkpoint that was saved.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds no checkpoint; the message says what is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TrainingCheckpoint Load(string path) => CheckpointFile.Load(path);

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="stream">Read to its end, which must be the end of the file; it stays open.</param>
    public static TrainingCheckpoint Load(Stream stream) => CheckpointFile.Load(stream);
}
