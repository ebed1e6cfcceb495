using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What is summed of a part of a row besides its exponentials.</summary>
internal enum LogitTerms
{
    None,

    /// <summary>e^(x − m) (m − x).</summary>
    Distances,

    /// <summary>w (m − x).</summary>
    WeightedDistances,

    /// <summary>e^(x − m) (x − y − center), and the magnitudes of these.</summary>
    Differences,
}

/// <summary>The sums of <see cref="LogitPart{T}"/> over at most <see cref="LongRow{T}.PartLength"/> logits.</summary>
/// <remarks>
/// The part passes the first-level cache once for its maximum and once more, register by register, for everything else, and meanwhile the next part is fetched, so that
/// memory is never idle. Each exponential and each weighted distance is rounded up to three times, and four of them are added in T before they
/// are added in double: at most 3 ulp in all. Where the exponentials below the maximum add up to little, they are added again without it.
/// </remarks>
/// <param name="logits">The part.</param>
/// <param name="weights">As many weights, or other logits, for those that <paramref name="terms"/> need.</param>
/// <param name="count">Values in the part.</param>
/// <param name="next">The logits that will be needed next; the part itself when there are none.</param>
/// <param name="terms">What is summed besides the exponentials.</param>
internal unsafe struct LogitPartKernel<T>(T* logits, T* weights, nuint count, T* next, LogitTerms terms) : IVectorKernel<T>
    where T : unmanaged
{
    private const double Confident = 0.25;

    public LogitPart<T> Part;

    /// <summary>See <see cref="LogitTerms.Differences"/>. NaN is replaced by the distance of the part's maximum to <see cref="OtherMax"/>.</summary>
    public T Center;

    /// <summary>The largest of the other logits.</summary>
    public T OtherMax;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T max = RowPasses.Max<TSimd, TVector, T>(logits, count);
        if (double.IsNaN(Element.ToDouble(Center))) Center = Element.FromDouble<T>(Element.ToDouble(max) - Element.ToDouble(OtherMax));
        bool hasMaximum = !double.IsNegativeInfinity(Element.ToDouble(max));
        RowExponential<T> row = new(hasMaximum ? max : default, Element.FromDouble<T>(1));
        Sums<TSimd, TVector, LogitPartSums<T>.All>(row);
        if (Part.Others.Value < Confident * FactoredExp.OfMaximum<T>())
        {
            LogitPart<T> all = Part;
            Sums<TSimd, TVector, LogitPartSums<T>.BelowMaximum>(row);
            all.Others = Part.Others;
            Part = all;                                   // a difference counts also where the logit is the maximum
        }

        Part.Max = max;
        if (hasMaximum) return;
        Part.Others = new() { High = RowPasses.ContainsNaN(logits, count) ? double.NaN : 0 };
        if (terms != LogitTerms.WeightedDistances) Part.Distances = default;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void Sums<TSimd, TVector, TAdded>(in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TAdded : struct
    {
        LogitPartSums<T> sums = new(logits, weights, (nint)count, next, row, Center);
        if (terms == LogitTerms.None) Sums<TSimd, TVector, LogitPartSums<T>.None, TAdded>(ref sums);
        else if (terms == LogitTerms.Distances) Sums<TSimd, TVector, LogitPartSums<T>.Exponential, TAdded>(ref sums);
        else if (terms == LogitTerms.WeightedDistances) Sums<TSimd, TVector, LogitPartSums<T>.Given, TAdded>(ref sums);
        else Sums<TSimd, TVector, LogitPartSums<T>.Compared, TAdded>(ref sums);
        Part = sums.Part;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static void Sums<TSimd, TVector, TWeights, TAdded>(ref LogitPartSums<T> sums)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TWeights : struct
        where TAdded : struct
    {
        LogitPartSums<T>.Kernel<TWeights, TAdded> kernel = new() { Sums = sums };
        TSimd.RunLanes(ref kernel, 0);
        sums = kernel.Sums;
    }
}
