using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A part of a row of logits x with weights w, which are the exponentials themselves or given: its maximum m and three sums.</summary>
/// <remarks>
/// Entropy and cross-entropy are Σ w (m − x) plus ln Σ e^(x − m) times Σ w, all over Σ w for the entropy. One e^0 is left out of the sum of
/// exponentials: of a confident row the others are all that counts, and ln(1 + others) keeps their digits. A part moves to a larger maximum M by
/// Σ w (M − x) = Σ w (m − x) + (M − m) Σ w. Every term is ≥ 0, so nothing cancels. All exponentials have the factor of
/// <see cref="FactoredExp{TVector,T}"/>.
///
/// In the place of distances may stand differences from other logits y, Σ e^(x − m) (x − y − center): of which the Kullback-Leibler divergence
/// Σ p (x − y) − ln Σ e^x + ln Σ e^y is made where its terms do not cancel.
/// </remarks>
internal struct LogitPart<T>
    where T : unmanaged
{
    /// <summary>The largest logit, NaN left out; −∞ when there is none.</summary>
    public T Max;

    /// <summary>Σ e^(x − m) over all logits but one maximum; NaN if some logit is NaN or +∞.</summary>
    public CompensatedSum Others;

    /// <summary>Σ w (m − x). For a part of −∞ alone: 0, or +∞ where a given weight is above 0.</summary>
    public CompensatedSum Distances;

    /// <summary>Σ w of given weights; Σ of the magnitudes of differences.</summary>
    public CompensatedSum Mass;

    /// <summary>Some given weight is below 0.</summary>
    public bool FoundNegative;

    public static LogitPart<T> Empty => new() { Max = Element.FromDouble<T>(double.NegativeInfinity) };

    private readonly bool HasMaximum => !double.IsNegativeInfinity(Element.ToDouble(Max));

    /// <summary>Σ e^(x − m).</summary>
    public readonly CompensatedSum Sum
    {
        [MethodImpl(LoopMethod.Compiled)]
        get
        {
            CompensatedSum sum = Others;
            if (HasMaximum) sum.Add(FactoredExp.OfMaximum<T>());
            return sum;
        }
    }

    /// <summary>ln Σ e^(x − m) to full relative accuracy, as a leading part and a rest; NaN for a row without maximum.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public readonly double Log(out double rest)
    {
        rest = 0;
        if (!HasMaximum) return double.NaN;
        double ofMaximum = FactoredExp.OfMaximum<T>(), others = Others.Value;
        return others < ofMaximum ? RowSum.Log1p(others / ofMaximum) : RowExponential<T>.LogAboveMaximum(Sum, out rest);
    }

    /// <summary>Takes in a part whose weights are its exponentials.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void MergeExponentials(in LogitPart<T> other)
    {
        T largest = LargerMax(other);
        CompensatedSum distances = ExponentialDistances(largest);
        distances.Add(other.ExponentialDistances(largest));
        Distances = distances;
        MergeExponentialSums(other);
    }

    /// <summary>Takes in a part with given weights.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void MergeWeighted(in LogitPart<T> other)
    {
        T largest = LargerMax(other);
        CompensatedSum distances = WeightedDistances(largest);
        distances.Add(other.WeightedDistances(largest));
        Distances = distances;
        Mass.Add(other.Mass);
        FoundNegative |= other.FoundNegative;
        MergeExponentialSums(other);
    }

    /// <summary>Takes in a part with differences, Σ e^(x − m) (x − y − center) in the place of distances; the center is the same for all.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void MergeDifferences(in LogitPart<T> other)
    {
        T largest = LargerMax(other);
        CompensatedSum weight = RowPart<T>.Weight(Max, largest), otherWeight = RowPart<T>.Weight(other.Max, largest);
        Distances = Distances.Times(weight);
        Distances.Add(other.Distances.Times(otherWeight));
        Mass = Mass.Times(weight);
        Mass.Add(other.Mass.Times(otherWeight));
        MergeExponentialSums(other);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void MergeExponentialSums(in LogitPart<T> other)
    {
        if (Element.ToDouble(other.Max) > Element.ToDouble(Max))
        {
            CompensatedSum others = Sum.Times(RowPart<T>.Weight(Max, other.Max));
            others.Add(other.Others);
            Others = others;
            Max = other.Max;
        }
        else
        {
            Others.Add(other.Sum.Times(RowPart<T>.Weight(other.Max, Max)));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly T LargerMax(in LogitPart<T> other) => Element.ToDouble(other.Max) > Element.ToDouble(Max) ? other.Max : Max;

    /// <summary>Σ e^(x − M) (M − x).</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly CompensatedSum ExponentialDistances(T largest)
    {
        double rise = Element.ToDouble(largest) - Element.ToDouble(Max);
        if (!(rise > 0)) return Distances;                                  // or there is nothing but −∞
        CompensatedSum weight = RowPart<T>.Weight(Max, largest);
        if (weight.High == 0) return default;
        CompensatedSum distances = Sum.Times(new() { High = rise });
        distances.Add(Distances);
        return distances.Times(weight);
    }

    /// <summary>Σ w (M − x).</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly CompensatedSum WeightedDistances(T largest)
    {
        double rise = Element.ToDouble(largest) - Element.ToDouble(Max);
        if (!(rise > 0) || !HasMaximum) return Distances;
        CompensatedSum distances = Mass.Times(new() { High = rise });
        distances.Add(Distances);
        return distances;
    }
}
