using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One value: for formulas at a single point, and, paired up, for processors without vector hardware.</summary>
internal readonly struct ScalarSimd<T> : ISimd<T, T>
    where T : unmanaged
{
    public static int Lanes => 1;

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunOnRegister<TKernel>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T> => kernel.Run<ScalarSimd<T>, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Create(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Indices(int first) => typeof(T) == typeof(float) ? From((float)first) : From((double)first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load(ref readonly T source, nuint offset) => Unsafe.Add(ref Unsafe.AsRef(in source), offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref T destination, nuint offset, T value) => Unsafe.Add(ref destination, offset) = value;

    public static unsafe void StorePastCaches(T* destination, T value) => *destination = value;

    public static unsafe T LoadHalves(Half* source) => From((float)*source);

    public static unsafe void StoreHalves(Half* destination, T value) => *destination = (Half)F(value);

    public static unsafe T LoadPartial(T* source, int count, T fill) => count > 0 ? *source : fill;

    public static unsafe void StorePartial(T* destination, int count, T value)
    {
        if (count > 0) *destination = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void AddToDoubles(double* destination, T value) => *destination += typeof(T) == typeof(float) ? F(value) : D(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Add(T left, T right) => typeof(T) == typeof(float) ? From(F(left) + F(right)) : From(D(left) + D(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Subtract(T left, T right) => typeof(T) == typeof(float) ? From(F(left) - F(right)) : From(D(left) - D(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Multiply(T left, T right) => typeof(T) == typeof(float) ? From(F(left) * F(right)) : From(D(left) * D(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Divide(T left, T right) => typeof(T) == typeof(float) ? From(F(left) / F(right)) : From(D(left) / D(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MultiplyAdd(T left, T right, T addend) => typeof(T) == typeof(float)
        ? From(MathF.FusedMultiplyAdd(F(left), F(right), F(addend)))
        : From(Math.FusedMultiplyAdd(D(left), D(right), D(addend)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NegatedMultiplyAdd(T left, T right, T addend) => typeof(T) == typeof(float)
        ? From(MathF.FusedMultiplyAdd(-F(left), F(right), F(addend)))
        : From(Math.FusedMultiplyAdd(-D(left), D(right), D(addend)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Max(T left, T right) => typeof(T) == typeof(float)
        ? F(left) > F(right) ? left : right
        : D(left) > D(right) ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Min(T left, T right) => typeof(T) == typeof(float)
        ? F(left) < F(right) ? left : right
        : D(left) < D(right) ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Abs(T value) => typeof(T) == typeof(float) ? From(MathF.Abs(F(value))) : From(Math.Abs(D(value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LessThan(T left, T right) => Mask(typeof(T) == typeof(float) ? F(left) < F(right) : D(left) < D(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Equal(T left, T right) => Mask(typeof(T) == typeof(float) ? F(left) == F(right) : D(left) == D(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Select(T mask, T whenTrue, T whenFalse) => typeof(T) == typeof(float)
        ? BitConverter.SingleToInt32Bits(F(mask)) != 0 ? whenTrue : whenFalse
        : BitConverter.DoubleToInt64Bits(D(mask)) != 0 ? whenTrue : whenFalse;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T TimesPowerOfTwo(T value, T exponent)
    {
        if (typeof(T) == typeof(float))
        {
            int shift = BitConverter.SingleToInt32Bits(F(exponent) + FloatBits.RoundingMagicPlusHeadroom) << FloatBits.FractionBits;
            return From(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(F(value)) + shift) * FloatBits.TwoToMinusHeadroom);
        }
        else
        {
            long shift = BitConverter.DoubleToInt64Bits(D(exponent) + DoubleBits.RoundingMagicPlusHeadroom) << DoubleBits.FractionBits;
            return From(BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(D(value)) + shift) * DoubleBits.TwoToMinusHeadroom);
        }
    }

    public static unsafe T Lookup(T* table, T index) => PartialLanes.Lookup(table, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T AddEighths(T value, T integer) => typeof(T) == typeof(float)
        ? From(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(F(value)) + (BitConverter.SingleToInt32Bits(F(integer)) << FloatBits.EighthBits)))
        : From(BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(D(value)) + (BitConverter.DoubleToInt64Bits(D(integer)) << DoubleBits.EighthBits)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SplitPowerOfTwo(T value, out T exponent)
    {
        if (typeof(T) == typeof(float))
        {
            int bits = BitConverter.SingleToInt32Bits(F(value));
            int power = (int)((uint)(bits + FloatBits.SplitOffset) >> FloatBits.FractionBits) - FloatBits.SplitBias;
            exponent = From((float)power);
            return From(BitConverter.Int32BitsToSingle(bits - (power << FloatBits.FractionBits)));
        }
        else
        {
            long bits = BitConverter.DoubleToInt64Bits(D(value));
            long power = (long)((ulong)(bits + DoubleBits.SplitOffset) >> DoubleBits.FractionBits) - DoubleBits.SplitBias;
            exponent = From((double)power);
            return From(BitConverter.Int64BitsToDouble(bits - (power << DoubleBits.FractionBits)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MoveBeside(T value, T other, out T exponent)
    {
        if (typeof(T) == typeof(float))
        {
            int bits = BitConverter.SingleToInt32Bits(F(value));
            int steps = (bits - BitConverter.SingleToInt32Bits(F(other)) + FloatBits.BesideOffset) & FloatBits.ExponentMask;
            exponent = From((float)steps);
            return From(BitConverter.Int32BitsToSingle(bits - steps));
        }
        else
        {
            long bits = BitConverter.DoubleToInt64Bits(D(value));
            long power = (long)((ulong)(bits - BitConverter.DoubleToInt64Bits(D(other)) + DoubleBits.BesideOffset) >> DoubleBits.FractionBits) - DoubleBits.BesideBias;
            exponent = From((double)power);
            return From(BitConverter.Int64BitsToDouble(bits - (power << DoubleBits.FractionBits)));
        }
    }

    public static bool AnyGreater(T left, T right) => typeof(T) == typeof(float) ? F(left) > F(right) : D(left) > D(right);

    public static uint Bits(T mask) => (typeof(T) == typeof(float) ? BitConverter.SingleToInt32Bits(F(mask)) : BitConverter.DoubleToInt64Bits(D(mask))) != 0 ? 1u : 0;

    public static T MaxOfLanes(T value) => value;

    public static T AddAcross(T value) => value;

    public static double SumOfLanes(T value) => typeof(T) == typeof(float) ? F(value) : D(value);

    /// <summary>For float the sum is one double, its low bits in <paramref name="first"/> and its high bits in <paramref name="second"/>.</summary>
    public static void AddWide(ref T first, ref T second, T value)
    {
        if (typeof(T) == typeof(float))
        {
            Split(JoinedDouble(first, second) + F(value), out first, out second);
        }
        else
        {
            first = TwoSum.Add<ScalarSimd<T>, T, T>(first, value, out T lost);
            second = Add(second, lost);
        }
    }

    public static void MergeWide(ref T first, ref T second, T otherFirst, T otherSecond)
    {
        if (typeof(T) == typeof(float))
        {
            Split(JoinedDouble(first, second) + JoinedDouble(otherFirst, otherSecond), out first, out second);
        }
        else
        {
            first = TwoSum.Add<ScalarSimd<T>, T, T>(first, otherFirst, out T lost);
            second = Add(second, Add(otherSecond, lost));
        }
    }

    public static unsafe void StoreWide(T first, T second, double* sums, double* lost)
    {
        *sums = typeof(T) == typeof(float) ? JoinedDouble(first, second) : D(first);
        *lost = typeof(T) == typeof(float) ? 0 : D(second);
    }

    public static CompensatedSum TotalOfWide(T first, T second) => WideTotal.Of<ScalarSimd<T>, T, T>(first, second);

    public static void RunLanes<TKernel>(ref TKernel kernel, int firstLane)
        where TKernel : struct, ILaneKernel<T> => kernel.Run<ScalarSimd<T>, T>(firstLane);

    private static void Split(double value, out T low, out T high)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        low = From(BitConverter.Int32BitsToSingle((int)bits));
        high = From(BitConverter.Int32BitsToSingle((int)(bits >> 32)));
    }

    private static double JoinedDouble(T first, T second) => BitConverter.Int64BitsToDouble(
        ((long)BitConverter.SingleToInt32Bits(F(second)) << 32) | (uint)BitConverter.SingleToInt32Bits(F(first)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float F(T value) => Unsafe.BitCast<T, float>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double D(T value) => Unsafe.BitCast<T, double>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T From(float value) => Unsafe.BitCast<float, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T From(double value) => Unsafe.BitCast<double, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Mask(bool value) => typeof(T) == typeof(float)
        ? From(BitConverter.Int32BitsToSingle(value ? -1 : 0))
        : From(BitConverter.Int64BitsToDouble(value ? -1L : 0L));
}
