namespace SoftmaxCE;

/// <summary>The IEEE binary32 layout in the form that the vector layers need.</summary>
internal static class FloatBits
{
    public const int FractionBits = 23;
    public const int EighthBits = FractionBits - 3;

    /// <summary>1.5 · 2^23: adding it to |n| &lt; 2^22 leaves n, as an integer, in the low bits.</summary>
    public const float RoundingMagic = 12582912f;

    /// <summary>Exponents are first raised by this much, so that a subnormal result is rounded once, by the multiplication that undoes it.</summary>
    public const int ScaleHeadroom = 64;

    public const float RoundingMagicPlusHeadroom = RoundingMagic + ScaleHeadroom;
    public const float TwoToMinusHeadroom = 5.42101086e-20f;

    // Splitting x into m 2^k with m in [√½, √2): (bits(x) - bits(√½)) >> 23 is k; SplitBias keeps the difference positive for a logical shift.
    public const int SplitBias = 128;
    public const int SplitOffset = (SplitBias << FractionBits) - 0x3F3504F3;
    public const int Two23 = 0x4B000000;
    public const float Two23PlusBias = 8388608f + SplitBias;

    // Half a step of the exponent rounds the difference of two numbers' bits to a whole power of two.
    public const int BesideOffset = 1 << (FractionBits - 1);
    public const int ExponentMask = -1 << FractionBits;
}

/// <summary>The IEEE binary64 layout in the form that the vector layers need.</summary>
internal static class DoubleBits
{
    public const int FractionBits = 52;
    public const int EighthBits = FractionBits - 3;
    public const double RoundingMagic = 6755399441055744.0;
    public const int ScaleHeadroom = 512;
    public const double RoundingMagicPlusHeadroom = RoundingMagic + ScaleHeadroom;
    public const double TwoToMinusHeadroom = 7.4583407312002067e-155;
    public const long SplitBias = 1024;
    public const long SplitOffset = (SplitBias << FractionBits) - 0x3FE6A09E667F3BCD;
    public const long Two52 = 0x4330000000000000;
    public const double Two52PlusBias = 4503599627370496.0 + SplitBias;
    public const long BesideBias = 2048;
    public const long BesideOffset = unchecked(BesideBias << FractionBits) + (1L << (FractionBits - 1));
    public const double Two52PlusBesideBias = 4503599627370496.0 + BesideBias;
}

/// <summary>The IEEE binary16 layout beside that of binary32, for conversions by whole vectors: the platform has no instruction for them.</summary>
/// <remarks>
/// To float: the digits move up by 13 bits and a multiplication by 2^112 mends the exponent, that of subnormal halves, too; infinity and NaN are larger
/// than any half then, and get the exponent that says so. To half: adding 2^13 times its power of two to a number, or to one too small the smallest
/// normal's, rounds it to half's digits, to even where it lies between, and carries into the exponent.
/// </remarks>
internal static class HalfBits
{
    /// <summary>Digits that a float has more.</summary>
    public const int DroppedBits = 13;

    /// <summary>In the layout of a float, before its exponent is changed.</summary>
    public const int SignAndMagnitude = int.MinValue | (0x7FFF << DroppedBits);

    /// <summary>What changes the exponent, and makes subnormal numbers normal.</summary>
    public const float Rebias = 5.192296858534828e33f;          // 2^112

    public const float LargestFinite = 65504;

    public const int ExponentOfSmallestNormal = 113 << FloatBits.FractionBits;

    /// <summary>2^16 as a float: becomes infinite.</summary>
    public const int Infinite = 0x47800000;

    public const int Exponent = 0x7F800000;
    public const int ToMagic = DroppedBits << FloatBits.FractionBits;
    public const int DigitsOfMagic = (113 + DroppedBits) << (FloatBits.FractionBits - DroppedBits);
    public const int QuietNaN = 0x0200;
}
