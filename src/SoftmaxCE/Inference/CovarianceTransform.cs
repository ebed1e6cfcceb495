namespace SoftmaxCE;

/// <summary>
/// From the covariance of differences to class 0 in standard coordinates to that of the reported estimates: V → (D ⊗ T) V (D ⊗ T)ᵀ, where T
/// restores the features as they are (intercept first) and D compares classes.
/// </summary>
internal sealed class CovarianceTransform
{
    private readonly StandardFeatures _features;
    private readonly double[] _contrasts;       // D, [reported classes, C − 1]
    private readonly int _differences;          // C − 1
    private readonly int _reported;

    /// <param name="features">The coordinates.</param>
    /// <param name="classCount">C.</param>
    /// <param name="reference">The class that is not reported, or null: all are, minus their mean.</param>
    public CovarianceTransform(StandardFeatures features, int classCount, int? reference)
    {
        _features = features;
        _differences = classCount - 1;
        int[] labels = [.. Enumerable.Range(0, classCount).Where(label => label != reference)];
        _reported = labels.Length;
        _contrasts = new double[_reported * _differences];
        for (int r = 0; r < _reported; r++)
        {
            Span<double> row = _contrasts.AsSpan(r * _differences, _differences);
            if (reference is null) row.Fill(-1.0 / classCount);
            else if (reference > 0) row[reference.Value - 1] = -1;
            if (labels[r] > 0) row[labels[r] - 1] += 1;
        }
    }

    /// <summary>[(C − 1) · width]² in, [reported classes · width]² out, symmetric.</summary>
    public double[] Apply(double[] covariance)
    {
        int before = _differences * _features.Width, after = _reported * _features.Width;
        double[] half = TransformColumns(covariance, before, before, after);        // V (D ⊗ T)ᵀ
        double[] turned = Transpose(half, before, after);
        double[] result = TransformColumns(turned, after, before, after);
        for (int i = 0; i < after; i++)
        {
            for (int j = 0; j < i; j++) result[(i * after) + j] = result[(j * after) + i];
        }

        return result;
    }

    /// <summary>Each row, a vector of parameters, becomes one of estimates.</summary>
    private double[] TransformColumns(double[] matrix, int rows, int before, int after)
    {
        int width = _features.Width, last = width - 1;
        double[] result = new double[checked(rows * after)], restored = new double[before];
        for (int i = 0; i < rows; i++)
        {
            matrix.AsSpan(i * before, before).CopyTo(restored);
            for (int c = 0; c < _differences; c++)
            {
                Span<double> parameters = restored.AsSpan(c * width, width);
                _features.Restore(parameters);
                if (!_features.HasIntercepts) continue;
                double intercept = parameters[last];
                parameters[..last].CopyTo(parameters[1..]);
                parameters[0] = intercept;
            }

            for (int r = 0; r < _reported; r++)
            {
                Span<double> target = result.AsSpan((i * after) + (r * width), width);
                for (int c = 0; c < _differences; c++)
                {
                    double factor = _contrasts[(r * _differences) + c];
                    if (factor != 0) DoubleVectors.AddScaled(restored.AsSpan(c * width, width), factor, target);
                }
            }
        }

        return result;
    }

    private static double[] Transpose(double[] matrix, int rows, int columns)
    {
        double[] result = new double[matrix.Length];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) result[(j * rows) + i] = matrix[(i * columns) + j];
        }

        return result;
    }
}
