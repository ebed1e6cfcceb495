using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The sums of <see cref="LogitPart{T}"/> over at most <see cref="LongRow{T}.PartLength"/> logits.</summary>
/// <remarks>
/// The part passes the first-level cache twice: once for its maximum, once for everything else, and meanwhile the next part is fetched, so that
/// memory is never idle. Each exponential and each weighted distance is rounded up to three times, and four of them are added in T before they
/// are added in double: at most 3 ulp in all. Where the exponentials below the maximum add up to little, they are added again without it.
/// </remarks>
/// <param name="logits">The part.</param>
/// <param name="weights">As many weights; null for the exponentials.</param>
/// <param name="count">Values in the part.</param>
/// <param name="next">The logits that will be needed next; the part itself when there are none.</param>
internal unsafe struct LogitPartKernel<T>(T* logits, T* weights, nuint count, T* next) : IVectorKernel<T>
    where T : unmanaged
{
    private const double Confident = 0.25;

    /// <summary>How far in advance weights are fetched.</summary>
    private const int Ahead = 1024;

    public LogitPart<T> Part;

    /// <summary>No distances are wanted.</summary>
    public bool OnlySum { get; init; }

    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T max = RowPasses.Max<TSimd, TVector, T>(logits, count);
        bool hasMaximum = !double.IsNegativeInfinity(Element.ToDouble(max));
        RowExponential<T> row = new(hasMaximum ? max : default, Element.FromDouble<T>(1));
        Sums<TSimd, TVector, All>(row);
        if (Part.Others.Value < Confident * FactoredExp.OfMaximum<T>()) Sums<TSimd, TVector, BelowMaximum>(row);

        Part.Max = max;
        if (hasMaximum) return;
        Part.Others = new() { High = RowPasses.ContainsNaN(logits, count) ? double.NaN : 0 };
        if (weights == null) Part.Distances = default;
    }

    private void Sums<TSimd, TVector, TAdded>(in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TAdded : struct
    {
        if (OnlySum) Sums<TSimd, TVector, None, TAdded>(row);
        else if (weights == null) Sums<TSimd, TVector, Exponential, TAdded>(row);
        else Sums<TSimd, TVector, Given, TAdded>(row);
    }

    private void Sums<TSimd, TVector, TWeights, TAdded>(in RowExponential<T> row)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TWeights : struct
        where TAdded : struct
    {
        if (row.IsDirect) Sums<TSimd, TVector, DirectExponential<TVector, T>, TWeights, TAdded>(logits, weights, count, next, row, out Part);
        else Sums<TSimd, TVector, ShiftedExponential<TVector, T>, TWeights, TAdded>(logits, weights, count, next, row, out Part);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Sums<TSimd, TVector, TExponential, TWeights, TAdded>(
        T* logits, T* weights, nuint count, T* next, in RowExponential<T> row, out LogitPart<T> part)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TWeights : struct
        where TAdded : struct
    {
        nuint lanes = (nuint)TSimd.Lanes, i = 0;
        TExponential exp = default;
        exp.Prepare<TSimd>(row);
        TVector zero = TSimd.Create(default), max = TSimd.Create(row.Max), farthest = TSimd.Create(Element.FromDouble<T>(FactoredExp.Depth<T>()));
        TVector others = zero, othersRest = zero, maxima = zero, distances = zero, distancesRest = zero, mass = zero, massRest = zero, lowest = zero;
        for (; i + (4 * lanes) <= count; i += 4 * lanes)
        {
            CacheHints.FetchFour(next + i, lanes);
            // One after the other: in lockstep, which a processor that reorders does not need, four would not fit the registers.
            TVector e0 = Next<TSimd, TVector, TExponential, TAdded>(exp, logits + i, max, ref maxima, out TVector x0);
            TVector term0 = Term<TSimd, TVector, TWeights>(x0, e0, weights + i, max, farthest);
            TVector e1 = Next<TSimd, TVector, TExponential, TAdded>(exp, logits + i + lanes, max, ref maxima, out TVector x1);
            TVector term1 = Term<TSimd, TVector, TWeights>(x1, e1, weights + i + lanes, max, farthest);
            TVector e2 = Next<TSimd, TVector, TExponential, TAdded>(exp, logits + i + (2 * lanes), max, ref maxima, out TVector x2);
            TVector term2 = Term<TSimd, TVector, TWeights>(x2, e2, weights + i + (2 * lanes), max, farthest);
            TVector e3 = Next<TSimd, TVector, TExponential, TAdded>(exp, logits + i + (3 * lanes), max, ref maxima, out TVector x3);
            TVector term3 = Term<TSimd, TVector, TWeights>(x3, e3, weights + i + (3 * lanes), max, farthest);
            TSimd.AddWide(ref others, ref othersRest, TSimd.Add(TSimd.Add(e0, e1), TSimd.Add(e2, e3)));
            if (typeof(TWeights) != typeof(None)) TSimd.AddWide(ref distances, ref distancesRest, TSimd.Add(TSimd.Add(term0, term1), TSimd.Add(term2, term3)));
            if (typeof(TWeights) == typeof(Given))
            {
                CacheHints.FetchFour(weights + i + Ahead, lanes);
                Four<TVector> w = Four.Load<TSimd, TVector, T>(weights + i);
                lowest = TSimd.Min(w.D, TSimd.Min(w.C, TSimd.Min(w.B, TSimd.Min(w.A, lowest))));            // in this order a NaN is passed over
                TSimd.AddWide(ref mass, ref massRest, TSimd.Add(TSimd.Add(w.A, w.B), TSimd.Add(w.C, w.D)));
            }
        }

        for (; i < count; i += lanes)
        {
            int here = (int)nuint.Min(lanes, count - i);
            TVector x = TSimd.LoadPartial(logits + i, here, RowPasses.Lowest<TSimd, TVector, T>()), t = exp.Split<TSimd>(x, out TVector q);
            t = TSimd.Select(TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(here))), t, zero);
            TVector e = Added<TSimd, TVector, TAdded>(x, t, q, max, ref maxima);
            TSimd.AddWide(ref others, ref othersRest, e);
            if (typeof(TWeights) == typeof(Exponential))
            {
                TSimd.AddWide(ref distances, ref distancesRest, ExponentialDistance<TSimd, TVector>(x, e, max, farthest));
            }
            else if (typeof(TWeights) == typeof(Given))
            {
                TVector w = TSimd.LoadPartial(weights + i, here, zero);
                lowest = TSimd.Min(w, lowest);
                TSimd.AddWide(ref mass, ref massRest, w);
                TSimd.AddWide(ref distances, ref distancesRest, WeightedDistance<TSimd, TVector>(x, w, max));
            }
        }

        part = new()
        {
            Others = TSimd.TotalOfWide(others, othersRest),
            Distances = TSimd.TotalOfWide(distances, distancesRest),
            Mass = TSimd.TotalOfWide(mass, massRest),
            FoundNegative = TSimd.AnyGreater(zero, lowest),
        };
        double leftOut = typeof(TAdded) == typeof(All) ? 0 : TSimd.SumOfLanes(maxima);
        part.Others.Add((leftOut - 1) * FactoredExp.OfMaximum<T>());
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

    /// <summary>The exponential of the logits at <paramref name="source"/>, which are handed out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Next<TSimd, TVector, TExponential, TAdded>(in TExponential exp, T* source, TVector max, ref TVector maxima, out TVector x)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TAdded : struct
    {
        x = TSimd.Load(ref *source, 0);
        TVector t = exp.Split<TSimd>(x, out TVector q);
        return Added<TSimd, TVector, TAdded>(x, t, q, max, ref maxima);
    }

    /// <summary>The weighted distance of x to the maximum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Term<TSimd, TVector, TWeights>(TVector x, TVector e, T* weights, TVector max, TVector farthest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TWeights : struct => typeof(TWeights) == typeof(Exponential)
        ? ExponentialDistance<TSimd, TVector>(x, e, max, farthest)
        : typeof(TWeights) == typeof(None) ? e : WeightedDistance<TSimd, TVector>(x, TSimd.Load(ref *weights, 0), max);

    /// <summary>e (max − x). A logit of −∞ counts as <paramref name="farthest"/> below the maximum: its exponential is as good as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ExponentialDistance<TSimd, TVector>(TVector x, TVector e, TVector max, TVector farthest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => TSimd.Multiply(e, TSimd.Min(TSimd.Subtract(max, x), farthest));

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
    private readonly struct Exponential;

    /// <summary>The weights are in memory.</summary>
    private readonly struct Given;

    /// <summary>There are no weights.</summary>
    private readonly struct None;

    /// <summary>All exponentials are added.</summary>
    private readonly struct All;

    /// <summary>All but those of the maximum.</summary>
    private readonly struct BelowMaximum;
}
