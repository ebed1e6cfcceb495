namespace SoftmaxCE;

/// <summary>
/// The rows of positive weight as the search for separation sees them: standard features without the columns that depend on earlier ones,
/// and for each row i and class c ≠ label the vector a_ic with a_ic · D = (D_label − D_c) · x_i, the margin of a direction D. A direction is
/// [C − 1, rank]: classes 1, 2, … against class 0.
/// </summary>
internal sealed unsafe class SeparationProblem
{
    // A column whose part that earlier columns do not explain is this small, in variance, depends on them.
    private const double SmallestPivot = 1e-12;

    private readonly SoftmaxRegressionObjective _objective;
    private readonly StandardFeatures _features;
    private readonly int _threads;
    private readonly int[] _places;             // the independent columns, as places in a standard row
    private readonly double[] _rows;            // [rows, rank]
    private readonly CoupledHessian<double> _hessian;

    public SeparationProblem(SoftmaxRegressionObjective objective, StandardFeatures features, int maxDegreeOfParallelism)
    {
        _objective = objective;
        _features = features;
        _threads = maxDegreeOfParallelism;
        ClassCount = objective.ClassCount;
        RowOf = RowsOfPositiveWeight(objective.Examples);
        Labels = [.. RowOf.Select(row => objective.Examples.Labels[row])];
        _places = IndependentPlaces();
        _rows = PinnedMemory.Allocate<double>(checked(RowOf.Length * Rank));
        ForEachRow((i, piece, start) =>
        {
            for (int k = 0; k < Rank; k++) _rows[(i * Rank) + k] = piece[start + _places[k]];
        });
        _hessian = new CoupledHessian<double>(_rows, Math.Max(Rank, 1), null, null);
    }

    /// <summary>Which of the caller's rows they are.</summary>
    public int[] RowOf { get; }

    public int[] Labels { get; }

    public int RowCount => RowOf.Length;

    public int ClassCount { get; }

    /// <summary>Independent columns.</summary>
    public int Rank => _places.Length;

    /// <summary>Length of a direction.</summary>
    public int Size => (ClassCount - 1) * Rank;

    /// <summary>Whether no column depends on the others, so that a model's point is a direction.</summary>
    public bool HasFullRank => Rank == _features.Width;

    /// <summary>[rows, classes], for logits and the like.</summary>
    public double[] NewTable() => PinnedMemory.Allocate<double>(checked(RowCount * ClassCount));

    /// <summary>x · D for each row and class, 0 for class 0.</summary>
    public void Logits(ReadOnlySpan<double> direction, double[] logits)
    {
        double[] vectors = PinnedMemory.Allocate<double>(ClassCount * Rank), zeros = PinnedMemory.Allocate<double>(ClassCount);
        Array.Clear(vectors);
        Array.Clear(zeros);
        direction.CopyTo(vectors.AsSpan(Rank));
        RowProducts<double>.Run(
            PinnedMemory.Pointer(_rows), RowCount, Rank, PinnedMemory.Pointer(vectors), ClassCount, PinnedMemory.Pointer(zeros), PinnedMemory.Pointer(logits));
    }

    /// <summary>Softmax over each row's label and its pairs in the set; 0 elsewhere.</summary>
    /// <returns>The mean loss.</returns>
    public double Probabilities(double[] logits, bool[] pairs, double[] probabilities)
    {
        double total = 0;
        for (int i = 0; i < RowCount; i++)
        {
            int first = i * ClassCount, own = first + Labels[i];
            double max = logits[own], others = 0;
            for (int k = first; k < first + ClassCount; k++)
            {
                if (pairs[k]) max = Math.Max(max, logits[k]);
            }

            for (int k = first; k < first + ClassCount; k++)
            {
                probabilities[k] = pairs[k] ? Math.Exp(logits[k] - max) : 0;
                others += probabilities[k];
            }

            double label = Math.Exp(logits[own] - max), sum = label + others;
            probabilities[own] = label;
            for (int k = first; k < first + ClassCount; k++) probabilities[k] /= sum;
            total += label == 1 ? double.LogP1(others) : Math.Log(sum) + max - logits[own];
        }

        return total / RowCount;
    }

    /// <summary>Σ over the pairs of values[i, c] · (−a_ic), by the number of rows: the gradient when the values are probabilities.</summary>
    public double[] Gradient(double[] values)
    {
        double[] residuals = NewTable(), sums = PinnedMemory.Allocate<double>(ClassCount * Rank);
        Array.Clear(sums);
        for (int i = 0; i < RowCount; i++)
        {
            int first = i * ClassCount, own = first + Labels[i];
            double others = 0;
            for (int k = first; k < first + ClassCount; k++)
            {
                residuals[k] = values[k];
                if (k != own) others += values[k];
            }

            residuals[own] = -others;
        }

        OuterProducts<double>.Add(PinnedMemory.Pointer(residuals), ClassCount, PinnedMemory.Pointer(_rows), RowCount, Rank, PinnedMemory.Pointer(sums));
        double[] gradient = sums[Rank..];
        for (int i = 0; i < gradient.Length; i++) gradient[i] /= RowCount;
        return gradient;
    }

    /// <summary>Mean of (diag(p) − p pᵀ) ⊗ x xᵀ without class 0, [size, size].</summary>
    public double[] Hessian(double[] probabilities)
    {
        int full = ClassCount * Rank, size = Size;
        double[] all = new double[checked(full * full)], hessian = new double[size * size];
        _hessian.Compute(probabilities, areLogits: false, ClassCount, _threads, all);
        for (int i = 0; i < size; i++) all.AsSpan(((i + Rank) * full) + Rank, size).CopyTo(hessian.AsSpan(i * size));
        return hessian;
    }

    /// <summary>Squared length of the features of a row.</summary>
    public double SquaredLength(int row)
    {
        ReadOnlySpan<double> x = _rows.AsSpan(row * Rank, Rank);
        return DoubleVectors.Dot(x, x);
    }

    /// <summary>A point of the objective as a direction; only with <see cref="HasFullRank"/>.</summary>
    public double[] DirectionOf(ReadOnlySpan<double> point)
    {
        int count = _features.FeatureCount, width = _features.Width;
        double[] direction = new double[Size];
        for (int c = 1; c < ClassCount; c++)
        {
            double[] standard = new double[width];
            for (int j = 0; j < count; j++) standard[j] = point[(c * count) + j] - point[j];
            if (_features.HasIntercepts) standard[count] = point[(ClassCount * count) + c] - point[ClassCount * count];
            _features.StandardiseParameters(standard);
            for (int k = 0; k < Rank; k++) direction[((c - 1) * Rank) + k] = standard[_places[k]];
        }

        return direction;
    }

    /// <summary>A direction in standard features with all columns, class by class, [classes, width]; class 0 is 0.</summary>
    public double[] ToStandard(ReadOnlySpan<double> direction)
    {
        double[] standard = new double[ClassCount * _features.Width];
        for (int c = 1; c < ClassCount; c++)
        {
            for (int k = 0; k < Rank; k++) standard[(c * _features.Width) + _places[k]] = direction[((c - 1) * Rank) + k];
        }

        return standard;
    }

    private static int[] RowsOfPositiveWeight(Examples examples) =>
        [.. Enumerable.Range(0, examples.RowCount).Where(row => examples.WeightArray is null || examples.WeightArray[row] > 0)];

    /// <summary>body(index, piece, start): the row's standard features are in the piece from start on.</summary>
    private void ForEachRow(Action<int, double[], int> body)
    {
        const int PieceRows = 256;
        double[] piece = [];
        int pieceStart = 0;
        for (int i = 0; i < RowOf.Length; i++)
        {
            if (RowOf[i] - pieceStart >= PieceRows || i == 0)
            {
                pieceStart = RowOf[i];
                piece = _objective.StandardRows(_features, pieceStart, Math.Min(PieceRows, _objective.RowCount - pieceStart));
            }

            body(i, piece, (RowOf[i] - pieceStart) * _features.Width);
        }
    }

    /// <summary>Cholesky's factorisation of XᵀX, the constant first, without the rows whose pivot is 0.</summary>
    private int[] IndependentPlaces()
    {
        int width = _features.Width;
        double[] gram = PinnedMemory.Allocate<double>(width * width);
        Array.Clear(gram);
        ForEachRow((_, piece, start) =>
        {
            double* row = PinnedMemory.Pointer(piece) + start;
            OuterProducts<double>.Add(row, width, row, 1, width, PinnedMemory.Pointer(gram));
        });
        int[] order = _features.HasIntercepts ? [width - 1, .. Enumerable.Range(0, width - 1)] : [.. Enumerable.Range(0, width)];
        List<int> kept = [];
        List<double[]> factor = [];                 // row of L for each kept place, over all places
        foreach (int place in order)
        {
            double[] row = new double[width];
            for (int j = 0; j < width; j++)
            {
                row[j] = gram[(place * width) + j];
                foreach (double[] before in factor) row[j] = Math.FusedMultiplyAdd(-before[place], before[j], row[j]);
            }

            double pivot = row[place];
            if (!(pivot > SmallestPivot * gram[(place * width) + place])) continue;
            double root = Math.Sqrt(pivot);
            for (int j = 0; j < width; j++) row[j] /= root;
            kept.Add(place);
            factor.Add(row);
        }

        return [.. kept];
    }
}
