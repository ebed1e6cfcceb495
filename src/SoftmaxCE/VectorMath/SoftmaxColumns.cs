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
    /// <summary>Softmax of <paramref name="count"/> classes, each a vector of rows.</summary>
    /// <param name="values">[count, stride] logits; the first vector of each class is used.</param>
    /// <param name="stride">From one class to the next in <paramref name="values"/>.</param>
    /// <param name="count">Classes.</param>
    /// <param name="scratch">Two vectors per class when the classes fit a vector's lanes; else not used.</param>
    /// <param name="destination">[count, destinationStride] probabilities; may be <paramref name="values"/>.</param>
    /// <param name="destinationStride">From one class to the next in <paramref name="destination"/>.</param>
    public static void Softmax<TSimd, TVector, T>(T* values, nint stride, int count, T* scratch, T* destination, nint destinationStride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector max = Max<TSimd, TVector, T>(values, stride, count);
        if (count <= TSimd.Lanes)
        {
            Factors<TVector> factors = ExponentialsOfFew<TSimd, TVector, T>(values, stride, count, max, scratch);
            ScaleFew<TSimd, TVector, T>(scratch, count, factors, destination, destinationStride);
        }
        else
        {
            Factors<TVector> factors = IsFar<TSimd, TVector, T>(max)
                ? ExponentialsOfMany<TSimd, TVector, T, ShiftedExponential<TVector, T>>(values, stride, count, max, destination, destinationStride)
                : ExponentialsOfMany<TSimd, TVector, T, DirectExponential<TVector, T>>(values, stride, count, max, destination, destinationStride);
            ScaleMany<TSimd, TVector, T>(destination, destinationStride, count, factors);
        }
    }

    /// <summary>The largest class of each row, NaN left out.</summary>
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
    public static Factors<TVector> ExponentialsOfFew<TSimd, TVector, T>(T* values, nint stride, int count, TVector max, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => IsFar<TSimd, TVector, T>(max)
        ? ExponentialsOfFew<TSimd, TVector, T, ShiftedExponential<TVector, T>>(values, stride, count, max, scratch)
        : ExponentialsOfFew<TSimd, TVector, T, DirectExponential<TVector, T>>(values, stride, count, max, scratch);

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
    [MethodImpl(MethodImplOptions.NoInlining)]
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

    private static Factors<TVector> ExponentialsOfFew<TSimd, TVector, T, TExponential>(T* values, nint stride, int count, TVector max, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        ColumnSums.OfFew<TSimd, TVector, T, TExponential, SplitColumnSum<TVector, T>, RowPasses.Stored>(
            values, stride, count, max, scratch, out TVector high, out TVector low);
        TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(high, low, out TVector factorLow);
        return new(factor, factorLow);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Factors<TVector> ExponentialsOfMany<TSimd, TVector, T, TExponential>(
        T* values, nint stride, int count, TVector max, T* destination, nint destinationStride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector first = TSimd.Create(default), second = first;
        for (int c = 0; c < count;)
        {
            FactoredSum<TVector, T> sum = FactoredSum<TVector, T>.Create<TSimd>();
            for (int end = Math.Min(count, c + FactoredSum<TVector, T>.Capacity); c < end; c++)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *(values + (c * stride)), 0), out TVector q);
                TSimd.Store(ref *(destination + (c * destinationStride)), 0, TSimd.MultiplyAdd(t, q, t));
                sum.Add<TSimd>(t, q);
            }

            sum.MoveInto<TSimd>(ref first, ref second);
        }

        return Reciprocals<TSimd, TVector, T>(first, second);
    }

    [SkipLocalsInit]
    private static Factors<TVector> Reciprocals<TSimd, TVector, T>(TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes;
        double* sums = stackalloc double[lanes], lost = stackalloc double[lanes];
        T* factors = stackalloc T[2 * lanes];
        TSimd.StoreWide(first, second, sums, lost);
        for (int i = 0; i < lanes; i++) factors[i] = RowSum.Reciprocal(new() { High = sums[i], Low = lost[i] }, out factors[lanes + i]);
        return new(TSimd.Load(ref *factors, 0), TSimd.Load(ref *factors, (nuint)lanes));
    }

    private static void ScaleMany<TSimd, TVector, T>(T* values, nint stride, int count, Factors<TVector> factors)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        for (int c = 0; c < count; c++, values += stride)
        {
            TVector e = TSimd.Load(ref *values, 0);
            TSimd.Store(ref *values, 0, TSimd.MultiplyAdd(e, factors.Factor, TSimd.Multiply(e, factors.Low)));
        }
    }

    /// <summary>1 / sum of each row, and what its rounding lost.</summary>
    public readonly record struct Factors<TVector>(TVector Factor, TVector Low)
        where TVector : struct;
}
