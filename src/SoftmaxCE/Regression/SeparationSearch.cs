namespace SoftmaxCE;

/// <summary>
/// Finds a direction of the recession cone of the loss, {D : a_ic · D ≥ 0 for every row i and class c ≠ label}, along which the likelihood
/// rises for ever; or proves that along every direction of the cone all margins are 0, so that the maximum is attained.
/// </summary>
/// <remarks>
/// By Stiemke's lemma a set of pairs (i, c) has margins 0 along the whole cone if and only if some y &gt; 0 has Σ y a = 0. At an optimum over
/// these pairs the probabilities are such a y, and near it Newton's step v makes one of them: y = p (1 + Δz − Σ p Δz) with Δz the change of
/// the logits is positive when the step is short, and Σ y a = 0 because H v = −g. So Newton's method runs, without a penalty, until either all
/// margins are positive, which is a separating direction, or some pairs, those that the step hardly moves, have such a proof. Then these pairs
/// are done with: the search goes on for the others in the subspace where the margins of the former are 0. At the end the margins of all pairs
/// left are positive (and as many as can be, at the same time), or no pair is left. Albert, Anderson 1984; Konis 2007 finds the same by linear
/// programming.
/// </remarks>
internal sealed class SeparationSearch
{
    /// <summary>A margin counts as 0, and a vector as a combination of others, up to this fraction of the vector's length.</summary>
    public const double Tolerance = 1e-6;

    private const int MaxIterations = 100;
    private const int MaxHalvings = 40;

    // Rounding of a margin, relative to the largest logit.
    private const double MarginRounding = 1e-11;

    // Pairs are tried for a proof when the step moves them by at most this; the proof itself needs at most the other.
    private const double MovesLittle = 0.25;
    private const double MovesLessThanProbability = 0.5;

    // What is less probable is too small beside the rounding of the sums.
    private const double SmallestProbability = 1e-8;

    // What may be left of Σ y a, relative to the smallest y, for it to be 0 but for rounding.
    private const double SumRounding = 0.05;

    // Eigenvalues of the pairs' matrix below this fraction of the largest are 0; they are squares of lengths.
    private const double NullEigenvalue = Tolerance * Tolerance;

    // What curvature along a direction that no pair sees may be by rounding, relative to the largest: no step along it may become long.
    private const double NoCurvature = 1e-14;

    private readonly SeparationProblem _problem;
    private readonly bool[] _pairs;             // [rows, classes]: margins that may still be positive
    private readonly double[] _logits;
    private readonly double[] _probabilities;
    private readonly double[] _changes;         // of the logits by the step
    private readonly double[] _proofChanges;    // of the logits by the step over a set of pairs alone
    private double[]? _basis;                   // [rank of the subspace, size], orthonormal; null: the whole space
    private int _dimension;

    private SeparationSearch(SeparationProblem problem)
    {
        _problem = problem;
        _dimension = problem.Size;
        _logits = problem.NewTable();
        _probabilities = problem.NewTable();
        _changes = problem.NewTable();
        _proofChanges = problem.NewTable();
        _pairs = new bool[problem.RowCount * problem.ClassCount];
        for (int k = 0; k < _pairs.Length; k++) _pairs[k] = k % problem.ClassCount != problem.Labels[k / problem.ClassCount];
    }

    /// <summary>Runs the search.</summary>
    /// <param name="problem">The rows.</param>
    /// <param name="start">Where Newton's method begins, best near the optimum; null for 0.</param>
    public static SeparationResult Run(SeparationProblem problem, double[]? start = null)
    {
        SeparationSearch search = new(problem);
        if (problem.Rank == 0) return search.Result(SeparationKind.None, null);
        search.DropFixedPairs();
        bool all = Array.TrueForAll([.. Enumerable.Range(0, search._pairs.Length)], k => search._pairs[k] || search.IsLabel(k));
        while (search._dimension > 0 && search._pairs.Contains(true))
        {
            double[] point = start ?? new double[search._dimension];
            start = null;
            bool[]? overlapping = search.Descend(point, out bool separated);
            if (separated) return search.Result(all ? SeparationKind.Complete : SeparationKind.QuasiComplete, search.Expand(point));
            if (overlapping is null) return search.Result(SeparationKind.Undetermined, null);
            all = false;
            search.Leave(overlapping);
        }

        return search.Result(SeparationKind.None, null);
    }

    private SeparationResult Result(SeparationKind kind, double[]? direction) => new(kind, direction, direction is null ? [] : _pairs);

    private bool IsLabel(int k) => k % _problem.ClassCount == _problem.Labels[k / _problem.ClassCount];

    /// <summary>Newton's method over the pairs left. The point moves; the result is a set of pairs proved to overlap, null without one.</summary>
    private bool[]? Descend(double[] point, out bool separated)
    {
        double[] direction = new double[_dimension], trial = _problem.NewTable(), trialProbabilities = _problem.NewTable();
        for (int iteration = 0; iteration < MaxIterations; iteration++)
        {
            _problem.Logits(Expand(point), _logits);
            separated = AllMarginsPositive();
            if (separated) return null;
            double loss = _problem.Probabilities(_logits, _pairs, _probabilities), decrement = NewtonStep(_probabilities, direction);
            _problem.Logits(Expand(direction), _changes);
            bool[] still = PairsThatStay();
            if (still.Contains(true) && Overlap(still)) return still;

            double t = 1;
            for (int k = 0; k < MaxHalvings; k++, t /= 2)
            {
                for (int i = 0; i < trial.Length; i++) trial[i] = Math.FusedMultiplyAdd(t, _changes[i], _logits[i]);
                if (_problem.Probabilities(trial, _pairs, trialProbabilities) <= loss - (1e-4 * t * decrement)) break;
            }

            DoubleVectors.AddScaled(direction, t, point);
        }

        separated = false;
        return null;
    }

    /// <summary>direction = −H⁻¹ g in the subspace; returns gᵀ H⁻¹ g.</summary>
    private double NewtonStep(double[] probabilities, double[] direction)
    {
        double[] gradient = Restrict(_problem.Gradient(probabilities));
        double[] hessian = RestrictMatrix(_problem.Hessian(probabilities));
        double rounding = NoCurvature * Enumerable.Range(0, _dimension).Max(i => hessian[i * (_dimension + 1)]);
        for (int i = 0; i < _dimension; i++)
        {
            direction[i] = -gradient[i];
            hessian[i * (_dimension + 1)] += rounding;
        }

        new ScaledCholesky(hessian, _dimension).Solve(direction);
        return -DoubleVectors.Dot(gradient, direction);
    }

    private bool AllMarginsPositive()
    {
        double largest = 0, smallest = double.PositiveInfinity;
        for (int k = 0; k < _pairs.Length; k++)
        {
            largest = Math.Max(largest, Math.Abs(_logits[k]));
            if (_pairs[k]) smallest = Math.Min(smallest, Margin(k));
        }

        return smallest > MarginRounding * largest;
    }

    private double Margin(int k)
    {
        int row = k / _problem.ClassCount;
        return _logits[(row * _problem.ClassCount) + _problem.Labels[row]] - _logits[k];
    }

    private bool[] PairsThatStay()
    {
        bool[] still = new bool[_pairs.Length];
        for (int i = 0; i < _problem.RowCount; i++)
        {
            int first = i * _problem.ClassCount;
            double mean = MeanChange(_probabilities, _changes, first);
            for (int k = first; k < first + _problem.ClassCount; k++)
            {
                still[k] = _pairs[k] && _probabilities[k] >= SmallestProbability && Math.Abs(_changes[k] - mean) <= MovesLittle;
            }
        }

        return still;
    }

    private double MeanChange(double[] probabilities, double[] changes, int first)
    {
        double mean = 0;
        for (int k = first; k < first + _problem.ClassCount; k++) mean += probabilities[k] * changes[k];
        return mean;
    }

    /// <summary>Whether there is y &gt; 0 over these pairs with Σ y a = 0: then their margins are 0 along the whole cone.</summary>
    private bool Overlap(bool[] pairs)
    {
        double[] probabilities = _problem.NewTable(), direction = new double[_dimension];
        _problem.Probabilities(_logits, pairs, probabilities);
        NewtonStep(probabilities, direction);
        _problem.Logits(Expand(direction), _proofChanges);
        double smallest = double.PositiveInfinity;
        for (int i = 0; i < _problem.RowCount; i++)
        {
            int first = i * _problem.ClassCount;
            double mean = MeanChange(probabilities, _proofChanges, first);
            for (int k = first; k < first + _problem.ClassCount; k++)
            {
                if (!pairs[k]) continue;
                double change = _proofChanges[k] - mean;
                if (Math.Abs(change) > MovesLessThanProbability) return false;
                probabilities[k] *= 1 + change;
                smallest = Math.Min(smallest, probabilities[k]);
            }
        }

        double left = DoubleVectors.Norm(Restrict(_problem.Gradient(probabilities))) * _problem.RowCount;
        return left <= SumRounding * smallest;
    }

    /// <summary>Goes on in the subspace where the margins of these pairs are 0, with the pairs that still have margins there.</summary>
    private void Leave(bool[] overlapping)
    {
        for (int k = 0; k < _pairs.Length; k++) _pairs[k] &= !overlapping[k];
        double[] even = _problem.NewTable();
        _problem.Probabilities(new double[even.Length], overlapping, even);
        double[] matrix = RestrictMatrix(_problem.Hessian(even));            // positive weights: its null space is that of the pairs
        int size = _problem.Size;
        if (_basis is null && new ScaledCholesky([.. matrix], _dimension).FirstSingular < 0)
        {
            // Whatever units the features are in. In a subspace directions are of one kind, and what is rounding must not be scaled to count.
            _dimension = 0;
            return;
        }

        double[] vectors = SymmetricEigen.Solve(matrix, _dimension, out double[] values);
        int rank = values.Count(value => value > NullEigenvalue * values[0]);
        double[] basis = new double[(_dimension - rank) * size];
        for (int i = rank; i < _dimension; i++) Expand(vectors.AsSpan(i * _dimension, _dimension)).CopyTo(basis.AsSpan((i - rank) * size));
        _basis = basis;
        _dimension -= rank;
        DropFixedPairs();
    }

    /// <summary>Drops the pairs whose margin is 0 along the whole subspace.</summary>
    private void DropFixedPairs()
    {
        if (_basis is null)
        {
            for (int k = 0; k < _pairs.Length; k++) _pairs[k] &= _problem.SquaredLength(k / _problem.ClassCount) > 0;
            return;
        }

        double[] seen = new double[_pairs.Length], unit = new double[_dimension];
        for (int i = 0; i < _dimension; i++)
        {
            Array.Clear(unit);
            unit[i] = 1;
            _problem.Logits(Expand(unit), _logits);
            for (int k = 0; k < _pairs.Length; k++)
            {
                if (_pairs[k]) seen[k] += Margin(k) * Margin(k);
            }
        }

        for (int k = 0; k < _pairs.Length; k++) _pairs[k] &= seen[k] > Tolerance * Tolerance * _problem.SquaredLength(k / _problem.ClassCount);
    }

    private double[] Expand(ReadOnlySpan<double> point)
    {
        if (_basis is null) return [.. point];
        double[] direction = new double[_problem.Size];
        for (int i = 0; i < _dimension; i++) DoubleVectors.AddScaled(_basis.AsSpan(i * direction.Length, direction.Length), point[i], direction);
        return direction;
    }

    private double[] Restrict(double[] gradient)
    {
        if (_basis is null) return gradient;
        double[] restricted = new double[_dimension];
        for (int i = 0; i < _dimension; i++) restricted[i] = DoubleVectors.Dot(_basis.AsSpan(i * gradient.Length, gradient.Length), gradient);
        return restricted;
    }

    private double[] RestrictMatrix(double[] matrix)
    {
        if (_basis is null) return matrix;
        int size = _problem.Size;
        double[] half = new double[size], restricted = new double[_dimension * _dimension];
        for (int i = 0; i < _dimension; i++)
        {
            for (int j = 0; j < size; j++) half[j] = DoubleVectors.Dot(matrix.AsSpan(j * size, size), _basis.AsSpan(i * size, size));
            Restrict(half).CopyTo(restricted.AsSpan(i * _dimension));
        }

        return restricted;
    }
}

/// <summary>What the search found.</summary>
/// <param name="Kind">Whether there is a direction.</param>
/// <param name="Direction">[C − 1, rank]; null without one.</param>
/// <param name="Pairs">[rows, classes]: whose margin along it is positive; the others' is 0.</param>
internal readonly record struct SeparationResult(SeparationKind Kind, double[]? Direction, bool[] Pairs);
