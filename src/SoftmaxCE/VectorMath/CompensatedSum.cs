using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A running total in double that keeps what each addition rounds away (Knuth's TwoSum), so that its error does not grow with the count.</summary>
internal struct CompensatedSum
{
    /// <summary>The total as rounded so far.</summary>
    public double High;

    /// <summary>What rounding took from <see cref="High"/>.</summary>
    public double Low;

    /// <summary>The total. Once it is infinite or NaN, <see cref="Low"/> means nothing.</summary>
    public readonly double Value => double.IsFinite(High) ? High + Low : High;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(double value)
    {
        double sum = TwoSum.Add<ScalarSimd<double>, double, double>(High, value, out double lost);
        Low += lost;
        High = sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(CompensatedSum other)
    {
        Add(other.High);
        Low += other.Low;
    }

    /// <summary>The product, to nearly twice the precision of double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly CompensatedSum Times(CompensatedSum other)
    {
        double product = High * other.High;
        return new() { High = product, Low = Math.FusedMultiplyAdd(High, other.High, -product) + ((High * other.Low) + (Low * other.High)) };
    }

    /// <summary>Multiplies by 2^<paramref name="power"/>, which rounds nothing while the result is a normal number.</summary>
    public void TimesPowerOfTwo(int power)
    {
        if (power == 0) return;
        High = Math.ScaleB(High, power);
        Low = Math.ScaleB(Low, power);
    }
}
