using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE;

/// <summary>ln Σ e^x over values that are never in memory together, in constant memory.</summary>
/// <remarks>
/// The sum is kept as s · 2^n with s to twice the precision of double, so that a new maximum or a merge rescales it without rounding. However the
/// values are split and merged, the result is within 1 ulp of max(|result|, 1), and nearly always the same to the last bit.
/// An instance belongs to one thread at a time.
/// </remarks>
public sealed class LogSumExpAccumulator
{
    /// <summary>Beyond this size neighbouring doubles are further apart than ln 2: the largest value is then the result.</summary>
    private const double Largest = 1e15;

    /// <summary>A scale this far below the other's adds nothing to twice the precision of double.</summary>
    private const double Negligible = 1000;

    private const int BlockLength = 512;

    private CompensatedSum _sum;
    private double _power = double.NegativeInfinity;
    private double _max = double.NegativeInfinity;

    /// <summary>How many values were added.</summary>
    public long Count { get; private set; }

    /// <summary>ln Σ e^x: −∞ when nothing (or nothing but −∞) was added, +∞ when a value was, NaN when one was.</summary>
    public double LogSumExp
    {
        get
        {
            if (!(Math.Abs(_max) <= Largest)) return _max;
            double log = RowSum.Log(_sum, 0, out double rest);
            double shift = _power * ScaledExpSumKernel.Ln2;
            double shiftRest = Math.FusedMultiplyAdd(_power, ScaledExpSumKernel.Ln2, -shift) + (_power * ScaledExpSumKernel.Ln2Rest);
            double sum = TwoSum.Add<ScalarSimd<double>, double, double>(shift, log, out double lost);
            return sum + (lost + shiftRest + rest);
        }
    }

    /// <summary>ln of the mean of e^x: <see cref="LogSumExp"/> − ln <see cref="Count"/>.</summary>
    public double LogMeanExp => LogSumExp - Math.Log(Count);

    /// <summary>Adds values.</summary>
    /// <typeparam name="T">Any IEEE type; computed in double.</typeparam>
    public unsafe void Add<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double* block = stackalloc double[BlockLength];
        for (int start = 0; start < values.Length; start += BlockLength)
        {
            int count = Math.Min(BlockLength, values.Length - start);
            Span<double> widened = new(block, count);
            TensorPrimitives.ConvertTruncating(values.Slice(start, count), widened);
            double max = TensorPrimitives.Max<double>(widened), power = Math.Ceiling(max / ScaledExpSumKernel.Ln2) + 1;
            Count += count;
            if (!(Math.Abs(max) <= Largest))
            {
                Merge(max, double.NegativeInfinity, default);
                continue;
            }

            ScaledExpSumKernel kernel = new(block, count, power);
            VectorWidth.Run<ScaledExpSumKernel, double>(ref kernel);
            Merge(max, power, kernel.Sum);
        }
    }

    /// <summary>Adds one value.</summary>
    public void Add<T>(T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Add(new ReadOnlySpan<T>(in value));

    /// <summary>Adds all that <paramref name="other"/> has seen.</summary>
    public void Merge(LogSumExpAccumulator other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Count += other.Count;
        Merge(other._max, other._power, other._sum);
    }

    private void Merge(double max, double power, CompensatedSum sum)
    {
        _max = Math.Max(_max, max);         // NaN wins
        if (power > _power) (_power, power, _sum, sum) = (power, _power, sum, _sum);
        if (!(_power - power < Negligible)) return;
        int scale = (int)(power - _power);
        _sum.Add(new CompensatedSum { High = Math.ScaleB(sum.High, scale), Low = Math.ScaleB(sum.Low, scale) });
    }
}
