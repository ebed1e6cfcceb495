using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax, or log-softmax, along an axis across which neighbouring lines lie side by side in memory.</summary>
/// <remarks>
/// A register holds one value of each of as many neighbouring lines as it has lanes, and no lane needs another one, so a vector is one register here
/// (<see cref="ISimd{TVector,T}.RunOnRegister"/>). Strips a few cache lines wide are copied into scratch memory, where the values of a
/// register lie one after the other whatever the tensor's strides, worked on there (<see cref="ColumnExponentials{T}"/>, <see cref="ColumnLogSums{T}"/>), and
/// written back with the last step on the way: every value is read and written once, in runs of whole cache lines. A stride is often longer than what
/// the hardware foresees, so values some rows ahead are fetched; and often it is a power of two, so that lines left where they are would compete
/// for a few places of each cache. While one strip is worked on, the one before leaves and the next arrives (<see cref="StripExchange{T}"/>).
/// Lines so short that their exponentials stay in the first-level cache need no strips: <see cref="ShortColumns{T}"/>.
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
    private const int StripBytes = 128 * 1024;

    /// <summary>Cache lines across a strip. Every run of them costs the look-up of a page.</summary>
    private const int LeastWidth = 4;

    private const int MostWidth = 64;

    /// <summary>Results of more bytes are in no cache when somebody reads them: they are written past the caches, which then need not read what is replaced.</summary>
    private const long MostCachedBytes = 16 * 1024 * 1024;

    private bool IsLarge => (long)length * lineCount * sizeof(T) > MostCachedBytes;

    /// <summary>Values of scratch memory that lines of this length need: two strips, or one if it holds all lines.</summary>
    public static int ScratchLength(int length, nint lineCount)
    {
        int width = Width(length, lineCount), strips = lineCount > width * WholeVector.Lanes<T>() ? 2 : 1;
        return checked(((strips * width * (length + (2 * WholeVector.Lanes<T>()))) + 1) * WholeVector.Lanes<T>());
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        nint first = 0;
        if (length <= WholeVector.Lanes<T>() && !isLog)
        {
            first = lineCount - (lineCount % TSimd.Lanes);
            new ShortColumns<T>(sourceStep, destinationStep, length, (T*)WholeVector.Align((byte*)scratch)).Run<TSimd, TVector>(source, destination, first);
            if (first == lineCount) return;
        }

        if (isLog) RunStrips<TSimd, TVector, RowPasses.Dropped>(first);
        else RunStrips<TSimd, TVector, RowPasses.Stored>(first);
        if (IsLarge) Interlocked.MemoryBarrier();            // stores past the caches are not ordered with others
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private void RunStrips<TSimd, TVector, TFate>(nint first)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        int lanes = TSimd.Lanes, most = Width(length, lineCount) * WholeVector.Lanes<T>();
        T* room = (T*)WholeVector.Align((byte*)scratch), numbers = stackalloc T[4 * most];
        Strip atWork = new() { Room = room, Firsts = numbers, Seconds = numbers + most, Line = first };
        Strip other = new() { Room = room + (most / lanes * RegisterStep(lanes)), Firsts = numbers + (2 * most), Seconds = numbers + (3 * most) };

        // Where there are several strips, a narrow one comes first, so that the others begin with a cache line.
        atWork.Lines = lineCount - first > most ? (int)RowPasses.ElementsToBoundary(destination, (nuint)WholeVector.Lanes<T>()) : 0;
        if (atWork.Lines == 0) atWork.Lines = (int)nint.Min(most, lineCount - first);
        Exchange(default, atWork, lanes).Finish<TSimd, TVector, TFate>();
        while (atWork.Lines > 0)
        {
            Strip next = other;
            next.Line = atWork.Line + atWork.Lines;
            next.Lines = (int)nint.Min(most, lineCount - next.Line);
            if (other.Lines > 0 && next.Lines > 0 && other.Lines != next.Lines)
            {
                Exchange(other, default, lanes).Finish<TSimd, TVector, TFate>();
                other.Lines = 0;
            }

            StripExchange<T> exchange = Exchange(other, next, lanes);
            if (TFate.Stores) TakeExponentials<TSimd, TVector>(atWork, ref exchange);
            else TakeLogs<TSimd, TVector>(atWork, ref exchange);
            exchange.Finish<TSimd, TVector, TFate>();
            other = atWork;
            atWork = next;
        }

        Exchange(other, default, lanes).Finish<TSimd, TVector, TFate>();
    }

    /// <summary>One strip leaves, another arrives at the same place; of no lines where there is none.</summary>
    private StripExchange<T> Exchange(in Strip leaving, in Strip arriving, int lanes)
    {
        T* from = arriving.Lines > 0 ? source + arriving.Line : null, to = leaving.Lines > 0 ? destination + leaving.Line : null;
        int lines = Math.Max(leaving.Lines, arriving.Lines), cacheLine = WholeVector.Lanes<T>();
        bool isWholeLines = lines % cacheLine == 0 && destinationStep % cacheLine == 0 && (nuint)to % WholeVector.Bytes == 0;
        return new(from == null ? leaving.Room : arriving.Room, length, from, sourceStep, to, destinationStep)
        {
            Lines = lines,
            RegisterStep = RegisterStep(lanes),
            Firsts = leaving.Firsts,
            Seconds = leaving.Seconds,
            IsPastCaches = isWholeLines && IsLarge,
        };
    }

    /// <summary>Exponentials in place of the logits, and for each line what they are still to be multiplied by.</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private void TakeExponentials<TSimd, TVector>(in Strip strip, ref StripExchange<T> exchange)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, whole = WholeVector.Lanes<T>();
        T* factors = strip.Firsts, lows = strip.Seconds;
        if (length <= whole)
        {
            // What is left of short lines. Nothing remains to be multiplied by.
            T* few = stackalloc T[2 * whole * lanes];
            TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(strip.Room, lanes, length);
            SoftmaxColumns.Factors<TVector> ofFew = SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(strip.Room, lanes, length, max, few);
            SoftmaxColumns.ScaleFew<TSimd, TVector, T>(few, length, ofFew, strip.Room, lanes);
            TSimd.Store(ref *factors, 0, ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0));
            TSimd.Store(ref *lows, 0, TSimd.Create(default));
            return;
        }

        double* sums = stackalloc double[2 * (strip.Lines + lanes)], lost = sums + strip.Lines + lanes;
        for (int i = 0; i < strip.Lines; i += lanes)
        {
            T* register = Register(strip, i, lanes);
            TVector max = SoftmaxColumns.Max<TSimd, TVector, T>(register, lanes, length);
            new ColumnExponentials<T>(register, length).Sum<TSimd, TVector, RowPasses.Stored>(max, ref exchange, sums + i, lost + i);
        }

        for (int i = 0; i < strip.Lines; i++) factors[i] = RowSum.Reciprocal(new() { High = sums[i], Low = lost[i] }, out lows[i]);
    }

    /// <summary>For each line the maximum, and the logarithm of the sum of e^(x − maximum).</summary>
    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Apart)]
    private void TakeLogs<TSimd, TVector>(in Strip strip, ref StripExchange<T> exchange)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = TSimd.Lanes, whole = (strip.Lines + WholeVector.Lanes<T>() - 1) / WholeVector.Lanes<T>() * WholeVector.Lanes<T>();
        T* maxima = strip.Firsts, results = strip.Seconds;
        double* numbers = stackalloc double[RowLogs<T>.NumbersFor(whole)];
        RowLogs<T> logs = new(numbers, whole);
        if (length <= WholeVector.Lanes<T>())
        {
            for (int i = 0; i < strip.Lines; i += lanes) new ColumnLogSums<T>(Register(strip, i, lanes), length).SumBelow<TSimd, TVector>(maxima + i, new(numbers + i, whole));
            logs.LogAboveMaximum(results);
            return;
        }

        for (int i = 0; i < strip.Lines; i += lanes)
            new ColumnLogSums<T>(Register(strip, i, lanes), length).Sum<TSimd, TVector>(maxima + i, ref exchange, logs.High + i, logs.Low + i);
        logs.LogOfSums(results);
        for (int i = 0; i < strip.Lines; i += lanes)
            new ColumnLogSums<T>(Register(strip, i, lanes), length).MendConfident<TSimd, TVector>(maxima + i, logs.High + i, results + i);
    }

    /// <summary>Cache lines across a strip.</summary>
    private static int Width(int length, nint lineCount) =>
        (int)nint.Min(Math.Clamp(StripBytes / CacheHints.LineBytes / length, LeastWidth, MostWidth) & ~3, (lineCount + WholeVector.Lanes<T>() - 1) / WholeVector.Lanes<T>());

    /// <summary>Where the register lies that begins with this line of a strip.</summary>
    private T* Register(in Strip strip, int line, int lanes) => strip.Room + (line / lanes * RegisterStep(lanes));

    /// <summary>Values of scratch memory from one register to the next: an odd number of cache lines, so that registers do not compete for a place.</summary>
    private nint RegisterStep(int lanes) => ((((nint)length * lanes) + WholeVector.Lanes<T>() - 1) / WholeVector.Lanes<T>() | 1) * WholeVector.Lanes<T>();

    /// <summary>Neighbouring lines in scratch memory, and two numbers of each that the last step needs: factor and its low part, or maximum and logarithm.</summary>
    private struct Strip
    {
        public T* Room;
        public T* Firsts;
        public T* Seconds;

        /// <summary>The first line.</summary>
        public nint Line;

        public int Lines;
    }
}
