namespace SoftmaxCE;

/// <summary>Cholesky factors of a symmetric positive definite matrix whose rows and columns are first scaled to a diagonal of 1, so that units do not matter.</summary>
internal sealed class ScaledCholesky
{
    /// <summary>A pivot of the scaled matrix, that is, the part of a row's own diagonal that earlier rows do not explain, at or below this counts as 0.</summary>
    public const double SmallestPivot = 1e-13;

    // Factors of a positive semidefinite matrix with a diagonal of 1 are at most 1. Where rounding made it indefinite they grow without bound.
    private const double LargestFactor = 2;
    private const double LargestRidge = 1e-2;

    private readonly double[] _factor;
    private readonly double[] _scales;

    /// <param name="matrix">[size, size], the lower triangle is read; becomes the factor.</param>
    /// <param name="size">Rows.</param>
    /// <param name="maxDegreeOfParallelism">Most threads; the result does not depend on it.</param>
    /// <param name="smallestPivot">Pivots of the scaled matrix that are lower are raised to it.</param>
    public ScaledCholesky(double[] matrix, int size, int maxDegreeOfParallelism = 1, double smallestPivot = SmallestPivot)
    {
        _factor = matrix;
        _scales = new double[size];
        for (int i = 0; i < size; i++)
        {
            double diagonal = matrix[(i * size) + i];
            _scales[i] = diagonal > 0 ? 1 / Math.Sqrt(diagonal) : 0;
        }

        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j <= i; j++) matrix[(i * size) + j] *= _scales[i] * _scales[j];
        }

        Cholesky.Factor(matrix, size, smallestPivot, maxDegreeOfParallelism);
        FirstSingular = Array.FindIndex(_scales, scale => scale == 0 || !double.IsFinite(scale));
        double floor = Math.Sqrt(smallestPivot);
        for (int i = 0; i < size; i++)
        {
            if (matrix[(i * size) + i] > floor) continue;
            if (FirstSingular < 0 || i < FirstSingular) FirstSingular = i;
            break;
        }
    }

    /// <summary>Factors a matrix that may be singular, for a step or a preconditioner: where rounding made it indefinite its diagonal is raised until it no longer is.</summary>
    /// <param name="matrix">Room for [size, size]; becomes the factor.</param>
    /// <param name="size">Rows.</param>
    /// <param name="fill">Writes the matrix, of which the lower triangle is read; called again for another try, which is rare.</param>
    /// <param name="smallestPivot">Pivots of the scaled matrix that are lower are raised to it.</param>
    /// <param name="maxDegreeOfParallelism">Most threads; the result does not depend on it.</param>
    public static ScaledCholesky Damped(double[] matrix, int size, Action<double[]> fill, double smallestPivot, int maxDegreeOfParallelism = 1)
    {
        fill(matrix);
        for (double ridge = 10 * smallestPivot; ; ridge *= 100)
        {
            ScaledCholesky factors = new(matrix, size, maxDegreeOfParallelism, smallestPivot);
            if (factors.IsBounded() || ridge > LargestRidge) return factors;
            fill(matrix);
            for (int i = 0; i < size; i++) matrix[(i * size) + i] *= 1 + ridge;
        }
    }

    private bool IsBounded()
    {
        for (int i = 0; i < Size; i++)
        {
            if (_factor.AsSpan(i * Size, i).ContainsAnyExceptInRange(-LargestFactor, LargestFactor)) return false;
        }

        return true;
    }

    public int Size => _scales.Length;

    /// <summary>The first row that is a combination of the rows before it; −1 if the matrix is positive definite.</summary>
    public int FirstSingular { get; }

    /// <summary>ln det.</summary>
    public double LogDeterminant
    {
        get
        {
            double sum = 0;
            for (int i = 0; i < Size; i++) sum += Math.Log(_factor[(i * Size) + i] / _scales[i]);
            return 2 * sum;
        }
    }

    /// <summary>Solves A x = b in place.</summary>
    public void Solve(Span<double> x)
    {
        for (int i = 0; i < Size; i++) x[i] *= _scales[i];
        Cholesky.Solve(_factor, Size, x);
        for (int i = 0; i < Size; i++) x[i] *= _scales[i];
    }

    /// <summary>A⁻¹, [size, size], symmetric to the last bit.</summary>
    public double[] Inverse(int maxDegreeOfParallelism)
    {
        int size = Size;
        double[] inverse = new double[checked(size * size)];
        Parallel.For(0, size, new ParallelOptions { MaxDegreeOfParallelism = size < 64 ? 1 : maxDegreeOfParallelism }, i =>
        {
            Span<double> row = inverse.AsSpan(i * size, size);
            row[i] = 1;
            Solve(row);
        });
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < i; j++)
            {
                double mean = (inverse[(i * size) + j] + inverse[(j * size) + i]) / 2;
                inverse[(i * size) + j] = inverse[(j * size) + i] = mean;
            }
        }

        return inverse;
    }
}
