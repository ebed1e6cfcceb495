using CsCheck;

namespace SoftmaxCE.Tests;

public class ScaledCholeskyTests
{
    [Fact]
    public void Solutions_inverse_and_determinant_of_matrices_in_any_units() =>
        Gen.Select(Gen.Int[1, 70], Gen.Int[0, int.MaxValue]).Sample(
            (size, seed) =>
            {
                double[] matrix = PositiveDefinite(size, seed, out double[] units), right = new double[size];
                ScaledCholesky factor = new([.. matrix], size);
                factor.FirstSingular.Should().Be(-1);
                RandomStream random = new(seed + 1);
                for (int i = 0; i < size; i++) right[i] = random.Uniform() * units[i];
                double[] x = [.. right], inverse = factor.Inverse(maxDegreeOfParallelism: 3);
                factor.Solve(x);
                for (int i = 0; i < size; i++)
                {
                    double product = 0, row = 0;
                    for (int j = 0; j < size; j++)
                    {
                        product += matrix[(i * size) + j] * x[j];
                        row += inverse[(i * size) + j] * right[j];
                        inverse[(i * size) + j].Should().Be(inverse[(j * size) + i]);
                    }

                    (product / units[i]).Should().BeApproximately(right[i] / units[i], 1e-10);
                    (row * units[i]).Should().BeApproximately(x[i] * units[i], 1e-10);
                }

                factor.LogDeterminant.Should().BeApproximately(LogDeterminant(matrix, size), 1e-9 * size);
            },
            iter: 30);

    [Fact]
    public void The_first_dependent_row_is_found_whatever_its_units()
    {
        double[] matrix = PositiveDefinite(6, 3, out _);
        double[] vectors = [1, 2, 3, 4, 5, 6, 6, 5, 4, 1, 2, 3, 1e9, -1e9, 1e9, 2e9, 0, 1e9];       // one row per vector
        double[] gram = new double[16];
        double[][] rows = [vectors[..6], vectors[6..12], [.. vectors[..6].Zip(vectors[6..12], (a, b) => 1e-6 * (a + (2 * b)))], vectors[12..]];
        for (int i = 0; i < 4; i++)
        {
            for (int j = 0; j < 4; j++) gram[(i * 4) + j] = rows[i].Zip(rows[j], (a, b) => a * b).Sum();
        }

        new ScaledCholesky(gram, 4).FirstSingular.Should().Be(2);
        new ScaledCholesky([1, 0, 0, 0, 0, 0, 0, 0, 1], 3).FirstSingular.Should().Be(1);
        new ScaledCholesky(matrix, 6).FirstSingular.Should().Be(-1);
    }

    private static double[] PositiveDefinite(int size, int seed, out double[] units)
    {
        RandomStream random = new(seed);
        double[] root = new double[size * size], matrix = new double[size * size];
        units = new double[size];
        for (int i = 0; i < root.Length; i++) root[i] = random.Uniform() - 0.5;
        for (int i = 0; i < size; i++) units[i] = Math.Pow(10, (12 * random.Uniform()) - 6);
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                double sum = i == j ? 1 : 0;
                for (int k = 0; k < size; k++) sum += root[(i * size) + k] * root[(j * size) + k];
                matrix[(i * size) + j] = units[i] * units[j] * sum;
            }
        }

        return matrix;
    }

    /// <summary>By Gaussian elimination.</summary>
    private static double LogDeterminant(double[] matrix, int size)
    {
        double[] work = [.. matrix];
        double sum = 0;
        for (int k = 0; k < size; k++)
        {
            sum += Math.Log(work[(k * size) + k]);
            for (int i = k + 1; i < size; i++)
            {
                double factor = work[(i * size) + k] / work[(k * size) + k];
                for (int j = k; j < size; j++) work[(i * size) + j] -= factor * work[(k * size) + j];
            }
        }

        return sum;
    }

    /// <summary>What rounding leaves of a singular matrix may be indefinite, and then factors with raised pivots grow from row to row.</summary>
    [Fact]
    public void Damped_factors_of_an_indefinite_matrix_are_bounded()
    {
        double[] matrix = [1, 0, 0, 1, 1, 0, 0.5, 0.5 + 1e-6, 1], x = [1, 1, 1], plain = [1, 1, 1];
        new ScaledCholesky([.. matrix], 3, smallestPivot: 1e-14).Solve(plain);
        ScaledCholesky.Damped(new double[9], 3, room => matrix.CopyTo(room, 0), 1e-14).Solve(x);
        DoubleVectors.Norm(plain).Should().BeGreaterThan(1e13);
        DoubleVectors.Norm(x).Should().BeLessThan(1e13);
    }

    [Fact]
    public void Damped_factors_of_a_definite_matrix_are_its_own()
    {
        double[] matrix = [2, 0, 1, 3], x = [1, 2], same = [1, 2];
        new ScaledCholesky([.. matrix], 2).Solve(same);
        ScaledCholesky.Damped(new double[4], 2, room => matrix.CopyTo(room, 0), ScaledCholesky.SmallestPivot).Solve(x);
        x.Should().Equal(same);
    }
}
