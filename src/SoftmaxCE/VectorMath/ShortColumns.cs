using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax of lines of at most <see cref="WholeVector.Lanes"/> values, a line per lane of a register: the very bits of a row that short.</summary>
/// <remarks>
/// A few neighbouring registers take each step together, so that the processor has work while a sum comes out of a chain of operations. Their logits
/// are copied to where the exponentials will be, because a stride is often a power of two, and then lines compete for a few places of the cache.
/// </remarks>
/// <param name="sourceStep">From one value of a line to the next.</param>
/// <param name="length">Values of a line.</param>
/// <param name="scratch">Room for two values per value of the lines, or of <see cref="GroupWidth"/> cache lines across; aligned.</param>
internal readonly unsafe struct ShortColumns<T>(nint sourceStep, nint destinationStep, int length, T* scratch)
    where T : unmanaged
{
    /// <summary>Cache lines across a group of registers.</summary>
    private const int GroupWidth = 4;

    /// <summary>Neighbouring lines, a multiple of the lanes of a register.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Apart)]
    public void Run<TSimd, TVector>(T* source, T* destination, nint lineCount)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, group = GroupWidth * WholeVector.Lanes<T>();
        nint step = 2 * length * lanes;
        T* maxima = stackalloc T[3 * group], highs = maxima + group, lows = highs + group;
        for (nint first = 0; first < lineCount; first += group, source += group, destination += group)
        {
            int lines = (int)nint.Min(group, lineCount - first);
            T* place = scratch;
            for (int i = 0; i < lines; i += lanes, place += step) TSimd.Store(ref maxima[i], 0, Copy<TSimd, TVector>(source + i, place));
            place = scratch;
            for (int i = 0; i < lines; i += lanes, place += step)
            {
                TVector high = SoftmaxColumns.SumOfFew<TSimd, TVector, T>(place, 2 * lanes, length, TSimd.Load(ref maxima[i], 0), place, out TVector low);
                TSimd.Store(ref highs[i], 0, high);
                TSimd.Store(ref lows[i], 0, low);
            }

            place = scratch;
            for (int i = 0; i < lines; i += lanes, place += step)
            {
                TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(TSimd.Load(ref highs[i], 0), TSimd.Load(ref lows[i], 0), out TVector low);
                SoftmaxColumns.ScaleFew<TSimd, TVector, T>(place, length, new(factor, low), destination + i, destinationStep);
            }
        }
    }

    /// <summary>Copies the logits, two registers apart; returns the largest of each line, NaN left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Copy<TSimd, TVector>(T* x, T* to)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector max = RowPasses.Lowest<TSimd, TVector, T>();
        for (T* end = to + (2 * length * TSimd.Lanes); to < end; to += 2 * TSimd.Lanes, x += sourceStep)
        {
            TVector value = TSimd.Load(ref *x, 0);
            TSimd.Store(ref *to, 0, value);
            max = TSimd.Max(value, max);
        }

        return max;
    }
}
