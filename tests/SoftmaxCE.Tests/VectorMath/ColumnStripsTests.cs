using System.Numerics;
using System.Numerics.Tensors;

namespace SoftmaxCE.Tests;

public unsafe class ColumnStripsTests
{
    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Lines_of_floats_have_the_pinned_bits(int bits) => Hash<float>(bits).Should().Be(0x9674973C90DC8ED1UL);

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Lines_of_doubles_have_the_pinned_bits(int bits) => Hash<double>(bits).Should().Be(0xB0F08B469A75F27EUL);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_line_does_not_depend_on_its_neighbours_or_on_the_size_of_the_tensor(bool isLog)
    {
        // 17 MB, which is written past the caches where whole cache lines are; parts of it are not.
        const int Rows = 4200, Columns = 1024;
        float[] values = Values<float>(Rows * Columns, 5), whole = new float[values.Length], parts = [.. values];
        Run(isLog, new ReadOnlyTensorSpan<float>(values, [Rows, Columns]), new TensorSpan<float>(whole, [Rows, Columns]));
        TensorSpan<float> inPlace = new(parts, [Rows, Columns]);
        for (int column = 0, width = 2; column < Columns; column += width, width = Math.Min((2 * width) + 1, Columns - column))
        {
            TensorSpan<float> part = inPlace[0..Rows, column..(column + width)];
            Run(isLog, part, part);
        }

        parts.AsSpan().SequenceEqual(whole).Should().BeTrue();
    }

    private static void Run(bool isLog, in ReadOnlyTensorSpan<float> logits, in TensorSpan<float> destination)
    {
        if (isLog) SoftmaxFunctions.LogSoftmax(logits, 0, destination);
        else SoftmaxFunctions.Softmax(logits, 0, destination);
    }

    private static ulong Hash<T>(int bits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        BitHash hash = new();
        foreach (int length in new[] { 1, 2, 7, 15, 16, 17, 33, 100, 128, 129, 300 })
        {
            foreach (int lines in new[] { 1, 5, 16, 23, 77 })
            {
                T[] logits = Values<T>(length * lines, length + lines), destination = new T[logits.Length];
                T[] scratch = new T[ColumnStrips<T>.ScratchLength(length, lines)];
                logits[logits.Length / 2] = T.CreateChecked(1e6);
                logits[logits.Length / 3] = T.NegativeInfinity;
                foreach (bool isLog in new[] { false, true })
                {
                    fixed (T* source = logits, target = destination, room = scratch)
                    {
                        OnRegister<ColumnStrips<T>, T> kernel = new(new(source, lines, target, lines, length, lines, room, isLog));
                        VectorWidth.RunAt<OnRegister<ColumnStrips<T>, T>, T>(bits, ref kernel);
                    }

                    Add(hash, destination);
                }
            }
        }

        return hash.Value;
    }

    private static void Add<T>(BitHash hash, T[] values)
    {
        if (values is float[] singles) hash.Add(singles);
        else hash.Add((double[])(object)values);
    }

    private static T[] Values<T>(int count, int seed)
        where T : IBinaryFloatingPointIeee754<T> => [.. Enumerable.Range(seed, count).Select(i => T.CreateChecked((((i * 7919L) % 10007) / 500.0) - 10))];

    private struct OnRegister<TKernel, T>(TKernel kernel) : IVectorKernel<T>
        where TKernel : struct, IVectorKernel<T>
        where T : unmanaged
    {
        private TKernel _kernel = kernel;

        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct => TSimd.RunOnRegister(ref _kernel);
    }
}
