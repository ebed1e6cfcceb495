using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// Moves the results of one strip of lines out of scratch memory, with the last step on the way, and the logits of another into the places that become free:
/// four registers at a time, between the operations on a third strip, which take so long that memory keeps up. A strip that such fours do not fill moves afterwards.
/// </summary>
internal unsafe struct StripExchange<T>
    where T : unmanaged
{
    /// <summary>Values of a line that are fetched in advance.</summary>
    private const int Ahead = 4;

    private T* _row, _place, _source, _destination;
    private nint _column, _sourceAhead, _destinationAhead;
    private int _rowsLeft;

    /// <param name="room">The first register in scratch memory.</param>
    /// <param name="length">Values of a line.</param>
    /// <param name="source">The first logit that comes in; null for none.</param>
    /// <param name="sourceStep">From one value of a line to the next.</param>
    /// <param name="destination">Where the first result goes; null for nowhere.</param>
    public StripExchange(T* room, int length, T* source, nint sourceStep, T* destination, nint destinationStep)
    {
        _row = room;
        _place = room;
        _rowsLeft = source == null && destination == null ? 0 : length;
        _source = source;
        _destination = destination;
        SourceStep = sourceStep;
        DestinationStep = destinationStep;
        _sourceAhead = length > Ahead ? Ahead * sourceStep : 0;
        _destinationAhead = length > Ahead ? Ahead * destinationStep : 0;
    }

    /// <summary>Lines of the strips.</summary>
    public required int Lines { get; init; }

    /// <summary>From one register in scratch memory to the next one with other lines.</summary>
    public required nint RegisterStep { get; init; }

    /// <summary>What the last step needs of each line.</summary>
    public required T* Firsts { get; init; }

    /// <inheritdoc cref="Firsts"/>
    public required T* Seconds { get; init; }

    /// <summary>Whether results go past the caches; they fill whole cache lines then.</summary>
    public required bool IsPastCaches { get; init; }

    private readonly nint SourceStep { get; }

    private readonly nint DestinationStep { get; }

    /// <summary>Moves what is left.</summary>
    [MethodImpl(LoopMethod.Apart)]
    public readonly void Finish<TSimd, TVector, TFate>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        StripExchange<T> rest = this;
        while (rest._rowsLeft > 0 && Lines % (4 * TSimd.Lanes) == 0) rest.MoveFour<TSimd, TVector, TFate>();
        while (rest._rowsLeft > 0) rest.Move<TSimd, TVector, TFate>();
    }

    /// <summary>Moves a register, full or not. Exponentials that were stored become probabilities; logits whose exponentials were not, log-probabilities.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Move<TSimd, TVector, TFate>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        int lanes = TSimd.Lanes;
        if (_column + lanes <= Lines)
        {
            if (_destination != null) StoreResult<TSimd, TVector, TFate>(_destination + _column);
            if (_source != null)
            {
                CacheHints.Fetch(_source + _column + _sourceAhead);
                TSimd.Store(ref *_place, 0, TSimd.Load(ref *(_source + _column), 0));
            }
        }
        else
        {
            int rest = (int)(Lines - _column);
            if (_destination != null) TSimd.StorePartial(_destination + _column, rest, Result<TSimd, TVector, TFate>(_place, Firsts + _column, Seconds + _column));

            // What fills up the last register is defined, and unused.
            if (_source != null) TSimd.Store(ref *_place, 0, TSimd.LoadPartial(_source + _column, rest, TSimd.Create(default)));
        }

        Step(1, lanes);
    }

    /// <summary>The same for four full registers side by side, if any are left; where <see cref="Lines"/> are a multiple of that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MoveFour<TSimd, TVector, TFate>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        if (_rowsLeft == 0) return;
        nint lanes = TSimd.Lanes, step = RegisterStep;
        T* place = _place;
        if (_destination != null)
        {
            T* to = _destination + _column, firsts = Firsts + _column, seconds = Seconds + _column;
            TVector result0 = Result<TSimd, TVector, TFate>(place, firsts, seconds), result1 = Result<TSimd, TVector, TFate>(place + step, firsts + lanes, seconds + lanes);
            TVector result2 = Result<TSimd, TVector, TFate>(place + (2 * step), firsts + (2 * lanes), seconds + (2 * lanes));
            TVector result3 = Result<TSimd, TVector, TFate>(place + (3 * step), firsts + (3 * lanes), seconds + (3 * lanes));
            if (IsPastCaches)
            {
                TSimd.StorePastCaches(to, result0);
                TSimd.StorePastCaches(to + lanes, result1);
                TSimd.StorePastCaches(to + (2 * lanes), result2);
                TSimd.StorePastCaches(to + (3 * lanes), result3);
            }
            else
            {
                CacheHints.FetchFour(to + _destinationAhead, (nuint)lanes);
                TSimd.Store(ref *to, 0, result0);
                TSimd.Store(ref *to, (nuint)lanes, result1);
                TSimd.Store(ref *to, (nuint)(2 * lanes), result2);
                TSimd.Store(ref *to, (nuint)(3 * lanes), result3);
            }
        }

        if (_source != null)
        {
            T* from = _source + _column;
            CacheHints.FetchFour(from + _sourceAhead, (nuint)lanes);
            TSimd.Store(ref *place, 0, TSimd.Load(ref *from, 0));
            TSimd.Store(ref *(place + step), 0, TSimd.Load(ref *from, (nuint)lanes));
            TSimd.Store(ref *(place + (2 * step)), 0, TSimd.Load(ref *from, (nuint)(2 * lanes)));
            TSimd.Store(ref *(place + (3 * step)), 0, TSimd.Load(ref *from, (nuint)(3 * lanes)));
        }

        Step(4, (int)lanes);
    }

    /// <summary>On by some registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Step(int registers, int lanes)
    {
        _place += registers * RegisterStep;
        _column += registers * lanes;
        if (_column < Lines) return;
        _row += lanes;
        _place = _row;
        _column = 0;
        if (_source != null) _source += SourceStep;
        if (_destination != null) _destination += DestinationStep;
        if (--_rowsLeft > Ahead) return;
        _sourceAhead = 0;
        _destinationAhead = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void StoreResult<TSimd, TVector, TFate>(T* to)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        TVector result = Result<TSimd, TVector, TFate>(_place, Firsts + _column, Seconds + _column);
        if (IsPastCaches)
        {
            TSimd.StorePastCaches(to, result);
            return;
        }

        CacheHints.Fetch(to + _destinationAhead);
        TSimd.Store(ref *to, 0, result);
    }

    /// <summary>e (factor + low), a probability; or (x − max) − log, a log-probability.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Result<TSimd, TVector, TFate>(T* place, T* firsts, T* seconds)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TFate : struct, RowPasses.IFate
    {
        TVector value = TSimd.Load(ref *place, 0), first = TSimd.Load(ref *firsts, 0), second = TSimd.Load(ref *seconds, 0);
        return TFate.Stores
            ? TSimd.MultiplyAdd(value, first, TSimd.Multiply(value, second))
            : TSimd.Subtract(TSimd.Subtract(value, first), second);
    }
}
