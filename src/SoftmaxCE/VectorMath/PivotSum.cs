using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Σ e^((x − max)/temperature) over a row with one class, the pivot, kept apart.</summary>
/// <param name="Others">The sum over all classes but the pivot.</param>
/// <param name="AtPivot">The pivot's own exponential.</param>
internal readonly unsafe record struct PivotSum(double Others, double AtPivot)
{
    public double Total => Others + AtPivot;

    /// <summary>Unless <paramref name="exponentials"/> is null it receives the exponentials; it may be <paramref name="logits"/>.</summary>
    /// <remarks>The vector that holds the pivot is left for the end, so that the loop over the others need not look for it.</remarks>
    public static PivotSum Of<TSimd, TVector, T>(T* logits, int count, int pivot, T max, T temperature, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes, wholeEnd = count - (count % lanes), pivotStart = pivot - (pivot % lanes), i = 0;
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, T>(max, temperature);
        TVector zero = TSimd.Create(default), first = zero, second = zero;
        for (int end = Math.Min(pivotStart, wholeEnd); ; end = wholeEnd)
        {
            for (; i <= end - (2 * lanes); i += 2 * lanes)
            {
                TVector e0 = shift.Exp<TSimd, T>(TSimd.Load(ref *logits, (nuint)i));
                TVector e1 = shift.Exp<TSimd, T>(TSimd.Load(ref *logits, (nuint)(i + lanes)));
                if (exponentials != null)
                {
                    TSimd.Store(ref *exponentials, (nuint)i, e0);
                    TSimd.Store(ref *exponentials, (nuint)(i + lanes), e1);
                }

                TSimd.AddWide(ref first, ref second, TSimd.Add(e0, e1));
            }

            if (i < end)
            {
                TVector e = shift.Exp<TSimd, T>(TSimd.Load(ref *logits, (nuint)i));
                if (exponentials != null) TSimd.Store(ref *exponentials, (nuint)i, e);
                TSimd.AddWide(ref first, ref second, e);
            }

            if (end == wholeEnd) break;
            i = pivotStart + lanes;
        }

        if (pivotStart < wholeEnd && wholeEnd < count)
        {
            TVector e = Partial<TSimd, TVector, T>(logits, wholeEnd, count - wholeEnd, shift, exponentials);
            TSimd.AddWide(ref first, ref second, e);
        }

        TVector withPivot = Partial<TSimd, TVector, T>(logits, pivotStart, Math.Min(lanes, count - pivotStart), shift, exponentials);
        TVector isPivot = TSimd.Equal(TSimd.Indices(pivotStart - pivot), zero);
        TSimd.AddWide(ref first, ref second, TSimd.Select(isPivot, zero, withPivot));
        TVector lower = zero, upper = zero;
        TSimd.AddWide(ref lower, ref upper, TSimd.Select(isPivot, withPivot, zero));
        return new(TSimd.TotalOfWide(first, second).Value, TSimd.TotalOfWide(lower, upper).Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Partial<TSimd, TVector, T>(T* logits, int start, int count, Shift<TVector> shift, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        TVector e = shift.Exp<TSimd, T>(TSimd.LoadPartial(logits + start, count, lowest));
        if (exponentials != null) TSimd.StorePartial(exponentials + start, count, e);
        return e;
    }
}
