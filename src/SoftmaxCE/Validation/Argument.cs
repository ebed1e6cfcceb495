using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Checks of arguments, made before anything is written. Each throws from a cold method, so that the check itself inlines.</summary>
internal static class Argument
{
    public static void NotEmpty<T>(ReadOnlySpan<T> values, [CallerArgumentExpression(nameof(values))] string name = "")
    {
        if (values.IsEmpty) ThrowEmpty(name);
    }

    public static void SameLength(int expected, int actual, string name)
    {
        if (actual != expected) ThrowLength(expected, actual, name);
    }

    public static void FitsInto(long needed, int available, string name = "destination")
    {
        if (available < needed) ThrowTooShort(needed, available, name);
    }

    /// <summary>Allows exact in-place work and separate memory; refuses memory that overlaps with a shift.</summary>
    public static void SameStartOrDisjoint<T>(ReadOnlySpan<T> source, ReadOnlySpan<T> destination, string name = "destination")
    {
        if (source.Overlaps(destination, out int offset) && offset != 0) ThrowOverlap(offset, name);
    }

    public static void Disjoint<T>(ReadOnlySpan<T> source, ReadOnlySpan<T> destination, string name = "destination")
    {
        if (source.Overlaps(destination)) ThrowMustNotOverlap(name);
    }

    public static void DividesInto(int length, int classCount, string name)
    {
        if (classCount <= 0) ThrowNotPositive(classCount, nameof(classCount));
        if (length % classCount != 0) ThrowDoesNotDivide(length, classCount, name);
    }

    public static void Positive(int value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value <= 0) ThrowNotPositive(value, name);
    }

    /// <summary>Probabilities: ≥ 0. A NaN passes, it makes the result NaN.</summary>
    /// <param name="firstIndex">The index that the caller's first value has for the user.</param>
    public static void NotNegative<T>(ReadOnlySpan<T> values, int firstIndex, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] < T.Zero) ThrowNegative(firstIndex + i, values[i], name);
        }
    }

    public static void FiniteAndNotNegative<T>(ReadOnlySpan<T> values, [CallerArgumentExpression(nameof(values))] string name = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!(values[i] >= T.Zero && T.IsFinite(values[i]))) ThrowNotFiniteEntry(i, values[i], name);
        }
    }

    /// <summary>A number of threads, or −1 for all.</summary>
    public static void Parallelism(int maxDegreeOfParallelism)
    {
        if (maxDegreeOfParallelism is 0 or < -1) ThrowParallelism(maxDegreeOfParallelism, nameof(maxDegreeOfParallelism));
    }

    public static void FiniteAndPositive(double value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value > 0 && double.IsFinite(value))) ThrowNotFinitePositive(value, name);
    }

    public static void FiniteAndNotNegative(double value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value >= 0 && double.IsFinite(value))) ThrowNotFiniteNotNegative(value, name);
    }

    public static void Finite(ReadOnlySpan<double> values, [CallerArgumentExpression(nameof(values))] string name = "")
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i])) ThrowNotFinite(i, values[i], name);
        }
    }

    [DoesNotReturn]
    public static void ThrowLabel(int row, int label, int classCount, string name = "labels") =>
        throw new ArgumentOutOfRangeException(name, label, $"Row {row} has label {label}, but there are {classCount} classes: labels are 0 to {classCount - 1}.");

    [DoesNotReturn]
    private static void ThrowNotFinite(int index, double value, string name) => throw new ArgumentException($"Value {index} is {value}; all must be finite.", name);

    [DoesNotReturn]
    private static void ThrowEmpty(string name) => throw new ArgumentException("Needs at least one value but is empty.", name);

    [DoesNotReturn]
    private static void ThrowLength(int expected, int actual, string name) =>
        throw new ArgumentException($"Needs {expected} values but has {actual}.", name);

    [DoesNotReturn]
    private static void ThrowTooShort(long needed, int available, string name) =>
        throw new ArgumentException($"Needs room for {needed} values but has {available}.", name);

    [DoesNotReturn]
    private static void ThrowOverlap(int offset, string name) =>
        throw new ArgumentException($"Overlaps the input, shifted by {offset} values; it must be the same memory or separate memory.", name);

    [DoesNotReturn]
    private static void ThrowMustNotOverlap(string name) => throw new ArgumentException("Overlaps an input; it must be separate memory.", name);

    [DoesNotReturn]
    private static void ThrowDoesNotDivide(int length, int classCount, string name) =>
        throw new ArgumentException($"Has {length} values, which is not a whole number of rows of {classCount} classes.", name);

    [DoesNotReturn]
    private static void ThrowNotPositive(int value, string name) => throw new ArgumentOutOfRangeException(name, value, "Must be at least 1.");

    [DoesNotReturn]
    private static void ThrowNegative<T>(int index, T value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, $"Entry {index} is {value}, but a probability is at least 0.");

    [DoesNotReturn]
    private static void ThrowNotFiniteEntry<T>(int index, T value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, $"Entry {index} is {value}, but must be finite and at least 0.");

    [DoesNotReturn]
    private static void ThrowParallelism(int value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, "Must be at least 1, or -1 for all processors.");

    [DoesNotReturn]
    private static void ThrowNotFinitePositive(double value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, "Must be finite and greater than 0.");

    [DoesNotReturn]
    private static void ThrowNotFiniteNotNegative(double value, string name) =>
        throw new ArgumentOutOfRangeException(name, value, "Must be finite and at least 0.");
}
