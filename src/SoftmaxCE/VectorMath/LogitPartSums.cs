using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sums of <see cref="LogitPartKernel{T}"/>, lane by lane.</summary>
internal unsafe struct LogitPartSums<T>(T* logits, T* weights, nint count, T* next, RowExponential<T> row, T center)
    where T : unmanaged
{
    /// <summary>How far in advance weights are fetched.</summary>
    private const int Ahead = 1024;

    private LaneSum<T> _others, _distances, _mass;
    private bool _foundNegative;
    private double _leftOut;

    private readonly bool IsDirect => row.IsDirect;

    public readonly LogitPart<T> Part
    {
        [MethodImpl(LoopMethod.Compiled)]
        get
        {
            CompensatedSum others = _others.Total;
            others.Add((_leftOut - 1) * FactoredExp.OfMaximum<T>());
            return new() { Others = others, Distances = _distances.Total, Mass = _mass.Total, FoundNegative = _foundNegative };
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Run<TSimd, TVector, TExponential, TWeights, TAdded>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TWeights : struct
        where TAdded : struct
    {
        int stride = WholeVector.Lanes<T>();
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector zero = TSimd.Create(default), max = TSimd.Create(row.Max), farthest = TSimd.Create(Element.FromDouble<T>(FactoredExp.Depth<T>()));
        TVector origin = typeof(TWeights) == typeof(Compared) ? TSimd.Create(center) : max;
        TVector others = zero, othersRest = zero, maxima = zero, distances = zero, distancesRest = zero, mass = zero, massRest = zero, lowest = zero;
        T* x = logits + firstLane, w = weights + firstLane;
        nint i = 0;
        for (; i + (4 * stride) <= count; i += 4 * stride, x += 4 * stride, w += 4 * stride)
        {
            if (firstLane == 0) CacheHints.FetchFour(next + i, (nuint)stride);
            Four<TVector> v = Load<TSimd, TVector>(x, stride), t = Split<TSimd, TVector, TExponential>(exp, v, out Four<TVector> q);
            TVector e0 = Added<TSimd, TVector, TAdded>(v.A, t.A, q.A, max, ref maxima), term0 = Term<TSimd, TVector, TWeights>(v.A, e0, w, origin, farthest);
            TVector e1 = Added<TSimd, TVector, TAdded>(v.B, t.B, q.B, max, ref maxima), term1 = Term<TSimd, TVector, TWeights>(v.B, e1, w + stride, origin, farthest);
            TVector e01 = TSimd.Add(e0, e1), term01 = TSimd.Add(term0, term1);
            TVector e2 = Added<TSimd, TVector, TAdded>(v.C, t.C, q.C, max, ref maxima), term2 = Term<TSimd, TVector, TWeights>(v.C, e2, w + (2 * stride), origin, farthest);
            TVector e3 = Added<TSimd, TVector, TAdded>(v.D, t.D, q.D, max, ref maxima), term3 = Term<TSimd, TVector, TWeights>(v.D, e3, w + (3 * stride), origin, farthest);
            TSimd.AddWide(ref others, ref othersRest, TSimd.Add(e01, TSimd.Add(e2, e3)));
            if (typeof(TWeights) != typeof(None)) TSimd.AddWide(ref distances, ref distancesRest, TSimd.Add(term01, TSimd.Add(term2, term3)));
            if (typeof(TWeights) == typeof(Compared))
            {
                TSimd.AddWide(ref mass, ref massRest, TSimd.Add(TSimd.Add(TSimd.Abs(term0), TSimd.Abs(term1)), TSimd.Add(TSimd.Abs(term2), TSimd.Abs(term3))));
            }
            else if (typeof(TWeights) == typeof(Given))
            {
                if (firstLane == 0) CacheHints.FetchFour(weights + i + Ahead, (nuint)stride);
                TVector w0 = TSimd.Load(ref *w, 0), w1 = TSimd.Load(ref *(w + stride), 0);
                TVector w2 = TSimd.Load(ref *(w + (2 * stride)), 0), w3 = TSimd.Load(ref *(w + (3 * stride)), 0);
                lowest = TSimd.Min(w3, TSimd.Min(w2, TSimd.Min(w1, TSimd.Min(w0, lowest))));               // in this order a NaN is passed over
                TSimd.AddWide(ref mass, ref massRest, TSimd.Add(TSimd.Add(w0, w1), TSimd.Add(w2, w3)));
            }
        }

        for (; i < count; i += stride, x += stride, w += stride)
        {
            int here = LaneSum<T>.Here<TSimd, TVector>(count - i, firstLane);
            TVector value = TSimd.LoadPartial(x, here, RowPasses.Lowest<TSimd, TVector, T>()), t = exp.Split<TSimd>(value, out TVector q);
            t = TSimd.Select(TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(here))), t, zero);
            TVector e = Added<TSimd, TVector, TAdded>(value, t, q, max, ref maxima);
            TSimd.AddWide(ref others, ref othersRest, e);
            if (typeof(TWeights) == typeof(Exponential))
            {
                TSimd.AddWide(ref distances, ref distancesRest, ExponentialDistance<TSimd, TVector>(value, e, max, farthest));
            }
            else if (typeof(TWeights) == typeof(Compared))
            {
                TVector term = Difference<TSimd, TVector>(value, e, TSimd.LoadPartial(w, here, zero), origin, farthest);
                TSimd.AddWide(ref distances, ref distancesRest, term);
                TSimd.AddWide(ref mass, ref massRest, TSimd.Abs(term));
            }
            else if (typeof(TWeights) == typeof(Given))
            {
                TVector weight = TSimd.LoadPartial(w, here, zero);
                lowest = TSimd.Min(weight, lowest);
                TSimd.AddWide(ref mass, ref massRest, weight);
                TSimd.AddWide(ref distances, ref distancesRest, WeightedDistance<TSimd, TVector>(value, weight, max));
            }
        }

        _others.Set<TSimd, TVector>(firstLane, others, othersRest);
        _distances.Set<TSimd, TVector>(firstLane, distances, distancesRest);
        _mass.Set<TSimd, TVector>(firstLane, mass, massRest);
        _foundNegative |= TSimd.AnyGreater(zero, lowest);
        _leftOut += typeof(TAdded) == typeof(All) ? 0 : TSimd.SumOfLanes(maxima);
    }

    /// <summary>t (1 + q), or 0 for the maximum if that is left out, and then counted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Added<TSimd, TVector, TAdded>(TVector x, TVector t, TVector q, TVector max, ref TVector maxima)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (typeof(TAdded) == typeof(All)) return TSimd.MultiplyAdd(t, q, t);
        TVector isMaximum = TSimd.Equal(x, max), zero = TSimd.Create(default);
        maxima = TSimd.Add(maxima, TSimd.Select(isMaximum, ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0), zero));
        return TSimd.Select(isMaximum, zero, TSimd.MultiplyAdd(t, q, t));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four<TVector> Load<TSimd, TVector>(T* source, int stride)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => new(
        TSimd.Load(ref *source, 0), TSimd.Load(ref *(source + stride), 0), TSimd.Load(ref *(source + (2 * stride)), 0), TSimd.Load(ref *(source + (3 * stride)), 0));

    /// <summary>Floats in lockstep: a processor looks ahead no further than two exponentials, each of which is a chain of operations that wait for each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four<TVector> Split<TSimd, TVector, TExponential>(in TExponential exp, Four<TVector> x, out Four<TVector> q)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
    {
        if (typeof(T) == typeof(float)) return exp.Split<TSimd>(x, out q);
        Four<TVector> t = new(exp.Split<TSimd>(x.A, out TVector a), exp.Split<TSimd>(x.B, out TVector b), exp.Split<TSimd>(x.C, out TVector c), exp.Split<TSimd>(x.D, out TVector d));
        q = new(a, b, c, d);
        return t;
    }

    /// <summary>The weighted distance of x to the maximum, or the weighted difference of two logits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector, TWeights>(TVector x, TVector e, T* weights, TVector origin, TVector farthest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TWeights : struct
    {
        if (typeof(TWeights) == typeof(Exponential)) return ExponentialDistance<TSimd, TVector>(x, e, origin, farthest);
        if (typeof(TWeights) == typeof(None)) return e;
        TVector w = TSimd.Load(ref *weights, 0);
        return typeof(TWeights) == typeof(Given) ? WeightedDistance<TSimd, TVector>(x, w, origin) : Difference<TSimd, TVector>(x, e, w, origin, farthest);
    }

    /// <summary>e (max − x). A logit of −∞ counts as <paramref name="farthest"/> below the maximum: its exponential is as good as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ExponentialDistance<TSimd, TVector>(TVector x, TVector e, TVector max, TVector farthest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => TSimd.Multiply(e, TSimd.Min(TSimd.Subtract(max, x), farthest));

    /// <summary>e (x − y − center). A logit x of −∞ counts as <paramref name="farthest"/> below y, also beside another: its exponential is as good as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Difference<TSimd, TVector>(TVector x, TVector e, TVector y, TVector center, TVector farthest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector difference = TSimd.Subtract(TSimd.Subtract(x, y), center), lowest = TSimd.Subtract(TSimd.Create(default), farthest);
        return TSimd.Multiply(e, TSimd.Select(TSimd.LessThan(lowest, difference), difference, lowest));
    }

    /// <summary>w (max − x), and 0 where w is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector WeightedDistance<TSimd, TVector>(TVector x, TVector w, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        return TSimd.Select(TSimd.Equal(w, zero), zero, TSimd.Multiply(w, TSimd.Subtract(max, x)));
    }

    /// <summary>The exponentials are the weights.</summary>
    public readonly struct Exponential;

    /// <summary>The weights are in memory.</summary>
    public readonly struct Given;

    /// <summary>The exponentials are the weights of differences from other logits, which are in memory where weights would be.</summary>
    public readonly struct Compared;

    /// <summary>There are no weights.</summary>
    public readonly struct None;

    /// <summary>All exponentials are added.</summary>
    public readonly struct All;

    /// <summary>All but those of the maximum.</summary>
    public readonly struct BelowMaximum;

    /// <summary>The loop with one choice of weights and of what is added.</summary>
    public struct Kernel<TWeights, TAdded> : ILaneKernel<T>
        where TWeights : struct
        where TAdded : struct
    {
        public LogitPartSums<T> Sums;

        [MethodImpl(LoopMethod.Compiled)]
        public void Run<TSimd, TVector>(int firstLane)
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct
        {
            if (Sums.IsDirect) Sums.Run<TSimd, TVector, DirectExponential<TVector, T>, TWeights, TAdded>(firstLane);
            else Sums.Run<TSimd, TVector, ShiftedExponential<TVector, T>, TWeights, TAdded>(firstLane);
        }
    }
}
