using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SoftmaxCE;

/// <summary>Two vectors of half the width that stand for one.</summary>
internal readonly struct Pair<THalf>(THalf lower, THalf upper)
    where THalf : struct
{
    public readonly THalf Lower = lower;
    public readonly THalf Upper = upper;
}

/// <summary>A vector made of two halves: how 512-bit kernels run on narrower hardware, with the same lanes and so the same bits.</summary>
internal readonly struct PairSimd<THalfSimd, THalf, T> : ISimd<Pair<THalf>, T>
    where THalfSimd : struct, ISimd<THalf, T>
    where THalf : struct
    where T : unmanaged
{
    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * THalfSimd.Lanes;
    }

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunOnRegister<TKernel>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T> => THalfSimd.RunOnRegister(ref kernel);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Create(T value)
    {
        THalf half = THalfSimd.Create(value);
        return new(half, half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Indices(int first) => new(THalfSimd.Indices(first), THalfSimd.Indices(first + THalfSimd.Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Load(ref readonly T source, nuint offset) =>
        new(THalfSimd.Load(in source, offset), THalfSimd.Load(in source, offset + (nuint)THalfSimd.Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref T destination, nuint offset, Pair<THalf> value)
    {
        THalfSimd.Store(ref destination, offset, value.Lower);
        THalfSimd.Store(ref destination, offset + (nuint)THalfSimd.Lanes, value.Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePastCaches(T* destination, Pair<THalf> value)
    {
        THalfSimd.StorePastCaches(destination, value.Lower);
        THalfSimd.StorePastCaches(destination + THalfSimd.Lanes, value.Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Pair<THalf> LoadHalves(Half* source) => new(THalfSimd.LoadHalves(source), THalfSimd.LoadHalves(source + THalfSimd.Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreHalves(Half* destination, Pair<THalf> value)
    {
        THalfSimd.StoreHalves(destination, value.Lower);
        THalfSimd.StoreHalves(destination + THalfSimd.Lanes, value.Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Pair<THalf> LoadPartial(T* source, int count, Pair<THalf> fill) =>
        new(THalfSimd.LoadPartial(source, Math.Min(count, THalfSimd.Lanes), fill.Lower),
            THalfSimd.LoadPartial(source + THalfSimd.Lanes, Math.Max(count - THalfSimd.Lanes, 0), fill.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePartial(T* destination, int count, Pair<THalf> value)
    {
        THalfSimd.StorePartial(destination, Math.Min(count, THalfSimd.Lanes), value.Lower);
        THalfSimd.StorePartial(destination + THalfSimd.Lanes, Math.Max(count - THalfSimd.Lanes, 0), value.Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void AddToDoubles(double* destination, Pair<THalf> value)
    {
        THalfSimd.AddToDoubles(destination, value.Lower);
        THalfSimd.AddToDoubles(destination + THalfSimd.Lanes, value.Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Add(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Add(left.Lower, right.Lower), THalfSimd.Add(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Subtract(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Subtract(left.Lower, right.Lower), THalfSimd.Subtract(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Multiply(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Multiply(left.Lower, right.Lower), THalfSimd.Multiply(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Divide(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Divide(left.Lower, right.Lower), THalfSimd.Divide(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> MultiplyAdd(Pair<THalf> left, Pair<THalf> right, Pair<THalf> addend) =>
        new(THalfSimd.MultiplyAdd(left.Lower, right.Lower, addend.Lower), THalfSimd.MultiplyAdd(left.Upper, right.Upper, addend.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> NegatedMultiplyAdd(Pair<THalf> left, Pair<THalf> right, Pair<THalf> addend) =>
        new(THalfSimd.NegatedMultiplyAdd(left.Lower, right.Lower, addend.Lower), THalfSimd.NegatedMultiplyAdd(left.Upper, right.Upper, addend.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Max(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Max(left.Lower, right.Lower), THalfSimd.Max(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Min(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Min(left.Lower, right.Lower), THalfSimd.Min(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Abs(Pair<THalf> value) =>
        new(THalfSimd.Abs(value.Lower), THalfSimd.Abs(value.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> LessThan(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.LessThan(left.Lower, right.Lower), THalfSimd.LessThan(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Equal(Pair<THalf> left, Pair<THalf> right) =>
        new(THalfSimd.Equal(left.Lower, right.Lower), THalfSimd.Equal(left.Upper, right.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> Select(Pair<THalf> mask, Pair<THalf> whenTrue, Pair<THalf> whenFalse) =>
        new(THalfSimd.Select(mask.Lower, whenTrue.Lower, whenFalse.Lower), THalfSimd.Select(mask.Upper, whenTrue.Upper, whenFalse.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> TimesPowerOfTwo(Pair<THalf> value, Pair<THalf> exponent) =>
        new(THalfSimd.TimesPowerOfTwo(value.Lower, exponent.Lower), THalfSimd.TimesPowerOfTwo(value.Upper, exponent.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Pair<THalf> Lookup(T* table, Pair<THalf> index) =>
        new(THalfSimd.Lookup(table, index.Lower), THalfSimd.Lookup(table, index.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> AddEighths(Pair<THalf> value, Pair<THalf> integer) =>
        new(THalfSimd.AddEighths(value.Lower, integer.Lower), THalfSimd.AddEighths(value.Upper, integer.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> SplitPowerOfTwo(Pair<THalf> value, out Pair<THalf> exponent)
    {
        THalf lower = THalfSimd.SplitPowerOfTwo(value.Lower, out THalf lowerExponent);
        THalf upper = THalfSimd.SplitPowerOfTwo(value.Upper, out THalf upperExponent);
        exponent = new(lowerExponent, upperExponent);
        return new(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> MoveBeside(Pair<THalf> value, Pair<THalf> other, out Pair<THalf> exponent)
    {
        THalf lower = THalfSimd.MoveBeside(value.Lower, other.Lower, out THalf lowerExponent);
        THalf upper = THalfSimd.MoveBeside(value.Upper, other.Upper, out THalf upperExponent);
        exponent = new(lowerExponent, upperExponent);
        return new(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Pair<THalf> left, Pair<THalf> right) =>
        THalfSimd.AnyGreater(left.Lower, right.Lower) || THalfSimd.AnyGreater(left.Upper, right.Upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Pair<THalf> mask) => THalfSimd.Bits(mask.Lower) | (THalfSimd.Bits(mask.Upper) << THalfSimd.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaxOfLanes(Pair<THalf> value) => THalfSimd.MaxOfLanes(THalfSimd.Max(value.Lower, value.Upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<THalf> AddAcross(Pair<THalf> value)
    {
        THalf half = THalfSimd.AddAcross(THalfSimd.Add(value.Lower, value.Upper));
        return new(half, half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumOfLanes(Pair<THalf> value)
    {
        if (typeof(THalf) == typeof(Vector256<double>))
        {
            return WideTotal.OfFour((Vector256<double>)(object)value.Lower + (Vector256<double>)(object)value.Upper);
        }

        if (typeof(THalf) != typeof(Vector256<float>)) return PartialLanes.Sum<Pair<THalf>, T>(value);
        Vector256<float> lower = (Vector256<float>)(object)value.Lower, upper = (Vector256<float>)(object)value.Upper;
        Vector256<double> lanes0To3 = Vector256.WidenLower(lower) + Vector256.WidenLower(upper);          // each with the lane 8 above
        return WideTotal.OfFour(lanes0To3 + (Vector256.WidenUpper(lower) + Vector256.WidenUpper(upper)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddWide(ref Pair<THalf> first, ref Pair<THalf> second, Pair<THalf> value)
    {
        THalf firstLower = first.Lower, firstUpper = first.Upper, secondLower = second.Lower, secondUpper = second.Upper;
        THalfSimd.AddWide(ref firstLower, ref secondLower, value.Lower);
        THalfSimd.AddWide(ref firstUpper, ref secondUpper, value.Upper);
        first = new(firstLower, firstUpper);
        second = new(secondLower, secondUpper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MergeWide(ref Pair<THalf> first, ref Pair<THalf> second, Pair<THalf> otherFirst, Pair<THalf> otherSecond)
    {
        THalf firstLower = first.Lower, firstUpper = first.Upper, secondLower = second.Lower, secondUpper = second.Upper;
        THalfSimd.MergeWide(ref firstLower, ref secondLower, otherFirst.Lower, otherSecond.Lower);
        THalfSimd.MergeWide(ref firstUpper, ref secondUpper, otherFirst.Upper, otherSecond.Upper);
        first = new(firstLower, firstUpper);
        second = new(secondLower, secondUpper);
    }

    public static unsafe void StoreWide(Pair<THalf> first, Pair<THalf> second, double* sums, double* lost)
    {
        THalfSimd.StoreWide(first.Lower, second.Lower, sums, lost);
        THalfSimd.StoreWide(first.Upper, second.Upper, sums + THalfSimd.Lanes, lost + THalfSimd.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CompensatedSum TotalOfWide(Pair<THalf> first, Pair<THalf> second)
    {
        if (typeof(THalf) != typeof(Vector256<float>)) return WideTotal.Of<PairSimd<THalfSimd, THalf, T>, Pair<THalf>, T>(first, second);
        Vector256<double> lanes0To3 = Doubles(first.Lower) + Doubles(first.Upper), lanes4To7 = Doubles(second.Lower) + Doubles(second.Upper);
        return new() { High = WideTotal.OfFour(lanes0To3 + lanes4To7) };
    }

    public static void RunLanes<TKernel>(ref TKernel kernel, int firstLane)
        where TKernel : struct, ILaneKernel<T>
    {
        THalfSimd.RunLanes(ref kernel, firstLane);
        THalfSimd.RunLanes(ref kernel, firstLane + THalfSimd.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Doubles(THalf half) => ((Vector256<float>)(object)half).AsDouble();
}
