using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax, or log-softmax, along an axis across which neighbouring lines lie side by side in memory.</summary>
/// <remarks>
/// A register holds one value of each of as many neighbouring lines as it has lanes, and no lane needs another one, so a vector is one register here
/// (<see cref="ISimd{TVector,T}.RunOnRegister"/>). Strips a few cache lines wide are copied into scratch memory, where the values of a
/// register lie one after the other whatever the tensor's strides, worked on there (<see cref="ColumnExponentials{T}"/>, <see cref="ColumnLogSums{T}"/>), and
/// written back with the last step on the way: every value is read and written once, in runs of whole cache lines. A stride is often longer than what
/// the hardware foresees, so values some rows ahead are fetched; and often it is a power of two, so that lines left where they are would compete
/// for a few places of each cache.
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
    /// <summary>A strip takes about this much of the second-level cache, unless it would be narrower than <see cref="LeastWidth"/>.</summary>
    private const int StripBytes = 256 * 1024;

    /// <summary>Cache lines across a strip.</summary>
    private const int LeastWidth = 4;

    private const int MostWidth = 64;

    /// <summary>Values of a line that are fetched in advance.</summary>
    private const int Ahead = 8;

    /// <summary>Results of more bytes are in no cache when somebody reads them: they are written past the caches, which then need not read what is replaced.</summary>
    private const long MostCachedBytes = 16 * 1024 * 1024;

    /// <summary>Values of scratch memory that lines of this length need.</summary>
    public static int ScratchLength(int length) =>
        checked((((Width(length) * (length + (2 * WholeVector.Lanes<T>()))) + 1) * WholeVector.Lanes<T>()));

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int most = Width(length) * WholeVector.Lanes<T>();
        T* strip = (T*)WholeVector.Align((byte*)scratch), firsts = stackalloc T[2 * most], seconds = firsts + most;

        // Where there are several strips, a narrow one comes first, so that the others begin with a cache line.
        int lines = lineCount > most ? (int)RowPasses.ElementsToBoundary(destination, (nuint)WholeVector.Lanes<T>()) : 0;
        if (lines == 0) lines = (int)nint.Min(most, lineCount);
        for (nint line = 0; line < lineCount; line += lines, lines = (int)nint.Min(most, lineCount - line))
        {
            Gather<TSimd, TVector>(source + line, lines, strip);
            if (isLog)
            {
                TakeLogs<TSimd, TVector>(strip, lines, firsts, seconds);
                Scatter<TSimd, TVector, Difference>(strip, destination + line, lines, firsts, seconds);
            }
            else
            {
                for (int i = 0; i < lines; i += TSimd.Lanes) new ColumnExponentials<T>(Register(strip, i, TSimd.Lanes), length).Run<TSimd, TVector>(firsts + i, seconds + i);
                Scatter<TSimd, TVector, Product>(strip, destination + line, lines, firsts, seconds);
            }
        }
    }

    /// <summary>For each line the maximum, and the logarithm of the sum of e^(x − maximum).</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Apart)]
    private void TakeLogs<TSimd, TVector>(T* strip, int lines, T* maxima, T* results)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, whole = (lines + WholeVector.Lanes<T>() - 1) / WholeVector.Lanes<T>() * WholeVector.Lanes<T>();
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(whole)];
        RowLogs<T> logs = new(numbers, whole);
        if (length <= WholeVector.Lanes<T>())
        {
            for (int i = 0; i < lines; i += lanes) new ColumnLogSums<T>(Register(strip, i, lanes), length).SumBelow<TSimd, TVector>(maxima + i, new(numbers + i, whole));
            logs.LogAboveMaximum(results);
            return;
        }

        for (int i = 0; i < lines; i += lanes) new ColumnLogSums<T>(Register(strip, i, lanes), length).Sum<TSimd, TVector>(maxima + i, logs.High + i, logs.Low + i);
        logs.LogOfSums(results);
        for (int i = 0; i < lines; i += lanes) new ColumnLogSums<T>(Register(strip, i, lanes), length).MendConfident<TSimd, TVector>(maxima + i, logs.High + i, results + i);
    }

    /// <summary>Cache lines across a strip.</summary>
    private static int Width(int length) => Math.Clamp(StripBytes / CacheHints.LineBytes / length, LeastWidth, MostWidth);

    /// <summary>Where the register lies that begins with this line of a strip.</summary>
    private T* Register(T* strip, int line, int lanes) => strip + (line / lanes * RegisterStep(lanes));

    /// <summary>Values of scratch memory from one register to the next: an odd number of cache lines, so that registers do not compete for a place.</summary>
    private nint RegisterStep(int lanes) => ((((nint)length * lanes) + WholeVector.Lanes<T>() - 1) / WholeVector.Lanes<T>() | 1) * WholeVector.Lanes<T>();

    [MethodImpl(LoopMethod.Apart)]
    private void Gather<TSimd, TVector>(T* from, int lines, T* to)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, rest = lines % lanes;
        nint registerStep = RegisterStep(lanes);
        for (int i = 0; i < length; i++, from += sourceStep, to += lanes)
        {
            T* register = to, value = from, end = from + (lines - rest);
            nint ahead = i + Ahead < length ? Ahead * sourceStep : 0;
            for (; value < end; value += lanes, register += registerStep)
            {
                CacheHints.Fetch(value + ahead);
                TSimd.Store(ref *register, 0, TSimd.Load(ref *value, 0));
            }

            // What fills up the last register is defined, and unused.
            if (rest > 0) TSimd.Store(ref *register, 0, TSimd.LoadPartial(value, rest, TSimd.Create(default)));
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private void Scatter<TSimd, TVector, TStep>(T* from, T* to, int lines, T* firsts, T* seconds)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TStep : struct
    {
        int line = WholeVector.Lanes<T>();
        bool isWholeLines = lines % line == 0 && destinationStep % line == 0 && (nuint)to % WholeVector.Bytes == 0;
        if (isWholeLines && (long)length * lineCount * sizeof(T) > MostCachedBytes)
        {
            Scatter<TSimd, TVector, TStep, PastCaches>(from, to, lines, firsts, seconds);
            Interlocked.MemoryBarrier();            // stores past the caches are not ordered with others
        }
        else
        {
            Scatter<TSimd, TVector, TStep, ToCaches>(from, to, lines, firsts, seconds);
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Scatter<TSimd, TVector, TStep, TPlace>(T* from, T* to, int lines, T* firsts, T* seconds)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TStep : struct
        where TPlace : struct
    {
        int lanes = TSimd.Lanes, rest = lines % lanes;
        nint registerStep = RegisterStep(lanes);
        for (int i = 0; i < length; i++, from += lanes, to += destinationStep)
        {
            T* register = from, first = firsts, second = seconds, value = to, end = to + (lines - rest);
            nint ahead = i + Ahead < length ? Ahead * destinationStep : 0;
            for (; value < end; value += lanes, register += registerStep, first += lanes, second += lanes)
            {
                TVector result = LastStep<TSimd, TVector, TStep>(register, first, second);
                if (typeof(TPlace) == typeof(PastCaches))
                {
                    TSimd.StorePastCaches(value, result);
                    continue;
                }

                CacheHints.Fetch(value + ahead);
                TSimd.Store(ref *value, 0, result);
            }

            if (rest > 0) TSimd.StorePartial(value, rest, LastStep<TSimd, TVector, TStep>(register, first, second));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LastStep<TSimd, TVector, TStep>(T* values, T* firsts, T* seconds)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TStep : struct
    {
        TVector value = TSimd.Load(ref *values, 0), first = TSimd.Load(ref *firsts, 0), second = TSimd.Load(ref *seconds, 0);
        return typeof(TStep) == typeof(Product)
            ? TSimd.MultiplyAdd(value, first, TSimd.Multiply(value, second))
            : TSimd.Subtract(TSimd.Subtract(value, first), second);
    }

    /// <summary>e (factor + low): a probability.</summary>
    private readonly struct Product;

    /// <summary>(x − max) − log: a log-probability.</summary>
    private readonly struct Difference;

    private readonly struct ToCaches;

    private readonly struct PastCaches;
}
