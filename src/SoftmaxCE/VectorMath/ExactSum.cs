using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A sum of doubles without any rounding: the same for every order and every split of the values.</summary>
/// <remarks>
/// The sum is an integer multiple of 2^−1074, kept in digits of 32 bits. Each digit sits in a long, so that carries can wait: an addition touches
/// three digits, and after 2^30 additions the carries are worked off.
/// </remarks>
internal sealed class ExactSum
{
    private const int DigitBits = 32;
    private const int SmallestPower = -1074;

    // 2^1024 / 2^-1074 takes 2098 bits; two more digits hold the carries of 2^62 of the largest numbers.
    private const int DigitCount = 68;
    private const int AdditionsBetweenCarries = 1 << 30;

    private Digits _digits;
    private int _additions;
    private double _special;        // the sum of the infinities and NaN met so far, which are no integers

    /// <summary>The sum, rounded once to the nearest double.</summary>
    public double Value
    {
        get
        {
            if (_special != 0) return _special;
            Carry();
            Digits magnitude = _digits;
            bool negative = magnitude[DigitCount - 1] < 0;
            if (negative) Negate(ref magnitude);
            int top = DigitCount - 1;
            while (top > 2 && magnitude[top] == 0) top--;

            // Three digits hold the 53 bits wherever they start; what lies below only matters as being there.
            UInt128 leading = ((UInt128)(ulong)magnitude[top] << (2 * DigitBits)) | ((UInt128)(ulong)magnitude[top - 1] << DigitBits) | (ulong)magnitude[top - 2];
            bool more = false;
            for (int i = 0; i < top - 2; i++) more |= magnitude[i] != 0;
            double rounded = (double)((leading << 1) | (more ? UInt128.One : UInt128.Zero));
            double value = Math.ScaleB(rounded, (DigitBits * (top - 2)) + SmallestPower - 1);
            return negative ? -value : value;
        }
    }

    public void Add(double value)
    {
        if (!double.IsFinite(value))
        {
            _special += value;
            return;
        }

        long bits = BitConverter.DoubleToInt64Bits(value), mantissa = bits & 0xf_ffff_ffff_ffff;
        int power = (int)((bits >> 52) & 0x7ff);
        if (power == 0) power = 1;
        else mantissa |= 1L << 52;
        int shift = power - 1, digit = shift / DigitBits;
        UInt128 shifted = (UInt128)(ulong)mantissa << (shift % DigitBits);
        long low = (long)((ulong)shifted & uint.MaxValue), middle = (long)((ulong)(shifted >> DigitBits) & uint.MaxValue), high = (long)(shifted >> (2 * DigitBits));
        if (bits < 0) (low, middle, high) = (-low, -middle, -high);
        _digits[digit] += low;
        _digits[digit + 1] += middle;
        _digits[digit + 2] += high;
        if (++_additions == AdditionsBetweenCarries) Carry();
    }

    public void Add(ExactSum other)
    {
        other.Carry();
        Carry();
        for (int i = 0; i < DigitCount; i++) _digits[i] += other._digits[i];
        _special += other._special;
        Carry();
    }

    /// <summary>Brings all digits but the last, which keeps the sign, into [0, 2^32).</summary>
    private void Carry()
    {
        for (int i = 0; i < DigitCount - 1; i++)
        {
            long carry = _digits[i] >> DigitBits;
            _digits[i] -= carry << DigitBits;
            _digits[i + 1] += carry;
        }

        _additions = 0;
    }

    private static void Negate(ref Digits digits)
    {
        long borrow = 0;
        for (int i = 0; i < DigitCount - 1; i++)
        {
            long digit = -digits[i] - borrow;
            borrow = digit < 0 ? 1 : 0;
            digits[i] = digit + (borrow << DigitBits);
        }

        digits[DigitCount - 1] = -digits[DigitCount - 1] - borrow;
    }

    [InlineArray(DigitCount)]
    private struct Digits
    {
        private long _first;
    }
}
