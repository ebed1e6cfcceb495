using System.Globalization;
using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>
/// A binary floating-point number of 160 significant bits with an exponent that never overflows in practice: the measure for
/// every other number in the tests. value = mantissa · 2^exponent; each operation is rounded to nearest once.
/// Conversions from float and double are exact. NaN and the infinities behave as in IEEE 754; there is one zero.
/// </summary>
public readonly struct Wide : IComparable<Wide>, IEquatable<Wide>
{
    public const int Precision = 160;

    private const int SmallestPower = 50_000;

    private readonly BigInteger _mantissa;
    private readonly int _exponent;
    private readonly double _special;      // 0 for a finite number, else NaN or an infinity

    private Wide(BigInteger mantissa, int exponent)
    {
        int excess = (int)BigInteger.Abs(mantissa).GetBitLength() - Precision;
        if (excess > 0)
        {
            mantissa = ShiftRightToNearest(mantissa, excess);
            exponent += excess;
        }

        _mantissa = mantissa;
        _exponent = mantissa.IsZero ? 0 : exponent;
    }

    private Wide(double special) => _special = special;

    public static Wide Zero => default;

    public static Wide One => new(BigInteger.One, 0);

    public static Wide NaN => new(double.NaN);

    public static Wide PositiveInfinity => new(double.PositiveInfinity);

    public static Wide NegativeInfinity => new(double.NegativeInfinity);

    public bool IsFinite => _special == 0;

    public bool IsNaN => double.IsNaN(_special);

    public bool IsZero => IsFinite && _mantissa.IsZero;

    public int Sign => IsFinite ? _mantissa.Sign : IsNaN ? 0 : Math.Sign(_special);

    /// <summary>The e with 2^e ≤ |value| &lt; 2^(e+1); only for finite numbers other than 0.</summary>
    public int BinaryExponent => _exponent + (int)BigInteger.Abs(_mantissa).GetBitLength() - 1;

    public static implicit operator Wide(double value) => FromDouble(value);

    public static implicit operator Wide(int value) => new(value, 0);

    public static explicit operator double(Wide value) => value.RoundTo(53, -1074);

    /// <summary>Exact for every type whose values are doubles: Half, float, double.</summary>
    public static Wide From<T>(T value)
        where T : INumberBase<T> => FromDouble(double.CreateChecked(value));

    /// <summary>Reads "1.25e-7", "inf", "-inf", "nan". What is written with a power below 10^-50000 counts as 0, as it does in <see cref="WideMath.Exp"/>.</summary>
    public static Wide Parse(string text)
    {
        switch (text)
        {
            case "inf": return PositiveInfinity;
            case "-inf": return NegativeInfinity;
            case "nan": return NaN;
        }

        int mark = text.IndexOf('e', StringComparison.OrdinalIgnoreCase);
        BigInteger writtenPower = mark < 0 ? 0 : BigInteger.Parse(text.AsSpan(mark + 1), CultureInfo.InvariantCulture);
        if (writtenPower < -SmallestPower) return Zero;
        int power = (int)writtenPower;
        string digits = mark < 0 ? text : text[..mark];
        int point = digits.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0)
        {
            power -= digits.Length - point - 1;
            digits = digits.Remove(point, 1);
        }

        BigInteger number = BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        BigInteger scale = BigInteger.Pow(10, Math.Abs(power));
        return power >= 0 ? new Wide(number * scale, 0) : Quotient(number, scale, 0);
    }

    public static Wide operator -(Wide a) => a.IsFinite ? new Wide(-a._mantissa, a._exponent) : new Wide(-a._special);

    public static Wide operator -(Wide a, Wide b) => a + (-b);

    public static Wide operator +(Wide a, Wide b)
    {
        if (!a.IsFinite || !b.IsFinite) return new Wide(a._special + b._special);
        if (a._mantissa.IsZero) return b;
        if (b._mantissa.IsZero) return a;
        if (a._exponent < b._exponent) (a, b) = (b, a);
        // Beyond this distance b is less than a quarter of a's last bit.
        if (a.BinaryExponent - b.BinaryExponent > Precision + 2) return a;
        return new Wide((a._mantissa << (a._exponent - b._exponent)) + b._mantissa, b._exponent);
    }

    public static Wide operator *(Wide a, Wide b)
    {
        if (!a.IsFinite || !b.IsFinite) return new Wide(a.Coarse * b.Coarse);
        return new Wide(a._mantissa * b._mantissa, a._exponent + b._exponent);
    }

    public static Wide operator /(Wide a, Wide b)
    {
        if (a.IsFinite && b.IsFinite && !b._mantissa.IsZero) return Quotient(a._mantissa, b._mantissa, a._exponent - b._exponent);
        double special = a.Coarse / b.Coarse;
        return special == 0 ? Zero : new Wide(special);
    }

    public static bool operator ==(Wide a, Wide b) => a.Equals(b) && !a.IsNaN;

    public static bool operator !=(Wide a, Wide b) => !(a == b);

    public static bool operator <(Wide a, Wide b) => !a.IsNaN && !b.IsNaN && a.CompareTo(b) < 0;

    public static bool operator >(Wide a, Wide b) => b < a;

    public static bool operator <=(Wide a, Wide b) => !a.IsNaN && !b.IsNaN && a.CompareTo(b) <= 0;

    public static bool operator >=(Wide a, Wide b) => b <= a;

    public static Wide Abs(Wide a) => a.Sign < 0 ? -a : a;

    public static Wide Max(Wide a, Wide b) => a.IsNaN || b.IsNaN ? NaN : a < b ? b : a;

    /// <summary>value · 2^power, exactly.</summary>
    public Wide TimesPowerOfTwo(int power) => IsFinite ? new Wide(_mantissa, _exponent + power) : this;

    public int CompareTo(Wide other)
    {
        if (!IsFinite || !other.IsFinite) return Coarse.CompareTo(other.Coarse);
        return (this - other)._mantissa.Sign;
    }

    public bool Equals(Wide other) => IsNaN ? other.IsNaN : !other.IsNaN && CompareTo(other) == 0;

    public override bool Equals(object? obj) => obj is Wide other && Equals(other);

    public override int GetHashCode() => ((double)this).GetHashCode();

    /// <summary>The nearest double and, where that is not all, what is left of the value, so that messages show about 32 digits.</summary>
    public override string ToString()
    {
        double near = (double)this;
        double rest = double.IsFinite(near) ? (double)(this - near) : 0;
        string digits = near.ToString("R", CultureInfo.InvariantCulture);
        return rest == 0 ? digits : string.Create(CultureInfo.InvariantCulture, $"{digits} {(rest < 0 ? '-' : '+')} {Math.Abs(rest):R}");
    }

    /// <summary>
    /// The nearest number of a binary format, ties to even, as a double: <paramref name="bits"/> significant bits, smallest positive
    /// value 2^<paramref name="smallest"/>. Numbers too large for a double come out infinite.
    /// </summary>
    internal double RoundTo(int bits, int smallest)
    {
        if (!IsFinite) return _special;
        if (_mantissa.IsZero) return 0;
        int last = Math.Max(BinaryExponent - bits + 1, smallest);
        BigInteger mantissa = last > _exponent ? ShiftRightToNearest(_mantissa, last - _exponent) : _mantissa << (_exponent - last);
        return Math.ScaleB((double)mantissa, last);
    }

    /// <summary>floor(value · 2^<paramref name="fractionBits"/>), for inner loops in fixed point.</summary>
    internal BigInteger ToFixed(int fractionBits)
    {
        int shift = _exponent + fractionBits;
        return shift >= 0 ? _mantissa << shift : _mantissa >> -shift;
    }

    internal static Wide FromFixed(BigInteger value, int fractionBits) => new(value, -fractionBits);

    // Sign and kind only: enough for the rules of NaN and infinities.
    private double Coarse => IsFinite ? _mantissa.Sign : _special;

    private static Wide FromDouble(double value)
    {
        if (!double.IsFinite(value)) return new Wide(value);
        long bits = BitConverter.DoubleToInt64Bits(value);
        int field = (int)((bits >> 52) & 0x7ff);
        long mantissa = bits & 0xf_ffff_ffff_ffff;
        if (field != 0) mantissa |= 1L << 52;
        return new Wide(value < 0 ? -mantissa : mantissa, Math.Max(field, 1) - 1075);
    }

    private static Wide Quotient(BigInteger numerator, BigInteger denominator, int exponent)
    {
        // Two bits more than the precision, and a sticky bit, so that the rounding in the constructor is the only one.
        int shift = Math.Max(0, Precision + 2 + (int)(BigInteger.Abs(denominator).GetBitLength() - BigInteger.Abs(numerator).GetBitLength()));
        BigInteger quotient = BigInteger.DivRem(numerator << shift, denominator, out BigInteger remainder);
        int sticky = remainder.IsZero ? 0 : numerator.Sign * denominator.Sign;
        return new Wide((quotient << 1) + sticky, exponent - shift - 1);
    }

    private static BigInteger ShiftRightToNearest(BigInteger value, int shift)
    {
        BigInteger magnitude = BigInteger.Abs(value);
        BigInteger kept = magnitude >> shift;
        BigInteger dropped = magnitude - (kept << shift);
        int comparison = dropped.CompareTo(BigInteger.One << (shift - 1));
        if (comparison > 0 || (comparison == 0 && !kept.IsEven)) kept += BigInteger.One;
        return value.Sign < 0 ? -kept : kept;
    }
}
