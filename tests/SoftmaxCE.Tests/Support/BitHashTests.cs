namespace SoftmaxCE.Tests;

public sealed class BitHashTests
{
    [Fact]
    public void Order_sign_of_zero_and_the_last_bit_change_the_hash()
    {
        ulong hash = BitHash.Of([1f, 2f, 0f]);

        BitHash.Of([2f, 1f, 0f]).Should().NotBe(hash);
        BitHash.Of([1f, 2f, -0f]).Should().NotBe(hash);
        BitHash.Of([1f, MathF.BitIncrement(2f), 0f]).Should().NotBe(hash);
        BitHash.Of([1f, 2f]).Should().NotBe(hash);
        BitHash.Of([1f, 2f, 0f]).Should().Be(hash);
    }

    [Fact]
    public void Any_nan_is_the_same_nan()
    {
        double other = BitConverter.UInt64BitsToDouble(0x7ff8_0000_0000_1234);

        BitHash.Of([other, 1.0]).Should().Be(BitHash.Of([double.NaN, 1.0]));
    }

    [Fact]
    public void Parts_hash_like_the_whole()
    {
        double[] values = [1, 2, 3, 4];

        new BitHash().Add(values.AsSpan(0, 1)).Add(values.AsSpan(1)).Value.Should().Be(BitHash.Of(values));
    }
}
