namespace SoftmaxCE;

/// <summary>Finds out whether classes are separated, so that softmax regression without a penalty has no finite coefficients.</summary>
/// <remarks>
/// With separation, train with <see cref="SoftmaxRegressionOptions.L2"/> &gt; 0 or with <see cref="BiasReduction.Firth"/>. Separation is a
/// property of the rows of positive weight; the sizes of the weights do not matter. The outcome is exact up to the stated tolerance: either a
/// direction is shown along which the likelihood rises for ever, or a proof (Stiemke's lemma) that there is none. Meant for tables of some
/// thousand rows and some hundred coefficients: it makes matrices over all coefficients, some ten times.
/// </remarks>
public static class SeparationCheck
{
    /// <summary>A margin counts as 0, and a column as a combination of others, up to this fraction of the terms it is the sum of (features centred and scaled).</summary>
    public const double Tolerance = SeparationSearch.Tolerance;

    /// <summary>Looks for separation.</summary>
    /// <param name="rows">Features, all finite; at least one row.</param>
    /// <param name="labels">One label per row; every class up to the largest needs a row of positive weight.</param>
    /// <param name="sampleWeights">One weight ≥ 0 per row; rows of weight 0 are left out. Empty: all rows count.</param>
    /// <param name="fitIntercepts">Whether the model has intercepts. Default true.</param>
    /// <param name="maxDegreeOfParallelism">Most threads, −1 for all; the result does not depend on it.</param>
    /// <exception cref="ArgumentException">Something does not fit, is empty or not finite, or there are too many coefficients for one matrix; the message names row and column or class.</exception>
    public static Separation Find(
        FeatureRows rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> sampleWeights = default, bool fitIntercepts = true, int maxDegreeOfParallelism = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Argument.Parallelism(maxDegreeOfParallelism);
        if (rows.RowCount == 0) throw new ArgumentException("Needs at least one row but is empty.", nameof(rows));
        Argument.SameLength(rows.RowCount, labels.Length, nameof(labels));
        EvaluationRows.RequireWeights(sampleWeights, labels.Length);
        SoftmaxRegressionOptions options = new()
        {
            L2 = 0, FitIntercepts = fitIntercepts, MaxDegreeOfParallelism = maxDegreeOfParallelism < 0 ? Environment.ProcessorCount : maxDegreeOfParallelism,
        };
        TrainingExamples given = TrainingExamples.FromLabels(rows, labels.ToArray()) with { SampleWeights = sampleWeights.ToArray() };
        Examples examples = ExampleChecks.Build(given, [], start: null);
        ExampleChecks.RequireEveryClass(examples, classNames: null, nameof(labels));
        InformationMatrix.RequireRoom(examples.ClassCount, rows.FeatureCount + (fitIntercepts ? 1 : 0), nameof(rows));
        SoftmaxRegressionObjective objective = new(rows, examples, options);
        StandardFeatures features = new(objective);
        SeparationProblem problem = new(objective, features, options.MaxDegreeOfParallelism);
        return Report(problem, features, SeparationSearch.Run(problem));
    }

    private static Separation Report(SeparationProblem problem, StandardFeatures features, SeparationResult result)
    {
        if (result.Direction is null) return new Separation(result.Kind, [], [], [], []);
        int classes = problem.ClassCount, count = features.FeatureCount, width = features.Width;
        double[] standard = problem.ToStandard(result.Direction), direction = new double[classes * count], intercepts = new double[classes];
        double[] interceptSizes = new double[classes];          // of the terms that the intercept is the sum of
        for (int c = 0; c < classes; c++)
        {
            Span<double> parameters = standard.AsSpan(c * width, width);
            double before = features.HasIntercepts ? parameters[count] : 0;
            features.Restore(parameters);
            parameters[..count].CopyTo(direction.AsSpan(c * count));
            if (!features.HasIntercepts) continue;
            intercepts[c] = parameters[count];
            interceptSizes[c] = Math.Abs(before) + Math.Abs(intercepts[c] - before);
        }

        List<InfiniteCoefficient> infinite = [];
        double largest = 0;
        for (int i = 0; i < direction.Length; i++) largest = Math.Max(largest, Math.Abs(direction[i]) * features.Deviation(i % count));
        for (int j = 0; j < count; j++)
        {
            double resolution = Tolerance * largest / features.Deviation(j);
            TakeOffTheCommonValue(direction.AsSpan(), j, count, classes, resolution);
        }

        TakeOffTheCommonValue(intercepts, 0, 1, classes, Tolerance * Math.Max(interceptSizes.Max(), largest));
        for (int c = 0; c < classes; c++)
        {
            if (intercepts[c] != 0) infinite.Add(new InfiniteCoefficient(c, null, intercepts[c]));
            for (int j = 0; j < count; j++)
            {
                if (direction[(c * count) + j] != 0) infinite.Add(new InfiniteCoefficient(c, j, direction[(c * count) + j]));
            }
        }

        return new Separation(result.Kind, direction, intercepts, ClassPairs(problem, result.Pairs), infinite);
    }

    /// <summary>Subtracts from one column the value that the most classes share, the first of equals, and makes what is equal to it 0.</summary>
    private static void TakeOffTheCommonValue(Span<double> values, int first, int stride, int classes, double resolution)
    {
        double common = values[first];
        int most = 0;
        for (int c = 0; c < classes; c++)
        {
            double candidate = values[first + (c * stride)];
            int sharing = 0;
            for (int k = 0; k < classes; k++)
            {
                if (Math.Abs(values[first + (k * stride)] - candidate) <= resolution) sharing++;
            }

            if (sharing <= most) continue;
            most = sharing;
            common = candidate;
        }

        for (int c = 0; c < classes; c++)
        {
            double difference = values[first + (c * stride)] - common;
            values[first + (c * stride)] = Math.Abs(difference) <= resolution ? 0 : difference;
        }
    }

    private static List<SeparatedClasses> ClassPairs(SeparationProblem problem, bool[] pairs)
    {
        int classes = problem.ClassCount;
        int[] sizes = new int[classes], separated = new int[classes * classes];
        for (int i = 0; i < problem.RowCount; i++)
        {
            int label = problem.Labels[i];
            sizes[label]++;
            for (int c = 0; c < classes; c++)
            {
                if (pairs[(i * classes) + c]) separated[(Math.Min(label, c) * classes) + Math.Max(label, c)]++;
            }
        }

        List<SeparatedClasses> found = [];
        for (int a = 0; a < classes; a++)
        {
            for (int b = a + 1; b < classes; b++)
            {
                int rows = separated[(a * classes) + b];
                if (rows > 0) found.Add(new SeparatedClasses(a, b, rows, sizes[a] + sizes[b]));
            }
        }

        return found;
    }
}
