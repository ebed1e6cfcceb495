using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>One draw: finds the classes that can pass the restrictions by the maxima of blocks, applies the restrictions to these few, and draws.</summary>
internal static unsafe class RowSampler
{
    private const int LongestBlock = 128;
    private const int ShortestBlock = 16;

    /// <summary>Blocks per class wanted by top-k: the more, the fewer entries pass the bound by accident.</summary>
    private const int BlocksPerWanted = 4;

    public static int Sample<T>(LogitSampler options, ReadOnlySpan<T> logits, ulong seed, ReadOnlySpan<int> excluded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double))
        {
            if (excluded.IsEmpty)
            {
                fixed (T* start = logits) return new Row<T>(options, start, logits.Length, seed).Sample();
            }

            return SampleCopy<T, T>(options, logits, seed, excluded);
        }

        return typeof(T) == typeof(Half) ? SampleCopy<T, float>(options, logits, seed, excluded) : SampleCopy<T, double>(options, logits, seed, excluded);
    }

    private static int SampleCopy<T, TKernel>(LogitSampler options, ReadOnlySpan<T> logits, ulong seed, ReadOnlySpan<int> excluded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        for (int i = 0; i < excluded.Length; i++)
        {
            if ((uint)excluded[i] >= (uint)logits.Length) ThrowExcluded(i, excluded[i], logits.Length, nameof(excluded));
        }

        TKernel[] copy = ArrayPool<TKernel>.Shared.Rent(logits.Length);
        try
        {
            TensorPrimitives.ConvertTruncating(logits, copy.AsSpan(0, logits.Length));
            foreach (int label in excluded) copy[label] = TKernel.NegativeInfinity;
            fixed (TKernel* start = copy) return new Row<TKernel>(options, start, logits.Length, seed).Sample();
        }
        finally
        {
            ArrayPool<TKernel>.Shared.Return(copy);
        }
    }

    [DoesNotReturn]
    private static void ThrowExcluded(int index, int label, int classCount, string name) =>
        throw new ArgumentOutOfRangeException(name, label, $"Entry {index} is class {label}, but there are {classCount} classes: 0 to {classCount - 1}.");

    [DoesNotReturn]
    private static void ThrowLogit(int index, double logit, string name = "logits") =>
        throw new ArgumentException($"Logit {index} is {logit}; nothing can be drawn from such a row.", name);

    [DoesNotReturn]
    private static void ThrowNothingLeft(string name = "logits") =>
        throw new ArgumentException("No class is left to draw: every logit is -∞ or excluded.", name);

    private readonly struct Row<T>(LogitSampler options, T* logits, int count, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
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
                if (options.TopP < 1 && TopK == 0) return SampleByMass(blockLength, sums, max);
                ThrowIfNaN();
                return SampleByRank(blockLength, maxima, Bound(maxima, sums, max), max);
            }
            finally
            {
                ArrayPool<double>.Shared.Return(blocks);
            }
        }

        private void Scan(int blockLength, Span<double> results, double max, T* exponentials = null)
        {
            fixed (double* destination = results)
            {
                BlockScanKernel<T> kernel = new(logits, count, blockLength, destination) { Max = max, Temperature = options.Temperature, Exponentials = exponentials };
                VectorWidth.Run<BlockScanKernel<T>, T>(ref kernel);
            }
        }

        /// <summary>The blocks compete by their sums, then the classes of the winner by their logits.</summary>
        private int SampleAll(int blockLength, double max, Span<double> sums)
        {
            Scan(blockLength, sums, max);
            int winner = -1;
            double best = double.NegativeInfinity;
            for (int block = 0; block < sums.Length; block++)
            {
                if (double.IsNaN(sums[block])) ThrowIfNaN();
                if (sums[block] == 0) continue;
                double key = Log(sums[block]) + GumbelNoise.At(seed, (ulong)count + (ulong)block);      // indices that no class has
                if (key > best) (best, winner) = (key, block);
            }

            int first = winner * blockLength, end = Math.Min(first + blockLength, count), drawn = -1;
            best = double.NegativeInfinity;
            for (int c = first; c < end; c++) Compete(c, Element.ToDouble(logits[c]), ref best, ref drawn);
            return drawn;
        }

        /// <summary>Top-p over all classes: those that can be among the first P of the mass are found by their exponentials.</summary>
        private int SampleByMass(int blockLength, Span<double> sums, double max)
        {
            T[] exponentials = ArrayPool<T>.Shared.Rent(count);
            double[] values = ArrayPool<double>.Shared.Rent(2 * count);
            int[] classes = ArrayPool<int>.Shared.Rent(count);
            try
            {
                fixed (T* start = exponentials)
                {
                    Scan(blockLength, sums, max, start);
                    double total = 0;
                    foreach (double sum in sums) total += sum;
                    if (double.IsNaN(total)) ThrowIfNaN();
                    int found = 0;
                    T smallest = T.CreateTruncating(SmallestMass(start, total));
                    for (int c = NextAtLeast(smallest, start, 0); c < count; c = NextAtLeast(smallest, start, c + 1))
                    {
                        (values[found], classes[found]) = (Element.ToDouble(logits[c]), c);
                        found++;
                    }

                    return RestrictAndDraw(values, classes, found, max, total, start);
                }
            }
            finally
            {
                ArrayPool<T>.Shared.Return(exponentials);
                ArrayPool<double>.Shared.Return(values);
                ArrayPool<int>.Shared.Return(classes);
            }
        }

        /// <summary>A mass such that the classes which reach it have mass P together.</summary>
        private double SmallestMass(T* exponentials, double total)
        {
            // Classes of mass below (1 − P) s / n together have less than (1 − P) s, so P s is reached without them; the factor ½ covers rounding.
            const double Rounding = 1e-5;
            double smallest = (1 - options.TopP) * total / count / 2;
            ThresholdMassKernel<T> masses = new(exponentials, count);
            VectorWidth.Run<ThresholdMassKernel<T>, T>(ref masses);
            for (int i = 0; i < ThresholdMassKernel<T>.Thresholds; i++)
            {
                if (masses.Masses[i] >= options.TopP * total * (1 + Rounding)) return Math.Max(smallest, ThresholdMassKernel<T>.Threshold(i) * (1 - Rounding));
            }

            return smallest;
        }

        /// <summary>The first class from <paramref name="from"/> on whose exponential reaches <paramref name="smallest"/>; the count when there is none.</summary>
        /// <remarks>Numbers that are not negative are in the order of their bits, and the platform searches integers by the vector.</remarks>
        private int NextAtLeast(T smallest, T* exponentials, int from)
        {
            int step = typeof(T) == typeof(float)
                ? new ReadOnlySpan<int>((int*)exponentials + from, count - from).IndexOfAnyInRange(Unsafe.BitCast<T, int>(smallest), int.MaxValue)
                : new ReadOnlySpan<long>((long*)exponentials + from, count - from).IndexOfAnyInRange(Unsafe.BitCast<T, long>(smallest), long.MaxValue);
            return step < 0 ? count : from + step;
        }

        /// <summary>Top-k and min-p: the classes that can pass reach a bound, which most blocks do not.</summary>
        private int SampleByRank(int blockLength, ReadOnlySpan<double> maxima, double bound, double max)
        {
            double[] values = ArrayPool<double>.Shared.Rent(2 * count);
            int[] classes = ArrayPool<int>.Shared.Rent(count);
            try
            {
                int found = 0;
                for (int block = 0; block < maxima.Length; block++)
                {
                    if (!(maxima[block] >= bound)) continue;
                    int end = Math.Min((block + 1) * blockLength, count);
                    for (int c = block * blockLength; c < end; c++)
                    {
                        double logit = Element.ToDouble(logits[c]);
                        if (!(logit >= bound) || double.IsNegativeInfinity(logit)) continue;
                        (values[found], classes[found]) = (logit, c);
                        found++;
                    }
                }

                return RestrictAndDraw(values, classes, found, max, double.NaN, null);
            }
            finally
            {
                ArrayPool<double>.Shared.Return(values);
                ArrayPool<int>.Shared.Return(classes);
            }
        }

        private int RestrictAndDraw(Span<double> values, Span<int> classes, int found, double max, double total, T* exponentials)
        {
            Span<double> masses = values.Slice(found, found);
            int kept = Restrict(values[..found], classes[..found], masses, max, total, exponentials);
            return Draw(values[..kept], classes[..kept], masses[..kept], MinPBound(max));
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
        private int Restrict(Span<double> values, Span<int> classes, Span<double> masses, double max, double total, T* exponentials)
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
                masses[i] = exponentials != null
                    ? Element.ToDouble(exponentials[classes[i]])
                    : ExpPolynomial.OfNonPositive<ScalarSimd<double>, double, double>((values[i] - max) / options.Temperature);
                sum += masses[i];
            }

            double wanted = options.TopP * (double.IsNaN(total) ? sum : total);
            return new RankedSelection(values[..kept], classes[..kept]).TakeMass(wanted, masses[..kept]);
        }

        /// <summary>The class with the largest sum of tempered logit and noise, of those whose logit is at least <paramref name="smallest"/>.</summary>
        private int Draw(ReadOnlySpan<double> values, ReadOnlySpan<int> classes, Span<double> noise, double smallest)
        {
            for (int i = 0; i < values.Length; i++) noise[i] = GumbelNoise.Uniform(seed, (ulong)classes[i]);
            GumbelNoise.FromUniform(noise);
            int drawn = -1;
            double best = double.NegativeInfinity;
            for (int i = 0; i < values.Length; i++)
            {
                double key = (values[i] / options.Temperature) + noise[i];
                if (values[i] >= smallest && key > best) (best, drawn) = (key, classes[i]);
            }

            return drawn;
        }

        private void Compete(int label, double logit, ref double best, ref int drawn)
        {
            double key = (logit / options.Temperature) + GumbelNoise.At(seed, (ulong)label);
            if (key > best) (best, drawn) = (key, label);
        }

        private static double Log(double value) => LogPolynomial.Log<ScalarSimd<double>, double, double>(value);

        private int IndexOf(double value, int first)
        {
            int i = first;
            while (Element.ToDouble(logits[i]) != value) i++;
            return i;
        }

        private void ThrowIfNaN()
        {
            int index = TensorPrimitives.IndexOfMax(new ReadOnlySpan<T>(logits, count));        // a NaN counts as the largest there
            if (T.IsNaN(logits[index])) ThrowLogit(index, double.NaN);
        }
    }
}
