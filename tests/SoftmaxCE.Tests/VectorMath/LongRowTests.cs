using System.Numerics;

namespace SoftmaxCE.Tests;

public unsafe class LongRowTests
{
    private static readonly int Part = (int)LongRow<float>.PartLength;

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Exponentials_that_are_stored_and_those_that_are_taken_twice_give_the_same_bits(int bits)
    {
        Same<float>(bits, (3 * Part) + 77, 0);
        Same<float>(bits, (3 * Part) + 77, 1);
        Same<double>(bits, (2 * Part) + 9, 1);
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void So_do_parts_without_a_finite_logit_and_rows_without_a_sum(int bits)
    {
        Same<float>(bits, 3 * Part, 0, logits => logits.Slice(Part, Part).Fill(float.NegativeInfinity));
        Same<float>(bits, 3 * Part, 3, logits => logits[Part + 5] = float.NaN);
        Same<float>(bits, 2 * Part, 0, logits => logits[5] = float.PositiveInfinity);
        Same<float>(bits, 2 * Part, 0, logits => logits.Fill(float.NegativeInfinity));
        Same<float>(bits, 2 * Part, 0, logits => logits[..Part].Fill(1e30f));
    }

    /// <summary>Both ways, into an array of its own that is not aligned, and in place.</summary>
    private static void Same<T>(int bits, int count, int offset, Action<Span<T>>? change = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Random random = new(count);
        T[] logits = new T[count];
        for (int i = 0; i < count; i++) logits[i] = T.CreateChecked((random.NextDouble() * 30) - (i < count / 2 ? 20 : 3));
        change?.Invoke(logits);
        T[] stored = Softmax(bits, logits, offset, storesExponentials: true), twice = Softmax(bits, logits, offset, storesExponentials: false);
        twice.Should().Equal(stored, (left, right) => left.Equals(right));
    }

    private static T[] Softmax<T>(int bits, T[] logits, int offset, bool storesExponentials)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] apart = new T[logits.Length + offset], inPlace = [.. logits];
        fixed (T* source = logits, target = apart, both = inPlace)
        {
            Kernel<T> kernel = new(new(source, logits.Length, T.One, target + offset) { StoresExponentials = storesExponentials });
            VectorWidth.RunAt<Kernel<T>, T>(bits, ref kernel);
            kernel = new(new(both, logits.Length, T.One, both) { StoresExponentials = storesExponentials });
            VectorWidth.RunAt<Kernel<T>, T>(bits, ref kernel);
        }

        inPlace.Should().Equal(apart[offset..], (left, right) => left.Equals(right));
        return inPlace;
    }

    private readonly struct Kernel<T>(LongRow<T> row) : IVectorKernel<T>
        where T : unmanaged
    {
        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct => row.Softmax<TSimd, TVector>();
    }
}
