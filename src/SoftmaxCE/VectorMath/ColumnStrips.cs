using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax, or log-softmax, along an axis across which neighbouring lines lie side by side in memory.</summary>
/// <remarks>
/// Strips of a few vectors of neighbouring lines are copied into scratch memory, where a line's values are close together whatever the tensor's
/// strides (<see cref="ColumnExponentials{T}"/>, <see cref="ColumnLogSums{T}"/>), and back when done, with the last step on the way: every value is read and written once, in runs of whole
/// cache lines. A stride is often longer than what the hardware foresees, so values some rows ahead are fetched.
/// </remarks>
/// <param name="source">The first value of the first line.</param>
/// <param name="sourceStep">From one value of a line to the next.</param>
/// <param name="length">Values of a line.</param>
/// <param name="lineCount">Neighbouring lines.</param>
/// <param name="scratch">Room for <see cref="ScratchLength"/> values.</param>
/// <param name="isLog">Log-softmax.</param>
internal readonly unsafe struct ColumnStrips<T>(
    T* source, nint sourceStep, T* destination, nint destinationStep, int length, nint lineCount, T* scratch, bool isLog)
    : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>A strip takes about this much of the second-level cache, unless it would be narrower than <see cref="LeastVectors"/>.</summary>
    private const int StripBytes = 256 * 1024;

    private const int LeastVectors = 4;

    private const int MostVectors = 64;

    /// <summary>Values of a line that are fetched in advance.</summary>
    private const int Ahead = 8;

    /// <summary>Values of scratch memory that lines of this length need.</summary>
    public static int ScratchLength(int length) => checked(VectorsPerStrip(length) * length * WholeVector.Lanes<T>());

    [SkipLocalsInit]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, width = VectorsPerStrip(length) * lanes;
        T* numbers = stackalloc T[2 * MostVectors * lanes];
        for (nint line = 0; line < lineCount; line += width)
        {
            int lines = (int)nint.Min(width, lineCount - line), vectors = (lines + lanes - 1) / lanes;
            Gather<TSimd, TVector>(source + line, lines);
            if (isLog)
            {
                TakeLogs<TSimd, TVector>(vectors, numbers);
                Scatter<TSimd, TVector, Difference>(destination + line, lines, numbers);
            }
            else
            {
                ColumnExponentials<T> exponentials = new(scratch, length, vectors, numbers);
                TSimd.RunLanes(ref exponentials, 0);
                Scatter<TSimd, TVector, Product>(destination + line, lines, numbers);
            }
        }
    }

    /// <summary>For each vector of lines the maxima, and the logarithms of the sums of e^(x − maximum).</summary>
    [SkipLocalsInit]
    private void TakeLogs<TSimd, TVector>(int vectors, T* maximaAndLogs)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(lanes)];
        for (int v = 0; v < vectors; v++, maximaAndLogs += 2 * lanes)
        {
            ColumnLogSums<T> sums = new(scratch + ((nint)v * length * lanes), length, numbers, maximaAndLogs);
            TSimd.RunLanes(ref sums, 0);
            new RowLogs<T>(numbers, lanes).LogAboveMaximum(maximaAndLogs + lanes);
        }
    }

    private static int VectorsPerStrip(int length) => Math.Clamp(StripBytes / CacheHints.LineBytes / length, LeastVectors, MostVectors);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Gather<TSimd, TVector>(T* from, int lines)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, whole = lines / lanes, rest = lines % lanes;
        nint vectorStep = (nint)length * lanes;
        T* to = scratch;
        for (int i = 0; i < length; i++, from += sourceStep, to += lanes)
        {
            T* vector = to, ahead = i + Ahead < length ? from + (Ahead * sourceStep) : from;
            for (int v = 0; v < whole; v++, vector += vectorStep)
            {
                CacheHints.Fetch(ahead + (v * lanes));
                TSimd.Store(ref *vector, 0, TSimd.Load(ref *(from + (v * lanes)), 0));
            }

            // What fills up the last vector is defined, and unused.
            if (rest > 0) TSimd.Store(ref *vector, 0, TSimd.LoadPartial(from + (whole * lanes), rest, TSimd.Create(default)));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Scatter<TSimd, TVector, TStep>(T* to, int lines, T* numbers)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TStep : struct
    {
        int lanes = TSimd.Lanes, whole = lines / lanes, rest = lines % lanes;
        nint vectorStep = (nint)length * lanes;
        T* from = scratch;
        for (int i = 0; i < length; i++, from += lanes, to += destinationStep)
        {
            T* vector = from, numbersOfVector = numbers, ahead = i + Ahead < length ? to + (Ahead * destinationStep) : to;
            for (int v = 0; v < whole; v++, vector += vectorStep, numbersOfVector += 2 * lanes)
            {
                CacheHints.Fetch(ahead + (v * lanes));
                TSimd.Store(ref *(to + (v * lanes)), 0, LastStep<TSimd, TVector, TStep>(vector, numbersOfVector));
            }

            if (rest > 0) TSimd.StorePartial(to + (whole * lanes), rest, LastStep<TSimd, TVector, TStep>(vector, numbersOfVector));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LastStep<TSimd, TVector, TStep>(T* values, T* numbers)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TStep : struct
    {
        TVector value = TSimd.Load(ref *values, 0), first = TSimd.Load(ref *numbers, 0), second = TSimd.Load(ref *numbers, (nuint)TSimd.Lanes);
        return typeof(TStep) == typeof(Product)
            ? TSimd.MultiplyAdd(value, first, TSimd.Multiply(value, second))
            : TSimd.Subtract(TSimd.Subtract(value, first), second);
    }

    /// <summary>e (factor + low): a probability.</summary>
    private readonly struct Product;

    /// <summary>(x − max) − log: a log-probability.</summary>
    private readonly struct Difference;
}
