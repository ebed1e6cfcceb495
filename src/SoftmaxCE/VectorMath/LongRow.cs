using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>A row that does not fit the first-level cache, taken in parts that do.</summary>
/// <remarks>
/// Each part has its own maximum m and sum s of e^(x − m), found while it is in the first-level cache, so memory is read once for both. With M the
/// largest m, the row's sum is Σ e^(m − M) s. The exponentials of a part, stored in the destination, are then multiplied by e^(m − M) / sum,
/// last part first, because that one is still in the cache. Of a very long row nothing would be left there: where exponentials are cheap they are not
/// stored but computed twice, and written past the caches (8 bytes read and 4 written per float instead of 8 and 8). Both ways give the same bits.
///
/// The parts are the same whoever computes them, and are added in order: so a row has the same bits on any number of threads.
/// </remarks>
internal readonly unsafe struct LongRow<T>(T* logits, nint count, T temperature, T* destination)
    where T : unmanaged
{
    /// <summary>
    /// Up to this many parts exponentials are stored. 1 MB is still in a near cache when it is scaled; where exponentials are dear, memory is cheaper,
    /// too, than computing them twice.
    /// </summary>
    public static int MostStoredParts
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => VectorWidth.Bits == 512 ? 64 : MostMaxima;
    }

    /// <summary>16 KB: a third to a half of a usual first-level cache.</summary>
    public static nuint PartLength
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (nuint)(16 * 1024 / sizeof(T));
    }

    /// <summary>Of more parts (67 million floats) maxima are not kept but looked for again.</summary>
    public const int MostMaxima = 16 * 1024;

    public nint PartCount => (count + (nint)PartLength - 1) / (nint)PartLength;

    /// <summary>Whether no other row follows in memory.</summary>
    public bool IsLast { get; init; } = true;

    /// <summary>Whether exponentials are stored in the destination between the passes.</summary>
    public bool StoresExponentials { get; init; } = destination != null && count <= MostStoredParts * (nint)PartLength;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Softmax<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* maxima = stackalloc T[(int)nint.Min(PartCount, MostMaxima)];
        CompensatedSum sum = Sum<TSimd, TVector>(maxima, out T max);
        Finish<TSimd, TVector>(0, PartCount, maxima, max, sum);
    }

    /// <summary>The row's maximum, NaN left out, and the sum of its exponentials; NaN for a row without maximum.</summary>
    /// <param name="maxima">Receives the maxima of the parts, but for those behind the first <see cref="MostMaxima"/>; null: not wanted.</param>
    /// <param name="max">The maximum.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public CompensatedSum Sum<TSimd, TVector>(T* maxima, out T max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        RowPart<T> row = RowPart<T>.Empty, part;
        for (nint i = 0; i < PartCount; i++)
        {
            Start<TSimd, TVector>(i, i + 1, &part);
            row.Merge(part, temperature);
            if (maxima != null && i < MostMaxima) maxima[i] = part.Max;
        }

        max = row.Max;
        return row.Total;
    }

    /// <summary>Maxima and sums of the parts from <paramref name="first"/> on, and their exponentials if those are stored.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void Start<TSimd, TVector>(nint first, nint end, RowPart<T>* parts)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (nint i = first; i < end; i++)
        {
            T* source = logits + (i * (nint)PartLength), target = StoresExponentials ? destination + (i * (nint)PartLength) : null;
            nuint length = LengthOf(i);
            T max = RowPasses.Max<TSimd, TVector, T>(source, length);
            Upcoming<T> upcoming = Upcoming<T>.OfPart(logits, count, i, target, IsLast);
            parts[i - first] = new() { Max = max, Sum = StartPart<TSimd, TVector>(source, length, max, target, upcoming) };
        }
    }

    public CompensatedSum Merge(RowPart<T>* parts, out T max)
    {
        RowPart<T> row = RowPart<T>.Empty;
        for (nint i = 0; i < PartCount; i++) row.Merge(parts[i], temperature);
        max = row.Max;
        return row.Total;
    }

    /// <summary>Probabilities of some parts, from the maxima that <see cref="Sum"/> has left of all.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void Finish<TSimd, TVector>(nint first, nint end, T* maxima, T max, CompensatedSum sum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        for (nint i = first; i < end; i++)
        {
            // Of what is stored the last part first, because that one is in the cache.
            nint part = StoresExponentials ? first + end - 1 - i : i, start = part * (nint)PartLength;
            nuint length = LengthOf(part);
            T* source = logits + start, target = destination + start;
            T partMax = part < MostMaxima ? maxima[part] : RowPasses.Max<TSimd, TVector, T>(source, length);
            CompensatedSum weight = RowPart<T>.Weight(partMax, max, temperature);
            T factor = RowSum.Quotient(weight, sum, out T factorLow);
            bool isNothing = double.IsNegativeInfinity(Element.ToDouble(partMax)), scales = StoresExponentials || isNothing || RowPasses.IsTiny(factor);
            if (scales)
            {
                if (!StoresExponentials) StartPart<TSimd, TVector>(source, length, partMax, target, new(source, target));
                RowPasses.ScaleByQuotient<TSimd, TVector, T>(target, length, weight, sum);
            }
            else
            {
                ScaledExponentialPass<T> pass = new(source, length, new(partMax, temperature), factor, factorLow, target, part + 1 < PartCount ? length : 0);
                TSimd.RunOnRegister(ref pass);
            }
        }

        if (!StoresExponentials) Interlocked.MemoryBarrier();            // stores past the caches are not ordered with others
    }

    /// <summary>The sum of the exponentials of a part; they themselves go to <paramref name="target"/> unless it is null.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private CompensatedSum StartPart<TSimd, TVector>(T* source, nuint length, T max, T* target, Upcoming<T> upcoming)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => double.IsNegativeInfinity(Element.ToDouble(max))
        ? NothingOf(source, length, target)
        : RowPasses.Exponentials<TSimd, TVector, T>(source, length, new(max, temperature), target, upcoming);

    private nuint LengthOf(nint part) => nuint.Min(PartLength, (nuint)(count - (part * (nint)PartLength)));

    /// <summary>The sum of a part in which every logit is −∞ or NaN, with which <paramref name="target"/> is filled.</summary>
    public static CompensatedSum NothingOf(T* source, nuint length, T* target)
    {
        double nothing = RowPasses.ContainsNaN(source, length) ? double.NaN : 0;
        if (target != null) new Span<T>(target, (int)length).Fill(Element.FromDouble<T>(nothing));
        return new() { High = nothing };
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

    [MethodImpl(LoopMethod.Compiled)]
    public void Merge(in RowPart<T> other, T temperature)
    {
        if (Element.ToDouble(other.Max) > Element.ToDouble(Max))
        {
            Sum = Sum.Times(Weight(Max, other.Max, temperature));
            Max = other.Max;
            Sum.Add(other.Sum);
        }
        else
        {
            Sum.Add(other.Sum.Times(Weight(other.Max, Max, temperature)));
        }
    }

    /// <inheritdoc cref="Weight(T, T, T)"/>
    public static CompensatedSum Weight(T max, T largest) => Weight(max, largest, Element.FromDouble<T>(1));

    /// <summary>
    /// e^((max − largest) / temperature) to 29 bits more than T has, and for double to nearly twice its precision; exactly 1 when they are equal, 0 for −∞.
    /// </summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static CompensatedSum Weight(T max, T largest, T temperature)
    {
        double value = Element.ToDouble(max), top = Element.ToDouble(largest);
        if (value == top) return new() { High = 1 };
        if (double.IsNegativeInfinity(value)) return default;
        if (typeof(T) == typeof(float))
        {
            double distance = (value - top) / Element.ToDouble(temperature);
            return new() { High = ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>(distance) };
        }

        Shift<double> shift = Shift<double>.Create<ScalarSimd<double>, double>(top, Element.ToDouble(temperature));
        double difference = shift.Difference<ScalarSimd<double>, double>(value, out double low);
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
