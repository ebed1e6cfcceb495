using System.Buffers.Binary;
using System.Text;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class SafeTensorsHeaderTests
{
    [Fact]
    public void Reads_metadata_and_tensors_in_any_order()
    {
        SafeTensorsHeader header = SafeTensorsHeader.Parse(SafeTensorsBytes.Of(
            """{"b":{"shape":[],"data_offsets":[12,16],"dtype":"I32"},"__metadata__":{"format":"pt","empty":""},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}   """, new byte[16]));
        header.Metadata.Should().Equal(new Dictionary<string, string> { ["format"] = "pt", ["empty"] = "" });
        header.Tensors["a"].Should().BeEquivalentTo(new TensorInfo("a", "F16", [2, 3], 0, 12));
        header.Tensors["b"].Should().BeEquivalentTo(new TensorInfo("b", "I32", [], 12, 16));
        header.DataStart.Should().Be(8 + 156);
    }

    [Fact]
    public void Reads_empty_tensors_wherever_they_stand()
    {
        SafeTensorsHeader header = SafeTensorsHeader.Parse(SafeTensorsBytes.Of(
            """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"e":{"dtype":"F64","shape":[3,0],"data_offsets":[0,0]},"z":{"dtype":"F64","shape":[0],"data_offsets":[2,2]}}""", 1, 2));
        header.Tensors.Should().HaveCount(3);
    }

    [Fact]
    public void A_file_without_tensors_is_valid() => SafeTensorsHeader.Parse(SafeTensorsBytes.Of("{}")).Tensors.Should().BeEmpty();

    [Theory]
    [InlineData("", "does not start with '{'")]
    [InlineData(" {}", "does not start with '{'")]
    [InlineData("[]", "does not start with '{'")]
    [InlineData("{", "not valid JSON")]
    [InlineData("{}}", "not valid JSON")]
    [InlineData("{} {}", "not valid JSON")]
    [InlineData("{},", "not valid JSON")]
    [InlineData("""{"a":1}""", "entry 'a' is not an object")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""", "not valid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "tensor 'a' occurs twice")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "unexpected or repeated 'dtype'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}""", "unexpected or repeated 'shape'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]}}""", "unexpected or repeated 'data_offsets'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}""", "unexpected or repeated 'more'")]
    [InlineData("""{"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}""", "unexpected or repeated 'dtype'")]
    [InlineData("""{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", "list of numbers")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"U9","shape":[1],"data_offsets":[0,1]}}""", "unknown dtype 'U9'")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}""", "do not fit its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", "do not fit its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}}""", "overflows")]
    [InlineData("""{"a":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,1]}}""", "overflows")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2305843009213693952,8],"data_offsets":[0,0]}}""", "overflows")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", "gap or an overlap before the tensor 'a'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "gap or an overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", "take 2 bytes but 1 are there")]
    [InlineData("{}", "take 0 bytes but 1 are there")]
    [InlineData("""{"__metadata__":{"a":1}}""", "metadata 'a' is not a string")]
    [InlineData("""{"__metadata__":{"a":"1","a":"1"}}""", "metadata 'a' occurs twice")]
    [InlineData("""{"__metadata__":{"a":"1"},"__metadata__":{"b":"1"}}""", "metadata occurs twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "metadata occurs twice")]
    [InlineData("""{"__metadata__":"a"}""", "entry '__metadata__' is not an object")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "not valid JSON")]
    public void Refuses_a_header_that_is_wrong_and_says_why(string header, string why)
    {
        Action parse = () => SafeTensorsHeader.Parse(SafeTensorsBytes.Of(header, 7));
        parse.Should().Throw<InvalidDataException>().WithMessage($"*safetensors*{why}*");
    }

    [Fact]
    public void Refuses_text_that_is_not_UTF_8()
    {
        byte[] file = SafeTensorsBytes.Of("""{"__metadata__":{"a":"?"}}""");
        file[Array.IndexOf(file, (byte)'?')] = 0xFF;
        Action parse = () => SafeTensorsHeader.Parse(file);
        parse.Should().Throw<InvalidDataException>();
    }

    [Theory, InlineData(0UL), InlineData(3UL), InlineData(99_999_999UL), InlineData(100_000_001UL), InlineData(1UL << 63), InlineData(ulong.MaxValue)]
    public void A_header_length_that_is_wrong_is_refused_before_memory_is_taken(ulong length)
    {
        byte[] file = [.. new byte[8], (byte)'{', (byte)'}'];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Action parse = () => SafeTensorsHeader.Parse(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        parse.Should().Throw<InvalidDataException>();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1_000_000);
    }

    [Theory, InlineData(0), InlineData(7)]
    public void A_file_too_short_for_a_length_is_refused(int bytes)
    {
        Action parse = () => SafeTensorsHeader.Parse(new byte[bytes]);
        parse.Should().Throw<InvalidDataException>().WithMessage($"*{bytes} bytes*");
    }

    [Fact]
    public void A_very_long_name_is_cut_in_the_message()
    {
        Action parse = () => SafeTensorsHeader.Parse(SafeTensorsBytes.Of($$"""{"{{new string('x', 100_000)}}":1}"""));
        parse.Should().Throw<InvalidDataException>().Which.Message.Length.Should().BeLessThan(200);
    }

    [Fact]
    public void Any_bytes_at_all_end_in_a_header_or_in_InvalidDataException()
    {
        // Pieces of headers in any order reach further into the reader than random bytes do.
        string[] pieces =
        [
            "{", "}", "[", "]", ":", ",", "\"", " ", "0", "1", "8", "-", "1e3", "null", "\\u00", "\"a\"", "\"b\":", "\"dtype\":", "\"U8\"", "\"F64\"", "\"shape\":", "\"data_offsets\":", "[0,8]", "[1]",
            "\"__metadata__\":{", "\"a\":\"b\"", "\"w\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}",
        ];
        Gen<string> header = Gen.Int[0, pieces.Length - 1].Select(index => pieces[index]).Array[0, 20].Select(string.Concat);
        Gen.Select(header, Gen.Byte.Array[0, 20]).Sample((text, data) => ParsesOrRefuses(SafeTensorsBytes.Of("{" + text, data)), iter: 20_000);
        Gen.Byte.Array[0, 100].Sample(bytes => ParsesOrRefuses(bytes), iter: 20_000);
        Gen.Byte.Array[0, 100].Sample(bytes => ParsesOrRefuses(SafeTensorsBytes.Of("{" + Encoding.Latin1.GetString(bytes))), iter: 20_000);
    }

    private static bool ParsesOrRefuses(byte[] file)
    {
        try
        {
            SafeTensorsHeader header = SafeTensorsHeader.Parse(file);
            return header.Tensors.Values.Sum(tensor => tensor.End - tensor.Begin) == file.Length - header.DataStart;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }
}
