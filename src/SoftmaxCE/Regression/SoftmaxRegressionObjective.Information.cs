namespace SoftmaxCE;

/// <content>The Hessian over all parameters and all rows, for statistics.</content>
internal sealed partial class SoftmaxRegressionObjective
{
    // Values of rows that are made ready at a time: 32 MB.
    private const int PieceValues = 4 << 20;

    /// <summary>Labels and weights of the rows.</summary>
    public Examples Examples => _examples;

    /// <summary>Probabilities of some rows at the point.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="destination">[rows, classes], overwritten.</param>
    public unsafe void CopyProbabilities(int first, Span<double> destination)
    {
        _logits.AsSpan(first * ClassCount, destination.Length).CopyTo(destination);
        fixed (double* p = destination)
        {
            ProbabilityRows kernel = new() { Logits = p, RowCount = destination.Length / ClassCount, ClassCount = ClassCount };
            VectorWidth.Run<ProbabilityRows, double>(ref kernel);
        }
    }

    /// <summary>The Hessian of the mean loss at the point, in double over all rows, [C · width, C · width] class by class.</summary>
    /// <param name="features">The coordinates.</param>
    /// <param name="hessian">Overwritten.</param>
    public void StandardHessian(StandardFeatures features, Span<double> hessian)
    {
        int width = features.Width, pieceRows = Math.Clamp(PieceValues / width, 1, Math.Max(_rows.RowCount, 1));
        double[] piece = new double[hessian.Length];
        hessian.Clear();
        for (int first = 0; first < _rows.RowCount; first += pieceRows)
        {
            int length = Math.Min(pieceRows, _rows.RowCount - first);
            double[]? weights = _examples.WeightArray?[first..(first + length)];
            double share = (weights?.Sum() ?? length) / _examples.WeightSum;
            if (share == 0) continue;
            int[] rows = [.. Enumerable.Range(first, length)];
            new CoupledHessian<double>(StandardRows(features, first, length), width, rows, weights)
                .Compute(_logits, areLogits: true, ClassCount, _precise.MaxDegreeOfParallelism, piece);
            DoubleVectors.AddScaled(piece, share, hessian);
        }

        _passes++;
    }

    /// <summary>Some rows in the given coordinates, [length, width].</summary>
    public double[] StandardRows(StandardFeatures features, int first, int length)
    {
        int width = features.Width;
        double[] values = PinnedMemory.Allocate<double>(checked(length * width));
        for (int i = 0; i < length; i++)
        {
            Span<double> row = values.AsSpan(i * width, width);
            _rows.CopyRow(first + i, row[..FeatureCount]);
            features.Standardise(row);
        }

        return values;
    }
}
