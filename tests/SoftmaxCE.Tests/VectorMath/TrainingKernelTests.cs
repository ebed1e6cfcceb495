namespace SoftmaxCE.Tests;

/// <summary>The kernels of the pass against plain loops, over sizes with every kind of tile and tail.</summary>
public class TrainingKernelTests
{
    public static TheoryData<int, int, int> Sizes
    {
        get
        {
            TheoryData<int, int, int> sizes = [];
            foreach (int rows in (int[])[1, 3, 4, 9])
            {
                foreach (int features in (int[])[1, 7, 8, 15, 16, 17, 33, 64, 79, 130])
                {
                    foreach (int count in (int[])[1, 2, 3, 5, 6, 7, 11]) sizes.Add(rows, features, count);
                }
            }

            return sizes;
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public unsafe void Row_products_match_plain_loops(int rows, int features, int count)
    {
        double[] x = Values(rows * features, 1), w = Values(count * features, 2), shifts = Values(count, 3), output = new double[rows * count], outputOfFloats = new double[rows * count];
        float[] xf = Singles(x), wf = Singles(w);
        fixed (double* px = x, pw = w, ps = shifts, po = output, pf = outputOfFloats)
        fixed (float* pxf = xf, pwf = wf)
        {
            RowProducts<double>.Run(px, rows, features, pw, count, ps, po);
            RowProducts<float>.Run(pxf, rows, features, pwf, count, ps, pf);
        }

        for (int i = 0; i < rows; i++)
        {
            for (int c = 0; c < count; c++)
            {
                double expected = shifts[c], expectedOfFloats = shifts[c];
                for (int j = 0; j < features; j++)
                {
                    expected += x[(i * features) + j] * w[(c * features) + j];
                    expectedOfFloats += (double)xf[(i * features) + j] * wf[(c * features) + j];
                }

                output[(i * count) + c].Should().BeApproximately(expected, 1e-14 * features);
                outputOfFloats[(i * count) + c].Should().BeApproximately(expectedOfFloats, 1e-6 * Math.Sqrt(features));
            }
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public unsafe void Outer_products_match_plain_loops(int rows, int features, int count)
    {
        double[] x = Values(rows * features, 1), r = Values(rows * count, 2), sums = Values(count * features, 3), before = [.. sums], sumsOfFloats = [.. sums];
        float[] xf = Singles(x), rf = Singles(r);
        fixed (double* px = x, pr = r, ps = sums, pf = sumsOfFloats)
        fixed (float* pxf = xf, prf = rf)
        {
            OuterProducts<double>.Add(pr, count, px, rows, features, ps);
            OuterProducts<float>.Add(prf, count, pxf, rows, features, pf);
        }

        for (int c = 0; c < count; c++)
        {
            for (int j = 0; j < features; j++)
            {
                double expected = before[(c * features) + j], expectedOfFloats = expected;
                for (int i = 0; i < rows; i++)
                {
                    expected += r[(i * count) + c] * x[(i * features) + j];
                    expectedOfFloats += (double)rf[(i * count) + c] * xf[(i * features) + j];
                }

                sums[(c * features) + j].Should().BeApproximately(expected, 1e-14);
                sumsOfFloats[(c * features) + j].Should().BeApproximately(expectedOfFloats, 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(20)]
    public unsafe void Loss_rows_match_the_definition(int classes)
    {
        const int Rows = 5;
        double[] z = Values(Rows * classes, 4), logits = [.. z.Select(v => 10 * v)], residuals = [.. logits], p = new double[z.Length], sums = new double[classes];
        double[] weights = [1, 2, 0, 0.5, 3];
        int[] labels = [0, classes - 1, 1, classes / 2, 0];
        double loss;
        fixed (double* pr = residuals, pp = p, pw = weights, ps = sums)
        fixed (int* py = labels)
        {
            LossRows kernel = new() { Logits = pr, Probabilities = pp, Labels = py, Weights = pw, RowCount = Rows, ClassCount = classes, ResidualSums = ps };
            VectorWidth.Run<LossRows, double>(ref kernel);
            loss = kernel.LossSum;
        }

        double expectedLoss = 0;
        double[] expectedSums = new double[classes];
        for (int i = 0; i < Rows; i++)
        {
            double[] row = logits[(i * classes)..((i + 1) * classes)];
            double total = row.Sum(v => Math.Exp(v - row.Max()));
            expectedLoss += weights[i] * (Math.Log(total) + row.Max() - row[labels[i]]);
            for (int c = 0; c < classes; c++)
            {
                double expected = Math.Exp(row[c] - row.Max()) / total;
                p[(i * classes) + c].Should().BeApproximately(expected, 1e-15);
                double residual = weights[i] * (expected - (c == labels[i] ? 1 : 0));
                residuals[(i * classes) + c].Should().BeApproximately(residual, 1e-14);
                expectedSums[c] += residual;
            }
        }

        loss.Should().BeApproximately(expectedLoss, 1e-13);
        for (int c = 0; c < classes; c++) sums[c].Should().BeApproximately(expectedSums[c], 1e-13);
    }

    [Fact]
    public unsafe void Loss_and_residual_of_a_sure_row_keep_their_digits()
    {
        double[] logits = [60, 0, -1], p = new double[3], sums = new double[3];
        int[] labels = [0];
        fixed (double* pz = logits, pp = p, ps = sums)
        fixed (int* py = labels)
        {
            LossRows kernel = new() { Logits = pz, Probabilities = pp, Labels = py, Weights = null, RowCount = 1, ClassCount = 3, ResidualSums = ps };
            VectorWidth.Run<LossRows, double>(ref kernel);
            double others = Math.Exp(-60) + Math.Exp(-61);
            kernel.LossSum.Should().BeApproximately(others, 1e-15 * others);
            logits[0].Should().BeApproximately(-others, 1e-15 * others);
        }
    }

    private static double[] Values(int count, int seed)
    {
        RandomStream random = new(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = (2 * random.Uniform()) - 1;
        return values;
    }

    private static float[] Singles(double[] values) => [.. values.Select(v => (float)v)];
}
