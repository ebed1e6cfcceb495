using System.Buffers;
using System.Globalization;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>The lines of an svmlight text as sparse rows and labels.</summary>
internal sealed class SvmLightLines<T>(TextReader text, SvmLightOptions options)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static readonly SearchValues<char> WordEnds = SearchValues.Create([' ', '\t', '\n', '\r', ':', '#']);

    private readonly CharacterReader _text = new(text);
    private readonly SharedStrings _labelNames = new();
    private readonly int _firstIndex = options.ZeroBased ? 0 : 1;
    private char[] _word = new char[32];

    /// <summary>The next rows; fewer than asked for only at the end.</summary>
    public LabeledRows<SparseRows<T>> ReadRows(int mostRows)
    {
        List<T> values = [];
        List<int> columns = [];
        List<long> rowStarts = [0];
        List<string> labels = [];
        int highest = -1;
        while (labels.Count < mostRows && SkipToLabel())
        {
            labels.Add(ReadLabel());
            int last = -1;
            while (SkipToPair())
            {
                (int column, T value) = ReadPair(last);
                if (values.Count == Array.MaxLength) throw _text.Place.Invalid("more than 2^31 values; read them in batches");
                columns.Add(column);
                values.Add(value);
                last = column;
            }

            highest = Math.Max(highest, last);
            rowStarts.Add(values.Count);
        }

        int featureCount = options.FeatureCount > 0 ? options.FeatureCount : Math.Max(highest + 1, 1);
        return new LabeledRows<SparseRows<T>>(new SparseRows<T>(values.ToArray(), columns.ToArray(), rowStarts.ToArray(), featureCount), labels, null);
    }

    private static bool IsBlank(int character) => character is ' ' or '\t';

    private static bool IsWordEnd(int character) => IsBlank(character) || character is '\n' or ':' or '#' or CharacterReader.End;

    /// <summary>Moves to the next line that has more than blanks and a comment; false at the end of the text.</summary>
    private bool SkipToLabel()
    {
        while (!SkipToPair())
        {
            if (_text.Peek() == CharacterReader.End) return false;
            _text.Take();
        }

        return true;
    }

    /// <summary>Moves past blanks and a comment; false at the end of the line.</summary>
    private bool SkipToPair()
    {
        while (IsBlank(_text.Peek())) _text.Take();
        if (_text.Peek() == '#')
            while (_text.Peek() is not ('\n' or CharacterReader.End)) _text.Take();
        return _text.Peek() is not ('\n' or CharacterReader.End);
    }

    private string ReadLabel()
    {
        TextPlace start = _text.Place;
        if (!double.TryParse(ReadWord(), NumberStyles.Float, CultureInfo.InvariantCulture, out double label) || !double.IsFinite(label) || _text.Peek() == ':')
            throw start.Invalid("a label is due here, one finite number");
        return _labelNames.Of((label + 0.0).ToString(CultureInfo.InvariantCulture));            // + 0.0: "-0" is the class "0"
    }

    private (int Column, T Value) ReadPair(int lastColumn)
    {
        TextPlace start = _text.Place;
        if (!int.TryParse(ReadWord(), NumberStyles.None, CultureInfo.InvariantCulture, out int index) || index == int.MaxValue || _text.Take() != ':') throw NotAPair(start);
        int column = index - _firstIndex;
        if (column <= lastColumn) throw start.Invalid($"the indices of a line must rise, and the lowest is {_firstIndex}");
        if (options.FeatureCount > 0 && column >= options.FeatureCount)
            throw start.Invalid($"index {index}, but the highest of {options.FeatureCount} features has {options.FeatureCount - 1 + _firstIndex}");
        if (!T.TryParse(ReadWord(), NumberStyles.Float, CultureInfo.InvariantCulture, out T value) || !T.IsFinite(value) || _text.Peek() == ':') throw NotAPair(start);
        return (column, value);
    }

    private static InvalidDataException NotAPair(TextPlace start) => start.Invalid("index:value is due here, a whole number and a finite number");

    private ReadOnlySpan<char> ReadWord()
    {
        int length = 0;
        while (true)
        {
            ReadOnlySpan<char> part = _text.TakeBefore(WordEnds);
            if (length + part.Length >= _word.Length) Array.Resize(ref _word, (length + part.Length + 1) * 2);
            part.CopyTo(_word.AsSpan(length));
            length += part.Length;
            if (IsWordEnd(_text.Peek())) return _word.AsSpan(0, length);
            _word[length++] = (char)_text.Take();                 // the first character of the next piece, or a CR alone
        }
    }
}
