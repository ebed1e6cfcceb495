namespace SoftmaxCE;

/// <summary>
/// The observed information of softmax regression, Σ s (diag(p) − p pᵀ) ⊗ x xᵀ, of the coefficients that are determined: those of
/// classes 1 to C − 1 minus those of class 0. With L2 it is the penalised information, S · ∇²F with S the sum of the weights.
/// </summary>
internal static class InformationMatrix
{
    /// <summary>Throws where the matrix over all coefficients does not fit into an array.</summary>
    public static void RequireRoom(int classes, int width, string name)
    {
        long full = (long)classes * width;
        if (full * full > Array.MaxLength)
        {
            throw new ArgumentException($"There are {full} coefficients; their matrix would have {full * full} entries, and at most {Array.MaxLength} fit into an array.", name);
        }
    }

    /// <summary>The information at the objective's point, factored: [(C − 1) · width] parameters, class by class, in the coordinates of <see cref="StandardFeatures"/>.</summary>
    /// <param name="objective">Its own L2 is not used.</param>
    /// <param name="features">The coordinates.</param>
    /// <param name="l2">Weight of the penalty in the mean loss.</param>
    /// <param name="maxDegreeOfParallelism">Most threads.</param>
    public static ScaledCholesky At(SoftmaxRegressionObjective objective, StandardFeatures features, double l2, int maxDegreeOfParallelism)
    {
        int classes = objective.ClassCount, width = features.Width, full = classes * width, size = full - width;
        double[] hessian = new double[checked(full * full)], information = new double[size * size];
        objective.StandardHessian(features, hessian);
        double weightSum = objective.Examples.WeightSum;
        for (int i = 0; i < size; i++)
        {
            ReadOnlySpan<double> row = hessian.AsSpan(((i + width) * full) + width, size);
            for (int j = 0; j < size; j++) information[(i * size) + j] = weightSum * row[j];
        }

        if (l2 > 0) AddPenalty(information, features, classes, weightSum * l2);
        return new ScaledCholesky(information, size, maxDegreeOfParallelism);
    }

    /// <summary>
    /// ‖W‖² is smallest, over a shift common to all classes, at Σ (w_c − mean)²: in differences γ to class 0 that is γᵀ (I − 1 1ᵀ/C) γ for
    /// each feature.
    /// </summary>
    private static void AddPenalty(double[] information, StandardFeatures features, int classes, double penalty)
    {
        int width = features.Width, size = (classes - 1) * width;
        for (int j = 0; j < features.FeatureCount; j++)
        {
            double factor = penalty * features.InverseSquare(j);
            for (int c = 0; c < classes - 1; c++)
            {
                for (int k = 0; k < classes - 1; k++)
                {
                    information[(((c * width) + j) * size) + (k * width) + j] += factor * ((c == k ? 1.0 : 0) - (1.0 / classes));
                }
            }
        }
    }
}
