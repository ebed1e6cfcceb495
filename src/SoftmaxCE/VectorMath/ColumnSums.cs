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

    /// <summary>Writes the sums as doubles: high parts and low parts, Lanes of each; so many of <paramref name="scratch"/> are overwritten.</summary>
    static abstract unsafe void Store<TSimd>(TVector first, TVector second, double* high, double* low, double* scratch)
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

    [MethodImpl(LoopMethod.Compiled)]
    public static unsafe void Store<TSimd>(TVector first, TVector second, double* high, double* low, double* scratch)
        where TSimd : struct, ISimd<TVector, T>
    {
        ColumnSums.StoreDoubles<TSimd, TVector, T>(first, high, low);
        ColumnSums.StoreDoubles<TSimd, TVector, T>(second, low, scratch);
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

    [MethodImpl(LoopMethod.Compiled)]
    public static unsafe void Store<TSimd>(TVector first, TVector second, double* high, double* low, double* scratch)
        where TSimd : struct, ISimd<TVector, T> => TSimd.StoreWide(first, second, high, low);
}

/// <summary>Sums down the lanes, in the order in which a vector's lanes are added: so a row gets the bits it gets alone.</summary>
internal static unsafe class ColumnSums
{
    /// <summary>
    /// The sums of at most <see cref="WholeVector.Lanes"/> classes, each a vector of rows; with <see cref="RowPasses.Stored"/> t and q of each class go
    /// to <paramref name="scratch"/>.
    /// </summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void OfFew<TSimd, TVector, T, TExponential, TSum, TFate>(
        T* values, nint stride, int count, TVector max, T* scratch, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
        where TFate : struct, RowPasses.IFate
    {
        // The order makes a binary tree of the sums in which few of them wait, in registers. A class that is not there adds nothing.
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        nint pair = 2 * TSimd.Lanes;
        int half = WholeVector.Lanes<T>() / 2;
        ReadOnlySpan<byte> order = typeof(T) == typeof(float) ? [0, 4, 2, 6, 1, 5, 3, 7] : [0, 2, 1, 3];
        TVector zero = TSimd.Create(default), first1 = zero, second1 = zero, first2 = zero, second2 = zero, first3 = zero, second3 = zero, high = zero, low = zero;
        for (int i = 0; i < order.Length; i++)
        {
            int c = order[i];
            high = zero;
            low = zero;
            if (c + half < count)
            {
                TVector x0 = TSimd.Load(ref *(values + (c * stride)), 0), x1 = TSimd.Load(ref *(values + ((c + half) * stride)), 0);
                TVector t0 = exp.SplitTwo<TSimd>(x0, x1, out TVector q0, out TVector t1, out TVector q1);
                if (TFate.Stores)
                {
                    Store<TSimd, TVector, T>(scratch + (c * pair), t0, q0);
                    Store<TSimd, TVector, T>(scratch + ((c + half) * pair), t1, q1);
                }

                TSum.Of<TSimd>(x0, max, t0, q0, out high, out low);
                TSum.Of<TSimd>(x1, max, t1, q1, out TVector otherFirst, out TVector otherSecond);
                TSum.Merge<TSimd>(ref high, ref low, otherFirst, otherSecond);
            }
            else if (c < count)
            {
                TVector x = TSimd.Load(ref *(values + (c * stride)), 0), t = exp.Split<TSimd>(x, out TVector q);
                if (TFate.Stores) Store<TSimd, TVector, T>(scratch + (c * pair), t, q);
                TSum.Of<TSimd>(x, max, t, q, out high, out low);
            }

            if ((i & 1) == 0)
            {
                first1 = high;
                second1 = low;
                continue;
            }

            TSum.Merge<TSimd>(ref high, ref low, first1, second1);
            if ((i & 2) == 0)
            {
                first2 = high;
                second2 = low;
                continue;
            }

            TSum.Merge<TSimd>(ref high, ref low, first2, second2);
            if ((i & 4) == 0 && order.Length == 8)
            {
                first3 = high;
                second3 = low;
                continue;
            }

            if (order.Length == 8) TSum.Merge<TSimd>(ref high, ref low, first3, second3);
        }

        first = high;
        second = low;
    }

    /// <summary>
    /// The sums of more classes than <see cref="WholeVector.Lanes"/>, as <see cref="ShortRowSums{T,TFate}"/> takes them; with <see cref="RowPasses.Stored"/>
    /// their exponentials take the places of the logits.
    /// </summary>
    /// <param name="values">A vector of rows per class.</param>
    /// <param name="count">Classes.</param>
    /// <param name="max">The largest of each row.</param>
    /// <param name="scratch">Room for two vectors per class.</param>
    /// <param name="second">The low parts of the sums; the result is the high ones.</param>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Apart)]
    public static TVector OfMore<TSimd, TVector, T, TExponential, TFate>(T* values, int count, TVector max, T* scratch, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
        where TFate : struct, RowPasses.IFate
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        nint lanes = TSimd.Lanes, pair = 2 * lanes, end = count * lanes, c = 0;
        for (; c + lanes < end; c += pair)
        {
            TVector x0 = TSimd.Load(ref *(values + c), 0), x1 = TSimd.Load(ref *(values + c + lanes), 0);
            TVector t0 = exp.SplitTwo<TSimd>(x0, x1, out TVector q0, out TVector t1, out TVector q1);
            if (TFate.Stores)
            {
                TSimd.Store(ref *(values + c), 0, TSimd.MultiplyAdd(t0, q0, t0));
                TSimd.Store(ref *(values + c + lanes), 0, TSimd.MultiplyAdd(t1, q1, t1));
            }

            Store<TSimd, TVector, T>(scratch + (2 * c), t0, q0);
            Store<TSimd, TVector, T>(scratch + (2 * c) + pair, t1, q1);
        }

        if (c < end)
        {
            TVector t = exp.Split<TSimd>(TSimd.Load(ref *(values + c), 0), out TVector q);
            if (TFate.Stores) TSimd.Store(ref *(values + c), 0, TSimd.MultiplyAdd(t, q, t));
            Store<TSimd, TVector, T>(scratch + (2 * c), t, q);
        }

        byte* memory = stackalloc byte[((2 * WholeVector.Lanes<T>()) + 1) * WholeVector.Bytes];
        T* sums = (T*)WholeVector.Align(memory);
        int places = WholeVector.Lanes<T>(), whole = count - (count % places);
        for (int place = 0; place < places; place++)
        {
            FactoredSum<TVector, T> even = FactoredSum<TVector, T>.Create<TSimd>(), odd = even;
            for (int i = place; i < whole; i += 2 * places)
            {
                TVector t = Load<TSimd, TVector, T>(scratch + (i * pair), out TVector q);
                even.Add<TSimd>(t, q);
                if (i + places >= whole) continue;
                t = Load<TSimd, TVector, T>(scratch + ((i + places) * pair), out q);
                odd.Add<TSimd>(t, q);
            }

            // In a row the last vector overlaps the one before.
            int last = count - places + place;
            if (last >= whole)
            {
                TVector t = Load<TSimd, TVector, T>(scratch + (last * pair), out TVector q);
                odd.Add<TSimd>(t, q);
            }

            Store<TSimd, TVector, T>(sums + (place * pair), TSimd.Add(even.High<TSimd>(), odd.High<TSimd>()), TSimd.Add(even.Low<TSimd>(), odd.Low<TSimd>()));
        }

        return AddPlaces<TSimd, TVector, T, SplitColumnSum<TVector, T>>(sums, places * pair, out second);
    }

    /// <summary>The first half of the places takes the second, then the first quarter the second, …</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector AddPlaces<TSimd, TVector, T, TSum>(T* sums, nint end, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TSum : struct, IColumnSum<TVector, T>
    {
        nint pair = 2 * TSimd.Lanes;
        for (nint half = WholeVector.Lanes<T>() / 2 * pair; half >= pair; half /= 2)
        {
            for (T* place = sums; place + half < sums + end; place += pair)
            {
                TVector high = Load<TSimd, TVector, T>(place, out TVector low), otherHigh = Load<TSimd, TVector, T>(place + half, out TVector otherLow);
                TSum.Merge<TSimd>(ref high, ref low, otherHigh, otherLow);
                Store<TSimd, TVector, T>(place, high, low);
            }

            end = nint.Min(end, half);
        }

        return Load<TSimd, TVector, T>(sums, out second);
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

    /// <summary>Writes one double per lane of a sum as of <see cref="ISimd{TVector,T}.AddWide"/>; <paramref name="lost"/> is scratch of one per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTotals<TSimd, TVector, T>(TVector first, TVector second, double* destination, double* lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TSimd.StoreWide(first, second, destination, lost);
        if (typeof(T) == typeof(float)) return;
        for (int i = 0; i < TSimd.Lanes; i++) destination[i] = double.IsFinite(destination[i]) ? destination[i] + lost[i] : destination[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load<TSimd, TVector, T>(T* pair, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        second = TSimd.Load(ref *pair, (nuint)TSimd.Lanes);
        return TSimd.Load(ref *pair, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd, TVector, T>(T* pair, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TSimd.Store(ref *pair, 0, first);
        TSimd.Store(ref *pair, (nuint)TSimd.Lanes, second);
    }
}
