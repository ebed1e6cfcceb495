using System.Runtime.InteropServices;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class BlockRowsTests
{
    private const int Rows = 700, Features = 9, Classes = 3;
    private static readonly ReferenceData Data = SyntheticData.Overlapping(Rows, Features, Classes, seed: 91);

    public static TheoryData<string, Solver> Kinds
    {
        get
        {
            TheoryData<string, Solver> kinds = [];
            foreach (string kind in (string[])["double", "float", "half", "byte"])
            {
                foreach (Solver solver in (Solver[])[Solver.Newton, Solver.Lbfgs, Solver.ProximalNewton, Solver.GradientDescent]) kinds.Add(kind, solver);
            }

            return kinds;
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Every_solver_gives_the_bits_of_dense_rows(string kind, Solver solver)
    {
        switch (kind)
        {
            case "double": Same(Data.Features, 1, 0, solver); break;
            case "float": Same([.. Data.Features.Select(x => (float)x)], 0.5, 1, solver); break;
            case "half": Same([.. Data.Features.Select(x => (Half)x)], 1, 0, solver); break;
            default: Same([.. Data.Features.Select(x => (byte)Math.Clamp((40 * x) + 128, 0, 255))], 0.025, -3.2, solver); break;
        }
    }

    private static void Same<T>(T[] values, double scale, double offset, Solver solver)
        where T : unmanaged
    {
        using TemporaryFolder folder = new();
        string path = folder.File("values");
        File.WriteAllBytes(path, [.. "header"u8, .. MemoryMarshal.AsBytes<T>(values)]);
        using MappedFile file = new(path, start: 6);
        SoftmaxRegressionTrainer trainer = new(new()
        {
            L1 = solver == Solver.ProximalNewton ? 0.01 : 0, L2 = 1e-3, Solver = solver, MaxIterations = 3, MaxDegreeOfParallelism = 3, GradientDescent = new() { BatchSize = 70, Step = 0.01 },
        });
        double[] dense = Parameters(new DenseRows<T>(values, Features, scale, offset));
        Parameters(BlockRows<T>.FromBlocks(Cut(values), Features, scale, offset)).Should().Equal(dense);
        Parameters(BlockRows<T>.FromFile(file, 0, Features, scale, offset)).Should().Equal(dense);
        Parameters(BlockRows<T>.FromReader((row, target) => values.AsSpan(row * Features, target.Length).CopyTo(target), Rows, Features, scale, offset)).Should().Equal(dense);

        double[] Parameters(FeatureRows rows)
        {
            SoftmaxRegressionModel model = trainer.Fit(rows, Data.Labels);
            float[] probabilities = new float[Rows * Classes];
            model.PredictProbabilityRows(rows, probabilities);
            return [.. model.Coefficients.Span, .. model.Intercepts.Span, model.Training!.Objective, model.Training.Gap, model.Evaluate(rows, Data.Labels).LogLoss, .. probabilities.Select(p => (double)p)];
        }
    }

    [Fact]
    public void Reads_cross_blocks_and_pass_over_empty_ones()
    {
        double[] values = [.. Enumerable.Range(0, 20).Select(v => (double)v)];
        BlockRows<double> rows = BlockRows<double>.FromBlocks([default, values.AsMemory(0, 2), default, default, values.AsMemory(2, 6), values.AsMemory(8, 2), values.AsMemory(10, 10), default], 2);
        rows.RowCount.Should().Be(10);
        for (int first = 0; first < 10; first++)
        {
            for (int count = 1; first + count <= 10; count++) rows.ReadDoubles(first, count, new double[count * 2]).ToArray().Should().Equal(values[(2 * first)..(2 * (first + count))]);
        }

        rows.ReadDoubles(1, 3, default).Overlaps(values.AsSpan(2, 6)).Should().BeTrue("within a block nothing is copied");
    }

    [Fact]
    public void Places_beyond_two_billion_values_are_right()
    {
        // 3 billion values; what is read is where they would be.
        BlockRows<float> rows = BlockRows<float>.FromReader((row, target) => target.Fill(row), 30_000_000, 100);
        double[] row = new double[100];
        rows.CopyRow(29_999_999, row);
        row.Should().OnlyContain(x => x == 29_999_999f);

        using TemporaryFolder folder = new();
        string path = folder.File("sparse");
        using (FileStream stream = new(path, FileMode.CreateNew))
        {
            stream.SetLength(5_000_000_000);                 // no disk is taken for what was never written
            stream.Position = stream.Length - 4;
            stream.Write([1, 2, 3, 4]);
        }

        using MappedFile file = new(path);
        BlockRows<byte> mapped = BlockRows<byte>.FromFile(file, 0, 100);
        mapped.RowCount.Should().Be(50_000_000);
        mapped.CopyRow(49_999_999, row);
        row[96..].Should().Equal(1, 2, 3, 4);
        row[95].Should().Be(0);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("ten");
        File.WriteAllBytes(path, new byte[10]);
        MappedFile file = new(path);
        file.Length.Should().Be(10);
        FluentActions.Invoking(() => BlockRows<byte>.FromFile(file, 0, 3)).Should().Throw<ArgumentException>().WithMessage("*10 bytes*rows of 3 bytes*").WithParameterName("file");
        FluentActions.Invoking(() => BlockRows<float>.FromFile(file, 2, 3)).Should().Throw<ArgumentException>().WithMessage("*24 bytes for 2 rows*10*").WithParameterName("file");
        FluentActions.Invoking(() => BlockRows<int>.FromFile(file, 1, 1)).Should().Throw<NotSupportedException>().WithMessage("*Int32*");
        FluentActions.Invoking(() => new MappedFile(path, 10)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*10 bytes*").WithParameterName("start");
        FluentActions.Invoking(() => new MappedFile(folder.File("none"))).Should().Throw<IOException>();
        BlockRows<byte> rows = BlockRows<byte>.FromFile(file, 5, 2);
        file.Dispose();
        file.Dispose();
        FluentActions.Invoking(() => rows.CopyRow(0, new double[2])).Should().Throw<ObjectDisposedException>();

        FluentActions.Invoking(() => BlockRows<float>.FromBlocks([new float[4], new float[3]], 2)).Should().Throw<ArgumentException>().WithMessage("Block 1 has 3 values*2 features*").WithParameterName("blocks");
        FluentActions.Invoking(() => BlockRows<float>.FromReader((_, _) => { }, -1, 2)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("rowCount");
        FluentActions.Invoking(() => BlockRows<float>.FromReader((_, _) => { }, 1, 0)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("featureCount");
        FluentActions.Invoking(() => BlockRows<long>.FromReader((_, _) => { }, 1, 1)).Should().Throw<NotSupportedException>();
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer().Fit(BlockRows<float>.FromReader((_, target) => target.Fill(float.NaN), 2, 1), [0, 1])).Should().Throw<ArgumentException>().WithMessage("Row 0*NaN*");
        BlockRows<float> broken = BlockRows<float>.FromReader((_, _) => throw new InvalidDataException("broken"), 10_000, 100);
        FluentActions.Invoking(() => new SoftmaxRegressionTrainer(new() { MaxDegreeOfParallelism = 4 }).Fit(broken, [.. Enumerable.Range(0, 10_000).Select(i => i % 2)])).Should().Throw<InvalidDataException>();
    }

    /// <summary>Blocks of 1, 2, 3, … rows.</summary>
    private static List<ReadOnlyMemory<T>> Cut<T>(T[] values)
    {
        List<ReadOnlyMemory<T>> blocks = [];
        for (int row = 0, size = 1; row < Rows; row += size, size++) blocks.Add(values.AsMemory(row * Features, Math.Min(size, Rows - row) * Features));
        return blocks;
    }
}
