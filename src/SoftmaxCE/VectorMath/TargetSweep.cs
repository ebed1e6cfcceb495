using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The passes over a row whose target is spread over many classes: smoothed labels and target distributions.</summary>
internal static unsafe class TargetSweep
{
    /// <summary>
    /// Σ e^((x − max)/temperature) and, in <paramref name="dot"/>, Σ targets · (x − max)/temperature with 0 · −∞ = 0.
    /// Unless <paramref name="exponentials"/> is null it receives the exponentials, and −1, which no exponential is, where x is −∞:
    /// <see cref="Gradient"/> must know these classes from those whose exponential is merely too small.
    /// </summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static PivotSum Sum<TSimd, TVector, T>(
        T* logits, T* targets, int count, int pivot, T max, T temperature, T* exponentials, out double dot)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, pivotStart = pivot - (pivot % lanes);
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(max, temperature);
        TVector zero = TSimd.Create(default), lowest = RowPasses.Lowest<TSimd, TVector, T>();
        TVector mark = ExpPolynomial.Constant<TSimd, TVector, T>(-1f, -1.0);
        TVector others = zero, othersRest = zero, dots = zero, dotsRest = zero, atPivot = zero;
        for (int i = 0; i < count; i += lanes)
        {
            int here = count - i;
            TVector x = here >= lanes ? TSimd.Load(ref *logits, (nuint)i) : TSimd.LoadPartial(logits + i, here, lowest);
            TVector target = here >= lanes ? TSimd.Load(ref *targets, (nuint)i) : TSimd.LoadPartial(targets + i, here, zero);
            TVector difference = shift.Difference<TSimd, T>(x, out TVector low);
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, T>(difference, low);
            TVector product = TSimd.Select(TSimd.Equal(target, zero), zero, TSimd.Multiply(target, difference));
            TSimd.AddWide(ref dots, ref dotsRest, product);
            if (exponentials != null)
            {
                TVector marked = TSimd.Select(TSimd.Equal(x, lowest), mark, e);
                if (here >= lanes) TSimd.Store(ref *exponentials, (nuint)i, marked);
                else TSimd.StorePartial(exponentials + i, here, marked);
            }

            if (i == pivotStart)
            {
                TVector isPivot = TSimd.Equal(TSimd.Indices(i - pivot), zero);
                atPivot = TSimd.Select(isPivot, e, zero);
                e = TSimd.Select(isPivot, zero, e);
            }

            TSimd.AddWide(ref others, ref othersRest, e);
        }

        CompensatedSum dotSum = TSimd.TotalOfWide(dots, dotsRest);
        dot = dotSum.Value;
        TVector pivotSum = zero, pivotRest = zero;
        TSimd.AddWide(ref pivotSum, ref pivotRest, atPivot);
        return new(TSimd.TotalOfWide(others, othersRest).Value, TSimd.TotalOfWide(pivotSum, pivotRest).Value);
    }

    /// <summary>exponentials · factor − targets · scale, in place; 0 where <see cref="Sum"/> left its mark.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Gradient<TSimd, TVector, T>(T* exponentials, T* targets, int count, T factor, T scale)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, i = 0;
        TVector factors = TSimd.Create(factor), scales = TSimd.Create(scale);
        for (; i <= count - lanes; i += lanes)
        {
            TSimd.Store(ref *exponentials, (nuint)i, GradientOf<TSimd, TVector, T>(
                TSimd.Load(ref *exponentials, (nuint)i), TSimd.Load(ref *targets, (nuint)i), factors, scales));
        }

        if (i == count) return;
        TSimd.StorePartial(exponentials + i, count - i, GradientOf<TSimd, TVector, T>(
            TSimd.LoadPartial(exponentials + i, count - i, factors), TSimd.LoadPartial(targets + i, count - i, scales), factors, scales));
    }

    /// <summary>The same for exponentials that carry the power of two of <see cref="FactoredExp.Raise"/>, and without marks.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void PlainGradient<TSimd, TVector, T>(T* exponentials, T* targets, int count, T factor, T scale)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, i = 0;
        TVector factors = TSimd.Create(factor), scales = TSimd.Create(scale), lower = FactoredExp.Lower<TSimd, TVector, T>();
        for (; i <= count - lanes; i += lanes)
        {
            TVector raised = TSimd.Multiply(TSimd.Load(ref *exponentials, (nuint)i), factors), taken = TSimd.Multiply(TSimd.Load(ref *targets, (nuint)i), scales);
            TSimd.Store(ref *exponentials, (nuint)i, TSimd.MultiplyAdd(raised, lower, TSimd.Subtract(TSimd.Create(default), taken)));
        }

        if (i == count) return;
        TVector last = TSimd.Multiply(TSimd.LoadPartial(exponentials + i, count - i, factors), factors);
        TVector lastTaken = TSimd.Multiply(TSimd.LoadPartial(targets + i, count - i, scales), scales);
        TSimd.StorePartial(exponentials + i, count - i, TSimd.MultiplyAdd(last, lower, TSimd.Subtract(TSimd.Create(default), lastTaken)));
    }

    /// <summary>weights · (ownShare · targets + smoothingShare), the background of one row, in <paramref name="memory"/> unless it is the targets as they are.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static T* Background<TSimd, TVector, T>(T* targets, double* weights, int count, double ownShare, double smoothingShare, T* memory)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        if (weights == null && smoothingShare == 0) return targets;
        TVector own = TSimd.Create(Element.FromDouble<T>(ownShare)), share = TSimd.Create(Element.FromDouble<T>(smoothingShare)), zero = TSimd.Create(default);
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            int here = Math.Min(TSimd.Lanes, count - i);
            TSimd.StorePartial(memory + i, here, TSimd.MultiplyAdd(own, TSimd.LoadPartial(targets + i, here, zero), share));
        }

        for (int c = 0; weights != null && c < count; c++) memory[c] = Element.FromDouble<T>(weights[c] * Element.ToDouble(memory[c]));
        return memory;
    }

    /// <summary>The first of the largest values, NaN left out; 0 when there is none.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static int IndexOfMax<TSimd, TVector, T>(T* values, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector lowest = RowPasses.Lowest<TSimd, TVector, T>(), largest = TSimd.Create(RowPasses.Max<TSimd, TVector, T>(values, (nuint)count));
        int i = 0;
        for (; i <= count - TSimd.Lanes; i += TSimd.Lanes)
        {
            uint places = TSimd.Bits(TSimd.Equal(TSimd.Load(ref *values, (nuint)i), largest));
            if (places != 0) return i + BitOperations.TrailingZeroCount(places);
        }

        uint last = TSimd.Bits(TSimd.Equal(TSimd.LoadPartial(values + i, count - i, lowest), largest));
        return last != 0 ? i + BitOperations.TrailingZeroCount(last) : FirstOfNumbers(values, count);
    }

    /// <summary>The same one value after the other: where a NaN hides the maximum.</summary>
    private static int FirstOfNumbers<T>(T* values, int count)
        where T : unmanaged
    {
        int index = 0;
        double max = double.NegativeInfinity;
        for (int i = 0; i < count; i++)
        {
            double value = Element.ToDouble(values[i]);
            if (value > max) (max, index) = (value, i);
        }

        return index;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector GradientOf<TSimd, TVector, T>(TVector marked, TVector targets, TVector factor, TVector scale)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector zero = TSimd.Create(default);
        TVector gradient = TSimd.MultiplyAdd(marked, factor, TSimd.Subtract(zero, TSimd.Multiply(targets, scale)));
        return TSimd.Select(TSimd.LessThan(marked, zero), zero, gradient);
    }
}
