using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax down the lanes: as many rows as a vector has lanes at once, one class of each after the other.</summary>
/// <remarks>
/// For rows of few classes, whose time would go into sums over lanes and partial vectors, and for an axis that is not the last one, along
/// which neighbouring lines lie side by side. A row's result does not depend on its neighbours, and a row that fits one vector gets the very
/// bits it gets alone: its exponentials are added in the order in which a vector's lanes are.
/// </remarks>
internal static unsafe class SoftmaxColumns
{
    /// <summary>Softmax in place of <paramref name="count"/> classes, each a vector of rows, <paramref name="stride"/> values apart.</summary>
    public static void Softmax<TSimd, TVector, T>(T* values, nint stride, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector max = TSimd.Create(Element.FromDouble<T>(double.NegativeInfinity));
        for (int c = 0; c < count; c++) max = TSimd.Max(TSimd.Load(ref *(values + (c * stride)), 0), max);
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(default, Element.FromDouble<T>(1)) with { Max = max };
        ShiftedExponential<TVector, T> exp = new(ScaledExp<TVector, T>.Create<TSimd>(-ScaledExp.Headroom<T>()), shift);
        TVector first, second;
        if (count <= TSimd.Lanes) SumAsLanes<TSimd, TVector, T>(exp, values, stride, count, out first, out second);
        else SumInOrder<TSimd, TVector, T>(exp, values, stride, count, out first, out second);
        Scale<TSimd, TVector, T>(values, stride, count, first, second);
    }

    /// <summary>Exponentials and their sums in the order of <see cref="ISimd{TVector,T}.TotalOfWide"/>: class c with c + half, then quarter, …</summary>
    [SkipLocalsInit]
    private static void SumAsLanes<TSimd, TVector, T>(
        in ShiftedExponential<TVector, T> exponential, T* values, nint stride, int count, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        ShiftedExponential<TVector, T> exp = exponential;           // a local copy stays in registers
        TVector zero = TSimd.Create(default);
        nint lanes = TSimd.Lanes;
        T* high = stackalloc T[TSimd.Lanes * TSimd.Lanes], low = stackalloc T[TSimd.Lanes * TSimd.Lanes];
        for (int c = 0; c < count; c++)
        {
            T* place = values + (c * stride);
            TVector e = exp.Of<TSimd>(TSimd.Load(ref *place, 0), out TVector lost);
            TSimd.Store(ref *place, 0, e);
            TVector sum = zero, rest = zero;
            TSimd.AddWide(ref sum, ref rest, e);
            TSimd.AddWide(ref sum, ref rest, lost);
            TSimd.Store(ref *(high + (c * lanes)), 0, sum);
            TSimd.Store(ref *(low + (c * lanes)), 0, rest);
        }

        for (int half = TSimd.Lanes / 2; half > 0; half /= 2)
        {
            for (int c = 0; c < half && c + half < count; c++)
            {
                T* highAt = high + (c * lanes), lowAt = low + (c * lanes);
                TVector sum = TSimd.Load(ref *highAt, 0), rest = TSimd.Load(ref *lowAt, 0);
                TSimd.MergeWide(ref sum, ref rest, TSimd.Load(ref *(highAt + (half * lanes)), 0), TSimd.Load(ref *(lowAt + (half * lanes)), 0));
                TSimd.Store(ref *highAt, 0, sum);
                TSimd.Store(ref *lowAt, 0, rest);
            }
        }

        first = TSimd.Load(ref *high, 0);
        second = TSimd.Load(ref *low, 0);
    }

    private static void SumInOrder<TSimd, TVector, T>(
        in ShiftedExponential<TVector, T> exponential, T* values, nint stride, int count, out TVector first, out TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        ShiftedExponential<TVector, T> exp = exponential;
        TVector lost = TSimd.Create(default), high = lost, low = lost;
        for (int c = 0; c < count; c++)
        {
            T* place = values + (c * stride);
            TVector e = exp.Of<TSimd>(TSimd.Load(ref *place, 0), out TVector rest);
            TSimd.Store(ref *place, 0, e);
            lost = TSimd.Add(lost, rest);
            TSimd.AddWide(ref high, ref low, e);
        }

        TSimd.AddWide(ref high, ref low, lost);
        first = high;
        second = low;
    }

    [SkipLocalsInit]
    private static void Scale<TSimd, TVector, T>(T* values, nint stride, int count, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes;
        double* sums = stackalloc double[lanes], lost = stackalloc double[lanes];
        T* factors = stackalloc T[2 * lanes];
        TSimd.StoreWide(first, second, sums, lost);
        for (int i = 0; i < lanes; i++) factors[i] = RowSum.Reciprocal(new() { High = sums[i], Low = lost[i] }, out factors[lanes + i]);
        TVector factor = TSimd.Load(ref *factors, 0), factorLow = TSimd.Load(ref *factors, (nuint)lanes);
        for (int c = 0; c < count; c++)
        {
            T* place = values + (c * stride);
            TVector e = TSimd.Load(ref *place, 0);
            TSimd.Store(ref *place, 0, TSimd.MultiplyAdd(e, factor, TSimd.Multiply(e, factorLow)));
        }
    }
}
