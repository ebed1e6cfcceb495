using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Top-p over a whole row: the fewest of the most probable classes whose masses reach a share of the total, without sorting or even listing the row.</summary>
/// <remarks>
/// A list of candidates that surely holds them is short where the row is peaked. How far down it must go is estimated from the maxima of the
/// blocks and checked by its mass. A flat row has too many candidates to list, let alone to rank: there a sample of the row tells about where the
/// threshold is, the masses above a few thresholds at a time close it in, and only what lies between the last two is ranked. The
/// classes are then told by the last one of them (<see cref="NucleusEdge"/>).
/// </remarks>
internal readonly unsafe struct NucleusSelection<T>(T* logits, int count, double max, double temperature, T* exponentials, int* classes)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Sums of exponentials in T are good to this.</summary>
    private const double Rounding = 1e-5;

    /// <summary>Rows up to this length are ranked whole.</summary>
    private const int ShortRow = 1024;

    /// <summary>A list longer than the row divided by this is not worth ranking.</summary>
    private const int LongestShare = 16;

    private const int SampleSize = 1024;

    /// <summary>Between thresholds with this share of the mass between them, ranking is cheaper than closing in further.</summary>
    private const double NarrowShare = 1.0 / 256;

    private const int BinsPerNat = 2;
    private const int Bins = 64;

    /// <summary>Takes the exponentials, with the factor <see cref="FactoredExp.OfMaximum{T}"/> that all masses here have, and returns their sum; NaN when a logit is.</summary>
    public double Exponentiate()
    {
        int length = (int)LongRow<T>.PartLength;
        double sum = 0, total = 0;
        for (int start = 0; start < count; start += length)
        {
            BlockScanKernel<T> kernel = new(logits + start, Math.Min(length, count - start), length, &sum)
            {
                Max = max,
                Temperature = temperature,
                Exponentials = exponentials + start,
            };
            VectorWidth.Run<BlockScanKernel<T>, T>(ref kernel);
            total += sum;
        }

        return total * FactoredExp.OfMaximum<T>();
    }

    /// <summary>Writes the classes, in no particular order, and returns how many they are; or returns 0, and they are those within the edge.</summary>
    /// <param name="share">P.</param>
    /// <param name="total">The sum of the exponentials.</param>
    /// <param name="blockLength">Logits per block.</param>
    /// <param name="maxima">The largest logit of each block.</param>
    /// <param name="edge">Tells the classes when they are not listed.</param>
    public int Select(double share, double total, int blockLength, ReadOnlySpan<double> maxima, out NucleusEdge edge)
    {
        edge = default;
        double wanted = share * total;
        if (count <= ShortRow) return Rank(Find(0, double.PositiveInfinity, classes, count), wanted, classes);
        int most = count / LongestShare;
        double smallest = Estimate(wanted, blockLength, maxima);
        for (int attempt = 0; attempt < 3 && smallest > 0; attempt++, smallest /= 4)
        {
            int found = Find(smallest, double.PositiveInfinity, classes, most);
            if (found > most) break;
            if (MassOf(found) >= wanted * (1 + Rounding)) return Rank(found, wanted, classes);
        }

        edge = CloseIn(share, total);
        return 0;
    }

    /// <summary>Whether the edge has this class on its inner side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsWithin(in NucleusEdge edge, int c)
    {
        double mass = Element.ToDouble(exponentials[c]);
        if (mass >= edge.Sure || mass < edge.Lower) return mass >= edge.Sure;
        double logit = Element.ToDouble(logits[c]);
        return logit > edge.Logit || (logit == edge.Logit && c <= edge.Class);
    }

    /// <summary>A mass down to which the classes together are estimated to have the wanted one; 0 when they are too many to list.</summary>
    /// <remarks>When a share f of B blocks has no class above a threshold, about −B ln f classes of the row are above it.</remarks>
    private double Estimate(double wanted, int blockLength, ReadOnlySpan<double> maxima)
    {
        int* blocks = stackalloc int[Bins];
        new Span<int>(blocks, Bins).Clear();
        foreach (double value in maxima)
        {
            double depth = (max - value) / temperature * BinsPerNat;
            if (depth < Bins) blocks[(int)depth]++;
        }

        double reached = 0, above = 0;
        int passed = 0;
        for (int bin = 0; bin < Bins; bin++)
        {
            passed += blocks[bin];
            double now = -maxima.Length * Math.Log(1 - ((double)passed / maxima.Length));       // infinite when all have passed
            if (now > (double)maxima.Length * blockLength / LongestShare) return 0;
            reached += (now - above) * MassAt(bin + 0.5);
            above = now;
            if (reached >= wanted) return MassAt(bin + 1);
        }

        return 0;
    }

    private static double MassAt(double bins) => Math.Exp(-bins / BinsPerNat) * FactoredExp.OfMaximum<T>();

    /// <summary>Lists the classes with a mass of at least <paramref name="smallest"/> and below <paramref name="limit"/>; returns how many they are, more than <paramref name="most"/> when it gave up.</summary>
    private int Find(double smallest, double limit, int* places, int most)
    {
        double ofNothing = 2 * FactoredExp.Nothing<T>(1);       // −∞ has an exponential, too
        CandidateKernel<T> candidates = new(exponentials, count, Math.Max(smallest, ofNothing), limit, places, most);
        VectorWidth.Run<CandidateKernel<T>, T>(ref candidates);
        return candidates.Found;
    }

    private double MassOf(int found)
    {
        double sum = 0;
        for (int i = 0; i < found; i++) sum += Element.ToDouble(exponentials[classes[i]]);
        return sum;
    }

    /// <summary>Moves the fewest of the listed classes whose masses reach the wanted one to the front; returns how many they are.</summary>
    private int Rank(int found, double wanted, int* places)
    {
        double[] values = ArrayPool<double>.Shared.Rent(2 * found);
        Span<double> ranked = values.AsSpan(0, found), masses = values.AsSpan(found, found);
        for (int i = 0; i < found; i++)
        {
            ranked[i] = Element.ToDouble(logits[places[i]]);
            masses[i] = Element.ToDouble(exponentials[places[i]]);
        }

        int kept = new RankedSelection(ranked, new Span<int>(places, found)).TakeMass(wanted, masses);
        ArrayPool<double>.Shared.Return(values);
        return kept;
    }

    /// <summary>The flat row: all above an upper threshold belong to the selection, none below a lower one, and those between are ranked.</summary>
    private NucleusEdge CloseIn(double share, double total)
    {
        // Classes below (1 − P) s / n have less than (1 − P) s together, so P s is reached without them; the factor ½ covers rounding.
        double wanted = share * total, lower = (1 - share) * total / count / 2, ofLower = total;
        double upper = 2 * FactoredExp.OfMaximum<T>(), ofUpper = 0;
        ThresholdMassKernel<T> masses = new(exponentials, count);
        TakeSample(share, ref masses);
        for (int round = 0; round < 5 && (round == 0 || ofLower - ofUpper > NarrowShare * total); round++)
        {
            if (round > 0)
            {
                // Close to where a straight line through both ends has the wanted mass.
                double place = Math.Clamp((ofLower - wanted) / (ofLower - ofUpper), 0.1, 0.9), ratio = upper / lower;
                for (int i = 0; i < ThresholdMassKernel<T>.Thresholds; i++)
                {
                    masses.At[i] = Element.ToDouble(Element.FromDouble<T>(lower * Math.Pow(ratio, place + (0.05 * (i - 1.5)))));
                }
            }

            VectorWidth.Run<ThresholdMassKernel<T>, T>(ref masses);
            for (int i = 0; i < ThresholdMassKernel<T>.Thresholds; i++)
            {
                if (masses.At[i] > lower && masses.At[i] < upper && masses.Masses[i] >= wanted * (1 + Rounding)) (lower, ofLower) = (masses.At[i], masses.Masses[i]);
                else if (masses.At[i] < upper && masses.Masses[i] <= wanted * (1 - Rounding)) (upper, ofUpper) = (masses.At[i], masses.Masses[i]);
            }
        }

        MassAboveKernel<T> sure = new(exponentials, count, upper);
        VectorWidth.Run<MassAboveKernel<T>, T>(ref sure);
        int kept = Rank(Find(lower, upper, classes, count), wanted - sure.Mass, classes), last = classes[0];
        for (int i = 1; i < kept; i++)
        {
            double logit = Element.ToDouble(logits[classes[i]]), ofLast = Element.ToDouble(logits[last]);
            if (logit < ofLast || (logit == ofLast && classes[i] > last)) last = classes[i];
        }

        return new(upper, lower, Element.ToDouble(logits[last]), last);
    }

    /// <summary>Thresholds around that of a sample, near ones and farther ones.</summary>
    private void TakeSample(double share, ref ThresholdMassKernel<T> masses)
    {
        T* memory = stackalloc T[SampleSize];
        Span<T> sample = new(memory, SampleSize);
        int step = count / SampleSize, place = SampleSize;
        double total = 0, above = 0;
        for (int i = 0; i < SampleSize; i++)
        {
            sample[i] = exponentials[i * step];
            total += Element.ToDouble(sample[i]);
        }

        sample.Sort();
        while (place > 0 && above < share * total) above += Element.ToDouble(sample[--place]);

        // A count out of a sample of n is off by √n / 2 at most times a few.
        ReadOnlySpan<int> around = [-48, -12, 12, 48];
        for (int i = 0; i < ThresholdMassKernel<T>.Thresholds; i++) masses.At[i] = Element.ToDouble(sample[Math.Clamp(place + around[i], 0, SampleSize - 1)]);
    }
}

/// <summary>The last of the classes that a nucleus keeps. Masses from <see cref="Sure"/> on are before it, those below <see cref="Lower"/> behind; others go by rank.</summary>
internal readonly record struct NucleusEdge(double Sure, double Lower, double Logit, int Class);
