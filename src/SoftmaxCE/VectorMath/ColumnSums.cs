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
    /// The sums of at most 16 classes, each a vector of rows. The classes whose numbers have the same rest by 4 come first, of those c and c + 8 before c and c + 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OfFew<TSimd, TVector, T, TExponential, TSum>(
        T* values, nint stride, int count, TVector max, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector zero = TSimd.Create(default), first1 = zero, second1 = zero, first2 = zero, second2 = zero, first3 = zero, second3 = zero;
        OfRest<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, count, 0, max, out first, out second);
        if (count > 2) OfRest<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, count, 2, max, out first2, out second2);
        if (count > 1) OfRest<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, count, 1, max, out first1, out second1);
        if (count > 3) OfRest<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, count, 3, max, out first3, out second3);
        TSum.Merge<TSimd>(ref first, ref second, first2, second2);
        TSum.Merge<TSimd>(ref first1, ref second1, first3, second3);
        TSum.Merge<TSimd>(ref first, ref second, first1, second1);
    }

    /// <summary>High and low part of the sums of exponentials t (1 + q) of at most 16 classes, two vectors of 512 bits each, in the same order.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TVector OfPairs<TSimd, TVector, T>(T* pairs, int count, out TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector zero = TSimd.Create(default), first = zero, second = zero, first1 = zero, second1 = zero;
        for (int rest = 0; rest < Math.Min(count, 4); rest++)
        {
            Pair<TSimd, TVector, T>(pairs, rest, out TVector sum, out TVector sumLow);
            if (rest + 8 < count) AddPair<TSimd, TVector, T>(pairs, rest + 8, ref sum, ref sumLow);
            if (rest + 4 < count)
            {
                Pair<TSimd, TVector, T>(pairs, rest + 4, out TVector other, out TVector otherLow);
                if (rest + 12 < count) AddPair<TSimd, TVector, T>(pairs, rest + 12, ref other, ref otherLow);
                sum = TSimd.Add(sum, other);
                sumLow = TSimd.Add(sumLow, otherLow);
            }

            // (0 + 2) + (1 + 3); adding 0 first rounds nothing.
            if (rest % 2 == 0)
            {
                first = TSimd.Add(first, sum);
                second = TSimd.Add(second, sumLow);
            }
            else
            {
                first1 = TSimd.Add(first1, sum);
                second1 = TSimd.Add(second1, sumLow);
            }
        }

        low = TSimd.Add(second, second1);
        return TSimd.Add(first, first1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair<TSimd, TVector, T>(T* pairs, int c, out TVector high, out TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)LaneSum<T>.Stride, at = 2 * (nuint)c * lanes;
        TVector t = TSimd.Load(ref *pairs, at);
        SplitColumnSum<TVector, T>.Of<TSimd>(t, t, t, TSimd.Load(ref *pairs, at + lanes), out high, out low);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddPair<TSimd, TVector, T>(T* pairs, int c, ref TVector high, ref TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        Pair<TSimd, TVector, T>(pairs, c, out TVector otherHigh, out TVector otherLow);
        high = TSimd.Add(high, otherHigh);
        low = TSimd.Add(low, otherLow);
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
    private static void OfRest<TSimd, TVector, T, TExponential, TSum>(
        TExponential exp, T* values, nint stride, int count, int rest, TVector max, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
    {
        Of<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, rest, max, out first, out second);
        if (rest + 8 < count) AddOne<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, rest + 8, max, ref first, ref second);
        if (rest + 4 >= count) return;
        Of<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, rest + 4, max, out TVector first4, out TVector second4);
        if (rest + 12 < count) AddOne<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, rest + 12, max, ref first4, ref second4);
        TSum.Merge<TSimd>(ref first, ref second, first4, second4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOne<TSimd, TVector, T, TExponential, TSum>(
        TExponential exp, T* values, nint stride, int c, TVector max, ref TVector first, ref TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
    {
        Of<TSimd, TVector, T, TExponential, TSum>(exp, values, stride, c, max, out TVector otherFirst, out TVector otherSecond);
        TSum.Merge<TSimd>(ref first, ref second, otherFirst, otherSecond);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Of<TSimd, TVector, T, TExponential, TSum>(
        TExponential exp, T* values, nint stride, int c, TVector max, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
    {
        TVector x = TSimd.Load(ref *(values + (c * stride)), 0), t = exp.Split<TSimd>(x, out TVector q);
        TSum.Of<TSimd>(x, max, t, q, out first, out second);
    }
}
