using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class ProtobufFieldsTests
{
    [Fact]
    public void What_is_written_is_read() =>
        Gen.Select(Gen.Long, Gen.String[Gen.Char["aß猫\0"], 0, 5], Gen.Double[-1e30, 1e30].Array[0, 4]).Sample((number, text, floats) =>
        {
            ProtobufFields fields = new(new ProtobufMessage().Integer(1, number).Text(2047, text).Floats((1 << 29) - 1, floats).WrittenBytes);
            List<double> read = [];
            bool same = fields.Next() && fields.Field == 1 && fields.Integer() == number;
            same = same && fields.Next() && fields.Field == 2047 && fields.Text() == text;
            same = same && fields.Next() && fields.Field == (1 << 29) - 1;
            fields.AddFloats(read);
            return same && !fields.Next() && read.SequenceEqual(floats.Select(value => (double)(float)value));
        });

    [Fact]
    public void Repeated_numbers_are_read_packed_and_one_by_one()
    {
        List<long> integers = [];
        List<double> floats = [], doubles = [];
        ProtobufFields fields = new([0x08, 0x96, 0x01, 0x0A, 3, 0x96, 0x01, 0x07, 0x15, 0, 0, 0x80, 0x3F, 0x19, 0, 0, 0, 0, 0, 0, 0, 0x40]);
        while (fields.Next())
        {
            if (fields.Field == 1) fields.AddIntegers(integers);
            if (fields.Field == 2) fields.AddFloats(floats);
            if (fields.Field == 3) fields.AddDoubles(doubles);
        }

        integers.Should().Equal(150, 150, 7);
        floats.Should().Equal(1);
        doubles.Should().Equal(2);
    }

    [Theory]
    [InlineData(new byte[] { 0x08 }, "ends within a number")]
    [InlineData(new byte[] { 0x80 }, "ends within a number")]
    [InlineData(new byte[] { 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02 }, "more than 64 bits")]
    [InlineData(new byte[] { 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 }, "more than 64 bits")]
    [InlineData(new byte[] { 0x00, 0x01 }, "no field number 0")]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x10, 0x01 }, "no field number 536870912")]
    [InlineData(new byte[] { 0x0B }, "kind 3")]
    [InlineData(new byte[] { 0x0C }, "kind 4")]
    [InlineData(new byte[] { 0x0F }, "kind 7")]
    [InlineData(new byte[] { 0x0A, 0x02, 0x41 }, "states 2 bytes but 1 are left")]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 }, "states 18446744073709551615 bytes")]
    [InlineData(new byte[] { 0x0D, 1, 2, 3 }, "states 4 bytes but 3 are left")]
    [InlineData(new byte[] { 0x09, 1, 2, 3 }, "states 8 bytes but 3 are left")]
    [InlineData(new byte[] { 0x0A, 0x01, 0xFF }, "not valid UTF-8")]
    [InlineData(new byte[] { 0x08, 0x01 }, "kind 0; 2 is needed")]
    public void What_is_no_message_is_refused(byte[] message, string why)
    {
        Action read = () =>
        {
            ProtobufFields fields = new(message);
            while (fields.Next()) _ = fields.Text();
        };
        read.Should().Throw<InvalidDataException>().WithMessage($"*{why}*");
    }

    [Fact]
    public void Numbers_of_the_wrong_kind_or_length_are_refused()
    {
        Refuses([0x0A, 3, 1, 2, 3], fields => fields.AddFloats([]), "3 bytes, which are not numbers of 4");
        Refuses([0x0A, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], fields => fields.AddDoubles([]), "12 bytes, which are not numbers of 8");
        Refuses([0x0A, 1, 0x80], fields => fields.AddIntegers([]), "ends within a number");
        Refuses([0x0D, 1, 2, 3, 4], fields => fields.AddIntegers([]), "kind 5; 2 is needed");
        Refuses([0x0A, 0], fields => _ = fields.Integer(), "kind 2; 0 is needed");
        Refuses([0x0A, 0], fields => _ = fields.Float(), "kind 2; 5 is needed");
    }

    private delegate void Use(ProtobufFields fields);

    private static void Refuses(byte[] message, Use use, string why)
    {
        Action read = () =>
        {
            ProtobufFields fields = new(message);
            fields.Next().Should().BeTrue();
            use(fields);
        };
        read.Should().Throw<InvalidDataException>().WithMessage($"*{why}*");
    }
}
