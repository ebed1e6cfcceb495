namespace SoftmaxCE.Tests;

public class FeatureRowsTests
{
    [Fact]
    public void Dense_rows_count_rows_and_apply_scale_and_offset()
    {
        DenseRows<byte> rows = new(new byte[] { 0, 1, 2, 3, 4, 255 }, featureCount: 3, scale: 0.5, offset: -1);
        double[] row = new double[3];
        rows.RowCount.Should().Be(2);
        rows.FeatureCount.Should().Be(3);
        rows.CopyRow(1, row);
        row.Should().Equal(0.5, 1, 126.5);
    }

    [Fact]
    public void Every_element_type_reads_the_same_values()
    {
        double[] values = [0, 1, 2, 3, 250, 7];
        FeatureRows[] kinds =
        [
            new DenseRows<double>(values, 2), new DenseRows<float>(values.Select(v => (float)v).ToArray(), 2),
            new DenseRows<Half>(values.Select(v => (Half)v).ToArray(), 2), new DenseRows<byte>(values.Select(v => (byte)v).ToArray(), 2),
        ];
        foreach (DenseRows kind in kinds.Cast<DenseRows>())
        {
            kind.ReadSingles(1, 2, new float[4]).ToArray().Should().Equal(2f, 3f, 250f, 7f);
            kind.ReadDoubles(1, 2, new double[4]).ToArray().Should().Equal(2, 3, 250, 7);
        }
    }

    [Fact]
    public void Float_and_double_rows_are_read_in_place()
    {
        float[] singles = [1, 2, 3, 4];
        double[] doubles = [1, 2, 3, 4];
        new DenseRows<float>(singles, 2).ReadSingles(1, 1, default).Overlaps(singles.AsSpan(2)).Should().BeTrue();
        new DenseRows<double>(doubles, 2).ReadDoubles(1, 1, default).Overlaps(doubles.AsSpan(2)).Should().BeTrue();
    }

    [Fact]
    public void Sparse_rows_add_up_columns_that_come_twice()
    {
        SparseRows<float> rows = new(new float[] { 5, 1, 2 }, new[] { 2, 0, 0 }, new long[] { 0, 1, 1, 3 }, featureCount: 4);
        double[] row = new double[4];
        rows.RowCount.Should().Be(3);
        rows.CopyRow(0, row);
        row.Should().Equal(0, 0, 5, 0);
        rows.CopyRow(1, row);
        row.Should().Equal(0, 0, 0, 0);
        rows.CopyRow(2, row);
        row.Should().Equal(3, 0, 0, 0);
    }

    [Fact]
    public void Dense_rows_refuse_what_does_not_fit()
    {
        FluentActions.Invoking(() => new DenseRows<float>(new float[7], 3)).Should().Throw<ArgumentException>().WithMessage("*7 values*3 features*").WithParameterName("values");
        FluentActions.Invoking(() => new DenseRows<float>(new float[7], 0)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("featureCount");
        FluentActions.Invoking(() => new DenseRows<float>(new float[6], 3, scale: double.NaN)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("scale");
        FluentActions.Invoking(() => new DenseRows<float>(new float[6], 3, offset: double.PositiveInfinity)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("offset");
        FluentActions.Invoking(() => new DenseRows<int>(new int[6], 3)).Should().Throw<NotSupportedException>().WithMessage("*Int32*");
    }

    [Theory]
    [InlineData(new long[] { 0, 3, 2, 3 }, "Row 1*")]
    [InlineData(new long[] { 1, 2, 2, 3 }, "Row 0*")]
    [InlineData(new long[] { 0, 1, 2, 2 }, "*3*")]
    [InlineData(new long[] { }, "*empty*")]
    public void Sparse_rows_refuse_bad_row_starts(long[] rowStarts, string message) =>
        FluentActions.Invoking(() => new SparseRows<double>(new double[3], new[] { 0, 1, 2 }, rowStarts, 4))
            .Should().Throw<ArgumentException>().WithMessage(message).WithParameterName(nameof(rowStarts));

    [Theory]
    [InlineData(4)]
    [InlineData(-1)]
    public void Sparse_rows_refuse_columns_out_of_range(int column) =>
        FluentActions.Invoking(() => new SparseRows<double>(new double[3], new[] { 0, 1, column }, new long[] { 0, 1, 1, 3 }, 4))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage($"Row 2 has a value in column {column}*0 to 3*").WithParameterName("columns");

    [Fact]
    public void Sparse_rows_refuse_arrays_of_different_length() =>
        FluentActions.Invoking(() => new SparseRows<double>(new double[3], new[] { 0, 1 }, new long[] { 0, 3 }, 4))
            .Should().Throw<ArgumentException>().WithParameterName("columns");
}
