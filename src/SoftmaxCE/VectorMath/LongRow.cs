using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A row that does not fit the first-level cache, taken in parts that do.</summary>
/// <remarks>
/// Each part has its own maximum m and sum s of e^(x − m), found while it is in the first-level cache, so memory is read once for both. With M the
/// largest m, the row's sum is Σ e^(m − M) s. The exponentials of a part, stored in the destination, are then multiplied by e^(m − M) / sum,
/// last part first, because that one is still in the cache. Of a very long row nothing would be left there: its exponentials are not stored but
/// computed twice, and written past the caches (8 bytes read and 4 written per float instead of 8 and 8).
///
/// The parts are the same whoever computes them, and are added in order: so a row has the same bits on any number of threads.
/// </remarks>
internal readonly unsafe struct LongRow<T>(T* logits, nint count, T temperature, T* destination)
    where T : unmanaged
{
    /// <summary>Up to this many parts (1 MB) stored exponentials are still in a near cache when they are scaled.</summary>
    public const int MostStoredParts = 64;

    /// <summary>16 KB: a third to a half of a usual first-level cache, and what two <see cref="FactoredSum{TVector,T}"/> can take.</summary>
    public static nuint PartLength
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (nuint)(16 * 1024 / sizeof(T));
    }

    public nint PartCount => (count + (nint)PartLength - 1) / (nint)PartLength;

    /// <summary>Whether no other row follows in memory.</summary>
    public bool IsLast { get; init; } = true;

    private bool StoresExponentials => destination != null && PartCount <= MostStoredParts;

    [SkipLocalsInit]
    public void Softmax<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (!StoresExponentials)
        {
            CompensatedSum sum = new LongRow<T>(logits, count, temperature, null) { IsLast = IsLast }.Sum<TSimd, TVector>(out T max);
            Finish<TSimd, TVector>(0, PartCount, null, max, sum);
            return;
        }

        RowPart<T>* parts = stackalloc RowPart<T>[MostStoredParts];
        Start<TSimd, TVector>(0, PartCount, parts);
        CompensatedSum total = Merge(parts, PartCount, out T largest);
        Finish<TSimd, TVector>(0, PartCount, parts, largest, total);
    }

    /// <summary>The row's maximum, NaN left out, and the sum of its exponentials; NaN for a row without maximum.</summary>
    public CompensatedSum Sum<TSimd, TVector>(out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        RowPart<T> row = RowPart<T>.Empty, part;
        for (nint i = 0; i < PartCount; i++)
        {
            Start<TSimd, TVector>(i, i + 1, &part);
            row.Merge(part);
        }

        max = row.Max;
        return row.Total;
    }

    /// <summary>Maxima and sums of the parts from <paramref name="first"/> on, and their exponentials if those are stored.</summary>
    public void Start<TSimd, TVector>(nint first, nint end, RowPart<T>* parts)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (nint i = first; i < end; i++)
        {
            T* source = logits + (i * (nint)PartLength), target = StoresExponentials ? destination + (i * (nint)PartLength) : null;
            nuint length = LengthOf(i);
            T max = RowPasses.Max<TSimd, TVector, T>(source, length);
            Upcoming<T> upcoming = Upcoming<T>.Next(source, target, length, i + 1 < PartCount || !IsLast);
            parts[i - first] = double.IsNegativeInfinity(Element.ToDouble(max))
                ? NothingOf(source, length, target)
                : new() { Max = max, Sum = RowPasses.Exponentials<TSimd, TVector, T>(source, length, new(max, temperature), target, upcoming) };
        }
    }

    public static CompensatedSum Merge(RowPart<T>* parts, nint count, out T max)
    {
        RowPart<T> row = RowPart<T>.Empty;
        for (nint i = 0; i < count; i++) row.Merge(parts[i]);
        max = row.Max;
        return row.Total;
    }

    /// <summary>Probabilities of some parts. <paramref name="parts"/>, whose first entry is the row's first part, is needed where exponentials are stored.</summary>
    public void Finish<TSimd, TVector>(nint first, nint end, RowPart<T>* parts, T max, CompensatedSum sum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (!StoresExponentials)
        {
            nint start = first * (nint)PartLength, behind = nint.Min(end * (nint)PartLength, count);
            T factor = RowSum.Reciprocal(sum, out T factorLow);
            ScaledExponentialPass<T> pass = new(logits + start, (nuint)(behind - start), new(max, temperature), factor, factorLow, destination + start);
            TSimd.RunOnRegister(ref pass);
            return;
        }

        for (nint i = end - 1; i >= first; i--)
        {
            T factor = RowSum.Quotient(RowPart<T>.Weight(parts[i].Max, max), sum, out T factorLow);
            T* values = destination + (i * (nint)PartLength);
            RowPasses.Scale<TSimd, TVector, T>(values, LengthOf(i), factor, factorLow, values);
        }
    }

    private nuint LengthOf(nint part) => nuint.Min(PartLength, (nuint)(count - (part * (nint)PartLength)));

    /// <summary>A part in which every logit is −∞ or NaN.</summary>
    private static RowPart<T> NothingOf(T* source, nuint length, T* target)
    {
        double nothing = RowPasses.ContainsNaN(source, length) ? double.NaN : 0;
        if (target != null) new Span<T>(target, (int)length).Fill(Element.FromDouble<T>(nothing));
        return RowPart<T>.Empty with { Sum = new() { High = nothing } };
    }
}

/// <summary>A part of a row: its maximum and the sum of the exponentials of the distances to it, with the factor of <see cref="FactoredExp{TVector,T}"/>.</summary>
internal struct RowPart<T>
    where T : unmanaged
{
    public T Max;
    public CompensatedSum Sum;

    public static RowPart<T> Empty => new() { Max = Element.FromDouble<T>(double.NegativeInfinity) };

    /// <summary>The sum, or NaN where there is no maximum to refer to.</summary>
    public readonly CompensatedSum Total => double.IsNegativeInfinity(Element.ToDouble(Max)) ? new() { High = double.NaN } : Sum;

    public void Merge(in RowPart<T> other)
    {
        if (Element.ToDouble(other.Max) > Element.ToDouble(Max))
        {
            Sum = Sum.Times(Weight(Max, other.Max));
            Max = other.Max;
            Sum.Add(other.Sum);
        }
        else
        {
            Sum.Add(other.Sum.Times(Weight(other.Max, Max)));
        }
    }

    /// <summary>e^(max − largest) to nearly twice the precision of double; exactly 1 when they are equal, 0 for −∞.</summary>
    public static CompensatedSum Weight(T max, T largest)
    {
        double value = Element.ToDouble(max), top = Element.ToDouble(largest);
        if (value == top) return new() { High = 1 };
        if (double.IsNegativeInfinity(value)) return default;
        double difference = TwoSum.Subtract<ScalarSimd<double>, double, double>(value, top, out double low);
        if (difference < -FactoredExp.Depth<double>()) return default;
        FactoredExp<double, double> exp = default;
        exp.SetMaximum<ScalarSimd<double>>(0);
        double t = exp.Split<ScalarSimd<double>>(difference, low, out double q);
        double power = Math.FusedMultiplyAdd(t, q, t);
        CompensatedSum numerator = new() { High = power, Low = Math.FusedMultiplyAdd(t, q, t - power) };
        double weight = RowSum.Quotient<double>(numerator, new() { High = FactoredExp.OfMaximum<double>() }, out double weightLow);
        return new() { High = weight, Low = weightLow };
    }
}
