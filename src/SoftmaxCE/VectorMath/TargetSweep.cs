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
    public static PivotSum Sum<TSimd, TVector, T>(
        T* logits, T* targets, int count, int pivot, T max, T temperature, T* exponentials, out double dot)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes;
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(max, temperature);
        TVector zero = TSimd.Create(default), indices = TSimd.Indices(0);
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        TVector mark = ExpPolynomial.Constant<TSimd, TVector, T>(-1f, -1.0);
        TVector others = zero, othersRest = zero, dots = zero, dotsRest = zero, atPivot = zero;
        for (int i = 0; i < count; i += lanes)
        {
            int here = Math.Min(lanes, count - i);
            TVector x = TSimd.LoadPartial(logits + i, here, lowest), target = TSimd.LoadPartial(targets + i, here, zero);
            TVector difference = shift.Difference<TSimd, T>(x, out TVector low);
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, T>(difference, low);
            TVector isPivot = TSimd.Equal(indices, ExpPolynomial.Constant<TSimd, TVector, T>(pivot - i, pivot - i));
            atPivot = TSimd.Select(isPivot, e, atPivot);
            TSimd.AddWide(ref others, ref othersRest, TSimd.Select(isPivot, zero, e));
            TVector product = TSimd.Select(TSimd.Equal(target, zero), zero, TSimd.Multiply(target, difference));
            TSimd.AddWide(ref dots, ref dotsRest, product);
            if (exponentials != null) TSimd.StorePartial(exponentials + i, here, TSimd.Select(TSimd.Equal(x, lowest), mark, e));
        }

        CompensatedSum dotSum = TSimd.TotalOfWide(dots, dotsRest);
        dot = dotSum.Value;
        TVector pivotSum = zero, pivotRest = zero;
        TSimd.AddWide(ref pivotSum, ref pivotRest, atPivot);
        return new(TSimd.TotalOfWide(others, othersRest).Value, TSimd.TotalOfWide(pivotSum, pivotRest).Value);
    }

    /// <summary>exponentials · factor − targets · scale, in place; 0 where <see cref="Sum"/> left its mark.</summary>
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

    /// <summary>destination = weights · (ownShare · targets + smoothingShare), the background of one row; null weights count as 1.</summary>
    public static void Background<T>(T* targets, double* weights, int count, double ownShare, double smoothingShare, T* destination)
        where T : unmanaged
    {
        for (int c = 0; c < count; c++)
        {
            double target = Math.FusedMultiplyAdd(ownShare, Element.ToDouble(targets[c]), smoothingShare);
            destination[c] = Element.FromDouble<T>(weights == null ? target : weights[c] * target);
        }
    }

    /// <summary>Σ values[c] over c other than <paramref name="skipped"/>.</summary>
    public static double SumExcept<T>(T* values, int count, int skipped)
        where T : unmanaged
    {
        CompensatedSum sum = default;
        for (int c = 0; c < count; c++)
        {
            if (c != skipped) sum.Add(Element.ToDouble(values[c]));
        }

        return sum.Value;
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
