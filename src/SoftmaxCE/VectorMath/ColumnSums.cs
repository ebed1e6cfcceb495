using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What is added up of the exponentials of rows, a row per lane: a sum is two vectors.</summary>
internal interface IColumnSum<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <summary>The sum of one class: logits x whose exponentials are t (1 + q).</summary>
    static abstract void Of<TSimd>(TVector x, TVector max, TVector t, TVector q, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>Adds one sum to another.</summary>
    static abstract void Merge<TSimd>(ref TVector first, ref TVector second, TVector otherFirst, TVector otherSecond)
        where TSimd : struct, ISimd<TVector, T>;

    /// <summary>Writes the sums as doubles: high parts and low parts, Lanes of each.</summary>
    static abstract unsafe void Store<TSimd>(TVector first, TVector second, double* high, double* low)
        where TSimd : struct, ISimd<TVector, T>;
}

/// <summary>All exponentials, as a high and a low part: <see cref="SplitSum"/>.</summary>
internal readonly struct SplitColumnSum<TVector, T> : IColumnSum<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of<TSimd>(TVector x, TVector max, TVector t, TVector q, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
    {
        first = SplitSum.High<TSimd, TVector, T>(t);
        second = TSimd.MultiplyAdd(t, q, TSimd.Subtract(t, first));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Merge<TSimd>(ref TVector first, ref TVector second, TVector otherFirst, TVector otherSecond)
        where TSimd : struct, ISimd<TVector, T>
    {
        first = TSimd.Add(first, otherFirst);
        second = TSimd.Add(second, otherSecond);
    }

    public static unsafe void Store<TSimd>(TVector first, TVector second, double* high, double* low)
        where TSimd : struct, ISimd<TVector, T>
    {
        ColumnSums.StoreDoubles<TSimd, TVector, T>(first, high, low);
        ColumnSums.StoreDoubles<TSimd, TVector, T>(second, low, low + TSimd.Lanes);
    }
}

/// <summary>The exponentials below the maximum, in double: to full relative accuracy however small they are.</summary>
internal readonly struct OthersColumnSum<TVector, T> : IColumnSum<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of<TSimd>(TVector x, TVector max, TVector t, TVector q, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
    {
        first = TSimd.Create(default);
        second = first;
        TSimd.AddWide(ref first, ref second, TSimd.Select(TSimd.Equal(x, max), first, TSimd.MultiplyAdd(t, q, t)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Merge<TSimd>(ref TVector first, ref TVector second, TVector otherFirst, TVector otherSecond)
        where TSimd : struct, ISimd<TVector, T> => TSimd.MergeWide(ref first, ref second, otherFirst, otherSecond);

    public static unsafe void Store<TSimd>(TVector first, TVector second, double* high, double* low)
        where TSimd : struct, ISimd<TVector, T> => TSimd.StoreWide(first, second, high, low);
}

/// <summary>Sums down the lanes, in the order in which a vector's lanes are added: so a row gets the bits it gets alone.</summary>
internal static unsafe class ColumnSums
{
    /// <summary>
    /// The sums of at most 16 classes, each a vector of rows; with <see cref="RowPasses.Stored"/> t and q of each class go to
    /// <paramref name="scratch"/>. The classes whose numbers have the same rest by 4 come first, of those c and c + 8 before c and c + 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OfFew<TSimd, TVector, T, TExponential, TSum, TFate>(
        T* values, nint stride, int count, TVector max, T* scratch, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
        where TFate : struct
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector zero = TSimd.Create(default), first1 = zero, second1 = zero, first2 = zero, second2 = zero, first3 = zero, second3 = zero;
        OfRest<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, count, 0, max, scratch, out first, out second);
        if (count > 2) OfRest<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, count, 2, max, scratch, out first2, out second2);
        if (count > 1) OfRest<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, count, 1, max, scratch, out first1, out second1);
        if (count > 3) OfRest<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, count, 3, max, scratch, out first3, out second3);
        TSum.Merge<TSimd>(ref first, ref second, first2, second2);
        TSum.Merge<TSimd>(ref first1, ref second1, first3, second3);
        TSum.Merge<TSimd>(ref first, ref second, first1, second1);
    }

    /// <summary>The lanes as doubles; <paramref name="zeros"/> is written, too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreDoubles<TSimd, TVector, T>(TVector value, double* doubles, double* zeros)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector first = TSimd.Create(default), second = first;
        TSimd.AddWide(ref first, ref second, value);
        TSimd.StoreWide(first, second, doubles, zeros);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void OfRest<TSimd, TVector, T, TExponential, TSum, TFate>(
        TExponential exp, T* values, nint stride, int count, int rest, TVector max, T* scratch, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
        where TFate : struct
    {
        Of<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, rest, max, scratch, out first, out second);
        if (rest + 8 < count) AddOne<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, rest + 8, max, scratch, ref first, ref second);
        if (rest + 4 >= count) return;
        Of<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, rest + 4, max, scratch, out TVector first4, out TVector second4);
        if (rest + 12 < count) AddOne<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, rest + 12, max, scratch, ref first4, ref second4);
        TSum.Merge<TSimd>(ref first, ref second, first4, second4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOne<TSimd, TVector, T, TExponential, TSum, TFate>(
        TExponential exp, T* values, nint stride, int c, TVector max, T* scratch, ref TVector first, ref TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
        where TFate : struct
    {
        Of<TSimd, TVector, T, TExponential, TSum, TFate>(exp, values, stride, c, max, scratch, out TVector otherFirst, out TVector otherSecond);
        TSum.Merge<TSimd>(ref first, ref second, otherFirst, otherSecond);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Of<TSimd, TVector, T, TExponential, TSum, TFate>(
        TExponential exp, T* values, nint stride, int c, TVector max, T* scratch, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
        where TFate : struct
    {
        TVector x = TSimd.Load(ref *(values + (c * stride)), 0), t = exp.Split<TSimd>(x, out TVector q);
        if (typeof(TFate) == typeof(RowPasses.Stored))
        {
            T* place = scratch + (2 * c * TSimd.Lanes);
            TSimd.Store(ref *place, 0, t);
            TSimd.Store(ref *place, (nuint)TSimd.Lanes, q);
        }

        TSum.Of<TSimd>(x, max, t, q, out first, out second);
    }
}
