using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>What a target spread over the classes of one row adds up to, beside the sum of the row's exponentials.</summary>
/// <param name="Dot">Σ targets · (x − max); all terms have the same sign.</param>
/// <param name="Others">Σ targets without the pivot's.</param>
/// <param name="HasMasked">Whether some logit is −∞, or infinitely far below the maximum: then <paramref name="Dot"/> is meaningless (0 · −∞ is to be 0).</param>
internal readonly record struct TargetTerms(double Dot, double Others, bool HasMasked)
{
    [MethodImpl(LoopMethod.Compiled)]
    public static unsafe TargetTerms Of<TSimd, TVector, T>(T* logits, T* targets, int count, int pivot, T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TargetTermsPass<T> pass = new(logits, targets, count, pivot, max);
        TSimd.RunLanes(ref pass, 0);
        return new(pass.Dots.Total.Value, pass.Others.Total.Value, pass.HasMasked);
    }
}

/// <summary>The pass over a row behind <see cref="TargetTerms"/>.</summary>
internal unsafe struct TargetTermsPass<T>(T* logits, T* targets, int count, int pivot, T max) : ILaneKernel<T>
    where T : unmanaged
{
    /// <summary>Vectors whose terms are added in T: few enough that the roundings do not show.</summary>
    private const int Chain = 4;

    public LaneSum<T> Dots;
    public LaneSum<T> Others;
    public bool HasMasked;

    [MethodImpl(LoopMethod.Apart)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = WholeVector.Lanes<T>(), pivotStart = pivot - (pivot % lanes), wholeEnd = count - (count % lanes), i = firstLane;
        TVector zero = TSimd.Create(default), top = TSimd.Create(max), lowest = zero, dots = zero, dotsRest = zero, others = zero, othersRest = zero;
        while (i < wholeEnd)
        {
            TVector dot = zero, sum = zero;
            for (int end = Math.Min(wholeEnd, i + (Chain * lanes)); i < end; i += lanes)
            {
                TVector x = TSimd.Load(ref *logits, (nuint)i), target = TSimd.Load(ref *targets, (nuint)i);
                TVector difference = TSimd.Subtract(x, top);
                lowest = TSimd.Min(difference, lowest);
                dot = TSimd.MultiplyAdd(target, difference, dot);
                if (i - firstLane == pivotStart) target = WithoutPivot<TSimd, TVector>(target, i);
                sum = TSimd.Add(sum, target);
            }

            TSimd.AddWide(ref dots, ref dotsRest, dot);
            TSimd.AddWide(ref others, ref othersRest, sum);
        }

        if (wholeEnd < count)
        {
            int here = Math.Clamp(count - i, 0, TSimd.Lanes);
            TVector x = TSimd.LoadPartial(logits + i, here, top), target = TSimd.LoadPartial(targets + i, here, zero);
            TVector difference = TSimd.Subtract(x, top);
            lowest = TSimd.Min(difference, lowest);
            TSimd.AddWide(ref dots, ref dotsRest, TSimd.Multiply(target, difference));
            if (pivotStart == wholeEnd) target = WithoutPivot<TSimd, TVector>(target, i);
            TSimd.AddWide(ref others, ref othersRest, target);
        }

        Dots.Set<TSimd, TVector>(firstLane, dots, dotsRest);
        Others.Set<TSimd, TVector>(firstLane, others, othersRest);
        HasMasked |= TSimd.Bits(TSimd.Equal(lowest, RowPasses.Lowest<TSimd, TVector, T>())) != 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TVector WithoutPivot<TSimd, TVector>(TVector target, int start)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        return TSimd.Select(TSimd.Equal(TSimd.Indices(start - pivot), zero), zero, target);
    }
}
