using System.Numerics;

namespace SoftmaxCE.Benchmarks;

/// <summary>Inputs of the suites. Arrays are pinned and written once before any measurement, so that no page fault is timed.</summary>
internal static class Logits
{
    // Beyond this many values the same ones come again; no cache notices.
    private const int Period = 1 << 20;
    private const double StandardDeviation = 4;

    /// <summary>Normal logits, the same for the same seed.</summary>
    public static T[] Normal<T>(long length, int seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] values = Zeros<T>(length);
        Span<T> first = values.AsSpan(0, (int)Math.Min(length, Period));
        Random random = new(seed);
        foreach (ref T value in first)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            value = T.CreateChecked(StandardDeviation * radius * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        for (int start = Period; start < length; start += Period) first[..(int)Math.Min(Period, length - start)].CopyTo(values.AsSpan(start));
        return values;
    }

    public static T[] Zeros<T>(long length)
    {
        T[] values = GC.AllocateUninitializedArray<T>(checked((int)length), pinned: true);
        Array.Clear(values);
        return values;
    }

    public static T[] Pinned<T>(T[] values)
    {
        T[] copy = Zeros<T>(values.Length);
        values.CopyTo(copy, 0);
        return copy;
    }

    public static int[] Labels(Shape shape, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, shape.Rows).Select(_ => random.Next(shape.Classes))];
    }
}
