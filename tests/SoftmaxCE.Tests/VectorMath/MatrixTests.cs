namespace SoftmaxCE.Tests;

public class MatrixTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(75)]
    [InlineData(150)]
    public void Cholesky_solves_what_was_multiplied(int size)
    {
        double[] root = RandomValues(size * size, seed: size), matrix = new double[size * size], x = RandomValues(size, seed: 1), right = new double[size];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                for (int k = 0; k < size; k++) matrix[(i * size) + j] += root[(i * size) + k] * root[(j * size) + k];
            }

            matrix[(i * size) + i] += 1;
        }

        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++) right[i] += matrix[(i * size) + j] * x[j];
        }

        Cholesky.Factor(matrix, size, 0, maxDegreeOfParallelism: 2);
        Cholesky.Solve(matrix, size, right);
        for (int i = 0; i < size; i++) right[i].Should().BeApproximately(x[i], 1e-10);
    }

    [Fact]
    public void Cholesky_damps_directions_without_curvature()
    {
        double[] matrix = [1, 1, 1, 1], x = [2, 2];
        Cholesky.Factor(matrix, 2, floor: 1e-12);
        Cholesky.Solve(matrix, 2, x);
        (x[0] + x[1]).Should().BeApproximately(2, 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    [InlineData(60)]
    public void Eigenvectors_are_orthonormal_and_diagonalise(int size)
    {
        double[] matrix = new double[size * size], random = RandomValues(size * size, seed: size);
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++) matrix[(i * size) + j] = random[(i * size) + j] + random[(j * size) + i];
        }

        double[] vectors = SymmetricEigen.Solve([.. matrix], size, out double[] values);
        values.Should().BeInDescendingOrder();
        for (int k = 0; k < size; k++)
        {
            double[] v = vectors[(k * size)..((k + 1) * size)];
            for (int other = 0; other <= k; other++) Dot(v, vectors[(other * size)..((other + 1) * size)]).Should().BeApproximately(k == other ? 1 : 0, 1e-12);
            for (int i = 0; i < size; i++) Dot(matrix[(i * size)..((i + 1) * size)], v).Should().BeApproximately(values[k] * v[i], 1e-11 * size);
        }
    }

    [Fact]
    public void Dot_and_sums_match_plain_loops_at_every_length()
    {
        for (int length = 0; length <= 260; length++)
        {
            double[] x = RandomValues(length, 1), y = RandomValues(length, 2), z = [.. y], w = [.. y];
            DoubleVectors.Dot(x, y).Should().BeApproximately(Dot(x, y), 1e-12);
            DoubleVectors.AddScaled(x, 0.75, z);
            DoubleVectors.ScaleAndAdd(x, 0.75, w);
            for (int i = 0; i < length; i++)
            {
                z[i].Should().BeApproximately(y[i] + (0.75 * x[i]), 1e-15);
                w[i].Should().BeApproximately(x[i] + (0.75 * y[i]), 1e-15);
            }
        }
    }

    private static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();

    private static double[] RandomValues(int count, int seed)
    {
        RandomStream random = new(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = (2 * random.Uniform()) - 1;
        return values;
    }
}
