using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>One 512-bit register: AVX-512.</summary>
internal readonly struct Simd512<T> : ISimd<Vector512<T>, T>
    where T : unmanaged
{
    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<T>.Count;
    }

    public static bool HasManyRegisters => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunOnRegister<TKernel>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T> => kernel.Run<Simd512<T>, Vector512<T>>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Create(T value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Indices(int first) => typeof(T) == typeof(float)
        ? (Vector512<float>.Indices + Vector512.Create((float)first)).As<float, T>()
        : (Vector512<double>.Indices + Vector512.Create((double)first)).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(ref readonly T source, nuint offset) => Vector512.LoadUnsafe(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref T destination, nuint offset, Vector512<T> value) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePastCaches(T* destination, Vector512<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<T> LoadHalves(Half* source)
    {
        // See HalfBits.
        Vector256<short> halves = Vector256.Load((short*)source);
        Vector512<int> signed = Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(halves) : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        Vector512<float> value = (Vector512.ShiftLeft(signed, HalfBits.DroppedBits) & Vector512.Create(HalfBits.SignAndMagnitude)).AsSingle() * Vector512.Create(HalfBits.Rebias);
        Vector512<int> isInfinite = Vector512.GreaterThan(Vector512.Abs(value), Vector512.Create(HalfBits.LargestFinite)).AsInt32();
        return (value.AsInt32() | (isInfinite & Vector512.Create(HalfBits.Exponent))).As<int, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreHalves(Half* destination, Vector512<T> value)
    {
        Vector512<int> bits = value.AsInt32(), magnitude = bits & Vector512.Create(int.MaxValue), limited = Vector512.Min(magnitude, Vector512.Create(HalfBits.Infinite));
        Vector512<int> exponent = Vector512.Max(limited & Vector512.Create(HalfBits.Exponent), Vector512.Create(HalfBits.ExponentOfSmallestNormal)) + Vector512.Create(HalfBits.ToMagic);
        Vector512<int> digits = (limited.AsSingle() + exponent.AsSingle()).AsInt32() - exponent + Vector512.ShiftRightLogical(exponent, HalfBits.DroppedBits) - Vector512.Create(HalfBits.DigitsOfMagic);
        Vector512<int> ofNaN = Vector512.GreaterThan(magnitude, Vector512.Create(HalfBits.Exponent)) & Vector512.Create(HalfBits.QuietNaN);
        Vector512<int> signed = digits | ofNaN | (Vector512.ShiftRightArithmetic(bits, 16) & Vector512.Create((int)short.MinValue));
        Vector256<short> halves = Avx512F.IsSupported ? Avx512F.ConvertToVector256Int16(signed) : Vector256.NarrowWithSaturation(signed.GetLower(), signed.GetUpper());
        halves.Store((short*)destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<T> LoadPartial(T* source, int count, Vector512<T> fill) => typeof(T) == typeof(float)
        ? Avx512F.MaskLoad((float*)source, FirstSingles(count), fill.AsSingle()).As<float, T>()
        : Avx512F.MaskLoad((double*)source, FirstDoubles(count), fill.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePartial(T* destination, int count, Vector512<T> value)
    {
        if (typeof(T) == typeof(float)) Avx512F.MaskStore((float*)destination, FirstSingles(count), value.AsSingle());
        else Avx512F.MaskStore((double*)destination, FirstDoubles(count), value.AsDouble());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void AddToDoubles(double* destination, Vector512<T> value)
    {
        if (typeof(T) == typeof(float))
        {
            (Vector512.Load(destination) + Vector512.WidenLower(value.AsSingle())).Store(destination);
            (Vector512.Load(destination + Vector512<double>.Count) + Vector512.WidenUpper(value.AsSingle())).Store(destination + Vector512<double>.Count);
        }
        else
        {
            (Vector512.Load(destination) + value.AsDouble()).Store(destination);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Add(Vector512<T> left, Vector512<T> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Subtract(Vector512<T> left, Vector512<T> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Multiply(Vector512<T> left, Vector512<T> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Divide(Vector512<T> left, Vector512<T> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> left, Vector512<T> right, Vector512<T> addend) => typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(left.AsSingle(), right.AsSingle(), addend.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(left.AsDouble(), right.AsDouble(), addend.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> NegatedMultiplyAdd(Vector512<T> left, Vector512<T> right, Vector512<T> addend) => typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(-left.AsSingle(), right.AsSingle(), addend.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(-left.AsDouble(), right.AsDouble(), addend.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Max(Vector512<T> left, Vector512<T> right) => Vector512.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Min(Vector512<T> left, Vector512<T> right) => Vector512.MinNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Abs(Vector512<T> value) => Vector512.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LessThan(Vector512<T> left, Vector512<T> right) => Vector512.LessThan(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Equal(Vector512<T> left, Vector512<T> right) => Vector512.Equals(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Select(Vector512<T> mask, Vector512<T> whenTrue, Vector512<T> whenFalse) =>
        Vector512.ConditionalSelect(mask, whenTrue, whenFalse);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> TimesPowerOfTwo(Vector512<T> value, Vector512<T> exponent) => typeof(T) == typeof(float)
        ? Avx512F.Scale(value.AsSingle(), exponent.AsSingle()).As<float, T>()
        : Avx512F.Scale(value.AsDouble(), exponent.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<T> Lookup(T* table, Vector512<T> index)
    {
        Vector512<T> entries = Vector512.LoadAligned(table);
        return typeof(T) == typeof(float)
            ? Avx512F.PermuteVar16x32(entries.AsSingle(), index.AsInt32()).As<float, T>()
            : Avx512F.PermuteVar8x64(entries.AsDouble(), index.AsInt64()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> AddEighths(Vector512<T> value, Vector512<T> integer) => typeof(T) == typeof(float)
        ? (value.AsInt32() + Vector512.ShiftLeft(integer.AsInt32(), FloatBits.EighthBits)).As<int, T>()
        : (value.AsInt64() + Vector512.ShiftLeft(integer.AsInt64(), DoubleBits.EighthBits)).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> SplitPowerOfTwo(Vector512<T> value, out Vector512<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector512<int> biased = Vector512.ShiftRightLogical(value.AsInt32() + Vector512.Create(FloatBits.SplitOffset), FloatBits.FractionBits);
            exponent = ((biased | Vector512.Create(FloatBits.Two23)).AsSingle() - Vector512.Create(FloatBits.Two23PlusBias)).As<float, T>();
            return (value.AsInt32() - Vector512.ShiftLeft(biased - Vector512.Create(FloatBits.SplitBias), FloatBits.FractionBits)).As<int, T>();
        }
        else
        {
            Vector512<long> biased = Vector512.ShiftRightLogical(value.AsInt64() + Vector512.Create(DoubleBits.SplitOffset), DoubleBits.FractionBits);
            exponent = ((biased | Vector512.Create(DoubleBits.Two52)).AsDouble() - Vector512.Create(DoubleBits.Two52PlusBias)).As<double, T>();
            return (value.AsInt64() - Vector512.ShiftLeft(biased - Vector512.Create(DoubleBits.SplitBias), DoubleBits.FractionBits)).As<long, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MoveBeside(Vector512<T> value, Vector512<T> other, out Vector512<T> exponent)
    {
        if (typeof(T) == typeof(float))
        {
            Vector512<int> steps = (value.AsInt32() - other.AsInt32() + Vector512.Create(FloatBits.BesideOffset)) & Vector512.Create(FloatBits.ExponentMask);
            exponent = Vector512.ConvertToSingle(steps).As<float, T>();
            return (value.AsInt32() - steps).As<int, T>();
        }
        else
        {
            Vector512<long> biased = Vector512.ShiftRightLogical(value.AsInt64() - other.AsInt64() + Vector512.Create(DoubleBits.BesideOffset), DoubleBits.FractionBits);
            exponent = ((biased | Vector512.Create(DoubleBits.Two52)).AsDouble() - Vector512.Create(DoubleBits.Two52PlusBesideBias)).As<double, T>();
            return (value.AsInt64() - Vector512.ShiftLeft(biased - Vector512.Create(DoubleBits.BesideBias), DoubleBits.FractionBits)).As<long, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Vector512<T> left, Vector512<T> right) => Vector512.GreaterThanAny(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector512<T> mask) => (uint)mask.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaxOfLanes(Vector512<T> value) => Simd256<T>.MaxOfLanes(Simd256<T>.Max(value.GetLower(), value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> AddAcross(Vector512<T> value)
    {
        Vector256<T> half = Simd256<T>.AddAcross(value.GetLower() + value.GetUpper());
        return Vector512.Create(half, half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumOfLanes(Vector512<T> value)
    {
        Vector512<double> eight = typeof(T) == typeof(float)
            ? Vector512.WidenLower(value.AsSingle()) + Vector512.WidenUpper(value.AsSingle())
            : value.AsDouble();
        return WideTotal.OfFour(eight.GetLower() + eight.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddWide(ref Vector512<T> first, ref Vector512<T> second, Vector512<T> value)
    {
        if (typeof(T) == typeof(float))
        {
            first = (first.AsDouble() + Vector512.WidenLower(value.AsSingle())).As<double, T>();
            second = (second.AsDouble() + Vector512.WidenUpper(value.AsSingle())).As<double, T>();
        }
        else
        {
            first = TwoSum.Add<Simd512<T>, Vector512<T>, T>(first, value, out Vector512<T> lost);
            second += lost;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MergeWide(ref Vector512<T> first, ref Vector512<T> second, Vector512<T> otherFirst, Vector512<T> otherSecond)
    {
        if (typeof(T) == typeof(float))
        {
            first = (first.AsDouble() + otherFirst.AsDouble()).As<double, T>();
            second = (second.AsDouble() + otherSecond.AsDouble()).As<double, T>();
        }
        else
        {
            first = TwoSum.Add<Simd512<T>, Vector512<T>, T>(first, otherFirst, out Vector512<T> lost);
            second += otherSecond + lost;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreWide(Vector512<T> first, Vector512<T> second, double* sums, double* lost)
    {
        if (typeof(T) == typeof(float))
        {
            first.AsDouble().Store(sums);
            second.AsDouble().Store(sums + Vector512<double>.Count);
            Vector512<double>.Zero.Store(lost);
            Vector512<double>.Zero.Store(lost + Vector512<double>.Count);
        }
        else
        {
            first.AsDouble().Store(sums);
            second.AsDouble().Store(lost);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunLanes<TKernel>(ref TKernel kernel, int firstLane)
        where TKernel : struct, ILaneKernel<T> => kernel.Run<Simd512<T>, Vector512<T>>(firstLane);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CompensatedSum TotalOfWide(Vector512<T> first, Vector512<T> second)
    {
        if (typeof(T) != typeof(float)) return WideTotal.Of<Simd512<T>, Vector512<T>, T>(first, second);
        Vector512<double> eight = first.AsDouble() + second.AsDouble();
        return new() { High = WideTotal.OfFour(eight.GetLower() + eight.GetUpper()) };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FirstSingles(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> FirstDoubles(int count) => Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count)).AsDouble();
}
