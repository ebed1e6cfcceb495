namespace SoftmaxCE;

/// <summary>L Lᵀ factors of a symmetric matrix, row-major, in place, in the lower triangle.</summary>
internal static unsafe class Cholesky
{
    // Columns of a panel: the update of the rest by a panel is a product of matrices and stays in cache.
    private const int Panel = 32;

    /// <summary>Factors a matrix that is positive semidefinite up to rounding.</summary>
    /// <param name="matrix">[size, size]; only the lower triangle is read.</param>
    /// <param name="size">Rows.</param>
    /// <param name="floor">Pivots that rounding has brought below this are raised to it, which damps the directions that the matrix does not see.</param>
    /// <param name="maxDegreeOfParallelism">Most threads; the result does not depend on it.</param>
    public static void Factor(double[] matrix, int size, double floor, int maxDegreeOfParallelism = 1)
    {
        fixed (double* a = matrix)
        {
            nint address = (nint)a;
            for (int start = 0; start < size; start += Panel)
            {
                int width = Math.Min(Panel, size - start), end = start + width;
                FactorPanel(a, size, start, width, floor);
                int rest = size - end;
                if (rest <= 0) continue;
                int columns = start, strips = (rest + 7) / 8;
                if (maxDegreeOfParallelism == 1 || (long)rest * rest * width < 400_000)
                {
                    for (int strip = 0; strip < strips; strip++) UpdateStrip((double*)address, size, columns, width, end + (8 * strip));
                }
                else
                {
                    Parallel.For(0, strips, new ParallelOptions { MaxDegreeOfParallelism = maxDegreeOfParallelism },
                        strip => UpdateStrip((double*)address, size, columns, width, end + (8 * strip)));
                }
            }
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

    /// <summary>Factors the columns of a panel, from its diagonal block down.</summary>
    private static void FactorPanel(double* a, int size, int start, int width, double floor)
    {
        for (int j = start; j < start + width; j++)
        {
            double* row = a + ((long)j * size);
            double pivot = row[j] - Dot(row + start, row + start, j - start);
            double root = Math.Sqrt(pivot > floor ? pivot : floor);
            row[j] = root;
            for (int i = j + 1; i < size; i++)
            {
                double* below = a + ((long)i * size);
                below[j] = (below[j] - Dot(below + start, row + start, j - start)) / root;
            }
        }
    }

    /// <summary>Subtracts the panel's part from up to 8 rows of the rest.</summary>
    private static void UpdateStrip(double* a, int size, int start, int width, int firstRow)
    {
        for (int i = firstRow; i < Math.Min(firstRow + 8, size); i++)
        {
            double* row = a + ((long)i * size);
            for (int k = start + width; k <= i; k++) row[k] -= Dot(row + start, a + ((long)k * size) + start, width);
        }
    }

    private static double Dot(double* x, double* y, int length) => DoubleVectors.Dot(new ReadOnlySpan<double>(x, length), new ReadOnlySpan<double>(y, length));
}
