namespace SoftmaxCE.Tests;

public unsafe class HalfConversionTests
{
    /// <summary>A prime, so that float patterns this far apart have all kinds of low digits.</summary>
    private const int PatternStep = 1009;

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Every_half_becomes_the_float_it_is(int bits)
    {
        Half[] halves = [.. AllHalves()];
        float[] floats = ToFloats(bits, halves);
        for (int i = 0; i < halves.Length; i++)
        {
            if (!IsSame(floats[i], (float)halves[i])) Assert.Fail($"Pattern {i:X4}, {halves[i]}, gave {floats[i]}.");
        }
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Floats_on_both_sides_of_every_rounding_boundary_become_the_nearest_half(int bits)
    {
        List<float> values = [];
        foreach (Half half in AllHalves().Where(h => Half.IsFinite(h) && !Half.IsNegative(h)))
        {
            float value = (float)half, next = half == Half.MaxValue ? 65536 : (float)Half.BitIncrement(half), middle = (value + next) / 2;
            foreach (float at in new[] { value, middle })
            {
                values.AddRange([MathF.BitDecrement(at), at, MathF.BitIncrement(at)]);
                values.AddRange([-MathF.BitDecrement(at), -at, -MathF.BitIncrement(at)]);
            }
        }

        Check(bits, [.. values]);
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Floats_of_all_magnitudes_become_the_nearest_half(int bits)
    {
        float[] values = new float[(1L << 32) / PatternStep];
        for (int i = 0; i < values.Length; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)i * PatternStep);
        Check(bits, values);
        Check(bits, [float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 0f, -0f, BitConverter.UInt32BitsToSingle(0x7F800001), 65519.996f, 65520f]);
    }

    [Fact]
    public void Every_length_is_converted_and_nothing_behind_it_is_touched()
    {
        for (int length = 0; length <= 40; length++)
        {
            Half[] halves = [.. Enumerable.Range(1, length).Select(i => (Half)(i / 3f))], back = new Half[length + 1];
            float[] floats = new float[length + 1];
            floats[length] = 7;
            back[length] = (Half)7;
            Conversion.Convert<Half, float>(halves, floats);
            floats.Should().Equal([.. halves.Select(h => (float)h), 7]);
            Conversion.Convert<float, Half>(floats.AsSpan(0, length), back);
            back.Should().Equal([.. halves, (Half)7]);
        }
    }

    private static void Check(int bits, float[] values)
    {
        Half[] halves = new Half[values.Length];
        fixed (float* source = values)
        fixed (Half* destination = halves)
        {
            FloatsToHalves kernel = new(source, destination, values.Length);
            VectorWidth.RunAt<FloatsToHalves, float>(bits, ref kernel);
        }

        for (int i = 0; i < values.Length; i++)
        {
            if (!IsSame((float)halves[i], (float)(Half)values[i])) Assert.Fail($"{values[i]:R} gave {halves[i]}, not {(Half)values[i]}.");
        }
    }

    private static float[] ToFloats(int bits, Half[] halves)
    {
        float[] floats = new float[halves.Length];
        fixed (Half* source = halves)
        fixed (float* destination = floats)
        {
            HalvesToFloats kernel = new(source, destination, halves.Length);
            VectorWidth.RunAt<HalvesToFloats, float>(bits, ref kernel);
        }

        return floats;
    }

    private static IEnumerable<Half> AllHalves() => Enumerable.Range(0, 1 << 16).Select(i => BitConverter.UInt16BitsToHalf((ushort)i));

    /// <summary>The same number with the same sign, or both NaN.</summary>
    private static bool IsSame(float a, float b) =>
        float.IsNaN(a) ? float.IsNaN(b) : BitConverter.SingleToUInt32Bits(a) == BitConverter.SingleToUInt32Bits(b);
}
