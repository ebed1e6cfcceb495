namespace SoftmaxCE;

/// <summary>Collects the logits that reach a bound, in their order, looking only into blocks whose maximum does.</summary>
internal unsafe struct CollectKernel<T>(T* logits, int count, int blockLength, double* maxima, double bound, double* values, int* classes) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>How many were found.</summary>
    public int Found;

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector lowest = ExpPolynomial.Constant<TSimd, TVector, T>(float.NegativeInfinity, double.NegativeInfinity);
        for (int block = 0, start = 0; start < count; block++, start += blockLength)
        {
            if (!(maxima[block] >= bound)) continue;
            int end = Math.Min(start + blockLength, count);
            for (int i = start; i < end; i += TSimd.Lanes)
            {
                int here = Math.Min(TSimd.Lanes, end - i);
                if (Element.ToDouble(TSimd.MaxOfLanes(TSimd.LoadPartial(logits + i, here, lowest))) >= bound) Collect(i, here);
            }
        }
    }

    private void Collect(int first, int length)
    {
        for (int c = first; c < first + length; c++)
        {
            double logit = Element.ToDouble(logits[c]);
            if (!(logit >= bound) || double.IsNegativeInfinity(logit)) continue;
            (values[Found], classes[Found]) = (logit, c);
            Found++;
        }
    }
}
