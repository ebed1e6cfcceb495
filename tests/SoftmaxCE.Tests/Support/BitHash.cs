namespace SoftmaxCE.Tests;

/// <summary>
/// A 64-bit hash of the exact bits of values in their order, to pin that outputs are the same on every vector width and thread
/// count. Every NaN counts as the same value (its payload is free); +0 and -0 differ.
/// </summary>
public sealed class BitHash
{
    // FNV-1a over 64-bit words, with a rotation so that high bits reach low ones.
    private const ulong OffsetBasis = 0xcbf29ce484222325;
    private const ulong Prime = 0x00000100000001b3;

    public ulong Value { get; private set; } = OffsetBasis;

    public static ulong Of(ReadOnlySpan<float> values) => new BitHash().Add(values).Value;

    public static ulong Of(ReadOnlySpan<double> values) => new BitHash().Add(values).Value;

    public BitHash Add(ReadOnlySpan<float> values)
    {
        foreach (float value in values) Mix(BitConverter.SingleToUInt32Bits(float.IsNaN(value) ? float.NaN : value));
        return this;
    }

    public BitHash Add(ReadOnlySpan<double> values)
    {
        foreach (double value in values) Mix(BitConverter.DoubleToUInt64Bits(double.IsNaN(value) ? double.NaN : value));
        return this;
    }

    public BitHash Add(double value) => Add([value]);

    private void Mix(ulong bits) => Value = (ulong.RotateLeft(Value, 29) ^ bits) * Prime;
}
