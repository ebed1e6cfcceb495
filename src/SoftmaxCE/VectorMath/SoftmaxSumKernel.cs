namespace SoftmaxCE;

/// <summary>A sum over d = z − max.</summary>
internal enum SoftmaxSum
{
    Exp,
    ExpBelowMaximum,
    ExpTimesMinusDifference,
    WeightTimesMinusDifference,
}

/// <summary>Sums over a block of logits in double.</summary>
internal unsafe struct SoftmaxSumKernel(double* logits, double* weights, int count, double max, SoftmaxSum kind) : IVectorKernel<double>
{
    public CompensatedSum Sum;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), first = zero, second = zero, lowest = TSimd.Create(double.NegativeInfinity);
        Shift<TVector> shift = Shift<TVector>.Create<TSimd, double>(max, 1);
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            int here = Math.Min(TSimd.Lanes, count - i);
            TVector z = TSimd.LoadPartial(logits + i, here, lowest);
            TVector difference = shift.Difference<TSimd, double>(z, out TVector low);
            TVector term;
            if (kind == SoftmaxSum.WeightTimesMinusDifference)
            {
                TVector weight = TSimd.LoadPartial(weights + i, here, zero);
                term = TSimd.Select(TSimd.Equal(weight, zero), zero, TSimd.Multiply(TSimd.Subtract(zero, difference), weight));
            }
            else
            {
                term = ExpPolynomial.OfNonPositive<TSimd, TVector, double>(difference, low);
                TVector left = kind == SoftmaxSum.ExpBelowMaximum ? TSimd.Equal(z, shift.Max) : TSimd.Equal(term, zero);
                TVector product = kind == SoftmaxSum.ExpTimesMinusDifference ? TSimd.Multiply(TSimd.Subtract(zero, difference), term) : term;
                term = TSimd.Select(left, zero, product);
            }

            TSimd.AddWide(ref first, ref second, term);
        }

        Sum = TSimd.TotalOfWide(first, second);
    }
}
