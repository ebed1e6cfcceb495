using System.Runtime.Intrinsics;

namespace SoftmaxCE.Tests;

/// <summary>The same bits at every vector width: all widths compared in one process, and the bits pinned so that other machines are compared too.</summary>
public unsafe class ReproducibilityTests
{
    private static readonly int[] RowLengths = [1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 260, 1000, 1025, 5000, 40_000];

    [Fact]
    public void The_width_in_use_is_the_one_asked_for()
    {
        VectorWidth.Bits.Should().Be(VectorLeg.ExpectedBits);
        Vector512.IsHardwareAccelerated.Should().Be(VectorWidth.Bits == 512);
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Rows_of_floats_have_the_pinned_bits(int bits) => HashOfRows<float>(bits).Should().Be(0xA7083A1D78D6C319UL);

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Rows_of_doubles_have_the_pinned_bits(int bits) => HashOfRows<double>(bits).Should().Be(0x62E163B565E7910BUL);

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Elements_have_the_pinned_bits(int bits)
    {
        BitHash hash = new();
        float[] singles = Values<float>(3001, 1);
        double[] doubles = Values<double>(3001, 2);
        hash.Add(MapAt<SigmoidFunction<float>, float>(bits, singles)).Add(MapAt<LogSigmoidFunction<float>, float>(bits, singles));
        hash.Add(MapAt<SigmoidFunction<double>, double>(bits, doubles)).Add(MapAt<LogSigmoidFunction<double>, double>(bits, doubles));
        hash.Value.Should().Be(0x231E83B9773222FFUL);
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Divergences_of_floats_have_the_pinned_bits(int bits) => HashOfDivergences(bits, 18446744073709551616f).Should().Be(0x5F0F122ECDBCE2DBUL);

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Divergences_of_doubles_have_the_pinned_bits(int bits) => HashOfDivergences(bits, 1.2676506002282294e+30).Should().Be(0x2A1D90856D308766UL);

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Sums_over_parts_of_logits_have_the_pinned_bits(int bits)
    {
        BitHash hash = new();
        foreach (int length in RowLengths.Where(n => n <= (int)LongRow<double>.PartLength))
        {
            AddParts<float>(hash, bits, length);
            AddParts<double>(hash, bits, length);
        }

        hash.Value.Should().Be(0x3BF7C9C023A1A37CUL);
    }

    private static ulong HashOfDivergences<T>(int bits, T scale)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        BitHash hash = new();
        foreach (int length in RowLengths.Where(n => n <= 1025))
        {
            T[] p = Array.ConvertAll(Values<T>(length, length), v => T.Abs(v) / T.CreateChecked(31)), q = Array.ConvertAll(Values<T>(length, length + 1), T.Exp);
            p.AsSpan(length / 2).CopyTo(q.AsSpan(length / 2));
            p[length / 3] = q[length / 2] = T.CreateChecked(1e-42);
            p[length / 4] = T.Zero;
            fixed (T* first = p, second = q)
            {
                foreach (DivergenceKind kind in Enum.GetValues<DivergenceKind>())
                {
                    DivergenceKernel<T> kernel = new(first, second, length, kind, scale);
                    VectorWidth.RunAt<DivergenceKernel<T>, T>(bits, ref kernel);
                    hash.Add(kernel.Terms.Value).Add(kernel.Differences.Value).Add(kernel.Highest).Add(kernel.FoundMissing ? 1.0 : 0);
                }
            }
        }

        return hash.Value;
    }

    private static void AddParts<T>(BitHash hash, int bits, int length)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        T[] values = Values<T>(length, length), p = Array.ConvertAll(Values<T>(length, length + 1), T.Abs);
        if (length > 2) values[length / 3] = T.NegativeInfinity;
        foreach (double offset in new[] { 0, 1e5 })
        {
            T[] shifted = Array.ConvertAll(values, v => v + T.CreateChecked(offset));
            foreach (LogitTerms terms in Enum.GetValues<LogitTerms>())
            {
                fixed (T* logits = shifted, weights = p)
                {
                    LogitPartKernel<T> kernel = new(logits, weights, (nuint)length, logits, terms) { Center = T.CreateChecked(0.375) };
                    VectorWidth.RunAt<LogitPartKernel<T>, T>(bits, ref kernel);
                    hash.Add(kernel.Part.Others.Value).Add(kernel.Part.Distances.Value).Add(kernel.Part.Mass.Value);
                }
            }

            T maxP = shifted.Max(), maxQ = p.Max(), shift = maxP - maxQ + T.CreateChecked(0.25);
            fixed (T* logitsP = shifted, logitsQ = p)
            {
                foreach (LogitSum kind in Enum.GetValues<LogitSum>())
                {
                    LogitDivergenceKernel<T> kernel = new(logitsP, logitsQ, (nuint)length, new(maxP, maxQ, T.CreateChecked(1.25), shift, T.CreateChecked(1e-9)), kind);
                    VectorWidth.RunAt<LogitDivergenceKernel<T>, T>(bits, ref kernel);
                    hash.Add(kernel.Sum.Value);
                }
            }
        }
    }

    private static ulong HashOfRows<T>(int bits)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        BitHash hash = new();
        foreach (int length in RowLengths)
        {
            T[] logits = Values<T>(length, length), destination = new T[length];
            if (length > 2) logits[length / 3] = T.NegativeInfinity;
            foreach (RowResult result in Enum.GetValues<RowResult>())
            {
                foreach (double temperature in new[] { 1, 0.7 })
                {
                    fixed (T* source = logits, target = destination)
                    {
                        SoftmaxRows<T> kernel = new(source, target, 0, 1, length, T.CreateChecked(temperature), result);
                        VectorWidth.RunAt<SoftmaxRows<T>, T>(bits, ref kernel);
                    }

                    Add(hash, destination);
                }
            }

            T[] upstream = Values<T>(length, 3);
            fixed (T* p = destination, u = upstream)
            {
                SoftmaxGradientKernel<T> kernel = new(p, u, u, length, ofLog: length % 2 == 0);
                VectorWidth.RunAt<SoftmaxGradientKernel<T>, T>(bits, ref kernel);
            }

            Add(hash, upstream);
        }

        return hash.Value;
    }

    private static void Add<T>(BitHash hash, T[] values)
    {
        if (values is float[] singles) hash.Add(singles);
        else hash.Add((double[])(object)values);
    }

    private static T[] MapAt<TFunction, T>(int bits, T[] values)
        where TFunction : struct, IVectorFunction<T>
        where T : unmanaged
    {
        T[] results = new T[values.Length];
        fixed (T* source = values, destination = results)
        {
            Map<TFunction, T> kernel = new(source, destination, values.Length);
            VectorWidth.RunAt<Map<TFunction, T>, T>(bits, ref kernel);
        }

        return results;
    }

    // Own generator, so that the corpus is the same on every runtime.
    private static T[] Values<T>(int count, int seed)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        ulong state = (ulong)seed;
        T[] values = new T[count];
        for (int i = 0; i < count; i++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            values[i] = T.CreateChecked(((state >> 40) / (double)(1 << 24) * 60) - 30);
        }

        return values;
    }
}
