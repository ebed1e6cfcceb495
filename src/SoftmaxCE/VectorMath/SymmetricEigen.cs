namespace SoftmaxCE;

/// <summary>Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi's cyclic rotations (Golub, Van Loan, section 8.5).</summary>
internal static class SymmetricEigen
{
    private const int MaxSweeps = 30;

    /// <summary>Eigenvectors as rows, largest value first. The matrix is overwritten.</summary>
    public static double[] Solve(double[] matrix, int size, out double[] values)
    {
        double[] vectors = new double[size * size];
        for (int i = 0; i < size; i++) vectors[(i * size) + i] = 1;
        for (int sweep = 0; sweep < MaxSweeps && OffDiagonal(matrix, size) > 1e-14; sweep++)
        {
            for (int p = 0; p < size - 1; p++)
            {
                for (int q = p + 1; q < size; q++) Rotate(matrix, vectors, size, p, q);
            }
        }

        double[] diagonal = new double[size];
        for (int i = 0; i < size; i++) diagonal[i] = matrix[(i * size) + i];
        int[] order = [.. Enumerable.Range(0, size).OrderByDescending(i => diagonal[i])];
        double[] sorted = new double[size * size];
        values = new double[size];
        for (int i = 0; i < size; i++)
        {
            values[i] = diagonal[order[i]];
            Array.Copy(vectors, order[i] * size, sorted, i * size, size);
        }

        return sorted;
    }

    /// <summary>Norm of what is off the diagonal, relative to the diagonal.</summary>
    private static double OffDiagonal(double[] matrix, int size)
    {
        double off = 0, diagonal = 0;
        for (int i = 0; i < size; i++)
        {
            diagonal += matrix[(i * size) + i] * matrix[(i * size) + i];
            for (int k = 0; k < i; k++) off += matrix[(i * size) + k] * matrix[(i * size) + k];
        }

        return diagonal == 0 ? 0 : Math.Sqrt(off / diagonal);
    }

    /// <summary>Makes matrix[p, q] zero; vectors are turned alike.</summary>
    private static void Rotate(double[] matrix, double[] vectors, int size, int p, int q)
    {
        double off = matrix[(p * size) + q];
        if (off == 0) return;
        double theta = (matrix[(q * size) + q] - matrix[(p * size) + p]) / (2 * off);
        double t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        double cosine = 1 / Math.Sqrt((t * t) + 1), sine = t * cosine;
        TurnRows(matrix, size, p, q, cosine, sine);
        for (int i = 0; i < size; i++)
        {
            double first = matrix[(i * size) + p], second = matrix[(i * size) + q];
            matrix[(i * size) + p] = (cosine * first) - (sine * second);
            matrix[(i * size) + q] = (sine * first) + (cosine * second);
        }

        TurnRows(vectors, size, p, q, cosine, sine);
    }

    private static void TurnRows(double[] matrix, int size, int p, int q, double cosine, double sine)
    {
        for (int i = 0; i < size; i++)
        {
            double first = matrix[(p * size) + i], second = matrix[(q * size) + i];
            matrix[(p * size) + i] = (cosine * first) - (sine * second);
            matrix[(q * size) + i] = (sine * first) + (cosine * second);
        }
    }
}
