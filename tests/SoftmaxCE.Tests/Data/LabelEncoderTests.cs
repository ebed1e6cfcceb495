namespace SoftmaxCE.Tests;

public class LabelEncoderTests
{
    [Fact]
    public void Labels_follow_the_ordinal_order_of_the_names()
    {
        LabelEncoder encoder = new(["b", "a", "B", "b", "ä"]);
        encoder.ClassNames.Should().Equal("B", "a", "b", "ä");
        encoder.ClassCount.Should().Be(4);
        encoder.Encode(["ä", "B", "b"]).Should().Equal(3, 0, 2);
        encoder.Decode(encoder.Encode("a")).Should().Be("a");
    }

    [Fact]
    public void An_unknown_name_is_an_error_that_gives_its_row()
    {
        LabelEncoder encoder = new(["cat", "dog"]);
        encoder.Invoking(e => e.Encode(["cat", "cow"])).Should().Throw<ArgumentException>().WithMessage("Row 1: \"cow\"*cat, dog*").WithParameterName("names");
        encoder.Invoking(e => e.Encode("cow")).Should().Throw<ArgumentException>().WithMessage("\"cow\"*").WithParameterName("name");
        encoder.Invoking(e => e.Decode(2)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*0 to 1*").WithParameterName("label");
    }

    [Fact]
    public void No_name_and_null_names_are_errors()
    {
        FluentActions.Invoking(() => new LabelEncoder([])).Should().Throw<ArgumentException>().WithParameterName("names");
        FluentActions.Invoking(() => new LabelEncoder(["a", null!])).Should().Throw<ArgumentException>().WithMessage("Name 1*");
    }
}
