using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Sums and gradient of one row of logits with a label that is taken in the parts of <see cref="LongRow{T}"/>: memory is read once.</summary>
/// <param name="logits">The row.</param>
/// <param name="count">Its classes, at most <see cref="MostClasses"/>.</param>
/// <param name="label">The class that is kept apart.</param>
/// <param name="temperature">The temperature.</param>
/// <param name="gradient">Receives the exponentials, then the gradient; may be the logits; null: not wanted.</param>
internal readonly unsafe struct LongLabelRow<T>(T* logits, int count, int label, T temperature, T* gradient)
    where T : unmanaged
{
    /// <summary>The maxima of more parts are not kept.</summary>
    public static long MostClasses => (long)LongRow<T>.PartLength * LongRow<T>.MostMaxima;

    public int PartCount => (int)(((uint)count + LongRow<T>.PartLength - 1) / LongRow<T>.PartLength);

    private int LabelPart => label / (int)LongRow<T>.PartLength;

    /// <summary>The sums, in units of the exponential of the row's maximum.</summary>
    /// <param name="maxima">Receives the maxima of the parts.</param>
    /// <param name="max">The row's maximum.</param>
    /// <param name="isLast">Whether no other row follows in memory.</param>
    /// <param name="isFirstMaximum">Whether the label's logit is the largest and none before it has the same.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public PivotSum Sum<TSimd, TVector>(T* maxima, bool isLast, out T max, out bool isFirstMaximum)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double largest = double.NegativeInfinity, others = 0, atLabel = 0;
        isFirstMaximum = false;
        for (int i = 0; i < PartCount; i++)
        {
            T* source = Part(logits, i, out int length), target = gradient == null ? null : Part(gradient, i, out _);
            T partMax = RowPasses.Max<TSimd, TVector, T>(source, (nuint)length);
            maxima[i] = partMax;
            double top = Element.ToDouble(partMax);
            if (i == LabelPart) isFirstMaximum = top > largest && CrossEntropyKernel<T>.IsFirstMaximum<TSimd, TVector>(source, LabelInPart, partMax);
            else if (top > largest) isFirstMaximum = false;

            PivotSum part = PartSum<TSimd, TVector>(i, source, length, partMax, target, Upcoming<T>.OfPart(logits, count, i, target, isLast));
            double rescale = top > largest ? Weight(largest, top) : 1, weight = top > largest ? 1 : Weight(top, largest);
            others = (others * rescale) + (part.Others * weight);
            atLabel = (atLabel * rescale) + (part.AtPivot * weight);
            largest = Math.Max(largest, top);
        }

        max = Element.FromDouble<T>(largest);
        return double.IsNegativeInfinity(largest) ? new(double.NaN, double.NaN) : new(others, atLabel);
    }

    /// <summary>Turns the exponentials into the gradient but for the label's.</summary>
    /// <param name="maxima">What <see cref="Sum"/> has left.</param>
    /// <param name="max">The row's maximum.</param>
    /// <param name="factor">What an exponential in units of the maximum's is multiplied by.</param>
    [MethodImpl(LoopMethod.Compiled)]
    public void Scale<TSimd, TVector>(T* maxima, T max, double factor)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        // The last part first, because that one is in the cache.
        for (int i = PartCount - 1; i >= 0; i--)
        {
            T* target = Part(gradient, i, out int length);
            CompensatedSum weight = new() { High = factor * Weight(Element.ToDouble(maxima[i]), Element.ToDouble(max)) };
            RowPasses.ScaleByQuotient<TSimd, TVector, T>(target, (nuint)length, weight, new() { High = FactoredExp.OfMaximum<T>() });
        }
    }

    private int LabelInPart => label % (int)LongRow<T>.PartLength;

    [MethodImpl(LoopMethod.Compiled)]
    private PivotSum PartSum<TSimd, TVector>(int part, T* source, int length, T max, T* target, Upcoming<T> upcoming)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (double.IsNegativeInfinity(Element.ToDouble(max))) return new(LongRow<T>.NothingOf(source, (nuint)length, target).Value, 0);
        RowExponential<T> row = new(max, temperature);
        if (part == LabelPart) return PivotSum.Of<TSimd, TVector, T>(source, length, LabelInPart, row, target, upcoming);
        return new(RowPasses.Exponentials<TSimd, TVector, T>(source, (nuint)length, row, target, upcoming).Value / FactoredExp.OfMaximum<T>(), 0);
    }

    private double Weight(double max, double largest) =>
        RowPart<T>.Weight(Element.FromDouble<T>(max), Element.FromDouble<T>(largest), temperature).High;

    private T* Part(T* row, int part, out int length)
    {
        nint start = part * (nint)LongRow<T>.PartLength;
        length = (int)nint.Min((nint)LongRow<T>.PartLength, count - start);
        return row + start;
    }
}
