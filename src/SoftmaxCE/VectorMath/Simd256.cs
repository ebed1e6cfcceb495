using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>One 256-bit register: AVX2.</summary>
internal readonly struct Simd256<T> : ISimd<Vector256<T>, T>
    where T : unmanaged
{
    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<T>.Count;
    }

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunOnRegister<TKernel>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T> => kernel.Run<Simd256<T>, Vector256<T>>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Create(T value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Indices(int first) => typeof(T) == typeof(float)
        ? (Vector256<float>.Indices + Vector256.Create((float)first)).As<float, T>()
        : (Vector256<double>.Indices + Vector256.Create((double)first)).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(ref readonly T source, nuint offset) => Vector256.LoadUnsafe(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref T destination, nuint offset, Vector256<T> value) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePastCaches(T* destination, Vector256<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<T> LoadHalves(Half* source)
    {
        // See HalfBits.
        Vector128<short> halves = Vector128.Load((short*)source);
        Vector256<int> signed = Avx2.IsSupported ? Avx2.ConvertToVector256Int32(halves) : Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves));
        Vector256<float> value = (Vector256.ShiftLeft(signed, HalfBits.DroppedBits) & Vector256.Create(HalfBits.SignAndMagnitude)).AsSingle() * Vector256.Create(HalfBits.Rebias);
        Vector256<int> isInfinite = Vector256.GreaterThan(Vector256.Abs(value), Vector256.Create(HalfBits.LargestFinite)).AsInt32();
        return (value.AsInt32() | (isInfinite & Vector256.Create(HalfBits.Exponent))).As<int, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreHalves(Half* destination, Vector256<T> value)
    {
        Vector256<int> bits = value.AsInt32(), magnitude = bits & Vector256.Create(int.MaxValue), limited = Vector256.Min(magnitude, Vector256.Create(HalfBits.Infinite));
        Vector256<int> exponent = Vector256.Max(limited & Vector256.Create(HalfBits.Exponent), Vector256.Create(HalfBits.ExponentOfSmallestNormal)) + Vector256.Create(HalfBits.ToMagic);
        Vector256<int> digits = (limited.AsSingle() + exponent.AsSingle()).AsInt32() - exponent + Vector256.ShiftRightLogical(exponent, HalfBits.DroppedBits) - Vector256.Create(HalfBits.DigitsOfMagic);
        Vector256<int> ofNaN = Vector256.GreaterThan(magnitude, Vector256.Create(HalfBits.Exponent)) & Vector256.Create(HalfBits.QuietNaN);
        Vector256<int> signed = digits | ofNaN | (Vector256.ShiftRightArithmetic(bits, 16) & Vector256.Create((int)short.MinValue));
        Vector128.NarrowWithSaturation(signed.GetLower(), signed.GetUpper()).Store((short*)destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<T> LoadPartial(T* source, int count, Vector256<T> fill)
    {
        if (!Avx.IsSupported) return PartialLanes.Load(source, count, fill);
        if (typeof(T) == typeof(float))
        {
            Vector256<float> mask = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
            return Vector256.ConditionalSelect(mask, Avx.MaskLoad((float*)source, mask), fill.AsSingle()).As<float, T>();
        }
        else
        {
            Vector256<double> mask = Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count)).AsDouble();
            return Vector256.ConditionalSelect(mask, Avx.MaskLoad((double*)source, mask), fill.AsDouble()).As<double, T>();
        }
    }

    public static unsafe void StorePartial(T* destination, int count, Vector256<T> value) => PartialLanes.Store(destination, count, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void AddToDoubles(double* destination, Vector256<T> value)
    {
        if (typeof(T) == typeof(float))
        {
            (Vector256.Load(destination) + Vector256.WidenLower(value.AsSingle())).Store(destination);
            (Vector256.Load(destination + Vector256<double>.Count) + Vector256.WidenUpper(value.AsSingle())).Store(destination + Vector256<double>.Count);
        }
        else
        {
            (Vector256.Load(destination) + value.AsDouble()).Store(destination);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> left, Vector256<T> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Subtract(Vector256<T> left, Vector256<T> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> left, Vector256<T> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Divide(Vector256<T> left, Vector256<T> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> left, Vector256<T> right, Vector256<T> addend) => typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(left.AsSingle(), right.AsSingle(), addend.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(left.AsDouble(), right.AsDouble(), addend.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> NegatedMultiplyAdd(Vector256<T> left, Vector256<T> right, Vector256<T> addend) => typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(-left.AsSingle(), right.AsSingle(), addend.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(-left.AsDouble(), right.AsDouble(), addend.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Max(Vector256<T> left, Vector256<T> right) => Vector256.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Min(Vector256<T> left, Vector256<T> right) => Vector256.MinNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Abs(Vector256<T> value) => Vector256.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> LessThan(Vector256<T> left, Vector256<T> right) => Vector256.LessThan(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Equal(Vector256<T> left, Vector256<T> right) => Vector256.Equals(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Select(Vector256<T> mask, Vector256<T> whenTrue, Vector256<T> whenFalse)
    {
        // One instruction where the general form, not knowing that a mask is whole lanes, is three.
        if (!Avx.IsSupported) return Vector256.ConditionalSelect(mask, whenTrue, whenFalse);
        return typeof(T) == typeof(float)
            ? Avx.BlendVariable(whenFalse.AsSingle(), whenTrue.AsSingle(), mask.AsSingle()).As<float, T>()
            : Avx.BlendVariable(whenFalse.AsDouble(), whenTrue.AsDouble(), mask.AsDouble()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> TimesPowerOfTwo(Vector256<T> value, Vector256<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector256<int> shift = Vector256.ShiftLeft((exponent.AsSingle() + Vector256.Create(FloatBits.RoundingMagicPlusHeadroom)).AsInt32(), FloatBits.FractionBits);
            return ((value.AsInt32() + shift).AsSingle() * Vector256.Create(FloatBits.TwoToMinusHeadroom)).As<float, T>();
        }
        else
        {
            Vector256<long> shift = Vector256.ShiftLeft((exponent.AsDouble() + Vector256.Create(DoubleBits.RoundingMagicPlusHeadroom)).AsInt64(), DoubleBits.FractionBits);
            return ((value.AsInt64() + shift).AsDouble() * Vector256.Create(DoubleBits.TwoToMinusHeadroom)).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<T> Lookup(T* table, Vector256<T> index)
    {
        if (!Avx2.IsSupported) return PartialLanes.Lookup(table, index);
        if (typeof(T) == typeof(float)) return Avx2.PermuteVar8x32(Vector256.LoadAligned((float*)table), index.AsInt32()).As<float, T>();

        // Two lookups of four entries each, as pairs of halves, and a choice between them by bit 2.
        Vector256<int> even = Vector256.ShiftLeft(Avx2.Shuffle(index.AsInt32(), 0xA0), 1), halves = even + Vector256.Create(0x1_0000_0000).AsInt32();
        Vector256<double> lower = Avx2.PermuteVar8x32(Vector256.LoadAligned((int*)table), halves).AsDouble();
        Vector256<double> upper = Avx2.PermuteVar8x32(Vector256.LoadAligned((int*)table + Vector256<int>.Count), halves).AsDouble();
        return Avx.BlendVariable(lower, upper, Vector256.ShiftLeft(index.AsInt64(), 61).AsDouble()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> AddEighths(Vector256<T> value, Vector256<T> integer) => typeof(T) == typeof(float)
        ? (value.AsInt32() + Vector256.ShiftLeft(integer.AsInt32(), FloatBits.EighthBits)).As<int, T>()
        : (value.AsInt64() + Vector256.ShiftLeft(integer.AsInt64(), DoubleBits.EighthBits)).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> SplitPowerOfTwo(Vector256<T> value, out Vector256<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector256<int> biased = Vector256.ShiftRightLogical(value.AsInt32() + Vector256.Create(FloatBits.SplitOffset), FloatBits.FractionBits);
            exponent = ((biased | Vector256.Create(FloatBits.Two23)).AsSingle() - Vector256.Create(FloatBits.Two23PlusBias)).As<float, T>();
            return (value.AsInt32() - Vector256.ShiftLeft(biased - Vector256.Create(FloatBits.SplitBias), FloatBits.FractionBits)).As<int, T>();
        }
        else
        {
            Vector256<long> biased = Vector256.ShiftRightLogical(value.AsInt64() + Vector256.Create(DoubleBits.SplitOffset), DoubleBits.FractionBits);
            exponent = ((biased | Vector256.Create(DoubleBits.Two52)).AsDouble() - Vector256.Create(DoubleBits.Two52PlusBias)).As<double, T>();
            return (value.AsInt64() - Vector256.ShiftLeft(biased - Vector256.Create(DoubleBits.SplitBias), DoubleBits.FractionBits)).As<long, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MoveBeside(Vector256<T> value, Vector256<T> other, out Vector256<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector256<int> steps = (value.AsInt32() - other.AsInt32() + Vector256.Create(FloatBits.BesideOffset)) & Vector256.Create(FloatBits.ExponentMask);
            exponent = Vector256.ConvertToSingle(steps).As<float, T>();
            return (value.AsInt32() - steps).As<int, T>();
        }
        else
        {
            Vector256<long> biased = Vector256.ShiftRightLogical(value.AsInt64() - other.AsInt64() + Vector256.Create(DoubleBits.BesideOffset), DoubleBits.FractionBits);
            exponent = ((biased | Vector256.Create(DoubleBits.Two52)).AsDouble() - Vector256.Create(DoubleBits.Two52PlusBesideBias)).As<double, T>();
            return (value.AsInt64() - Vector256.ShiftLeft(biased - Vector256.Create(DoubleBits.BesideBias), DoubleBits.FractionBits)).As<long, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Vector256<T> left, Vector256<T> right) => Vector256.GreaterThanAny(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector256<T> mask) => mask.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaxOfLanes(Vector256<T> value) => Simd128<T>.MaxOfLanes(Simd128<T>.Max(value.GetLower(), value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> AddAcross(Vector256<T> value)
    {
        Vector128<T> half = Simd128<T>.AddAcross(value.GetLower() + value.GetUpper());
        return Vector256.Create(half, half);
    }

    public static double SumOfLanes(Vector256<T> value) => PartialLanes.Sum<Vector256<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddWide(ref Vector256<T> first, ref Vector256<T> second, Vector256<T> value)
    {
        if (typeof(T) == typeof(float))
        {
            first = (first.AsDouble() + Vector256.WidenLower(value.AsSingle())).As<double, T>();
            second = (second.AsDouble() + Vector256.WidenUpper(value.AsSingle())).As<double, T>();
        }
        else
        {
            first = TwoSum.Add<Simd256<T>, Vector256<T>, T>(first, value, out Vector256<T> lost);
            second += lost;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MergeWide(ref Vector256<T> first, ref Vector256<T> second, Vector256<T> otherFirst, Vector256<T> otherSecond)
    {
        if (typeof(T) == typeof(float))
        {
            first = (first.AsDouble() + otherFirst.AsDouble()).As<double, T>();
            second = (second.AsDouble() + otherSecond.AsDouble()).As<double, T>();
        }
        else
        {
            first = TwoSum.Add<Simd256<T>, Vector256<T>, T>(first, otherFirst, out Vector256<T> lost);
            second += otherSecond + lost;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreWide(Vector256<T> first, Vector256<T> second, double* sums, double* lost)
    {
        if (typeof(T) == typeof(float))
        {
            first.AsDouble().Store(sums);
            second.AsDouble().Store(sums + Vector256<double>.Count);
            Vector256<double>.Zero.Store(lost);
            Vector256<double>.Zero.Store(lost + Vector256<double>.Count);
        }
        else
        {
            first.AsDouble().Store(sums);
            second.AsDouble().Store(lost);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunLanes<TKernel>(ref TKernel kernel, int firstLane)
        where TKernel : struct, ILaneKernel<T> => kernel.Run<Simd256<T>, Vector256<T>>(firstLane);

    public static CompensatedSum TotalOfWide(Vector256<T> first, Vector256<T> second) => WideTotal.Of<Simd256<T>, Vector256<T>, T>(first, second);
}
