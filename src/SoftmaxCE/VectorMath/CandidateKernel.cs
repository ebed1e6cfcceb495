using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Lists the entries of a row that reach a bound, in order: few of many, so a vector without one costs no more than its comparison.</summary>
/// <param name="values">The row; NaN and −∞ reach no bound.</param>
/// <param name="count">Its length.</param>
/// <param name="bound">What a value must be at least.</param>
/// <param name="limit">A value must be below this; +∞ is below no limit.</param>
/// <param name="places">Receives the indices; room for <paramref name="most"/>.</param>
/// <param name="most">When more entries qualify, the search ends early.</param>
internal unsafe struct CandidateKernel<T>(T* values, int count, double bound, double limit, int* places, int most) : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>How many were found; <c>most</c> + 1 when there are more than that.</summary>
    public int Found;

    /// <summary>Blocks of this length are skipped when their entry in <see cref="Maxima"/> is below the bound.</summary>
    public int BlockLength = int.MaxValue;

    public double* Maxima = null;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector below = TSimd.Create(LargestBelow(bound)), end = TSimd.Create(Element.FromDouble<T>(limit)), zero = TSimd.Create(default);
        TVector lowest = RowPasses.Lowest<TSimd, TVector, T>();
        int found = 0;
        for (int start = 0, block = 0; start < count; start += BlockLength, block++)
        {
            if (Maxima != null && !(Maxima[block] >= bound)) continue;
            int blockEnd = Math.Min(start + BlockLength, count);
            for (int i = start; i < blockEnd; i += TSimd.Lanes)
            {
                TVector x = i <= blockEnd - TSimd.Lanes ? TSimd.Load(ref *values, (nuint)i) : TSimd.LoadPartial(values + i, blockEnd - i, lowest);
                uint bits = TSimd.Bits(TSimd.Select(TSimd.LessThan(below, x), TSimd.LessThan(x, end), zero));
                if (bits == 0) continue;
                if (found > most - TSimd.Lanes && found + BitOperations.PopCount(bits) > most)
                {
                    Found = most + 1;
                    return;
                }

                for (; bits != 0; bits &= bits - 1) places[found++] = i + BitOperations.TrailingZeroCount(bits);
            }
        }

        Found = found;
    }

    /// <summary>The largest T below the bound: what is above it reaches the bound.</summary>
    private static T LargestBelow(double bound)
    {
        if (typeof(T) != typeof(float)) return Element.FromDouble<T>(Math.BitDecrement(bound));
        float nearest = (float)bound;
        return Element.FromDouble<T>(nearest < bound ? nearest : MathF.BitDecrement(nearest));
    }
}
