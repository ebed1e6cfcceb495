using System.Globalization;

namespace SoftmaxCE;

/// <summary>Models for falling penalties, each trained from the one before; with cross-validation, also which penalty to take.</summary>
/// <remarks>The grid is that of glmnet: it begins with the smallest penalty at which all penalised coefficients are 0. Features are taken as given, not standardised.</remarks>
public sealed class RegularizationPath
{
    private RegularizationPath(IReadOnlyList<PathPoint> points, double nullDeviance, IReadOnlyList<int>? folds)
    {
        Points = points;
        NullDeviance = nullDeviance;
        Folds = folds;
        if (folds is null) return;
        Best = points.MinBy(point => point.Validation!.Deviance);
        double limit = Best!.Validation!.Deviance + Best.Validation.DevianceError;
        OneStandardError = points.First(point => point.Validation!.Deviance <= limit);
    }

    /// <summary>One model per penalty, the strongest first.</summary>
    public IReadOnlyList<PathPoint> Points { get; }

    /// <summary>Mean deviance of the model without features.</summary>
    public double NullDeviance { get; }

    /// <summary>Fold of every row; null without cross-validation.</summary>
    public IReadOnlyList<int>? Folds { get; }

    /// <summary>The point with the smallest deviance in cross-validation, the strongest penalty of equals; null without cross-validation.</summary>
    public PathPoint? Best { get; }

    /// <summary>The strongest penalty whose deviance is at most one standard error above that of <see cref="Best"/>: the simplest model that is not worse for certain. Null without cross-validation.</summary>
    public PathPoint? OneStandardError { get; }

    /// <summary>Trains the path on all rows.</summary>
    /// <param name="examples">Rows with labels or targets; every class needs a row of positive weight.</param>
    /// <param name="options">Null for the defaults: the lasso with 100 penalties.</param>
    /// <param name="progress">Is told of every model, on the calling thread.</param>
    /// <param name="cancellationToken">Ends training.</param>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static RegularizationPath Fit(
        TrainingExamples examples, RegularizationPathOptions? options = null, IProgress<PathProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new RegularizationPathOptions();
        Examples built = Checked(examples, options);
        PathPoint[] points = FitAll(examples, built, options, progress, cancellationToken, out double nullDeviance);
        return new RegularizationPath(points, nullDeviance, folds: null);
    }

    /// <summary>Trains the path on all rows, and once more without each fold, to measure the models on rows they have not seen.</summary>
    /// <remarks>The folds' rows are not copied: rows left out have weight 0 meanwhile. The result depends on seed and data alone.</remarks>
    /// <inheritdoc cref="Fit"/>
    public static RegularizationPath CrossValidate(
        TrainingExamples examples, RegularizationPathOptions? options = null, IProgress<PathProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new RegularizationPathOptions();
        Examples built = Checked(examples, options);
        int foldCount = options.FoldCount;
        int[] folds = options.Folds.IsEmpty
            ? SoftmaxCE.Folds.Stratified(built, foldCount, options.Training.Seed)
            : SoftmaxCE.Folds.Given(options.Folds.Span, built.RowCount, out foldCount);
        Examples[] trainingParts = new Examples[foldCount];
        for (int fold = 0; fold < foldCount; fold++)
        {
            trainingParts[fold] = built.WithWeights(SoftmaxCE.Folds.WeightsWithout(fold, folds, built.WeightArray));
            ExampleChecks.RequireEveryClass(trainingParts[fold], examples.ClassNames, nameof(examples), $"without the rows of fold {fold}, ");
        }

        PathPoint[] points = FitAll(examples, built, options, progress, cancellationToken, out double nullDeviance);
        HeldOutSums[] sums = new HeldOutSums[points.Length * foldCount];        // [penalties, folds]
        for (int fold = 0; fold < foldCount; fold++)
        {
            PathSolver solver = new(examples.Rows, trainingParts[fold], options, cancellationToken);
            for (int i = 0; i < points.Length; i++)
            {
                SoftmaxRegressionModel model = solver.Next(points[i].Penalty, examples.ClassNames);
                sums[(i * foldCount) + fold] = solver.HeldOut(folds, fold, built.WeightArray);
                progress?.Report(new PathProgress(fold, i, points.Length, points[i].Penalty, model.Training!));
            }
        }

        for (int i = 0; i < points.Length; i++) points[i] = points[i] with { Validation = PathValidation.Of(sums.AsSpan(i * foldCount, foldCount)) };
        return new RegularizationPath(points, nullDeviance, folds);
    }

    /// <summary>A table with a line per penalty.</summary>
    public override string ToString()
    {
        TextTable table = new();
        string[] head = ["penalty", "L1", "L2", "features", "deviance ratio"];
        table.Line(Folds is null ? head : [.. head, "deviance", "± error", "accuracy", "± error", ""]);
        foreach (PathPoint point in Points)
        {
            string[] cells =
            [
                Number(point.Penalty), Number(point.L1), Number(point.L2), point.FeatureCount.ToString(CultureInfo.InvariantCulture), TextTable.Score(point.DevianceRatio),
            ];
            if (point.Validation is { } validation)
            {
                string mark = point == Best ? "best" : point == OneStandardError ? "one error" : "";
                cells =
                [
                    .. cells, TextTable.Score(validation.Deviance), TextTable.Score(validation.DevianceError), TextTable.Score(validation.Accuracy),
                    TextTable.Score(validation.AccuracyError), mark,
                ];
            }

            table.Line(cells);
        }

        return table.ToString();
    }

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static Examples Checked(TrainingExamples examples, RegularizationPathOptions options)
    {
        ArgumentNullException.ThrowIfNull(examples);
        options.Validate();
        ExampleChecks.RequireFactors(options.Training.PenaltyFactors.Length, examples.Rows.FeatureCount, nameof(examples));
        Examples built = ExampleChecks.Build(examples, options.Training.ClassWeights.Span, start: null);
        ExampleChecks.RequireEveryClass(built, examples.ClassNames, examples.Targets.IsEmpty ? "labels" : "targets");
        return built;
    }

    private static PathPoint[] FitAll(
        TrainingExamples examples, Examples built, RegularizationPathOptions options, IProgress<PathProgress>? progress, CancellationToken cancellationToken, out double nullDeviance)
    {
        PathSolver solver = new(examples.Rows, built, options, cancellationToken);
        double entropy = built.MeanTargetEntropy();
        nullDeviance = 2 * (solver.NullLoss - entropy);
        double[] penalties = Grid(options, solver, examples.Rows);
        List<PathPoint> points = [];
        for (int i = 0; i < penalties.Length; i++)
        {
            double penalty = penalties[i], l1 = penalty * options.Mixing, l2 = penalty * (1 - options.Mixing);
            SoftmaxRegressionModel model = solver.Next(penalty, examples.ClassNames);
            double deviance = 2 * (model.Training!.Objective - PenaltyOf(model, l1, l2, options) - entropy), ratio = 1 - (deviance / nullDeviance);
            points.Add(new PathPoint
            {
                Penalty = penalty, L1 = l1, L2 = l2, Model = model, FeatureCount = CountFeatures(model), Deviance = deviance, DevianceRatio = ratio,
            });
            progress?.Report(new PathProgress(-1, i, penalties.Length, penalty, model.Training));
            if (options.Penalties.IsEmpty && ratio >= options.LargestDevianceRatio) break;
        }

        return [.. points];
    }

    private static double[] Grid(RegularizationPathOptions options, PathSolver solver, FeatureRows rows)
    {
        if (!options.Penalties.IsEmpty) return options.Penalties.ToArray();
        double largest = solver.LargestPenalty();
        if (!(largest > 0)) throw new ArgumentException("No penalised feature has anything to do with the classes, so there is no largest penalty: give Penalties.", nameof(options));
        double fraction = options.SmallestFraction ?? (rows.RowCount < rows.FeatureCount ? 0.01 : 1e-4);
        double[] penalties = new double[options.PenaltyCount];
        for (int i = 0; i < penalties.Length; i++)
        {
            penalties[i] = penalties.Length == 1 ? largest : largest * Math.Pow(fraction, i / (penalties.Length - 1.0));
        }

        return penalties;
    }

    private static double PenaltyOf(SoftmaxRegressionModel model, double l1, double l2, RegularizationPathOptions options)
    {
        Penalty penalty = new(l1, l2, options.Training.PenaltyFactors.Span, model.FeatureCount);
        ReadOnlySpan<double> w = model.Coefficients.Span;
        return (penalty.L2Product(w, w) / 2) + penalty.L1Term(w, w, 0);
    }

    private static int CountFeatures(SoftmaxRegressionModel model)
    {
        bool[] used = new bool[model.FeatureCount];
        ReadOnlySpan<double> w = model.Coefficients.Span;
        for (int i = 0; i < w.Length; i++) used[i % used.Length] |= w[i] != 0;
        return used.Count(isUsed => isUsed);
    }
}
