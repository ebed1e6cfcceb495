using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One draw: finds the classes that can pass the restrictions by the maxima of blocks, applies the restrictions to these few, and draws.</summary>
internal readonly unsafe struct SampledRow<T>(LogitSampler options, T* logits, int count, ulong seed)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int LongestBlock = 128;
    private const int ShortestBlock = 16;

    /// <summary>Blocks per class wanted by top-k: the more, the fewer entries pass the bound by accident.</summary>
    private const int BlocksPerWanted = 4;

    private bool TakesAll => TopK == 0 && options.TopP == 1 && options.MinP == 0;

    /// <summary>0 when all classes may be drawn.</summary>
    private int TopK => options.TopK >= count ? 0 : options.TopK;

    public int Sample()
    {
        int blockLength = LongestBlock;
        while (blockLength > ShortestBlock && (long)TopK * BlocksPerWanted * blockLength > count) blockLength /= 2;
        int blockCount = (count + blockLength - 1) / blockLength;
        double[] blocks = ArrayPool<double>.Shared.Rent(2 * blockCount);
        try
        {
            Span<double> maxima = blocks.AsSpan(0, blockCount), sums = blocks.AsSpan(blockCount, blockCount);
            Scan(blockLength, maxima, double.NaN);
            double max = TensorPrimitives.Max<double>(maxima);
            if (double.IsNegativeInfinity(max)) ThrowIfNaN();
            if (double.IsNegativeInfinity(max)) ThrowNothingLeft();
            if (double.IsPositiveInfinity(max)) ThrowLogit(IndexOf(max, 0), max);
            if (options.Temperature == 0)
            {
                ThrowIfNaN();
                return IndexOf(max, maxima.IndexOf(max) * blockLength);
            }

            if (TakesAll) return SampleAll(blockLength, max, sums);
            if (options.TopP < 1 && TopK == 0) return SampleByMass(blockLength, maxima, max);
            ThrowIfNaN();
            return SampleByRank(blockLength, maxima, Bound(maxima, sums, max), max);
        }
        finally
        {
            ArrayPool<double>.Shared.Return(blocks);
        }
    }

    private void Scan(int blockLength, Span<double> results, double max)
    {
        fixed (double* destination = results)
        {
            BlockScanKernel<T> kernel = new(logits, count, blockLength, destination) { Max = max, Temperature = options.Temperature };
            VectorWidth.Run<BlockScanKernel<T>, T>(ref kernel);
        }
    }

    /// <summary>The blocks compete by their sums, then the classes of the winner by their logits.</summary>
    private int SampleAll(int blockLength, double max, Span<double> sums)
    {
        Scan(blockLength, sums, max);
        GumbelRace blocks = new(seed), classes = new(seed);
        for (int block = 0; block < sums.Length; block++)
        {
            if (double.IsNaN(sums[block])) ThrowIfNaN();
            if (sums[block] != 0) blocks.Enter(block, Log(sums[block]), (ulong)count + (ulong)block);      // indices that no class has
        }

        int first = blocks.Winner * blockLength, end = Math.Min(first + blockLength, count);
        for (int c = first; c < end; c++) classes.Enter(c, Element.ToDouble(logits[c]) / options.Temperature, (ulong)c);
        return classes.Winner;
    }

    /// <summary>Top-p over all classes.</summary>
    private int SampleByMass(int blockLength, ReadOnlySpan<double> maxima, double max)
    {
        T[] exponentials = ArrayPool<T>.Shared.Rent(count);
        int[] classes = ArrayPool<int>.Shared.Rent(count);
        try
        {
            fixed (T* start = exponentials)
            fixed (int* found = classes)
            {
                NucleusSelection<T> nucleus = new(logits, count, max, options.Temperature, start, found);
                double total = nucleus.Exponentiate();
                if (double.IsNaN(total)) ThrowIfNaN();
                int listed = nucleus.Select(options.TopP, total, blockLength, maxima, out NucleusEdge edge);
                return listed > 0 ? Draw(classes.AsSpan(0, listed), MinPBound(max)) : Draw(nucleus, edge, MinPBound(max), max);
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(exponentials);
            ArrayPool<int>.Shared.Return(classes);
        }
    }

    /// <summary>Top-k and min-p: the classes that can pass reach a bound, which most blocks do not.</summary>
    private int SampleByRank(int blockLength, Span<double> maxima, double bound, double max)
    {
        int[] classes = ArrayPool<int>.Shared.Rent(count);
        double[] values = ArrayPool<double>.Shared.Rent(2 * count);
        try
        {
            int found;
            fixed (double* ofBlocks = maxima)
            fixed (int* places = classes)
            {
                CandidateKernel<T> candidates = new(logits, count, bound, double.PositiveInfinity, places, count) { BlockLength = blockLength, Maxima = ofBlocks };
                VectorWidth.Run<CandidateKernel<T>, T>(ref candidates);
                found = candidates.Found;
            }

            Span<double> ranked = values.AsSpan(0, found);
            for (int i = 0; i < found; i++) ranked[i] = Element.ToDouble(logits[classes[i]]);
            return Draw(classes.AsSpan(0, Restrict(ranked, classes.AsSpan(0, found), values.AsSpan(found, found), max)), MinPBound(max));
        }
        finally
        {
            ArrayPool<double>.Shared.Return(values);
            ArrayPool<int>.Shared.Return(classes);
        }
    }

    /// <summary>A logit below which no class passes the restrictions.</summary>
    private double Bound(ReadOnlySpan<double> maxima, Span<double> scratch, double max)
    {
        // Top-p after top-k goes by the mass of all that top-k keeps, so there min-p must not come first.
        double bound = TopK > 0 && options.TopP < 1 ? double.NegativeInfinity : MinPBound(max);
        if (TopK > 0 && TopK <= maxima.Length)
        {
            // At least k logits are as large as the k-th largest of the maxima.
            maxima.CopyTo(scratch);
            int[] order = ArrayPool<int>.Shared.Rent(maxima.Length);
            for (int i = 0; i < maxima.Length; i++) order[i] = i;
            new RankedSelection(scratch, order.AsSpan(0, maxima.Length)).TakeLargest(TopK);
            bound = Math.Max(bound, TensorPrimitives.Min<double>(scratch[..TopK]));
            ArrayPool<int>.Shared.Return(order);
        }

        return bound;
    }

    /// <summary>e^((x − max)/τ) ≥ MinP.</summary>
    private double MinPBound(double max) => max + (options.Temperature * Log(options.MinP));

    /// <summary>Moves the classes that pass top-k and top-p to the front; returns how many they are.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private int Restrict(Span<double> values, Span<int> classes, Span<double> masses, double max)
    {
        int kept = values.Length;
        if (TopK > 0 && TopK < kept)
        {
            new RankedSelection(values, classes).TakeLargest(TopK);
            kept = TopK;
        }

        if (options.TopP == 1) return kept;
        double sum = 0;
        for (int i = 0; i < kept; i++)
        {
            masses[i] = ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>((values[i] - max) / options.Temperature);
            sum += masses[i];
        }

        return new RankedSelection(values[..kept], classes[..kept]).TakeMass(options.TopP * sum, masses[..kept]);
    }

    /// <summary>The winner of the classes whose logit is at least <paramref name="smallest"/>.</summary>
    private int Draw(ReadOnlySpan<int> classes, double smallest)
    {
        GumbelRace race = new(seed);
        foreach (int c in classes)
        {
            double logit = Element.ToDouble(logits[c]);
            if (logit >= smallest) race.Enter(c, logit / options.Temperature, (ulong)c);
        }

        return race.Winner;
    }

    /// <summary>The winner of the classes within an edge, whose logit is at least <paramref name="smallest"/>: so many that most are asked for their noise alone.</summary>
    private int Draw(in NucleusSelection<T> nucleus, in NucleusEdge edge, double smallest, double max)
    {
        GumbelRace race = new(seed);
        ulong start = GumbelNoise.Start(seed), least = 0;
        for (int c = 0; (c = GumbelNoise.IndexOfAtLeast(least, start, c, count)) < count; c++)
        {
            if (!nucleus.IsWithin(edge, c)) continue;
            double logit = Element.ToDouble(logits[c]);
            if (!(logit >= smallest)) continue;
            race.Enter(c, logit / options.Temperature, (ulong)c);
            least = race.LeastBits(max / options.Temperature);
        }

        return race.Winner;
    }

    [MethodImpl(LoopMethod.Compiled)]
    private static double Log(double value) => LogPolynomial.Log<ScalarSimd<double>, double, double>(value);

    private int IndexOf(double value, int first)
    {
        int i = first;
        while (Element.ToDouble(logits[i]) != value) i++;
        return i;
    }

    private void ThrowIfNaN()
    {
        if (!RowPasses.ContainsNaN(logits, (nuint)count)) return;
        int index = 0;
        while (!T.IsNaN(logits[index])) index++;
        ThrowLogit(index, double.NaN);
    }

    [DoesNotReturn]
    private static void ThrowLogit(int index, double logit, string name = "logits") =>
        throw new ArgumentException($"Logit {index} is {logit}; nothing can be drawn from such a row.", name);

    [DoesNotReturn]
    private static void ThrowNothingLeft(string name = "logits") =>
        throw new ArgumentException("No class is left to draw: every logit is -∞ or excluded.", name);
}
