using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax of lines in a strip of scratch memory, a line per lane, up to a factor per line.</summary>
/// <remarks>The strip is [vectors, length, lanes of 512 bits], so that the values of a line lie closely one after the other.</remarks>
/// <param name="strip">Logits; exponentials when done, or probabilities where a line is as short as a vector.</param>
/// <param name="length">Values of a line.</param>
/// <param name="vectors">Vectors of neighbouring lines.</param>
/// <param name="factors">For each vector the lanes of 1 / sum, then those of what its rounding lost: what the strip is still to be multiplied by.</param>
internal unsafe struct ColumnExponentials<T>(T* strip, int length, int vectors, T* factors) : ILaneKernel<T>
    where T : unmanaged
{
    [SkipLocalsInit]
    public readonly void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int stride = WholeVector.Lanes<T>();
        T* few = stackalloc T[2 * stride * stride];
        for (int vector = 0; vector < vectors; vector++)
        {
            T* lines = strip + ((nint)vector * length * stride) + firstLane, factor = factors + (2 * vector * stride) + firstLane;
            TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(lines, stride, length);
            SoftmaxColumns.Factors<TVector> result;
            if (length <= stride)
            {
                result = SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(lines, stride, length, max, few);
                SoftmaxColumns.ScaleFew<TSimd, TVector, T>(few, length, result, lines, stride);
                result = new(ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), TSimd.Create(default));
            }
            else
            {
                result = SoftmaxColumns.IsFar<TSimd, TVector, T>(max)
                    ? OfMany<TSimd, TVector, ShiftedExponential<TVector, T>>(lines, max)
                    : OfMany<TSimd, TVector, DirectExponential<TVector, T>>(lines, max);
            }

            TSimd.Store(ref *factor, 0, result.Factor);
            TSimd.Store(ref *(factor + stride), 0, result.Low);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly SoftmaxColumns.Factors<TVector> OfMany<TSimd, TVector, TExponential>(T* lines, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        int stride = WholeVector.Lanes<T>();
        TExponential exp = default;
        exp.Prepare<TSimd>(max, Element.FromDouble<T>(1));
        TVector first = TSimd.Create(default), second = first;
        for (T* end = lines + ((nint)length * stride); lines < end;)
        {
            FactoredSum<TVector, T> sum = FactoredSum<TVector, T>.Create<TSimd>();
            T* endOfBlock = lines + nint.Min((nint)(end - lines), FactoredSum<TVector, T>.Capacity * stride);
            for (; lines < endOfBlock; lines += stride)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *lines, 0), out TVector q);
                TSimd.Store(ref *lines, 0, TSimd.MultiplyAdd(t, q, t));
                sum.Add<TSimd>(t, q);
            }

            sum.MoveInto<TSimd>(ref first, ref second);
        }

        return Reciprocals<TSimd, TVector>(first, second);
    }

    [SkipLocalsInit]
    private static SoftmaxColumns.Factors<TVector> Reciprocals<TSimd, TVector>(TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        double* sums = stackalloc double[lanes], lost = stackalloc double[lanes];
        T* factors = stackalloc T[2 * lanes];
        TSimd.StoreWide(first, second, sums, lost);
        for (int i = 0; i < lanes; i++) factors[i] = RowSum.Reciprocal(new() { High = sums[i], Low = lost[i] }, out factors[lanes + i]);
        return new(TSimd.Load(ref *factors, 0), TSimd.Load(ref *factors, (nuint)lanes));
    }
}
