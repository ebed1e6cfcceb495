using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax down the lanes: as many rows as a vector has lanes at once, one class of each after the other.</summary>
/// <remarks>
/// For rows of few classes, whose time would go into sums over lanes and partial vectors, and for an axis that is not the last one, along
/// which neighbouring lines lie side by side. A row's result does not depend on its neighbours, and a row that fits one vector gets the very
/// bits it gets alone (<see cref="SoftmaxKernel"/>): its exponentials are added in the order in which a vector's lanes are.
/// </remarks>
internal static unsafe class SoftmaxColumns
{
    /// <summary>The largest class of each row, NaN left out.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static TVector Max<TSimd, TVector, T>(T* values, nint stride, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector lowest = RowPasses.Lowest<TSimd, TVector, T>(), even = lowest, odd = lowest;
        T* end = values + ((nint)count * stride);
        for (; values + stride < end; values += 2 * stride)
        {
            even = TSimd.Max(TSimd.Load(ref *values, 0), even);
            odd = TSimd.Max(TSimd.Load(ref *(values + stride), 0), odd);
        }

        if (values < end) even = TSimd.Max(TSimd.Load(ref *values, 0), even);
        return TSimd.Max(even, odd);
    }

    /// <summary>t and q of every class to <paramref name="scratch"/>; returns what they are to be multiplied by.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static Factors<TVector> ExponentialsOfFew<TSimd, TVector, T>(T* values, nint stride, int count, TVector max, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector high = SumOfFew<TSimd, TVector, T>(values, stride, count, max, scratch, out TVector low);
        TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector factorLow);
        return new(factor, factorLow);
    }

    /// <summary>t and q of every class to <paramref name="scratch"/>; returns the sums.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static TVector SumOfFew<TSimd, TVector, T>(T* values, nint stride, int count, TVector max, T* scratch, out TVector low)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector high;
        if (IsFar<TSimd, TVector, T>(max))
        {
            ColumnSums.OfFew<TSimd, TVector, T, ShiftedExponential<TVector, T>, SplitColumnSum<TVector, T>, RowPasses.Stored>(values, stride, count, max, scratch, out high, out low);
        }
        else
        {
            ColumnSums.OfFew<TSimd, TVector, T, DirectExponential<TVector, T>, SplitColumnSum<TVector, T>, RowPasses.Stored>(values, stride, count, max, scratch, out high, out low);
        }

        return high;
    }

    /// <summary>The exponentials of more classes than one vector holds, in place; returns what they are to be multiplied by.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static Factors<TVector> ExponentialsOfMore<TSimd, TVector, T>(T* values, int count, TVector max, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector low, high = IsFar<TSimd, TVector, T>(max)
            ? ColumnSums.OfMore<TSimd, TVector, T, ShiftedExponential<TVector, T>, RowPasses.Stored>(values, count, max, scratch, out low)
            : ColumnSums.OfMore<TSimd, TVector, T, DirectExponential<TVector, T>, RowPasses.Stored>(values, count, max, scratch, out low);
        TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector factorLow);
        return new(factor, factorLow);
    }

    /// <summary>Exponentials times factors, in place; see <see cref="RowPasses.Scale"/>.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void ScaleMore<TSimd, TVector, T>(T* values, int count, Factors<TVector> factors)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        for (T* end = values + (count * TSimd.Lanes); values < end; values += TSimd.Lanes)
        {
            TVector e = TSimd.Load(ref *values, 0);
            TSimd.Store(ref *values, 0, TSimd.MultiplyAdd(e, factors.Factor, TSimd.Multiply(e, factors.Low)));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    public static void ScaleFew<TSimd, TVector, T>(T* scratch, int count, Factors<TVector> factors, T* destination, nint stride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        for (T* end = scratch + (2 * count * TSimd.Lanes); scratch < end; scratch += 2 * TSimd.Lanes, destination += stride)
        {
            TVector t = TSimd.Load(ref *scratch, 0), q = TSimd.Load(ref *scratch, (nuint)TSimd.Lanes);
            TSimd.Store(ref *destination, 0, RowPasses.Scaled<TSimd, TVector, T>(t, q, factors.Factor, factors.Low));
        }
    }

    /// <summary>(x − max) − log in place, for classes that lie a vector apart; see <see cref="RowPasses.LogProbabilities"/>.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public static void LogProbabilities<TSimd, TVector, T>(T* values, int count, TVector max, TVector log)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        for (T* end = values + (count * TSimd.Lanes); values < end; values += TSimd.Lanes)
        {
            TSimd.Store(ref *values, 0, TSimd.Subtract(TSimd.Subtract(TSimd.Load(ref *values, 0), max), log));
        }
    }

    /// <summary>Whether some row has no finite maximum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyInfinite<TSimd, TVector, T>(TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.AnyGreater(TSimd.Abs(max), ExpPolynomial.Constant<TSimd, TVector, T>(float.MaxValue, double.MaxValue));

    /// <summary>Whether some row's maximum is out of reach of <see cref="DirectExponential{TVector,T}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsFar<TSimd, TVector, T>(TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => TSimd.AnyGreater(TSimd.Abs(max), TSimd.Create(Element.FromDouble<T>(FactoredExp.Reach<T>())));

    /// <summary>1 / sum of each row, and what its rounding lost.</summary>
    public readonly record struct Factors<TVector>(TVector Factor, TVector Low)
        where TVector : struct;
}
