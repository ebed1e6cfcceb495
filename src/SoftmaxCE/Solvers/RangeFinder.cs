namespace SoftmaxCE;

/// <summary>Leading eigenvectors of a symmetric positive matrix that is known by its products (Halko, Martinsson, Tropp 2011, algorithm 4.4).</summary>
internal static class RangeFinder
{
    // More directions than asked for, so that the last ones asked for are good too.
    private const int Oversampling = 10;

    /// <summary>Eigenvectors as rows, [values.Length, size], with the largest values first; fewer than asked for if the matrix has a lower rank.</summary>
    public static double[] LeadingEigenvectors(ScaledGram matrix, int size, int rank, int seed, out double[] values)
    {
        values = [];
        if (rank <= 0) return [];
        int count = Math.Min(rank + Oversampling, size);
        RandomStream random = new(seed);
        double[] vectors = new double[count * size], products = new double[count * size];
        for (int i = 0; i < vectors.Length; i++) vectors[i] = random.Sign();

        matrix.Multiply(vectors, count, products);
        count = Orthonormalize(products, count, size);
        if (count == 0) return [];
        Array.Copy(products, vectors, count * size);
        Array.Resize(ref vectors, count * size);
        Array.Resize(ref products, count * size);
        matrix.Multiply(vectors, count, products);

        // Rayleigh-Ritz: the eigenvectors within the range.
        double[] small = new double[count * count];
        for (int i = 0; i < count; i++)
        {
            for (int k = 0; k <= i; k++)
            {
                double value = DoubleVectors.Dot(vectors.AsSpan(i * size, size), products.AsSpan(k * size, size));
                small[(i * count) + k] = value;
                small[(k * count) + i] = value;
            }
        }

        double[] rotation = SymmetricEigen.Solve(small, count, out double[] all);
        int kept = 0;
        while (kept < Math.Min(rank, count) && all[kept] > 1e-10 * all[0]) kept++;
        values = all[..kept];
        double[] leading = new double[kept * size];
        for (int i = 0; i < kept; i++)
        {
            for (int k = 0; k < count; k++)
            {
                DoubleVectors.AddScaled(vectors.AsSpan(k * size, size), rotation[(i * count) + k], leading.AsSpan(i * size, size));
            }
        }

        return leading;
    }

    /// <summary>Modified Gram-Schmidt, twice for full accuracy; rows that depend on earlier ones are dropped. Returns how many are left.</summary>
    private static int Orthonormalize(double[] vectors, int count, int size)
    {
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            Span<double> row = vectors.AsSpan(i * size, size);
            double before = DoubleVectors.Norm(row);
            for (int round = 0; round < 2; round++)
            {
                for (int k = 0; k < kept; k++)
                {
                    Span<double> other = vectors.AsSpan(k * size, size);
                    DoubleVectors.AddScaled(other, -DoubleVectors.Dot(other, row), row);
                }
            }

            double norm = DoubleVectors.Norm(row);
            if (!(norm > 1e-10 * before)) continue;
            for (int j = 0; j < size; j++) row[j] /= norm;
            if (kept != i) row.CopyTo(vectors.AsSpan(kept * size, size));
            kept++;
        }

        return kept;
    }
}
