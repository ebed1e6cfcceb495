namespace SoftmaxCE;

/// <summary>
/// The safetensors format: an unsigned 64-bit little-endian length, a JSON header of that length, then the tensors' bytes, row-major
/// and little-endian. The header maps each tensor's name to its dtype, shape and place, and "__metadata__" to strings.
/// </summary>
/// <remarks>Specified by github.com/huggingface/safetensors (README and tensor.rs).</remarks>
internal static class SafeTensors
{
    public const string MetadataKey = "__metadata__";
    public const string DTypeKey = "dtype";
    public const string ShapeKey = "shape";
    public const string OffsetsKey = "data_offsets";

    /// <summary>Bytes before the header.</summary>
    public const int LengthSize = 8;

    /// <summary>The reference implementation refuses longer headers, so this one neither reads nor writes them.</summary>
    public const int LongestHeader = 100_000_000;

    /// <summary>Size of one element in bytes; 0 for a dtype that is not known.</summary>
    public static int ElementSize(string dtype) => dtype switch
    {
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 1,
        "U16" or "I16" or "F16" or "BF16" => 2,
        "U32" or "I32" or "F32" => 4,
        "U64" or "I64" or "F64" or "C64" => 8,
        _ => 0,
    };
}

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its key in the header.</param>
/// <param name="DType">Its element type, as written in the header.</param>
/// <param name="Shape">Its dimensions; none for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last, counted likewise.</param>
internal sealed record TensorInfo(string Name, string DType, IReadOnlyList<long> Shape, long Begin, long End);
