using System.Buffers;
using System.Text;

namespace SoftmaxCE;

/// <summary>A place in a text, both from 1.</summary>
internal readonly record struct TextPlace(long Line, long Character)
{
    public InvalidDataException Invalid(string what) => new($"Line {Line}, character {Character}: {what}.");
}

/// <summary>Characters of a text one by one, with the place of the next one for messages. A line ends with LF or CR LF; both come as '\n'.</summary>
internal sealed class CharacterReader(TextReader text)
{
    public const int End = -1;

    private readonly char[] _buffer = new char[1 << 15];
    private int _next;
    private int _filled;
    private long _line = 1;
    private long _character = 1;

    /// <summary>Where the next character stands.</summary>
    public TextPlace Place => new(_line, _character);

    /// <summary>A reader of UTF-8 (or what a byte order mark says) that refuses bytes that are not text.</summary>
    public static StreamReader Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new StreamReader(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
    }

    /// <summary>The next character without taking it, or <see cref="End"/>.</summary>
    public int Peek()
    {
        if (_next == _filled && !Fill()) return End;
        char character = _buffer[_next];
        return character == '\r' && IsFollowedByLineFeed() ? '\n' : character;
    }

    /// <summary>Takes the next character, or returns <see cref="End"/>.</summary>
    public int Take()
    {
        int character = Peek();
        if (character == End) return End;
        _next += character == '\n' && _buffer[_next] == '\r' ? 2 : 1;
        _character++;
        if (character != '\n') return character;
        _line++;
        _character = 1;
        return character;
    }

    /// <summary>Takes characters before the first of <paramref name="ends"/>, as many as are at hand: many at once where one by one would be slow.</summary>
    /// <param name="ends">Must hold CR and LF, so that the count of lines stays right.</param>
    /// <returns>Possibly none, also when more would come; valid until the next call.</returns>
    public ReadOnlySpan<char> TakeBefore(SearchValues<char> ends)
    {
        ReadOnlySpan<char> atHand = _buffer.AsSpan(_next, _filled - _next);
        int count = atHand.IndexOfAny(ends);
        if (count >= 0) atHand = atHand[..count];
        _next += atHand.Length;
        _character += atHand.Length;
        return atHand;
    }

    private bool IsFollowedByLineFeed()
    {
        if (_next + 1 == _filled)
        {
            // Keep the CR and read on behind it.
            _buffer[0] = '\r';
            _next = 0;
            _filled = 1 + ReadInto(1);
        }

        return _next + 1 < _filled && _buffer[_next + 1] == '\n';
    }

    private bool Fill()
    {
        _next = 0;
        _filled = ReadInto(0);
        return _filled > 0;
    }

    private int ReadInto(int start)
    {
        try
        {
            return text.Read(_buffer, start, _buffer.Length - start);
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException($"On line {_line} or soon after it there are bytes that are not UTF-8 text.", exception);
        }
    }
}
