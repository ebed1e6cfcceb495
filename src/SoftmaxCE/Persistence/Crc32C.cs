using System.Numerics;

namespace SoftmaxCE;

/// <summary>CRC-32C (Castagnoli) over texts and numbers, each preceded by its length. Detects every change within 32 neighbouring bits.</summary>
internal struct Crc32C
{
    private uint _inverted;

    public readonly uint Value => _inverted;

    public void Add(string text)
    {
        Add((ulong)text.Length);
        foreach (char character in text) _inverted = ~BitOperations.Crc32C(~_inverted, character);
    }

    public void Add(ReadOnlySpan<double> values)
    {
        Add((ulong)values.Length);
        foreach (double value in values) Add(BitConverter.DoubleToUInt64Bits(value));
    }

    private void Add(ulong bits) => _inverted = ~BitOperations.Crc32C(~_inverted, bits);
}
