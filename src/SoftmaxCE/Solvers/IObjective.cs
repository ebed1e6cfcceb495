namespace SoftmaxCE;

/// <summary>
/// The smooth part of an objective of softmax regression, F(W, b) = mean loss + L2/2 Σ f W², as solvers see it, f the factor of the feature. Every member is a plain
/// sum over rows, so rows may lie in memory, in files or on other machines.
/// </summary>
/// <remarks>
/// A point, a direction and a gradient are flat: coefficients [classes, features] row-major, then, if there are any, the intercepts.
/// The objective remembers the logits of the last evaluated point, of the last direction multiplied, and of a line through the point,
/// so that a search along the line reads no features. Calls are not thread-safe.
/// </remarks>
public interface IObjective
{
    /// <summary>Number of classes C.</summary>
    int ClassCount { get; }

    /// <summary>Number of features d.</summary>
    int FeatureCount { get; }

    /// <summary>Number of rows.</summary>
    int RowCount { get; }

    /// <summary>Whether points end with C intercepts.</summary>
    bool HasIntercepts { get; }

    /// <summary>Weight of ½ Σ f W².</summary>
    double L2 { get; }

    /// <summary>f, one per feature, each ≥ 0; empty for all 1. They multiply L1 too.</summary>
    ReadOnlyMemory<double> PenaltyFactors { get; }

    /// <summary>Offset logits o: weighted mean over the rows of the largest minus the smallest entry of o; 0 without offsets.</summary>
    double MeanOffsetRange { get; }

    /// <summary>The share of the features of a row that is stored, the others being 0: 1 for dense rows.</summary>
    double Density => 1;

    /// <summary>Times that all rows have been read.</summary>
    double PassesOverData { get; }

    /// <summary>Value and gradient at a point, which becomes the point that all other members speak of.</summary>
    /// <param name="point">Where.</param>
    /// <param name="gradient">∇F, overwritten.</param>
    /// <param name="precise">Whether to work in double throughout; otherwise rows of floats may be multiplied in float.</param>
    /// <returns>F.</returns>
    double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, bool precise);

    /// <summary>As <see cref="Evaluate"/>, in double, with logits W x + b alone.</summary>
    double EvaluateWithoutOffsets(ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>∇²F · direction at the point.</summary>
    /// <param name="direction">As long as a point.</param>
    /// <param name="product">Overwritten.</param>
    /// <param name="precise">Whether to work in double throughout; otherwise rows of floats may be multiplied in float.</param>
    void MultiplyHessian(ReadOnlySpan<double> direction, Span<double> product, bool precise = false);

    /// <summary>The diagonal of the Hessian of the mean loss at the point, where one pass over sparse rows makes it; to float accuracy, and with a column that comes twice in a row taken for two.</summary>
    /// <param name="diagonal">One per coefficient, overwritten.</param>
    /// <returns>Whether it was made.</returns>
    bool HessianDiagonal(Span<double> diagonal) => false;

    /// <summary>Makes the line through the point run along a direction of zero length, to be extended.</summary>
    void StartLine();

    /// <summary>
    /// Adds factor · (the last direction given to <see cref="MultiplyHessian"/>) to the direction of the line; reads no features. A direction that
    /// has been added is forgotten when that line ends, because another one starts.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no such direction.</exception>
    void ExtendLine(double factor);

    /// <summary>Makes the line through the point run along <paramref name="direction"/>.</summary>
    void StartLine(ReadOnlySpan<double> direction);

    /// <summary>Mean loss, without penalty, and its first two derivatives at point + position · direction of the line; reads no features.</summary>
    LineValue EvaluateLine(double position);

    /// <summary>
    /// Minimises the mean loss over the intercepts alone, at point + position · direction of the line; reads no features. The last direction
    /// given to <see cref="MultiplyHessian"/> is forgotten.
    /// </summary>
    /// <param name="position">Where on the line.</param>
    /// <param name="accuracy">Largest derivative that may be left.</param>
    /// <param name="shifts">C values to add to the intercepts there, overwritten.</param>
    void SolveIntercepts(double position, double accuracy, Span<double> shifts);

    /// <summary>What the gap needs of the point: mean entropy of the probabilities when each row's residual is shortened.</summary>
    /// <param name="factor">t in [0, 1]: probabilities q = y + t (p − y), y the one-hot label or the target distribution.</param>
    /// <returns>Weighted mean of −Σ q ln q over the rows, with offset logits o of −Σ q ln q + (q − y) · o.</returns>
    double MeanEntropy(double factor);

    /// <summary>Smallest difference, over the rows of positive weight, between the label's logit at the point and the largest other logit; some value ≤ 0 if there is one. −∞ if a row has a target distribution instead of a label.</summary>
    double SmallestMargin();

    /// <summary>
    /// How margins change along the line: over the rows of positive weight, and in each between every class of positive target and every
    /// other class, the smallest and the largest change of the difference of their logits per unit of the line. Reads no features.
    /// </summary>
    /// <remarks>When the smallest is at least 0 and the largest is not 0, the mean loss falls for ever along the line.</remarks>
    MarginChanges LineMargins();

    /// <summary>Weighted mean and variance of every feature.</summary>
    void FeatureMoments(Span<double> means, Span<double> variances);

    /// <summary>Weighted share of every class in the labels.</summary>
    void ClassShares(Span<double> shares);

    /// <summary>Mean over a fixed sample of rows of x (xᵀ v), for each of several vectors v: the products of a range finder.</summary>
    /// <param name="vectors">[count, features].</param>
    /// <param name="count">Number of vectors.</param>
    /// <param name="products">[count, features], overwritten.</param>
    void MultiplyGram(ReadOnlySpan<double> vectors, int count, Span<double> products);

    /// <summary>Keeps basis · x − origin of every sampled row, for <see cref="SubspaceHessian"/>.</summary>
    /// <param name="basis">[rank, features].</param>
    /// <param name="origin">rank values.</param>
    /// <param name="withConstant">Whether a constant 1, the feature of the intercepts, stands behind the projections.</param>
    void ProjectSample(ReadOnlySpan<double> basis, ReadOnlySpan<double> origin, bool withConstant);

    /// <summary>
    /// The Hessian of the mean loss, at the point and over the sampled rows, for models that see the projected rows: [C · k, C · k] with
    /// k = rank, + 1 with the constant, class by class.
    /// </summary>
    /// <param name="hessian">Overwritten; good to about 1e-6 of its largest entry where a sample stands for the rows.</param>
    void SubspaceHessian(Span<double> hessian);

    /// <summary>The Hessian of the mean loss at the point, for some of the parameters. Where all rows would take too much room, a fixed sample of rows stands for them.</summary>
    /// <param name="parameters">Indices into a point, rising: coefficients, then intercepts.</param>
    /// <param name="origin">Is subtracted from every row of features first, so that a feature far from 0 keeps its digits; [features], or empty for 0.</param>
    /// <param name="hessian">[count, count], overwritten.</param>
    void PartialHessian(ReadOnlySpan<int> parameters, ReadOnlySpan<double> origin, double[] hessian);

    /// <summary>Whether <see cref="SubspaceHessian"/> is over all rows and in double, rather than in float or over a sample.</summary>
    bool SubspaceHessianIsExact { get; }

    /// <summary>
    /// About how many Hessian products cost as much as <see cref="SubspaceHessian"/> and factoring what it returns: an old one serves as
    /// preconditioner until it has cost that many.
    /// </summary>
    double SubspaceHessianCost { get; }

    /// <summary>Weighted mean of p (1 − p) for every class at the point.</summary>
    void ClassCurvatures(Span<double> curvatures);
}

/// <summary>An objective whose gradient can also be taken over a few rows at a time, as stochastic gradient descent does.</summary>
public interface IBatchObjective : IObjective
{
    /// <summary>
    /// target ← scale · target + factor · g, where g is the gradient at <paramref name="point"/> of Σ s_i loss_i over the batch, divided
    /// by the batch's size times the mean weight of all rows. No penalty is included.
    /// </summary>
    /// <param name="batch">Rows.</param>
    /// <param name="point">Where.</param>
    /// <param name="factor">Multiplies the gradient.</param>
    /// <param name="target">May be the memory of <paramref name="point"/>.</param>
    /// <param name="coefficientScale">Multiplies the target's coefficients first.</param>
    /// <param name="interceptScale">Multiplies the target's intercepts first.</param>
    void AddBatchGradient(ReadOnlySpan<int> batch, ReadOnlySpan<double> point, double factor, Span<double> target, double coefficientScale, double interceptScale);
}

/// <summary>Changes of margins along a line.</summary>
/// <param name="Smallest">The smallest of all.</param>
/// <param name="Largest">The largest of all.</param>
public readonly record struct MarginChanges(double Smallest, double Largest);

/// <summary>A function and its first two derivatives at a place on a line.</summary>
/// <param name="Value">φ.</param>
/// <param name="Slope">φ′.</param>
/// <param name="Curvature">φ″.</param>
public readonly record struct LineValue(double Value, double Slope, double Curvature);
