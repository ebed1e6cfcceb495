using System.Buffers;

namespace SoftmaxCE;

/// <summary>
/// Records of a CSV text as RFC 4180 has them: fields between separators, a field with a separator, quote or line end in it wrapped in
/// quotes, a quote in it doubled. Anything else with quotes is refused. Blank lines are skipped.
/// </summary>
internal sealed class CsvRecords(CharacterReader text, char separator)
{
    private readonly SearchValues<char> _plainEnds = SearchValues.Create([separator, '"', '\r', '\n']);
    private readonly SearchValues<char> _quotedEnds = SearchValues.Create(['"', '\r', '\n']);
    private char[] _characters = new char[256];
    private int[] _ends = new int[16];
    private int _length;

    /// <summary>Line on which the record starts.</summary>
    public long Line { get; private set; }

    public int FieldCount { get; private set; }

    /// <summary>A field of the record read last; it changes with the next one.</summary>
    public ReadOnlySpan<char> Field(int index)
    {
        int start = index == 0 ? 0 : _ends[index - 1];
        return _characters.AsSpan(start, _ends[index] - start);
    }

    /// <summary>Reads the next record; false at the end of the text.</summary>
    public bool Read()
    {
        while (text.Peek() == '\n') text.Take();
        Line = text.Place.Line;
        _length = 0;
        FieldCount = 0;
        if (text.Peek() == CharacterReader.End) return false;
        do
        {
            if (text.Peek() == '"') ReadQuotedField();
            else ReadPlainField();
            EndField();
        }
        while (text.Take() == separator);
        return true;
    }

    private void ReadPlainField()
    {
        while (true)
        {
            Append(text.TakeBefore(_plainEnds));
            int character = text.Peek();
            if (IsFieldEnd(character)) return;
            if (character == '"') throw text.Place.Invalid("a quote inside a field that does not start with one");
            Append([(char)text.Take()]);
        }
    }

    private void ReadQuotedField()
    {
        TextPlace start = text.Place;
        text.Take();
        while (true)
        {
            Append(text.TakeBefore(_quotedEnds));
            int character = text.Take();
            if (character == CharacterReader.End) throw start.Invalid("the quote that opens here is never closed");
            if (character == '"' && text.Peek() != '"') break;
            if (character == '"') text.Take();
            Append([(char)character]);
        }

        if (!IsFieldEnd(text.Peek())) throw text.Place.Invalid("text after the quote that closes a field");
    }

    private bool IsFieldEnd(int character) => character == separator || character == '\n' || character == CharacterReader.End;

    private void Append(ReadOnlySpan<char> characters)
    {
        if (_length + characters.Length > _characters.Length) Array.Resize(ref _characters, Math.Max(_characters.Length * 2, _length + characters.Length));
        characters.CopyTo(_characters.AsSpan(_length));
        _length += characters.Length;
    }

    private void EndField()
    {
        if (FieldCount == _ends.Length) Array.Resize(ref _ends, FieldCount * 2);
        _ends[FieldCount++] = _length;
    }
}
