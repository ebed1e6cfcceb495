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

            // Taken in steps.
            foreach (int features in (int[])[449, 1000])
            {
                foreach (int count in (int[])[3, 4, 5, 10]) sizes.Add(8, features, count);
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

    /// <summary>Every remainder of rows and classes, against the kernels that work along rows.</summary>
    [Fact]
    public unsafe void Rows_in_lanes_give_what_rows_along_vectors_give()
    {
        foreach (int classes in (int[])[2, 3, 4, 9, 26])
        {
            for (int rows = 1; rows <= 33; rows++)
            {
                int stride = LaneBlock.Stride(rows), length = rows * classes;
                double[] z = [.. Values(length, rows).Select(v => 10 * v)], d = Values(length, classes), shifts = Values(classes, 7), weights = [.. Values(rows, 8).Select(Math.Abs)];
                int[] labels = [.. Enumerable.Range(0, rows).Select(i => i * 7 % classes)];
                double[] rowSums = new double[classes], laneSums = new double[classes], scratch = new double[classes], line = new double[3];
                double[] residuals = [.. z], products = [.. d], zLanes = new double[stride * classes], dLanes = new double[stride * classes], back = new double[length];
                fixed (double* pz = z, pd = d, ps = shifts, pw = weights, prs = rowSums, pls = laneSums, pt = scratch, pl = line, pr = residuals, pp = products, zl = zLanes, dl = dLanes, pb = back)
                fixed (int* py = labels)
                {
                    LossRows loss = new() { Logits = pr, Probabilities = null, Labels = py, Weights = pw, RowCount = rows, ClassCount = classes, ResidualSums = prs };
                    VectorWidth.Run<LossRows, double>(ref loss);
                    LaneBlock.Turn(pz, rows, classes, zl, stride);
                    LossLanes lossLanes = new() { Logits = zl, Stride = stride, Labels = py, Weights = pw, RowCount = rows, ClassCount = classes, ResidualSums = pls };
                    VectorWidth.RunOnRegister<LossLanes, double>(ref lossLanes);
                    lossLanes.LossSum.Should().BeApproximately(loss.LossSum, 1e-13 * (1 + loss.LossSum));
                    LaneBlock.TurnBack(zl, stride, classes, pb, rows);
                    Near(back, residuals, 1e-15);
                    Near(laneSums, rowSums, 1e-13);

                    CurvatureRows curvature = new() { Direction = pp, Logits = pz, Scratch = pt, Weights = pw, RowCount = rows, ClassCount = classes, ResidualSums = prs };
                    VectorWidth.Run<CurvatureRows, double>(ref curvature);
                    LaneBlock.Turn(pz, rows, classes, zl, stride);
                    LaneBlock.Turn(pd, rows, classes, dl, stride);
                    CurvatureLanes curvatureLanes = new() { Direction = dl, Logits = zl, Stride = stride, Weights = pw, RowCount = rows, ClassCount = classes, ResidualSums = pls };
                    VectorWidth.RunOnRegister<CurvatureLanes, double>(ref curvatureLanes);
                    LaneBlock.TurnBack(dl, stride, classes, pb, rows);
                    Near(back, products, 1e-15);
                    Near(laneSums, rowSums, 1e-13);

                    LineRows lineRows = new() { Logits = pz, Direction = pd, Shifts = ps, Position = 0.7, Labels = py, Weights = pw, RowCount = rows, ClassCount = classes, Scratch = pt };
                    VectorWidth.Run<LineRows, double>(ref lineRows);
                    LaneBlock.Turn(pz, rows, classes, zl, stride);
                    LaneBlock.Turn(pd, rows, classes, dl, stride);
                    MoveLanes move = new() { Logits = zl, Direction = dl, Shifts = ps, Position = 0.7, Stride = stride, ClassCount = classes };
                    VectorWidth.RunOnRegister<MoveLanes, double>(ref move);
                    LineLanes lineLanes = new() { Logits = zl, Direction = dl, Stride = stride, Labels = py, Weights = pw, RowCount = rows, ClassCount = classes, Sums = pl };
                    VectorWidth.RunOnRegister<LineLanes, double>(ref lineLanes);
                    Near(line, [lineRows.LossSum, lineRows.SlopeSum, lineRows.CurvatureSum], 1e-12);
                }
            }
        }
    }

    /// <summary>Through the bits of a float and a double block: what is between the rows and the stride is 0.</summary>
    [Fact]
    public unsafe void Blocks_of_lanes_are_transposed_and_end_with_zeros()
    {
        foreach ((int rows, int count) in from rows in (int[])[1, 2, 7, 16, 17, 40] from count in (int[])[1, 2, 3, 8, 17, 33] select (rows, count))
        {
            int stride = LaneBlock.Stride(rows);
            double[] source = Values(rows * count, 5), block = new double[stride * count];
            float[] singles = Singles(source), blockOfSingles = new float[stride * count];
            Array.Fill(block, double.NaN);
            Array.Fill(blockOfSingles, float.NaN);
            fixed (double* ps = source, pb = block) LaneBlock.Turn(ps, rows, count, pb, stride);
            fixed (float* ps = singles, pb = blockOfSingles) LaneBlock.Turn(ps, rows, count, pb, stride);
            for (int c = 0; c < count; c++)
            {
                for (int i = 0; i < stride; i++)
                {
                    block[(c * stride) + i].Should().Be(i < rows ? source[(i * count) + c] : 0);
                    blockOfSingles[(c * stride) + i].Should().Be(i < rows ? singles[(i * count) + c] : 0);
                }
            }
        }
    }

    [Fact]
    public void Coupled_hessians_match_plain_loops()
    {
        foreach ((int classes, int width) in ((int, int)[])[(2, 1), (3, 5), (11, 4), (30, 3), (4, 40)])
        {
            const int Rows = 70;
            int size = classes * width;
            double[] u = Values(Rows * width, 1), z = Values(Rows * classes, 2), weights = [.. Values(Rows, 3).Select(Math.Abs)], hessian = new double[size * size], ofFloats = new double[size * size];
            new CoupledHessian<double>(u, width, null, weights).Compute(z, areLogits: true, classes, 2, hessian);
            new CoupledHessian<float>(u, width, null, weights).Compute(z, areLogits: true, classes, 1, ofFloats);
            double[] expected = new double[size * size];
            for (int i = 0; i < Rows; i++)
            {
                double[] e = [.. z[(i * classes)..((i + 1) * classes)].Select(Math.Exp)];
                for (int a = 0; a < size; a++)
                {
                    for (int b = 0; b < size; b++)
                    {
                        double p = e[a / width] / e.Sum(), q = e[b / width] / e.Sum(), factor = a / width == b / width ? p * (1 - p) : -p * q;
                        expected[(a * size) + b] += weights[i] / weights.Sum() * factor * u[(i * width) + (a % width)] * u[(i * width) + (b % width)];
                    }
                }
            }

            Near(hessian, expected, 1e-15);
            Near(ofFloats, expected, 1e-7);
        }
    }

    private static void Near(double[] actual, double[] expected, double accuracy)
    {
        for (int i = 0; i < actual.Length; i++) actual[i].Should().BeApproximately(expected[i], accuracy * Math.Max(1, Math.Abs(expected[i])));
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
