using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SoftmaxCE;

/// <summary>One 128-bit register: SSE4.2, Arm AdvSimd.</summary>
internal readonly struct Simd128<T> : ISimd<Vector128<T>, T>
    where T : unmanaged
{
    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<T>.Count;
    }

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunOnRegister<TKernel>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T> => kernel.Run<Simd128<T>, Vector128<T>>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Create(T value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Indices(int first) => typeof(T) == typeof(float)
        ? (Vector128<float>.Indices + Vector128.Create((float)first)).As<float, T>()
        : (Vector128<double>.Indices + Vector128.Create((double)first)).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(ref readonly T source, nuint offset) => Vector128.LoadUnsafe(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref T destination, nuint offset, Vector128<T> value) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePastCaches(T* destination, Vector128<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector128<T> LoadHalves(Half* source)
    {
        // See HalfBits.
        // Four halves are one 64-bit word.
        Vector128<int> signed = Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsInt16());
        Vector128<float> value = (Vector128.ShiftLeft(signed, HalfBits.DroppedBits) & Vector128.Create(HalfBits.SignAndMagnitude)).AsSingle() * Vector128.Create(HalfBits.Rebias);
        Vector128<int> isInfinite = Vector128.GreaterThan(Vector128.Abs(value), Vector128.Create(HalfBits.LargestFinite)).AsInt32();
        return (value.AsInt32() | (isInfinite & Vector128.Create(HalfBits.Exponent))).As<int, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreHalves(Half* destination, Vector128<T> value)
    {
        Vector128<int> bits = value.AsInt32(), magnitude = bits & Vector128.Create(int.MaxValue), limited = Vector128.Min(magnitude, Vector128.Create(HalfBits.Infinite));
        Vector128<int> exponent = Vector128.Max(limited & Vector128.Create(HalfBits.Exponent), Vector128.Create(HalfBits.ExponentOfSmallestNormal)) + Vector128.Create(HalfBits.ToMagic);
        Vector128<int> digits = (limited.AsSingle() + exponent.AsSingle()).AsInt32() - exponent + Vector128.ShiftRightLogical(exponent, HalfBits.DroppedBits) - Vector128.Create(HalfBits.DigitsOfMagic);
        Vector128<int> ofNaN = Vector128.GreaterThan(magnitude, Vector128.Create(HalfBits.Exponent)) & Vector128.Create(HalfBits.QuietNaN);
        Vector128<int> signed = digits | ofNaN | (Vector128.ShiftRightArithmetic(bits, 16) & Vector128.Create((int)short.MinValue));
        Unsafe.WriteUnaligned(destination, Vector128.NarrowWithSaturation(signed, signed).AsUInt64().ToScalar());
    }

    public static unsafe Vector128<T> LoadPartial(T* source, int count, Vector128<T> fill) => PartialLanes.Load(source, count, fill);

    public static unsafe void StorePartial(T* destination, int count, Vector128<T> value) => PartialLanes.Store(destination, count, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void AddToDoubles(double* destination, Vector128<T> value)
    {
        if (typeof(T) == typeof(float))
        {
            (Vector128.Load(destination) + Vector128.WidenLower(value.AsSingle())).Store(destination);
            (Vector128.Load(destination + Vector128<double>.Count) + Vector128.WidenUpper(value.AsSingle())).Store(destination + Vector128<double>.Count);
        }
        else
        {
            (Vector128.Load(destination) + value.AsDouble()).Store(destination);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Add(Vector128<T> left, Vector128<T> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Subtract(Vector128<T> left, Vector128<T> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> left, Vector128<T> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Divide(Vector128<T> left, Vector128<T> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> left, Vector128<T> right, Vector128<T> addend) => typeof(T) == typeof(float)
        ? Vector128.FusedMultiplyAdd(left.AsSingle(), right.AsSingle(), addend.AsSingle()).As<float, T>()
        : Vector128.FusedMultiplyAdd(left.AsDouble(), right.AsDouble(), addend.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> NegatedMultiplyAdd(Vector128<T> left, Vector128<T> right, Vector128<T> addend) => typeof(T) == typeof(float)
        ? Vector128.FusedMultiplyAdd(-left.AsSingle(), right.AsSingle(), addend.AsSingle()).As<float, T>()
        : Vector128.FusedMultiplyAdd(-left.AsDouble(), right.AsDouble(), addend.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Max(Vector128<T> left, Vector128<T> right) => Vector128.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Min(Vector128<T> left, Vector128<T> right) => Vector128.MinNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Abs(Vector128<T> value) => Vector128.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LessThan(Vector128<T> left, Vector128<T> right) => Vector128.LessThan(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Equal(Vector128<T> left, Vector128<T> right) => Vector128.Equals(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Select(Vector128<T> mask, Vector128<T> whenTrue, Vector128<T> whenFalse) =>
        Vector128.ConditionalSelect(mask, whenTrue, whenFalse);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> TimesPowerOfTwo(Vector128<T> value, Vector128<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector128<int> shift = Vector128.ShiftLeft((exponent.AsSingle() + Vector128.Create(FloatBits.RoundingMagicPlusHeadroom)).AsInt32(), FloatBits.FractionBits);
            return ((value.AsInt32() + shift).AsSingle() * Vector128.Create(FloatBits.TwoToMinusHeadroom)).As<float, T>();
        }
        else
        {
            Vector128<long> shift = Vector128.ShiftLeft((exponent.AsDouble() + Vector128.Create(DoubleBits.RoundingMagicPlusHeadroom)).AsInt64(), DoubleBits.FractionBits);
            return ((value.AsInt64() + shift).AsDouble() * Vector128.Create(DoubleBits.TwoToMinusHeadroom)).As<double, T>();
        }
    }

    public static unsafe Vector128<T> Lookup(T* table, Vector128<T> index) => PartialLanes.Lookup(table, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> AddEighths(Vector128<T> value, Vector128<T> integer) => typeof(T) == typeof(float)
        ? (value.AsInt32() + Vector128.ShiftLeft(integer.AsInt32(), FloatBits.EighthBits)).As<int, T>()
        : (value.AsInt64() + Vector128.ShiftLeft(integer.AsInt64(), DoubleBits.EighthBits)).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> SplitPowerOfTwo(Vector128<T> value, out Vector128<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector128<int> biased = Vector128.ShiftRightLogical(value.AsInt32() + Vector128.Create(FloatBits.SplitOffset), FloatBits.FractionBits);
            exponent = ((biased | Vector128.Create(FloatBits.Two23)).AsSingle() - Vector128.Create(FloatBits.Two23PlusBias)).As<float, T>();
            return (value.AsInt32() - Vector128.ShiftLeft(biased - Vector128.Create(FloatBits.SplitBias), FloatBits.FractionBits)).As<int, T>();
        }
        else
        {
            Vector128<long> biased = Vector128.ShiftRightLogical(value.AsInt64() + Vector128.Create(DoubleBits.SplitOffset), DoubleBits.FractionBits);
            exponent = ((biased | Vector128.Create(DoubleBits.Two52)).AsDouble() - Vector128.Create(DoubleBits.Two52PlusBias)).As<double, T>();
            return (value.AsInt64() - Vector128.ShiftLeft(biased - Vector128.Create(DoubleBits.SplitBias), DoubleBits.FractionBits)).As<long, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MoveBeside(Vector128<T> value, Vector128<T> other, out Vector128<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector128<int> steps = (value.AsInt32() - other.AsInt32() + Vector128.Create(FloatBits.BesideOffset)) & Vector128.Create(FloatBits.ExponentMask);
            exponent = Vector128.ConvertToSingle(steps).As<float, T>();
            return (value.AsInt32() - steps).As<int, T>();
        }
        else
        {
            Vector128<long> biased = Vector128.ShiftRightLogical(value.AsInt64() - other.AsInt64() + Vector128.Create(DoubleBits.BesideOffset), DoubleBits.FractionBits);
            exponent = ((biased | Vector128.Create(DoubleBits.Two52)).AsDouble() - Vector128.Create(DoubleBits.Two52PlusBesideBias)).As<double, T>();
            return (value.AsInt64() - Vector128.ShiftLeft(biased - Vector128.Create(DoubleBits.BesideBias), DoubleBits.FractionBits)).As<long, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Vector128<T> left, Vector128<T> right) => Vector128.GreaterThanAny(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector128<T> mask) => mask.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaxOfLanes(Vector128<T> value)
    {
        // Without branches, which nobody could foretell.
        if (typeof(T) != typeof(float)) return Max(value, Vector128.Shuffle(value.AsInt64(), Vector128.Create(1L, 0)).As<long, T>()).ToScalar();
        Vector128<T> pairs = Max(value, Vector128.Shuffle(value.AsInt32(), Vector128.Create(2, 3, 0, 1)).As<int, T>());
        return Max(pairs, Vector128.Shuffle(pairs.AsInt32(), Vector128.Create(1, 0, 3, 2)).As<int, T>()).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> AddAcross(Vector128<T> value)
    {
        if (typeof(T) != typeof(float)) return value + Vector128.Shuffle(value.AsInt64(), Vector128.Create(1L, 0)).As<long, T>();
        Vector128<T> pairs = value + Vector128.Shuffle(value.AsInt32(), Vector128.Create(2, 3, 0, 1)).As<int, T>();
        return pairs + Vector128.Shuffle(pairs.AsInt32(), Vector128.Create(1, 0, 3, 2)).As<int, T>();
    }

    public static double SumOfLanes(Vector128<T> value) => PartialLanes.Sum<Vector128<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddWide(ref Vector128<T> first, ref Vector128<T> second, Vector128<T> value)
    {
        if (typeof(T) == typeof(float))
        {
            first = (first.AsDouble() + Vector128.WidenLower(value.AsSingle())).As<double, T>();
            second = (second.AsDouble() + Vector128.WidenUpper(value.AsSingle())).As<double, T>();
        }
        else
        {
            first = TwoSum.Add<Simd128<T>, Vector128<T>, T>(first, value, out Vector128<T> lost);
            second += lost;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MergeWide(ref Vector128<T> first, ref Vector128<T> second, Vector128<T> otherFirst, Vector128<T> otherSecond)
    {
        if (typeof(T) == typeof(float))
        {
            first = (first.AsDouble() + otherFirst.AsDouble()).As<double, T>();
            second = (second.AsDouble() + otherSecond.AsDouble()).As<double, T>();
        }
        else
        {
            first = TwoSum.Add<Simd128<T>, Vector128<T>, T>(first, otherFirst, out Vector128<T> lost);
            second += otherSecond + lost;
        }
    }

    public static unsafe void StoreWide(Vector128<T> first, Vector128<T> second, double* sums, double* lost)
    {
        if (typeof(T) == typeof(float))
        {
            first.AsDouble().Store(sums);
            second.AsDouble().Store(sums + Vector128<double>.Count);
            new Span<double>(lost, Vector128<float>.Count).Clear();
        }
        else
        {
            first.AsDouble().Store(sums);
            second.AsDouble().Store(lost);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunLanes<TKernel>(ref TKernel kernel, int firstLane)
        where TKernel : struct, ILaneKernel<T> => kernel.Run<Simd128<T>, Vector128<T>>(firstLane);

    public static CompensatedSum TotalOfWide(Vector128<T> first, Vector128<T> second) => WideTotal.Of<Simd128<T>, Vector128<T>, T>(first, second);
}
