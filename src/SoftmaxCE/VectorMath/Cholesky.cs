namespace SoftmaxCE;

/// <summary>L Lᵀ factors of a symmetric matrix, row-major, in place, in the lower triangle.</summary>
internal static unsafe class Cholesky
{
    // Columns of a panel: the update of the rest by a panel is a product of matrices and stays in cache.
    private const int Panel = 32;

    // Rows of the rest that are updated at a time, by one thread.
    private const int Strip = 40;

    /// <summary>Factors a matrix that is positive semidefinite up to rounding.</summary>
    /// <param name="matrix">[size, size]; only the lower triangle is read. What is above the diagonal is meaningless afterwards.</param>
    /// <param name="size">Rows.</param>
    /// <param name="floor">Pivots that rounding has brought below this are raised to it, which damps the directions that the matrix does not see.</param>
    /// <param name="maxDegreeOfParallelism">Most threads; the result does not depend on it.</param>
    public static void Factor(double[] matrix, int size, double floor, int maxDegreeOfParallelism = 1)
    {
        // The panel's part below the diagonal, column by column, and the same negated.
        int needed = size > Panel ? Panel * size : 0;
        double[] below = PinnedMemory.Allocate<double>(needed), negated = PinnedMemory.Allocate<double>(needed);
        for (int start = 0; start < size; start += Panel)
        {
            int width = Math.Min(Panel, size - start), next = start + width, rest = size - next;
            FactorDiagonal(matrix, size, start, width, floor);
            if (rest == 0) continue;
            SolveBelow(matrix, size, start, width, below, negated);
            ParallelOptions options = new() { MaxDegreeOfParallelism = (long)rest * rest * width < 400_000 ? 1 : maxDegreeOfParallelism };
            Parallel.For(0, (rest + Strip - 1) / Strip, options, strip =>
            {
                int first = strip * Strip, length = Math.Min(Strip, rest - first);
                fixed (double* a = matrix)
                {
                    double* t = PinnedMemory.Pointer(below), n = PinnedMemory.Pointer(negated) + first;
                    OuterProducts<double>.Add(n, length, rest, t, width, first + length, rest, a + ((long)(next + first) * size) + next, size);
                }
            });
        }
    }

    /// <summary>Solves L Lᵀ x = b in place.</summary>
    public static void Solve(double[] factor, int size, Span<double> x)
    {
        for (int i = 0; i < size; i++)
        {
            ReadOnlySpan<double> row = factor.AsSpan(i * size, i);
            x[i] = (x[i] - DoubleVectors.Dot(row, x[..i])) / factor[(i * size) + i];
        }

        for (int i = size - 1; i >= 0; i--)
        {
            x[i] /= factor[(i * size) + i];
            DoubleVectors.AddScaled(factor.AsSpan(i * size, i), -x[i], x[..i]);
        }
    }

    /// <summary>The square block on the diagonal, column by column.</summary>
    private static void FactorDiagonal(double[] matrix, int size, int start, int width, double floor)
    {
        for (int j = start; j < start + width; j++)
        {
            double pivot = matrix[(j * size) + j];
            for (int k = start; k < j; k++) pivot = Math.FusedMultiplyAdd(-matrix[(j * size) + k], matrix[(j * size) + k], pivot);
            double root = Math.Sqrt(pivot > floor ? pivot : floor);
            matrix[(j * size) + j] = root;
            for (int i = j + 1; i < start + width; i++)
            {
                double sum = matrix[(i * size) + j];
                for (int k = start; k < j; k++) sum = Math.FusedMultiplyAdd(-matrix[(i * size) + k], matrix[(j * size) + k], sum);
                matrix[(i * size) + j] = sum / root;
            }
        }
    }

    /// <summary>L₂₁ = A₂₁ L₁₁⁻ᵀ, all rows of a column at once.</summary>
    private static void SolveBelow(double[] matrix, int size, int start, int width, double[] below, double[] negated)
    {
        int next = start + width, rest = size - next;
        for (int i = 0; i < rest; i++)
        {
            for (int j = 0; j < width; j++) below[(j * rest) + i] = matrix[((next + i) * size) + start + j];
        }

        for (int j = 0; j < width; j++)
        {
            Span<double> column = below.AsSpan(j * rest, rest), minus = negated.AsSpan(j * rest, rest);
            for (int k = 0; k < j; k++) DoubleVectors.AddScaled(below.AsSpan(k * rest, rest), -matrix[((start + j) * size) + start + k], column);
            double root = matrix[((start + j) * size) + start + j];
            for (int i = 0; i < rest; i++)
            {
                column[i] /= root;
                minus[i] = -column[i];
                matrix[((next + i) * size) + start + j] = column[i];
            }
        }
    }
}
